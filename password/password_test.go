package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

func TestReset_SetsThePassword(t *testing.T) {
	r := newRig(t, nil)
	link := r.link("  OLIVIA@acme.example ")
	require.Len(t, r.mails.All(), 1)
	m, _ := r.mails.Last()
	require.Equal(t, "olivia@acme.example", m.To, "the address on file, not the one typed")
	require.Contains(t, m.Text.Reveal(), "30 minutes")

	for range 3 { // a scanner opens the link
		a, err := r.CheckLink(t.Context(), link)
		require.NoError(t, err)
		require.Equal(t, "1", a.ID)
	}
	require.True(t, r.signsIn("acme/1", secret.New(oldPassword)), "looking changes nothing")

	requireReason(t, r.Reset(t.Context(), password.ResetRequest{Token: link,
		Password: secret.New("password")}), "password_common")
	requireReason(t, r.Reset(t.Context(), password.ResetRequest{Token: link,
		Password: secret.New("olivia berg 1")}), "password_personal")
	requireReason(t, r.Reset(t.Context(), password.ResetRequest{Token: link,
		Password: secret.New("Acme 2026")}), "password_personal")
	require.NoError(t, r.reset(link), "a refused password does not spend the link")
	require.True(t, r.signsIn("acme/1", secret.New(newPassword)))
	require.False(t, r.signsIn("acme/1", secret.New(oldPassword)))
	require.Equal(t, 1, r.people.ended["acme/1"])
	require.False(t, r.people.must["acme/1"])
	require.Empty(t, r.people.keep)

	require.ErrorIs(t, r.reset(link), password.ErrLink)
	_, err := r.CheckLink(t.Context(), link)
	require.ErrorIs(t, err, password.ErrLink)
	require.Equal(t, 1, r.people.ended["acme/1"])

	require.NoError(t, r.work())
	m, _ = r.mails.Last()
	require.Equal(t, "Your password at Acme was reset", m.Subject)
	require.Equal(t, []string{"password.link-sent", "password.reset", "password.notice-sent"},
		r.names())
}

// Nothing is looked up before the answer, and the same is written for every address.
func TestForgot_ResponseRevealsNoAccount(t *testing.T) {
	did := func(address string) (string, *rig) {
		r := newRig(t, nil)
		err := r.forgot(address)
		require.Zero(t, r.people.finds, "no look-up before the answer")
		require.Empty(t, r.mails.All())
		require.Empty(t, r.events)
		require.Len(t, r.later, 1)
		return fmt.Sprint(err, r.store.Calls(mfatest.OpGet), r.store.Calls(mfatest.OpSwap),
			r.store.Calls(mfatest.OpDelete)), r
	}
	somebody, r := did("olivia@acme.example")
	require.NoError(t, r.work())
	require.Len(t, r.mails.All(), 1)
	nobody, r := did("nobody@acme.example")
	require.NoError(t, r.work())
	require.Empty(t, r.mails.All())
	require.Equal(t, []string{"password.link-unknown"}, r.names())
	require.Equal(t, somebody, nobody)
}

// Both accounts of an address get their own link, in their own language.
func TestForgot_MailsEachAccountOfAnAddress(t *testing.T) {
	r := newRig(t, nil)
	require.NoError(t, r.forgot("robin@acme.example"))
	require.NoError(t, r.work())
	mails := r.mails.All()
	require.Len(t, mails, 2)
	require.Equal(t, "Kies een nieuw wachtwoord voor Acme", mails[0].Subject)
	require.Equal(t, "Wählen Sie ein neues Passwort für Acme", mails[1].Subject)
	require.Contains(t, mails[1].Text.Reveal(), "Robin, too")
	require.NoError(t, r.reset(token(t, mails[1])))
	require.True(t, r.signsIn("other/3", secret.New(newPassword)))
	require.True(t, r.signsIn("acme/2", secret.New(oldPassword)))
	require.NoError(t, r.reset(token(t, mails[0])), "the other account's link is its own")
}

func TestLink_Expires(t *testing.T) {
	r := newRig(t, nil)
	link := r.link("olivia@acme.example")
	r.clock.Advance(30*time.Minute - time.Millisecond)
	_, err := r.CheckLink(t.Context(), link)
	require.NoError(t, err)
	r.clock.Advance(time.Millisecond)
	_, err = r.CheckLink(t.Context(), link)
	require.ErrorIs(t, err, password.ErrLink)
	require.ErrorIs(t, r.reset(link), password.ErrLink)
	require.True(t, r.signsIn("acme/1", secret.New(oldPassword)))
}

// A user who asks for another's link does not take theirs away, and using one ends all.
func TestForgot_EarlierLinksStayValid(t *testing.T) {
	r := newRig(t, nil)
	first, second := r.link("olivia@acme.example"), r.link("olivia@acme.example")
	require.NotEqual(t, first, second)
	require.NoError(t, r.reset(first))
	require.ErrorIs(t, r.reset(second), password.ErrLink)
}

