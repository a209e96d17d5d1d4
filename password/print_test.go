package password_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// Nothing that prints, logs or encodes shows a token, a password or a hash.
func TestPrinting_ShowsNoSecret(t *testing.T) {
	var mail password.Mail
	r := newRig(t, func(c *password.Config) {
		c.Compose = func(m password.Mail) (email.Message, error) {
			mail = m
			return email.Message{}, nil
		}
	})
	link := r.link("olivia@acme.example")
	a, err := r.CheckLink(t.Context(), link)
	require.NoError(t, err)
	secrets := []string{link.Reveal(), newPassword, oldPassword, a.Hash.Reveal()}
	values := []any{mail, &mail, a, password.Update{Hash: a.Hash, Old: a.Hash},
		password.ResetRequest{Token: link, Password: secret.New(newPassword)},
		password.ChangeRequest{Session: r.session("1"), Current: secret.New(oldPassword),
			Password: secret.New(newPassword)},
		password.AdminRequest{Admin: r.second.Admin(mfa.System("admin"), ""),
			Password: secret.New(newPassword)}}
	values = append(values, r.reset(link), r.reset(link),
		r.Reset(t.Context(), password.ResetRequest{Token: link, Password: secret.New("x")}))
	for _, e := range r.events {
		values = append(values, e)
	}
	for _, v := range values {
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s", v, v, v, v), string(encoded)} {
			for _, secret := range secrets {
				require.NotContains(t, shown, secret, "%T", v)
			}
		}
	}
	// Nor does the store hold anything to use.
	link = r.link("olivia@acme.example")
	page, _, err := r.store.List(t.Context(), "password/", "", 100)
	require.NoError(t, err)
	require.Len(t, page, 3)
	for _, e := range page {
		for _, s := range []string{"olivia", "192.0.2.1", link.Reveal()[43:]} {
			require.NotContains(t, e.Key, s)
			require.NotContains(t, string(e.Record.Data), s)
		}
	}
}
