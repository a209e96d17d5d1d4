package command_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// site is the operator's application, at the time of a clock.
type site struct {
	*mfa.Manager
	t     *testing.T
	clock *mfatest.Clock
}

func (o *operator) site(t *testing.T, changes ...func(*mfa.Config)) *site {
	t.Helper()
	s := &site{t: t, clock: mfatest.NewClock(time.Now())}
	s.Manager = o.application(append(changes, func(cfg *mfa.Config) {
		cfg.Clock = s.clock
		cfg.Authorize = func(context.Context, mfa.AdminAction) error { return nil }
	})...)
	return s
}

// code returns what the app of ann and bob shows.
func (s *site) code() string { return mfatest.AppCode(s.t, key, s.clock.Now()) }

// begin signs a user in whose password was correct, up to the second factor.
func (s *site) begin(id string) (*mfa.Challenge, error) {
	return s.Session(mfa.User{ID: id, Enrolled: true}, "a session").Begin(s.t.Context())
}

func (s *site) verify(id, kind, response string) error {
	s.t.Helper()
	ch, err := s.begin(id)
	if err != nil {
		return err
	}
	_, err = s.Session(mfa.User{ID: id, Enrolled: true}, "a session").Verify(s.t.Context(), ch,
		kind, secret.New(response))
	return err
}

// next returns what a user has to do after the password.
func (s *site) next(id string) mfa.Next {
	s.t.Helper()
	ch, err := s.begin(id)
	require.NoError(s.t, err)
	return ch.Next
}

// offered returns the kinds that a user may respond by.
func (s *site) offered(id string) (kinds []string) {
	s.t.Helper()
	ch, err := s.begin(id)
	require.NoError(s.t, err)
	require.Equal(s.t, mfa.NextVerify, ch.Next)
	for _, o := range ch.Options {
		kinds = append(kinds, o.Kind)
	}
	return kinds
}

// moveInTwo imports ann and bob, who have apps and recovery codes.
func (o *operator) moveInTwo() {
	o.t.Helper()
	o.moveIn("id,otp,codes", "ann,"+key+",abcd-1234-efgh-5678", "bob,"+key+",ijkl-1234-mnop-5678")
}

// An operator prepares a database before the first user enrols.
func TestOperations_Deploy(t *testing.T) {
	o := onSQLite(t)
	r := o.recipe(t, "Deploy")
	r.says("init")
	r.says("trail init")
	require.FileExists(t, filepath.Join(r.dir, "trail.pub"))
	require.NotContains(t, r.says("check"), "problem")
	require.Regexp(t, `(?m)^400 `, r.says("loadtest"))
	r.says("audit")
	r.says("keys list")
}

// dumps are the backup and the restore of each database.
type dumps struct{ backup, restore func(r *recipe) }

// A restore makes used codes valid again: recovery codes until they are replaced, those of an app
// and those that were sent until they expire. What was done since is done again from the trail.
func TestOperations_BackUpAndRestore(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		o := onSQLite(t)
		file := o.store[len("sqlite:"):]
		backup := filepath.Join(t.TempDir(), "backup.db")
		restoresABackup(t, o, dumps{
			backup: func(r *recipe) {
				r.next("pg_dump")
				db := openDB(t, "sqlite", sqlstore.SQLiteDSN(file))
				_, err := db.Exec("VACUUM INTO ?", backup)
				require.NoError(t, err)
			},
			restore: func(*recipe) { // into another file, as no process has it open
				data, err := os.ReadFile(backup)
				require.NoError(t, err)
				file = filepath.Join(t.TempDir(), "restored.db")
				require.NoError(t, os.WriteFile(file, data, 0o600))
				o.store = "sqlite:" + file
				o.open = openSQL(t, "sqlite", sqlstore.SQLiteDSN(file), sqlstore.SQLite)
			}})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := servers.PostgreSQL(t).PostgreSQLDSN()
		o := newOperator(t, dsn, openSQL(t, "pgx", dsn, sqlstore.PostgreSQL))
		line := func(r *recipe, line string) {
			cmd := exec.Command("sh", "-c", line)
			cmd.Dir = r.dir
			done := r.finish(cmd)
			require.Zero(t, done.code, done.messages)
		}
		restored := ""
		restoresABackup(t, o, dumps{
			backup: func(r *recipe) {
				needProgram(t, "pg_dump")
				line(r, r.next("pg_dump"))
				restored = r.lines[0]
			},
			restore: func(r *recipe) { line(r, restored) }})
	})
}

