package throttle_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/seal"
)

// A sign-in limits guesses, and gives the browser a pass once it is complete.
func ExampleThrottle_Do() {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		panic(err)
	}
	guesses, err := throttle.New(throttle.Config{Keys: keys})
	if err != nil {
		panic(err)
	}
	signIn := func(typed string, at throttle.Attempt) string {
		err := guesses.Do(context.Background(), at, func(context.Context) error {
			if typed != "otters swim at noon" { // hasher.Verify(ctx, hash, typed)
				return password.ErrIncorrect
			}
			return nil
		})
		var busy *throttle.BusyError
		switch {
		case errors.As(err, &busy):
			return "429, Retry-After " + busy.RetryAfter.String()
		case errors.Is(err, password.ErrIncorrect):
			return "Wrong username or password."
		case err != nil:
			return "503"
		}
		return "now the second factor"
	}
	at := throttle.Attempt{Name: "ann", Client: "192.0.2.1", Account: "42"}
	fmt.Println(signIn("herons wade at dusk", at))
	fmt.Println(signIn("otters swim at noon", at))

	// After the second factor: a cookie for the next time.
	at.Pass, _ = guesses.NewPass("42")
	fmt.Println(signIn("otters swim at noon", at))
	// Output:
	// Wrong username or password.
	// now the second factor
	// now the second factor
}
