package exporting_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/exporting"
	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// A user moves from one store and key to another.
func ExampleWrite() {
	ctx := context.Background()
	installation := func() mfa.Admin {
		keys, _ := seal.NewKeyring(seal.GenerateKey())
		app, _ := totp.New(totp.Config{Issuer: "Acme"})
		m, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{app},
			Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
		return m.Admin(mfa.System("move"), "to the new database, ticket 4711")
	}
	from, to := installation(), installation()
	users := importing.JSONLines(strings.NewReader(`{"id": "ann", "factors": [{"kind": "totp",
		"params": {"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}`))
	for range importing.Run(ctx, from, users, importing.Options{}) {
	}

	var file bytes.Buffer // in a program, something that encrypts
	done, err := exporting.Write(ctx, from, &file, exporting.Options{})
	fmt.Println(done.Users, done.Factors, err)
	for result := range importing.Run(ctx, to, importing.JSONLines(&file), importing.Options{}) {
		fmt.Println(result.User.ID, result.Outcome())
	}
	// Output:
	// 1 1 <nil>
	// ann imported totp
}
