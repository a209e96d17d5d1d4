package access_test

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// An administrator makes a code through mfa.Admin.Enroll; this is what the factor does then.
func Example() {
	f, err := access.New(access.Config{})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	made, err := f.Enroll(context.Background(), factor.EnrollInput{
		Params: map[string]secret.Text{"valid": secret.New("8h"), "uses": secret.New("any")},
		Now:    now})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(made.Prompt.Codes[0].Reveal()), "characters, valid until",
		f.Describe(made.State).Ends.Format(time.Kitchen))
	// Output: 19 characters, valid until 8:00PM
}
