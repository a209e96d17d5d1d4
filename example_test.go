package secondgate_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/storage/memory"
)

// tenantBrands are how the users of each tenant see the application.
var tenantBrands = map[string]brand.Brand{
	"northwind": {
		Product:  "Northwind Bank",
		Issuer:   "Northwind",
		MailFrom: "Northwind Bank <codes@northwind.example>",
		Accent:   "#7a1fa2",
		Logo:     "/assets/northwind.svg",
		Texts: map[string]map[string]string{
			"en": {"verify.button": "Go to my accounts"},
		},
	},
	"southridge": {Product: "Southridge Clinic", Accent: "#0b5394"},
}

func brandOf(_ context.Context, scope policy.Scope) (brand.Brand, error) {
	return tenantBrands[scope.Tenant], nil
}

// The users of each tenant see their own name, colours, logo and sender.
func ExampleConfig_brand() {
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFromEnv("SECONDGATE_KEYS"), User: current,
		Brand: brandOf,
	})
	if err != nil {
		fmt.Println("the environment has no key")
		return
	}
	fmt.Println(http.ListenAndServe("localhost:8080", gate.Require(http.NotFoundHandler())))
	// Output:
	// the environment has no key
}

// The bad colour of a tenant is found in a test of the application.
func ExampleConfig_brandCheck() {
	b := brand.Brand{Product: "Northwind Bank", Accent: "#ff9900"}
	fmt.Println(b.Check())
	// Output:
	// brand: invalid: Accent #ff9900 has a contrast of 2.14:1 to #ffffff, and needs 4.5:1
}

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
