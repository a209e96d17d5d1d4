package main

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// This file has what package password needs from an application: its users, and work beside a
// request. A login is an address and a password, with one account or several.

func passwordRules() password.Rules {
	return password.Rules{Words: []string{organisation, tenant}}
}

// openPasswords makes the hasher of passwords, and the throttle that limits guesses at them.
func (a *app) openPasswords(keys *seal.Keyring) (err error) {
	if a.passwords, err = password.NewHasher(password.HasherConfig{}); err != nil {
		return err
	}
	a.throttle, err = throttle.New(throttle.Config{Keys: keys})
	return err
}

// newResets makes the Manager of package password, which sets and changes passwords.
func (a *app) newResets(
	store storage.Store, keys *seal.Keyring, events func(context.Context, mfa.Event),
) (*password.Manager, error) {
	return password.New(password.Config{
		Store:       store,
		Keys:        keys,
		Accounts:    logins{a},
		Hasher:      a.passwords,
		Rules:       passwordRules(),
		Sender:      a.mail,
		ServiceName: organisation,
		LinkURL: func(token string) string {
			return a.cfg.public.String() + resetPath + "?" + url.Values{"token": {token}}.Encode()
		},
		SettingsURL: a.cfg.public.String() + "/mfa/",
		Later:       a.later,
		Authorize:   a.authorize,
		Events:      events,
		Clock:       a.clock,
	})
}

// logins implements password.Accounts.
type logins struct{ *app }

func loginID(login int64) string { return strconv.FormatInt(login, 10) }

// Find implements password.Accounts. An address that no user has verified gets no link.
func (l logins) Find(ctx context.Context, address string) ([]password.Account, error) {
	var id int64
	err := l.db.QueryRowContext(ctx, `SELECT id FROM logins WHERE email = ?
		AND EXISTS (SELECT 1 FROM accounts WHERE login = logins.id AND email_confirmed =
		1)`, address).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := l.Get(ctx, password.Account{ID: loginID(id), Tenant: tenant})
	return []password.Account{found}, err
}

// Get implements password.Accounts.
func (l logins) Get(ctx context.Context, named password.Account) (password.Account, error) {
	n, err := strconv.ParseInt(named.ID, 10, 64)
	if err != nil || named.Tenant != tenant {
		return password.Account{}, password.ErrNoAccount
	}
	accounts, err := l.users.byLogin(ctx, n, "")
	if err != nil {
		return password.Account{}, err
	}
	if len(accounts) == 0 {
		return password.Account{}, password.ErrNoAccount
	}
	hash, err := l.users.password(ctx, &accounts[0])
	if err != nil {
		return password.Account{}, err
	}
	out := password.Account{ID: named.ID, Tenant: named.Tenant, Email: accounts[0].Email,
		Name: accounts[0].Name, Hash: secret.New(hash), SecondFactor: true,
		Locale: languageOf(ctx)}
	for _, a := range accounts {
		out.Words = append(out.Words, a.Username, a.Type)
		out.Users = append(out.Users, a.subject())
		// The password may be short only if the policy of every account requires a second factor.
		asked, err := l.manager.Policy(ctx, policy.Scope{Tenant: tenant, UserType: a.Type})
		if err != nil {
			return password.Account{}, err
		}
		out.SecondFactor = out.SecondFactor && asked.Mode == policy.ModeRequired
	}
	return out, nil
}

// SetPassword implements password.Accounts. It increments the count of changes, which ends the
// sessions: each of them stores the count that it began with.
func (l logins) SetPassword(ctx context.Context, a password.Account, u password.Update) error {
	id, err := strconv.ParseInt(a.ID, 10, 64)
	if err != nil {
		return err
	}
	accounts, err := l.users.byLogin(ctx, id, "")
	if err != nil {
		return err
	}
	for i := range accounts {
		if err := l.manager.PasswordChanged(ctx, accounts[i].subject()); err != nil {
			return err
		}
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	res, err := tx.ExecContext(ctx, `UPDATE logins SET password = ? WHERE id = ? AND password = ?`,
		u.Hash.Reveal(), id, u.Old.Reveal())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, password.ErrChanged)
	}
	var until int64
	if u.MustChange {
		until = u.Expires.UnixMilli()
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO password_changes (login, changes, must_change)
		VALUES (?1, 1, ?2)
		ON CONFLICT (login) DO UPDATE SET changes = changes + 1, must_change =
		?2`, id, until); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET demo_password = ? WHERE login = ? AND
		demo_password <> ''`, demoChanged, id); err != nil {
		return err
	}
	return tx.Commit()
}

// rehash hashes a correct password again if the parameters have changed. If it fails, the next
// sign-in tries again.
func (a *app) rehash(ctx context.Context, login int64, hash, typed string) {
	if !a.passwords.NeedsRehash(hash) {
		return
	}
	next, err := a.passwords.Hash(ctx, secret.New(typed))
	if err == nil {
		_, err = a.db.ExecContext(ctx, `UPDATE logins SET password = ? WHERE id = ? AND password =
			?`, next, login, hash)
	}
	if err != nil {
		a.log.WarnContext(ctx, "cannot hash a password with the present parameters", "error", err)
	}
}

// clientOf returns the network that a request came from, for rate limits. For IPv6 it is the /64,
// because an attacker can use any address within one. With an https -url there is a proxy before
// this server, and the last address of X-Forwarded-For is the one that the proxy itself saw.
func (a *app) clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); a.cfg.public.Scheme == "https" &&
		len(forwarded) > 0 {
		all := strings.Split(forwarded[len(forwarded)-1], ",")
		host = strings.TrimSpace(all[len(all)-1])
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
