package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// Mails about passwords have the brand of the account's tenant, and none is sent without it.
func TestMail_HasTheBrandOfTheTenant(t *testing.T) {
	var fail error
	r := newRig(t, func(c *password.Config) {
		c.Brand = func(_ context.Context, scope policy.Scope) (brand.Brand, error) {
			if scope.Tenant == "other" {
				return brand.Brand{Product: "Other\r\nBcc: all@example.com"}, fail
			}
			return brand.Brand{Product: "Northwind", Accent: "#7a1fa2",
				MailFrom: "Northwind <codes@northwind.example>"}, fail
		}
	})
	mails := r.requestLinks(t, "olivia@acme.example")
	require.Len(t, mails, 1)
	require.Equal(t, "Northwind <codes@northwind.example>", mails[0].From)
	require.Contains(t, mails[0].Subject, "Northwind")
	require.Contains(t, mails[0].HTML.Reveal(), "background:#7a1fa2")
	require.NotContains(t, mails[0].HTML.Reveal()+mails[0].Text.Reveal(), "Acme")
	fail = errors.New("down")
	require.Empty(t, r.requestLinks(t, "olivia@acme.example"))
}

// Every kind of mail, in every language, has the brand and its texts.
func TestMails_HaveTheBrandInEachLanguage(t *testing.T) {
	for _, locale := range texts.Tags() {
		own := map[string]string{}
		for _, key := range texts.Get(locale).Keys() {
			if text, _ := texts.Get(locale).Lookup(key); strings.HasPrefix(key, "mail.password.") {
				own[key] = "⟦" + text
			}
		}
		r := newRig(t, func(c *password.Config) {
			c.ServiceName = "Configured"
			c.Brand = func(context.Context, policy.Scope) (brand.Brand, error) {
				return brand.Brand{Product: "Northwind", MailFrom: "codes@north.example",
					Texts: map[string]map[string]string{locale: own}}, nil
			}
		})
		r.people.change("acme/1", func(a *password.Account) { a.Locale = locale })
		require.NoError(t, r.reset(r.link("olivia@acme.example")))
		require.NoError(t, r.AdminSet(t.Context(), password.AdminRequest{Tenant: "acme", ID: "1",
			Admin:    r.second.Admin(mfa.System("admin"), ""),
			Password: secret.New(oldPassword)}))
		require.NoError(t, r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
			Session: r.session("1"),
			Current: secret.New(oldPassword), Password: secret.New(newPassword)}))
		require.NoError(t, r.work())
		mails := r.mails.All()
		require.Len(t, mails, 4)
		for _, m := range mails {
			all := m.Subject + m.Text.Reveal() + m.HTML.Reveal()
			require.Contains(t, all, "Northwind")
			require.NotContains(t, all, "Configured")
			require.Contains(t, m.Subject, "⟦")
			require.Contains(t, m.HTML.Reveal(), "⟦")
			require.Equal(t, "codes@north.example", m.From)
		}
	}
}

// requestLinks returns the mails of a request for a link.
func (r *rig) requestLinks(t *testing.T, address string) []email.Message {
	t.Helper()
	before := len(r.mails.All())
	require.NoError(t, r.forgot(address))
	_ = r.work() // its error is that of the hook
	return r.mails.All()[before:]
}
