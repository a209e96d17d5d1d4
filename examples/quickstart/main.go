// Quickstart is a second factor in one file: run it, scan the code with an authenticator app,
// and type what the app shows.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

func main() {
	authenticator, err := totp.New(totp.Config{Issuer: "Quickstart"})
	check(err)
	keys, err := seal.NewKeyring(seal.GenerateKey()) // your application keeps its key in a file
	check(err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{authenticator}})
	check(err)

	ctx := context.Background()
	ann := m.Session(mfa.User{ID: "42", Account: "ann@example.com"}, "the session ID")
	input := bufio.NewScanner(os.Stdin)

	// The password was correct: what next? The policy requires a factor, and ann has none.
	begun, err := ann.Begin(ctx)
	check(err)
	enrollment, err := ann.Enroll(ctx, begun.Grant, mfa.EnrollRequest{Kind: "totp"})
	check(err)
	qr, err := totp.QRTerminal(enrollment.Prompt.URI.Reveal())
	check(err)
	fmt.Println(qr + "Scan it, or type this key: " + enrollment.Prompt.Secret.Reveal())
	for confirmed := false; !confirmed; {
		_, err := ann.Confirm(ctx, enrollment, ask(input))
		fmt.Println("enrolled:", err == nil, said(err))
		confirmed = err == nil
	}

	// Ann signs in again: the same code is refused, the next one is accepted.
	begun, err = ann.Begin(ctx)
	check(err)
	for {
		v, err := ann.Verify(ctx, begun, "totp", ask(input))
		if fmt.Println("signed in:", err == nil, said(err)); err == nil {
			fmt.Println("assurance level", v.AssuranceLevel, "by", strings.Join(v.AMR, " "))
			return
		}
	}
}