func restoresABackup(t *testing.T, o *operator, d dumps) {
	r := o.recipe(t, "Back up and restore")
	o.moveInTwo()
	s := o.site(t)
	code := s.code()
	d.backup(r)
	require.NoError(t, s.verify("ann", "totp", code))
	require.NoError(t, s.verify("ann", "recovery", "abcd1234efgh5678"))
	require.ErrorIs(t, s.verify("ann", "totp", code), factor.ErrReplayed)
	o.does(act("delete", "bob")...)

	restart := func() {
		now := s.clock.Now()
		s = o.site(t)
		s.clock.Set(now)
	}
	d.restore(r)
	restart()
	require.NoError(t, s.verify("ann", "totp", code), "before the wait it is accepted again")
	d.restore(r)
	s.clock.Advance(15 * time.Minute)
	restart()
	require.ErrorIs(t, s.verify("ann", "totp", code), factor.ErrIncorrect)
	require.NoError(t, s.verify("ann", "recovery", "abcd1234efgh5678"), "the wait ends none")
	d.restore(r)
	restart()
	s.removeRecoveryCodes("ann")
	require.ErrorIs(t, s.verify("ann", "recovery", "abcd1234efgh5678"), mfa.ErrNotAvailable)
	require.NoError(t, s.verify("ann", "totp", s.code()))

	r.next("pg_restore")
	r.says("keys list")
	require.Contains(t, r.says("trail verify"), "entries verify")
	require.Regexp(t, `command\.delete +bob`, r.says("trail show"))
	o.does("status", "bob")
	r.says("delete")
	require.Equal(t, 1, o.run("status", "bob").code)
	require.Contains(t, r.says("report"), "totp 1")
}

// removeRecoveryCodes is what the application does for users whose codes were used.
func (s *site) removeRecoveryCodes(id string) {
	s.t.Helper()
	u := mfa.User{ID: id, Enrolled: true}
	o, err := s.Overview(s.t.Context(), u)
	require.NoError(s.t, err)
	admin := s.Admin(mfa.System("carol"), "restored")
	for _, f := range o.Factors {
		if f.Kind == "recovery" {
			require.NoError(s.t, admin.Remove(s.t.Context(), u, f.ID))
		}
	}
}

// A function that is two minutes ahead stands before the database's own.
const clockAhead = `CREATE SCHEMA wrong;
CREATE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql
  AS 'SELECT pg_catalog.clock_timestamp() + interval ''2 minutes''';
ALTER ROLE secondgate SET search_path = wrong, pg_catalog, public`

// A clock that is two minutes wrong refuses the codes of apps and nothing else, and is found.
func TestOperations_ClockIsWrong(t *testing.T) {
	dsn := servers.PostgreSQL(t).PostgreSQLDSN()
	o := newOperator(t, dsn, openSQL(t, "pgx", dsn, sqlstore.PostgreSQL))
	r := o.recipe(t, "A clock is wrong")
	o.moveInTwo()
	s := o.site(t)
	right := s.clock.Now()
	code := s.code()
	s.clock.Advance(2 * time.Minute)
	require.NoError(t, s.verify("bob", "recovery", "ijkl1234mnop5678"))
	for range 5 {
		require.ErrorIs(t, s.verify("ann", "totp", code), factor.ErrIncorrect)
	}
	s.clock.Set(right)

	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(clockAhead)
	require.NoError(t, err)
	require.Regexp(t, `clock +problem +(1m5|2m)`, r.runs(4, "check").out)
	require.Contains(t, r.says("status"), "Locked until")
	r.says("unlock")
	require.NoError(t, s.verify("ann", "totp", code))
	require.NoError(t, s.verify("bob", "totp", code))
}
