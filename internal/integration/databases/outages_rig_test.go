package databases_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/totp"
)

// site is an application beside a server: its database user is no administrator and has a
// password, and its connections go through a proxy.
type site struct {
	engine
	server *servers.Server
	proxy  *servers.Proxy
	admin  *sql.DB
}

const password = "correct-horse"

func newSite(t *testing.T, e engine, options ...string) *site {
	t.Helper()
	s := &site{engine: e, server: e.start(t, options...)}
	s.proxy = servers.NewProxy(t, s.server.Addr)
	s.admin = e.open(t, e.dsn(s.server.Addr))
	if e.dialect == sqlstore.MySQL {
		s.run(t, "CREATE USER app@'%' IDENTIFIED BY '"+password+"'",
			"GRANT ALL ON secondgate.* TO app@'%'")
		return s
	}
	s.run(t, "CREATE USER app PASSWORD '"+password+"'", "GRANT ALL ON SCHEMA public TO app")
	path := filepath.Join(s.server.Dir, "data", "pg_hba.conf")
	rules, err := os.ReadFile(path)
	require.NoError(t, err)
	rules = append([]byte("host all app 127.0.0.1/32 scram-sha-256\n"), rules...)
	require.NoError(t, os.WriteFile(path, rules, 0o600))
	s.run(t, "SELECT pg_reload_conf()")
	return s
}

// run has the administrator do something.
func (s *site) run(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		// The pool may hold connections to a server that was restarted.
		require.Eventually(t, func() bool {
			_, err := s.admin.Exec(statement)
			if err != nil {
				t.Logf("%s: %v", statement, err)
			}
			return err == nil
		}, 2*time.Minute, 100*time.Millisecond, statement)
	}
}

// disconnect ends the connections of the application.
func (s *site) disconnect() { s.proxy.Cut() }

// app is the application's data source name.
func (s *site) app(password string) string {
	if s.dialect == sqlstore.MySQL {
		return strings.Replace(s.dsn(s.proxy.Addr), "root@", "app:"+password+"@", 1)
	}
	return strings.Replace(s.dsn(s.proxy.Addr), "secondgate@", "app:"+password+"@", 1)
}

// failure holds what every failure of a store must be: typed as none of its results, and
// silent about passwords and data.
func failure(err error) error {
	switch {
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrConflict),
		errors.Is(err, storage.ErrInvalid):
		return fmt.Errorf("a result: %w", err)
	case !strings.HasPrefix(err.Error(), "sqlstore: "):
		return fmt.Errorf("no error of the store: %w", err)
	case strings.Contains(err.Error(), password):
		return errors.New("the password is in the error")
	}
	return nil
}

// failsInTime makes a call with a deadline, which it must hold, and fail. It returns the error
// that the call gave, and one that says why it does not do.
func failsInTime(
	patience time.Duration, what string, call func(ctx context.Context) error,
) (got, problem error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	began := time.Now()
	got = call(ctx)
	if late := time.Since(began) - patience; late > 30*time.Second {
		return got, fmt.Errorf("%s returns %s after its deadline", what, late)
	}
	if got == nil {
		return nil, fmt.Errorf("%s succeeds", what)
	}
	return got, nil
}

// user is a user with an authenticator app, and a Manager.
type user struct {
	m       *mfa.Manager
	clock   *mfatest.Clock
	subject mfa.User
	secret  string
	tries   int
}

func enrolled(t testing.TB, store storage.Store) *user {
	t.Helper()
	return enrolledAs(t, store, "ann")
}

func enrolledAs(t testing.TB, store storage.Store, id string) *user {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	p := &user{clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)),
		subject: mfa.User{ID: id}}
	p.m, err = mfa.New(mfa.Config{Store: store, Keys: keys, Clock: p.clock,
		Factors: []factor.Factor{app}})
	require.NoError(t, err)
	ch, err := p.m.Session(p.subject, "s").Begin(t.Context())
	require.NoError(t, err)
	e, err := p.m.Session(p.subject, "s").Enroll(t.Context(), ch.Grant,
		mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	p.secret = e.Prompt.Secret.Reveal()
	_, err = p.m.Session(p.subject, "s").Confirm(t.Context(), e, p.code(t))
	require.NoError(t, err)
	p.clock.Advance(time.Minute)
	return p
}

func (p *user) code(t testing.TB) secret.Text {
	code, err := otptotp.GenerateCodeCustom(p.secret, p.clock.Now(),
		otptotp.ValidateOpts{Period: 30, Digits: otp.DigitsSix})
	require.NoError(t, err)
	return secret.New(code)
}

// incorrect is a well-formed code that is not the correct one of now, nor of the steps beside it.
func (p *user) incorrect(t testing.TB) secret.Text {
	correct := map[secret.Text]bool{}
	for _, d := range []time.Duration{-60, -30, 0, 30, 60} {
		code, err := otptotp.GenerateCodeCustom(p.secret, p.clock.Now().Add(d*time.Second),
			otptotp.ValidateOpts{Period: 30, Digits: otp.DigitsSix})
		require.NoError(t, err)
		correct[secret.New(code)] = true
	}
	for {
		p.tries++
		if code := secret.New(fmt.Sprintf("%06d", p.tries)); !correct[code] {
			return code
		}
	}
}

func (p *user) begin(ctx context.Context) (*mfa.Challenge, error) {
	return p.m.Session(p.subject, "s").Begin(ctx)
}

func (p *user) respond(ctx context.Context, ch *mfa.Challenge, code secret.Text) error {
	_, err := p.m.Session(p.subject, "s").Verify(ctx, ch, "totp", code)
	return err
}
