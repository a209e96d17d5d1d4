package password

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// maxAccounts is how many accounts of one address are mailed a link.
const maxAccounts = 8

// ForgotRequest asks for a link.
type ForgotRequest struct {
	// Address is what the user typed.
	Address secret.Text
	// Client is where the request came from, for the rate limit: 1 to 256 bytes. Use the /64
	// network of an IPv6 address, because a client has as many addresses as it likes within
	// one. Behind a proxy, use the address that your own proxy reports.
	Client string
}

// Forgot mails a link to every account of the address. Nil means only that the request was
// accepted. Nothing has been looked up yet, so that neither the response nor its time shows
// whether the address has an account. Show the same page for every nil.
//
// A *factor.Problem (address_form) means that this is not an address. A *mfa.RateLimitError says
// how long to wait, for an address with an account and without. An error that wraps
// mfa.ErrUnavailable means that the request was not accepted. An attacker who reaches the rate
// limit keeps no user out: meanwhile, the links that were mailed to the user are valid.
func (m *Manager) Forgot(ctx context.Context, r ForgotRequest) error {
	if r.Client == "" || len(r.Client) > maxClient {
		return errors.New("password: ForgotRequest.Client must have 1 to 256 bytes")
	}
	address, err := checkAddress(r.Address.Reveal())
	if err != nil {
		return err
	}
	now := m.now()
	err = m.payAll(ctx,
		limit{"address", strings.ToLower(address), m.cfg.PerAddress, min(limitWindow, m.cfg.TTL)},
		limit{"client", r.Client, m.cfg.PerClient, limitWindow}, now)
	if err != nil {
		var over *mfa.RateLimitError
		if errors.As(err, &over) {
			m.emit(ctx, "password.limited", nil, now, nil)
		}
		return err
	}
	made := make(map[string]*mailing) // by work that is run again
	m.cfg.Later(ctx, func(ctx context.Context) error { return m.mailLinks(ctx, address, made) })
	return nil
}

// mailing is how far the mail to one account is. Work that is run again goes on with the link
// that it made, as each takes one of the account's places.
type mailing struct {
	token string
	sent  bool
}

func (m *Manager) mailLinks(ctx context.Context, address string, made map[string]*mailing) error {
	found, err := m.cfg.Accounts.Find(ctx, address)
	if err != nil {
		m.emit(ctx, "password.link-failed", nil, m.now(), nil)
		return unavailable(err)
	}
	if len(found) == 0 {
		m.emit(ctx, "password.link-unknown", nil, m.now(), nil)
	}
	var failed error
	for i := range found[:min(len(found), maxAccounts)] {
		a := &found[i]
		key := recordKey(a.Tenant, a.ID)
		if made[key] == nil {
			made[key] = &mailing{}
		}
		if made[key].sent {
			continue
		}
		var over *mfa.RateLimitError
		err := m.mailLink(ctx, a, made[key], m.now())
		if errors.As(err, &over) { // several spellings of one address; the links mailed before do
			m.emit(ctx, "password.limited", a, m.now(), nil)
			err = nil
		}
		if err != nil {
			m.emit(ctx, "password.link-failed", a, m.now(), nil)
			failed = errors.Join(failed, err)
			continue
		}
		made[key].sent = true
	}
	return failed
}

func (m *Manager) mailLink(ctx context.Context, a *Account, made *mailing, now time.Time) error {
	if err := a.sound(); err != nil {
		return err
	}
	if a.Email == "" {
		return errors.New("password: the account has no address")
	}
	if _, err := m.look(ctx, made.token, now); errors.Is(err, ErrLink) { // none yet, or void by now
		if made.token, err = m.issue(ctx, a, now); err != nil {
			return err
		}
	}
	link, err := m.link(made.token)
	if err != nil {
		return err
	}
	if err := m.send(ctx, a, Mail{Name: mailLink, Link: link}, now); err != nil {
		return err
	}
	m.emit(ctx, "password.link-sent", a, now, nil)
	return nil
}