// A link is void as soon as the password or the address has changed by other means.
func TestLink_IsVoidAfterAChange(t *testing.T) {
	for name, change := range map[string]func(*rig){
		"address": func(r *rig) {
			r.people.change("acme/1", func(a *password.Account) {
				a.Email = "olivia.berg@acme.example"
			})
		},
		"password": func(r *rig) {
			require.NoError(t, r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
				Session: r.session("1"),
				Current: secret.New(oldPassword), Password: secret.New("a third one entirely")}))
		},
		"administrator": func(r *rig) {
			require.NoError(t, r.AdminSet(t.Context(), password.AdminRequest{Tenant: "acme",
				ID: "1", Admin: r.second.Admin(mfa.System("admin"), ""),
				Password: secret.New("a third one entirely")}))
		},
		"gone": func(r *rig) { delete(r.people.list, "acme/1") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			link := r.link("olivia@acme.example")
			change(r)
			_, err := r.CheckLink(t.Context(), link)
			require.ErrorIs(t, err, password.ErrLink)
			require.ErrorIs(t, r.reset(link), password.ErrLink)
			require.False(t, !r.people.account("acme/1").Hash.IsZero() &&
				r.signsIn("acme/1", secret.New(newPassword)))
		})
	}
}

func TestLink_ForgedOnesAreRefused(t *testing.T) {
	r := newRig(t, nil)
	olivia := r.link("olivia@acme.example").Reveal()
	require.NoError(t, r.forgot("robin@acme.example"))
	require.NoError(t, r.work())
	robin := token(t, r.mails.All()[1]).Reveal()
	for _, forged := range []string{"", "x", olivia + "A", olivia[:len(olivia)-1], olivia[:43] +
		robin[43:], robin[:43] + olivia[43:],
		strings.Repeat("A", len(olivia)), olivia[:len(olivia)-2] + "!!", strings.Repeat("x", 1<<20),
		strings.Repeat("\n", len(olivia)), olivia[:43] + strings.Repeat("\r\n",
			50)[:len(olivia)-43],
		olivia[:len(olivia)-1] + "\n", olivia + "\n", olivia[:9] + "\r\n" + olivia[9:]} {
		_, err := r.CheckLink(t.Context(), secret.New(forged))
		require.ErrorIs(t, err, password.ErrLink, forged[:min(len(forged), 100)])
		require.ErrorIs(t, r.reset(secret.New(forged)), password.ErrLink)
	}
	require.NoError(t, r.reset(secret.New(olivia)))
}

// Of many that use one link at once, one sets its password.
func TestLink_IsUsedOnce(t *testing.T) {
	r := newRig(t, func(c *password.Config) {
		c.Events, c.Later = nil, func(context.Context, func(context.Context) error) {}
	})
	mails := newRig(t, nil) // only to have a link made in the same store
	cfg := mails.cfg
	cfg.Store, cfg.Keys, cfg.Accounts = r.cfg.Store, r.cfg.Keys, r.cfg.Accounts
	var err error
	mails.Manager, err = password.New(cfg)
	require.NoError(t, err)
	mails.people = r.people
	link := mails.link("olivia@acme.example")
	// A second process over the same store, whose Updater knows nothing of the first's.
	other, err := password.New(r.cfg)
	require.NoError(t, err)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 12 {
		m := r.Manager
		if i%2 == 1 {
			m = other
		}
		wg.Go(func() {
			err := m.Reset(t.Context(), password.ResetRequest{Token: link,
				Password: secret.New(newPassword)})
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, password.ErrLink) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	require.Equal(t, 1, r.people.ended["acme/1"])
}

// A queue runs work again after an error, and then only what failed.
func TestForgot_SendsAFailedMailAgain(t *testing.T) {
	r := newRig(t, nil)
	require.NoError(t, r.forgot("robin@acme.example"))
	work := r.later[0]
	r.mails.FailNext(errors.New("greylisted"))
	require.ErrorIs(t, work(t.Context()), mfa.ErrUnavailable)
	require.Len(t, r.mails.All(), 1)
	require.NoError(t, work(t.Context()))
	require.Len(t, r.mails.All(), 2)
	require.NoError(t, work(t.Context()))
	require.Len(t, r.mails.All(), 2)
	require.Equal(t, []string{"password.link-failed", "password.link-sent", "password.link-sent"},
		r.names())
}

// Whatever the store does, a link sets no two passwords, and none is set by a link that may be
// good still.
func TestReset_WhenTheStoreFails(t *testing.T) {
	broken := errors.New("connection lost")
	for _, fault := range []mfatest.Fault{{Before: broken}, {After: broken}} {
		for _, op := range []mfatest.Op{mfatest.OpGet, mfatest.OpDelete} {
			r := newRig(t, nil)
			link := r.link("olivia@acme.example")
			r.store.Inject(op, 1, fault)
			require.ErrorIs(t, r.reset(link), mfa.ErrUnavailable)
			require.True(t, r.signsIn("acme/1", secret.New(oldPassword)),
				"nothing is set before the link is spent for certain")
			err := r.reset(link)
			if op == mfatest.OpDelete && fault.After != nil {
				require.ErrorIs(t, err, password.ErrLink)
			} else {
				require.NoError(t, err)
			}
		}
	}
	r := newRig(t, nil)
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: broken})
	require.ErrorIs(t, r.forgot("olivia@acme.example"), mfa.ErrUnavailable)
	require.Empty(t, r.later)
}

