// Package manager_test runs the Manager with the real factors over real databases, several
// Managers on connections of their own, as several processes would be.
package manager_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/totp"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

const binding = "session-1"

// world is one database, and what is around it.
type world struct {
	t      testing.TB
	open   func() storage.Store
	key    []byte // the primary one of keys
	keys   *seal.Keyring
	clock  *mfatest.Clock
	mail   *mfatest.Outbox[email.Message]
	sender email.Sender // nil is mail
	texts  *mfatest.Outbox[sms.Message]
	secret string // of the authenticator app
	codes  []secret.Text
}

var ann = mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}

func newWorld(t testing.TB, open func() storage.Store) *world {
	t.Helper()
	key := seal.GenerateKey()
	keys, err := seal.NewKeyring(key)
	require.NoError(t, err)
	return &world{t: t, open: open, key: key, keys: keys,
		clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)),
		mail:  &mfatest.Outbox[email.Message]{}, texts: &mfatest.Outbox[sms.Message]{}}
}

// sqlite opens the same file anew each time.
func sqlite(t testing.TB) func() storage.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.db")
	return func() storage.Store {
		db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
		require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
		s, err := sqlstore.New(t.Context(), cfg)
		require.NoError(t, err)
		return s
	}
}

func inMemory(testing.TB) func() storage.Store {
	s := memory.New()
	return func() storage.Store { return s }
}

// places are where records are kept. Each starts a server, if it takes one, and returns what
// makes a store without records on it, which is opened anew each time.
var places = []struct {
	name  string
	start func(testing.TB) func(testing.TB) func() storage.Store
}{
	{"memory", func(testing.TB) func(testing.TB) func() storage.Store { return inMemory }},
	{"sqlite", func(testing.TB) func(testing.TB) func() storage.Store { return sqlite }},
	{"postgresql", func(t testing.TB) func(testing.TB) func() storage.Store {
		return tables("pgx", servers.PostgreSQL(t).PostgreSQLDSN(), sqlstore.PostgreSQL)
	}},
	{"mariadb", func(t testing.TB) func(testing.TB) func() storage.Store {
		return tables("mysql", servers.MariaDBDSN(servers.MariaDB(t).Addr, "secondgate"),
			sqlstore.MySQL)
	}},
	{"redis", func(t testing.TB) func(testing.TB) func() storage.Store {
		addr, made := servers.Redis(t).Addr, 0
		return func(t testing.TB) func() storage.Store {
			made++
			prefix := fmt.Sprintf("%d:", made)
			return func() storage.Store {
				c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
				t.Cleanup(func() { _ = c.Close() })
				s, err := redisstore.New(t.Context(), redisstore.Config{Prefix: prefix,
					Do: func(ctx context.Context, args ...any) (any, error) {
						return c.Do(ctx, args...).Result()
					}})
				require.NoError(t, err)
				return s
			}
		}
	}},
}

// tables makes a table of its own for each store.
func tables(driver, dsn string, d sqlstore.Dialect) func(testing.TB) func() storage.Store {
	made := 0
	return func(t testing.TB) func() storage.Store {
		made++
		table := fmt.Sprintf("records_%d", made)
		return func() storage.Store {
			db, err := sql.Open(driver, dsn)
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			db.SetMaxOpenConns(20)
			db.SetMaxIdleConns(20)
			cfg := sqlstore.Config{DB: db, Dialect: d, Table: table}
			require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
			s, err := sqlstore.New(t.Context(), cfg)
			require.NoError(t, err)
			return s
		}
	}
}

// everywhere runs a test of each kind in each place.
func everywhere(t *testing.T, test func(t *testing.T, kind string, open func() storage.Store)) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			empty := place.start(t)
			for _, kind := range kinds {
				t.Run(kind, func(t *testing.T) {
					for round := range rounds() {
						// A test of its own, which closes its connections: servers have so many.
						t.Run(strconv.Itoa(round), func(t *testing.T) { test(t, kind, empty(t)) })
					}
				})
			}
		})
	}
}

