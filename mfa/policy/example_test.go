package policy_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/totp"
)

// Managers must use a second factor, and every other user may. Pass the Source to mfa.New in
// mfa.Config.Policies.
func ExampleByUserType() {
	source := policy.ByUserType(map[string]policy.Policy{
		"manager": {Mode: policy.ModeRequired, Remember: 30 * 24 * time.Hour},
		"":        {Mode: policy.ModeOptional},
	})
	for _, userType := range []string{"manager", "customer"} {
		p, err := source.Policy(context.Background(),
			policy.Scope{Tenant: "acme", UserType: userType})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(userType, p.Mode)
	}
	// Output:
	// manager required
	// customer optional
}

// A program checks a configuration without running it.
func ExampleSetup_Audit() {
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	codes, err := recovery.New(recovery.Config{})
	if err != nil {
		log.Fatal(err)
	}
	setup := policy.Setup{
		Factors:  []factor.Factor{app, codes},
		Policies: policy.Static(policy.Policy{Kinds: []string{"totp"}}),
		Events:   true,
	}
	findings, err := setup.Audit(policy.ProfileASVSL2, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		fmt.Printf("%s, %s: %s\n", f.Row, f.Where, f.Problem)
	}
	// Output:
	// A-14, recovery: codes of 80 bits are kept without a password hash
	// A-17, totp: a code is valid for longer than 30 seconds, or the factor does not state how long
}