func TestReset_WhenTheApplicationFails(t *testing.T) {
	r := newRig(t, nil)
	link := r.link("olivia@acme.example")
	r.people.fail = errors.New("disk full")
	require.ErrorIs(t, r.reset(link), mfa.ErrUnavailable)
	r.people.fail = nil
	require.ErrorIs(t, r.reset(link), password.ErrLink, "spent first")
	require.True(t, r.signsIn("acme/1", secret.New(oldPassword)))
	require.NotContains(t, r.names(), "password.reset")
}

func TestReencrypt_WritesRecordsWithTheNewKey(t *testing.T) {
	oldKey, newKey := seal.GenerateKey(), seal.GenerateKey()
	before, err := seal.NewKeyring(oldKey)
	require.NoError(t, err)
	r := newRig(t, func(c *password.Config) { c.Keys = before })
	link := r.link("olivia@acme.example")
	during, err := seal.NewKeyring(newKey, oldKey)
	require.NoError(t, err)
	r.cfg.Keys = during
	r.Manager, err = password.New(r.cfg)
	require.NoError(t, err)
	require.NoError(t, r.Manager.Reencrypt(t.Context()))
	after, err := seal.NewKeyring(newKey)
	require.NoError(t, err)
	r.cfg.Keys = after
	r.Manager, err = password.New(r.cfg)
	require.NoError(t, err)
	_, err = r.CheckLink(t.Context(), link)
	require.NoError(t, err, "no older key is needed")

	count := func() int {
		page, _, err := r.store.List(t.Context(), "password/", "", 100)
		require.NoError(t, err)
		return len(page)
	}
	require.Equal(t, 3, count())
	r.clock.Advance(30 * time.Minute)
	require.NoError(t, r.Manager.Reencrypt(t.Context()))
	require.Equal(t, 2, count(), "the links are over, the budgets not")
	r.clock.Advance(30 * time.Minute)
	require.NoError(t, r.Manager.Reencrypt(t.Context()))
	require.Zero(t, count())

	link = r.link("olivia@acme.example")
	r.cfg.Keys = before
	r.Manager, err = password.New(r.cfg)
	require.NoError(t, err)
	_, err = r.CheckLink(t.Context(), link)
	require.ErrorIs(t, err, password.ErrLink, "of a key that was retired")
	require.Error(t, r.Manager.Reencrypt(t.Context()), "unreadable links are reported")

	r.cfg.Store = struct{ storage.Store }{r.store}
	r.Manager, err = password.New(r.cfg)
	require.NoError(t, err)
	require.ErrorIs(t, r.Manager.Reencrypt(t.Context()), errors.ErrUnsupported)
}

func TestNew_ChecksTheConfig(t *testing.T) {
	for name, change := range map[string]func(*password.Config){
		"Store": func(c *password.Config) {
			c.Store = nil
		}, "Keys": func(c *password.Config) { c.Keys = nil },
		"Accounts": func(c *password.Config) {
			c.Accounts = nil
		}, "Hasher": func(c *password.Config) { c.Hasher = nil },
		"Sender": func(c *password.Config) {
			c.Sender = nil
		}, "LinkURL": func(c *password.Config) { c.LinkURL = nil },
		"SettingsURL": func(c *password.Config) { c.SettingsURL = "/mfa/" },
		"Later": func(c *password.Config) {
			c.Later = nil
		}, "ServiceName": func(c *password.Config) { c.ServiceName = "a\nb" },
		"TTL": func(c *password.Config) {
			c.TTL = time.Minute
		}, "PerClient": func(c *password.Config) { c.PerClient = -1 },
		"PerAddress": func(c *password.Config) {
			c.PerAddress = 1001
		}, "MinLength": func(c *password.Config) { c.Rules.MinLength = 7 },
		"MinLengthAlone": func(c *password.Config) { c.Rules.MinLengthAlone = 14 },
		"LinkURL must": func(c *password.Config) {
			c.LinkURL = func(token string) string { return "/reset?token=" + token }
		},
		"holds": func(c *password.Config) {
			c.LinkURL = func(string) string { return "https://acme.example/" }
		},
	} {
		cfg := newRig(t, nil).cfg
		change(&cfg)
		_, err := password.New(cfg)
		require.ErrorContains(t, err, name)
	}
}