// manager is a Manager over a store.
func (w *world) manager(store storage.Store, change ...func(*mfa.Config)) *mfa.Manager {
	w.t.Helper()
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(w.t, err)
	mail, err := email.New(email.Config{Sender: cmp.Or(w.sender, email.Sender(w.mail)),
		ServiceName: "Acme"})
	require.NoError(w.t, err)
	text, err := sms.New(sms.Config{Sender: w.texts, ServiceName: "Acme", Origin: "acme.example",
		Allow: []string{"+31"}})
	require.NoError(w.t, err)
	number, err := pin.New(pin.Config{})
	require.NoError(w.t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(w.t, err)
	cfg := mfa.Config{Store: store, Keys: w.keys, Clock: w.clock,
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Factors:   []factor.Factor{app, mail, text, number, codes},
		Policies:  policy.Static(policy.Policy{Implicit: []string{"email"}, KeepImplicit: true})}
	for _, f := range change {
		f(&cfg)
	}
	m, err := mfa.New(cfg)
	require.NoError(w.t, err)
	return m
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

func (w *world) mailed() secret.Text {
	m, ok := w.mail.Last()
	require.True(w.t, ok)
	return secret.New(sixDigits.FindString(m.Text.Reveal()))
}

func (w *world) texted() secret.Text {
	m, ok := w.texts.Last()
	require.True(w.t, ok)
	return secret.New(sixDigits.FindString(m.Text))
}

func (w *world) shown() secret.Text {
	code, err := otptotp.GenerateCodeCustom(w.secret, w.clock.Now(),
		otptotp.ValidateOpts{Period: 30, Digits: otp.DigitsSix})
	require.NoError(w.t, err)
	return secret.New(code)
}

func (w *world) begin(m *mfa.Manager) *mfa.Challenge {
	w.t.Helper()
	ch, err := m.Session(ann, binding).Begin(w.t.Context())
	require.NoError(w.t, err)
	return ch
}

func (w *world) send(m *mfa.Manager, ch *mfa.Challenge, kind string) {
	w.t.Helper()
	_, err := m.Session(ann, binding).Send(w.t.Context(), ch, kind)
	require.NoError(w.t, err)
}

func verify(
	ctx context.Context, m *mfa.Manager, ch *mfa.Challenge, kind string, response secret.Text,
) (*mfa.Verification, error) {
	return m.Session(ann, binding).Verify(ctx, ch, kind, response)
}

// enrollAll has ann enrol every kind.
func (w *world) enrollAll(m *mfa.Manager) {
	w.t.Helper()
	ch := w.begin(m)
	w.send(m, ch, "email")
	v, err := verify(w.t.Context(), m, ch, "email", w.mailed())
	require.NoError(w.t, err)
	begun := func(kind string, p map[string]secret.Text) *mfa.Enrollment {
		e, err := m.Session(ann, binding).Enroll(w.t.Context(), v.Grant,
			mfa.EnrollRequest{Kind: kind, Params: p})
		require.NoError(w.t, err, kind)
		return e
	}
	confirm := func(e *mfa.Enrollment, response secret.Text) mfa.Grant {
		c, err := m.Session(ann, binding).Confirm(w.t.Context(), e, response)
		require.NoError(w.t, err, e.Kind)
		return c.Grant
	}
	confirm(begun("pin", map[string]secret.Text{"pin": secret.New("739162")}), secret.New("739162"))
	text := begun("sms", map[string]secret.Text{"number": secret.New("+31612345678")})
	v.Grant = confirm(text, w.texted())
	app := begun("totp", nil)
	w.secret = app.Prompt.Secret.Reveal()
	v.Grant = confirm(app, w.shown())
	e, err := m.Session(ann, binding).NewRecoveryCodes(w.t.Context(), v.Grant)
	require.NoError(w.t, err)
	w.codes = e.Prompt.Codes
	w.clock.Advance(time.Minute)
}

var kinds = []string{"totp", "email", "sms", "pin", "recovery"}

// correct is the correct response of a kind to ch.
func (w *world) correct(m *mfa.Manager, ch *mfa.Challenge, kind string) secret.Text {
	switch kind {
	case "totp":
		return w.shown()
	case "email":
		w.send(m, ch, kind)
		return w.mailed()
	case "sms":
		w.send(m, ch, kind)
		return w.texted()
	case "pin":
		return secret.New("739162")
	default:
		return w.codes[0]
	}
}
