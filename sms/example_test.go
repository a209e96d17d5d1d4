package sms_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
)

func Example() {
	// A real application uses NewTwilio or NewHTTPSender here.
	sender := sms.SenderFunc(func(_ context.Context, m sms.Message) error {
		fmt.Println("to a number of", len(m.To)-1, "digits, one message of", len(m.Text),
			"characters")
		return nil
	})
	f, err := sms.New(sms.Config{
		Sender:      sender,
		ServiceName: "Acme",
		Origin:      "acme.example",
		Allow:       []string{"+31", "+47"},
		Parse:       phone.Parse,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// From here on it is the Manager who calls the factor.
	ctx, now := context.Background(), time.Now()
	e, err := f.Enroll(ctx, factor.EnrollInput{
		Params: map[string]secret.Text{"number": secret.New("06 1234 5678"),
			"region": secret.New("NL")}, Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a code goes to", e.MaskedDestination)
	is, err := f.Issue(ctx, factor.IssueInput{State: e.State, Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = f.Deliver(ctx, factor.Message{State: e.State, Payload: is.Payload, Expires: is.Expires,
		Time: now})
	fmt.Println(err)
	// Output:
	// a code goes to +31 •••••5678
	// to a number of 11 digits, one message of 118 characters
	// <nil>
}

func ExampleNewHTTPSender() {
	// A provider that takes JSON and replies 200 to everything.
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"messages":[{"status":"9","error":"no credit"}]}`)
	}))
	defer provider.Close()

	s, err := sms.NewHTTPSender(sms.HTTPConfig{
		URL:            provider.URL + "/sms/json", // https outside of examples
		Header:         map[string]secret.Text{"Authorization": secret.New("Bearer token")},
		JSON:           secret.New(`{"from": "Acme", "to": "{{digits}}", "text": "{{text}}"}`),
		SuccessField:   "messages.0.status",
		SuccessPattern: "0",
		CodeField:      "messages.0.status",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Send(context.Background(), sms.Message{To: "+31612345678",
		Text: "012345 is your code for Acme."}))
	// Output: sms: message not sent: refused, status 200, code 9
}

func ExampleNewTwilio() {
	_, err := sms.NewTwilio(sms.TwilioConfig{
		AccountSID: "AC00112233445566778899aabbccddeeff",
		KeySID:     "SK00112233445566778899aabbccddeeff", // a key can be withdrawn alone
		Secret:     secret.New("the secret of the key"),
		From:       "+15005550006",
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleConfig_check() {
	// Stop messages to numbers whose SIM card was changed lately. What the look-up is made
	// with depends on the operator or provider.
	swappedLately := func(context.Context, string) bool { return true }
	f, err := sms.New(sms.Config{
		Sender:      sms.SenderFunc(func(context.Context, sms.Message) error { return nil }),
		ServiceName: "Acme",
		Origin:      "acme.example",
		Allow:       []string{"+31"},
		Check: func(ctx context.Context, in sms.CheckInput) error {
			if swappedLately(ctx, in.Number.Reveal()) {
				return &factor.Problem{Reason: "number_at_risk",
					Detail: "this number changed hands lately"}
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	err = f.Deliver(context.Background(), factor.Message{State: []byte("+31612345678"),
		Payload: secret.New("012345"), Expires: now.Add(time.Minute), Time: now})
	var p *factor.Problem
	fmt.Println(err)
	fmt.Println(errors.As(err, &p), p.Reason)
	// Output:
	// sms: Config.Check refused the message
	// true number_at_risk
}
