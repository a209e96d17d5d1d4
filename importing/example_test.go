package importing_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

func ExampleRun() {
	ctx := context.Background()
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	app, _ := totp.New(totp.Config{Issuer: "Acme"})
	m, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{app},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	admin := m.Admin(mfa.System("import"), "moved from the old system")
	users := importing.CSV(strings.NewReader(
		"name,key\nann,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n"),
		importing.Columns{ID: "name", Secret: "key"})

	for result := range importing.Run(ctx, admin, users, importing.Options{}) {
		fmt.Println(result.User.ID, result.Outcome())
	}
	// Output: ann imported totp
}
