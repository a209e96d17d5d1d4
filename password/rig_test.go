package password_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

const oldPassword, newPassword = "otters swim at noon", "herons wade at dusk"

// rig is an application of three people.
type rig struct {
	*password.Manager
	t      *testing.T
	cfg    password.Config
	hasher *password.Hasher
	store  *mfatest.FaultyStore
	clock  *mfatest.Clock
	mails  *mfatest.Outbox[email.Message]
	people *people
	events []mfa.Event
	later  []func(context.Context) error
	// second has the second factors of the people, which are PINs.
	second *mfa.Manager
}

func newRig(t *testing.T, change func(*password.Config)) *rig {
	t.Helper()
	h, err := shared()
	require.NoError(t, err)
	hash, err := h.Hash(t.Context(), secret.New(oldPassword))
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r := &rig{t: t, hasher: h, store: mfatest.NewFaultyStore(memory.New()),
		clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		mails: &mfatest.Outbox[email.Message]{}, people: &people{list: map[string]password.
			Account{}, must: map[string]bool{}, ended: map[string]int{}}}
	for _, a := range []password.Account{
		{ID: "1", Tenant: "acme", Email: "olivia@acme.example", Name: "Olivia Berg",
			Hash: secret.New(hash), SecondFactor: true},
		{ID: "2", Tenant: "acme", Email: "Robin@acme.example", Name: "Robin",
			Hash: secret.New(hash), Locale: "nl"},
		{ID: "3", Tenant: "other", Email: "Robin@acme.example", Name: "Robin, too",
			Hash: secret.New(hash), Locale: "de"},
	} {
		r.people.list[a.Tenant+"/"+a.ID] = a
	}
	pins, err := pin.New(pin.Config{})
	require.NoError(t, err)
	r.second, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: r.clock,
		Factors: []factor.Factor{pins}})
	require.NoError(t, err)
	r.cfg = password.Config{Store: r.store, Keys: keys, Accounts: r.people, Hasher: h,
		Sender: r.mails, ServiceName: "Acme",
		LinkURL: func(token string) string { return "https://acme.example/reset?token=" + token },
		Later: func(_ context.Context, work func(context.Context) error) {
			r.later = append(r.later, work)
		},
		Authorize: func(_ context.Context, a mfa.AdminAction) error {
			if a.Name == "set-password" && a.Actor == "admin" {
				return nil
			}
			return errors.New("not the administrator")
		},
		Events: func(_ context.Context, e mfa.Event) { r.events = append(r.events, e) },
		Clock:  r.clock,
	}
	if change != nil {
		change(&r.cfg)
	}
	r.Manager, err = password.New(r.cfg)
	require.NoError(t, err)
	return r
}

// user is a user of the rig as package mfa knows them.
func user(id string) mfa.User { return mfa.User{ID: id, Tenant: "acme"} }

const (
	session = "a session"
	userPIN = "739162"
)

// session is the handle for a user in the session of the tests.
func (r *rig) session(id string) mfa.Session { return r.second.Session(user(id), session) }

// enroll gives a user a second factor, and returns the grant of that moment.
func (r *rig) enroll(u mfa.User) mfa.Grant {
	r.t.Helper()
	ctx := r.t.Context()
	ch, err := r.second.Session(u, session).Begin(ctx)
	require.NoError(r.t, err)
	e, err := r.second.Session(u, session).Enroll(ctx, ch.Grant, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"pin": secret.New(userPIN)}})
	require.NoError(r.t, err)
	c, err := r.second.Session(u, session).Confirm(ctx, e, secret.New(userPIN))
	require.NoError(r.t, err)
	return c.Grant
}

// proves has a user prove their second factor.
func (r *rig) proves(u mfa.User) mfa.Grant {
	r.t.Helper()
	ch, err := r.second.Session(u, session).Begin(r.t.Context())
	require.NoError(r.t, err)
	v, err := r.second.Session(u, session).Verify(r.t.Context(), ch, "pin", secret.New(userPIN))
	require.NoError(r.t, err)
	return v.Grant
}

// forgot asks for a link, from one of many clients.
func (r *rig) forgot(address string) error {
	return r.Forgot(r.t.Context(), password.ForgotRequest{Address: secret.New(address),
		Client: "192.0.2.1"})
}

// work does what was put off, and returns the errors.
func (r *rig) work() (err error) {
	for _, w := range r.later {
		err = errors.Join(err, w(r.t.Context()))
	}
	r.later = nil
	return err
}

// link asks for a link and returns the token in the mail.
func (r *rig) link(address string) secret.Text {
	r.t.Helper()
	require.NoError(r.t, r.forgot(address))
	require.NoError(r.t, r.work())
	m, ok := r.mails.Last()
	require.True(r.t, ok)
	return token(r.t, m)
}

func token(t *testing.T, m email.Message) secret.Text {
	t.Helper()
	for word := range strings.FieldsSeq(m.Text.Reveal()) {
		if u, err := url.Parse(word); err == nil && u.Scheme == "https" {
			require.Contains(t, m.HTML.Reveal(), word)
			return secret.New(u.Query().Get("token"))
		}
	}
	require.Fail(t, "there is no link in the mail")
	return secret.Text{}
}

func (r *rig) reset(token secret.Text) error {
	return r.Reset(r.t.Context(), password.ResetRequest{Token: token,
		Password: secret.New(newPassword)})
}

// signsIn says whether a password is that of an account.
func (r *rig) signsIn(key string, s secret.Text) bool {
	r.t.Helper()
	err := r.hasher.Verify(r.t.Context(), r.people.account(key).Hash.Reveal(), s)
	if err != nil {
		require.ErrorIs(r.t, err, password.ErrIncorrect)
	}
	return err == nil
}

func (r *rig) names() (list []string) {
	for _, e := range r.events {
		list = append(list, e.Name)
	}
	return list
}

// people are an application's.
type people struct {
	mu    sync.Mutex
	list  map[string]password.Account
	must  map[string]bool
	ended map[string]int
	keep  string
	fail  error // of SetPassword
	finds int
	// expires belongs to the last update.
	expires time.Time
}

func (p *people) account(key string) password.Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.list[key]
}

func (p *people) change(key string, f func(*password.Account)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.list[key]
	f(&a)
	p.list[key] = a
}

func (p *people) Find(_ context.Context, address string) (found []password.Account, _ error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finds++
	for _, key := range []string{"acme/1", "acme/2", "other/3"} {
		if a, ok := p.list[key]; ok && strings.EqualFold(a.Email, address) {
			found = append(found, a)
		}
	}
	return found, nil
}

func (p *people) Get(_ context.Context, named password.Account) (password.Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.list[named.Tenant+"/"+named.ID]
	if !ok {
		return a, password.ErrNoAccount
	}
	return a, nil
}

func (p *people) SetPassword(_ context.Context, a password.Account, u password.Update) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	key := a.Tenant + "/" + a.ID
	now := p.list[key]
	if now.Hash.Reveal() != u.Old.Reveal() {
		return password.ErrChanged
	}
	now.Hash = u.Hash
	p.list[key], p.must[key] = now, u.MustChange
	p.keep, p.expires = u.KeepSession.Reveal(), u.Expires
	p.ended[key]++
	return nil
}
