package secondgate_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/storage/memory"
)

// current stands for the application's own session.
func current(*http.Request) (secondgate.User, error) { return secondgate.User{}, nil }

// An application asks for a second factor from those users who have one, and for a fresh one
// before an account is deleted.
func Example() {
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFromEnv("SECONDGATE_KEYS"), User: current,
		Policies: policy.Static(policy.Policy{Mode: policy.ModeOptional}),
	})
	if err != nil {
		fmt.Println("the environment has no key")
		return
	}
	deleteAccount := http.NotFoundHandler()
	mux := http.NewServeMux()
	mux.Handle("/account/delete", gate.RequireRecent(5*time.Minute)(deleteAccount))
	fmt.Println(http.ListenAndServe("localhost:8080", gate.Require(mux)))
	// Output:
	// the environment has no key
}
