package totp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

// The Manager does all of this; here is what a factor does for it.
func ExampleFactor_Verify() {
	f, err := totp.New(totp.Config{Issuer: "Acme"})
	if err != nil {
		panic(err)
	}
	// A secret is made unless one is given. This is the one of RFC 6238.
	out, err := f.Enroll(context.Background(), factor.EnrollInput{
		User: factor.User{ID: "42", Account: "ann@example.com"},
		Params: map[string]secret.Text{"secret": secret.New("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T " +
			"QOJQ")},
	})
	if err != nil {
		panic(err)
	}
	code, err := f.Normalize("287 082") // what the app shows at second 59
	if err != nil {
		panic(err)
	}
	in := factor.VerifyInput{State: out.State, Response: secret.New(code), Now: time.Unix(59, 0)}
	correct, err := f.Verify(context.Background(), in)
	fmt.Println("first:", err)

	in.State = correct.State
	_, err = f.Verify(context.Background(), in)
	fmt.Println("again:", errors.Is(err, factor.ErrReplayed))
	// Output:
	// first: <nil>
	// again: true
}

// Users who come from another system keep the app entry they have.
func ExampleFactor_Enroll_import() {
	f, err := totp.New(totp.Config{Issuer: "Acme"})
	if err != nil {
		panic(err)
	}
	out, err := f.Enroll(context.Background(), factor.EnrollInput{
		User: factor.User{ID: "42", Account: "ann@example.com"},
		Name: "phone",
		Params: map[string]secret.Text{"secret": secret.New("gezdgnbvgy3tqojqgezdgnbvgy3tqojq"),
			"digits": secret.New("8")},
	})
	if err != nil {
		panic(err)
	}
	label, parameters, _ := strings.Cut(out.Prompt.URI.Reveal(), "?")
	fmt.Println(label)
	fmt.Println(parameters)
	// Output:
	// otpauth://totp/Acme:ann%40example.com%20%28phone%29
	// secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&algorithm=SHA1&digits=8&period=30
}

func ExampleQRTerminal() {
	text, err := totp.QRTerminal(
		"otpauth://totp/Acme:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme")
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(text, "\n"), "lines")
	// Output: 23 lines
}
