package mfa

import (
	"encoding/base64"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/seal"
)

// UserOf returns the user for whom a challenge, an enrolment or a grant was issued, or the zero
// User for one that the Manager cannot read.
func UserOf(m *Manager, issued any) User {
	var t token.Token
	switch v := issued.(type) {
	case *Challenge:
		t = v.token
	case *Enrollment:
		t = v.token
	case Grant:
		t = v.token
	}
	if t.IsZero() {
		return User{}
	}
	kept := reflect.ValueOf(t).FieldByName("at").Elem().Elem()
	if sealed := kept.FieldByName("sealed").String(); sealed != "" {
		return sealedUserOf(m, sealed)
	}
	s := kept.FieldByName("claims").FieldByName("Subject")
	text := func(field string) string { return s.FieldByName(field).String() }
	return User{ID: text("ID"), Tenant: text("Tenant"), UserType: text("UserType"),
		Account: text("Account"), Email: text("Email"),
		EmailVerified: s.FieldByName("Confirmed").Bool(),
		Phone:         text("Phone"), Locale: text("Locale"), TimeZone: text("TimeZone")}
}

func sealedUserOf(m *Manager, text string) User {
	var c token.Claims
	for _, kind := range []seal.Purpose{token.KindChallenge, token.KindMustEnroll,
		token.KindEnrollment, token.KindGrant} {
		sealed, _ := base64.RawURLEncoding.DecodeString(text)
		if plain, err := m.cfg.Keys.Open(kind, "", sealed); err == nil {
			_ = cbor.Unmarshal(plain, &c)
		}
	}
	s := c.Subject
	return User{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Account: s.Account,
		Email: s.Email, EmailVerified: s.Confirmed, Phone: s.Phone, Locale: s.Locale,
		TimeZone: s.TimeZone}
}

// NoticesOf returns how many notices n events of one name get at a time.
func NoticesOf(name string, n int, now time.Time) (got int) {
	r := record.New()
	for range n {
		if noticed(r, &notice{}, Event{Name: name, Time: now}).notice != nil {
			got++
		}
	}
	return got
}

// EventRules returns, for every event, when the user is notified, or "" and why not.
func EventRules() map[string][2]string {
	rules := make(map[string][2]string, len(eventRules))
	for name, r := range eventRules {
		rules[name] = [2]string{r.notify, r.why}
	}
	return rules
}

// Silence makes an event one that users are not notified of, until restore is called.
func Silence(name string) (restore func()) {
	before := eventRules[name]
	eventRules[name] = eventRule{why: "a test says so"}
	return func() { eventRules[name] = before }
}
