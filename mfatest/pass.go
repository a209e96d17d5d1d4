package mfatest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Device is what a user has to respond with: an [App], an [Outbox], a virtual passkey of package
// passkey/passkeytest, or your own for a third-party factor.
type Device interface {
	// Kind returns the kind of the factor, such as "totp".
	Kind() string
	// Respond returns the response to a challenge or, while the device is enrolled, the response
	// that confirms the enrolment. p has what the JSON API sends: the key of an app (Secret, URI),
	// what a passkey signs (Data), and MaskedDestination.
	Respond(p factor.Prompt) (string, error)
}

// challenge is what the JSON API says of a sign-in.
type challenge struct {
	SignedIn bool     `json:"signed_in"`
	Next     mfa.Next `json:"next"`
	Purpose  string   `json:"purpose"`
	Kinds    []string `json:"kinds"`
	Options  []struct {
		Kind    string `json:"kind"`
		Factor  string `json:"factor"`
		Sends   bool   `json:"sends"`
		Stopped bool   `json:"stopped"`
	} `json:"options"`
	Locked bool `json:"locked"`
}

// prompt is what the JSON API shows of a factor.
type prompt struct {
	Enrollment string          `json:"enrollment"`
	Secret     string          `json:"secret"`
	URI        string          `json:"uri"`
	Hint       string          `json:"hint"`
	Data       json.RawMessage `json:"data"`
}

func (p prompt) factor() factor.Prompt {
	return factor.Prompt{Secret: secret.New(p.Secret), URI: secret.New(p.URI), Data: p.Data,
		MaskedDestination: p.Hint}
}

// PassSecondFactor responds to the second factor that the application asks for, as a user with
// these devices does: at the sign-in of a user who has given the password, or where a page asks
// again. It uses the first device that the user has enrolled. If the user must enrol one, it
// enrols the first that is permitted. It goes the way of every client, over the JSON API.
//
// The test fails if there is nothing to respond to, so that a test of a page that has lost its
// guard fails too.
//
//	client.Post(t, "/login", url.Values{"password": {"correct horse battery"}})
//	client.PassSecondFactor(t, new(mfatest.App))
func (c *Client) PassSecondFactor(t testing.TB, devices ...Device) {
	t.Helper()
	var now challenge
	c.api(t, "GET", "state", nil, &now)
	switch {
	case now.Locked:
		t.Fatalf("mfatest.Client: the user is locked after failed attempts: advance the clock")
	case now.Next == mfa.NextVerify:
		now = c.verify(t, now, devices)
	case now.Next != mfa.NextEnroll:
		t.Fatalf("mfatest.Client: no second factor is asked for: signed in: %v", now.SignedIn)
	}
	if now.Next == mfa.NextEnroll {
		c.enroll(t, now.Kinds, devices)
	}
	c.api(t, "GET", "state", nil, &now)
	if !now.SignedIn {
		t.Fatalf("mfatest.Client: the second factor is passed, and the user is not signed in")
	}
}

// verify responds to a challenge, and returns what is next.
func (c *Client) verify(t testing.TB, now challenge, devices []Device) (next challenge) {
	t.Helper()
	var kinds []string
	for _, o := range now.Options {
		if !o.Stopped {
			kinds = append(kinds, o.Kind)
		}
	}
	device := choose(t, "verify", kinds, devices)
	body := map[string]string{"kind": device.Kind(), "purpose": now.Purpose}
	var shown prompt
	for _, o := range now.Options {
		if o.Kind == device.Kind() && o.Sends {
			body["factor"] = o.Factor
			c.api(t, "POST", "send", body, &shown)
			break
		}
	}
	delete(body, "factor")
	body["code"] = respond(t, device, shown)
	c.api(t, "POST", "verify", body, &next)
	return next
}

// enroll enrols a device of one of these kinds.
func (c *Client) enroll(t testing.TB, kinds []string, devices []Device) {
	t.Helper()
	device := choose(t, "enrol", kinds, devices)
	var shown prompt
	c.api(t, "POST", "enroll", map[string]string{"kind": device.Kind()}, &shown)
	if shown.Enrollment == "" { // a kind that needs no confirmation
		return
	}
	c.api(t, "POST", "confirm", map[string]string{"enrollment": shown.Enrollment,
		"code": respond(t, device, shown)}, &struct{}{})
}

// choose returns the first device of one of these kinds.
func choose(t testing.TB, to string, kinds []string, devices []Device) Device {
	t.Helper()
	var has []string
	for _, d := range devices {
		if slices.Contains(kinds, d.Kind()) {
			return d
		}
		has = append(has, d.Kind())
	}
	t.Fatalf("mfatest.Client: the user must %s one of [%s], and has [%s]", to,
		strings.Join(kinds, " "), strings.Join(has, " "))
	return nil
}

func respond(t testing.TB, d Device, p prompt) string {
	t.Helper()
	response, err := d.Respond(p.factor())
	if err != nil {
		t.Fatalf("mfatest.Client: the response by %s: %v", d.Kind(), err)
	}
	return response
}
