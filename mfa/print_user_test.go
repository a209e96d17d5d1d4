package mfa_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/password"
)

func TestUser_PrintsNoContact(t *testing.T) {
	const address, number, name = "ann@example.com", "+31612345678", "Ann Smith"
	contact := mfa.User{ID: "7", Tenant: "acme", Account: address, Email: address, Phone: number}
	inside := factor.User{ID: "7", Tenant: "acme", Account: address, Email: address, Phone: number}
	session := new(mfa.Manager).Session(contact, "a session")
	actor := session.Actor(mfa.Grant{})
	admin := new(mfa.Manager).Admin(actor, "asked at acme")
	var printed bytes.Buffer
	_, _ = fmt.Fprintf(&printed, "%v %+v %#v", actor, &actor, struct{ By mfa.Actor }{actor})
	require.NotContains(t, printed.String(), address)
	for _, v := range []any{session, &session, struct{ Session mfa.Session }{session}, admin,
		struct{ By mfa.Admin }{admin}, contact, &contact, []mfa.User{contact}, inside,
		factor.VerifyInput{User: inside}, factor.Message{User: inside},
		password.Account{ID: "7", Tenant: "acme", Email: address, Name: name}} {
		var printed bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			_, _ = fmt.Fprintf(&printed, verb, v)
		}
		slog.New(slog.NewTextHandler(&printed, nil)).Info("in", "v", v)
		for _, hidden := range []string{address, number, name, fmt.Sprintf("%x", address)} {
			require.NotContains(t, printed.String(), hidden, "%T", v)
		}
		require.Contains(t, printed.String(), "acme", "%T", v)
	}
}
