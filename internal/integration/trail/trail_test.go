// Package trail_test writes audit trails with several processes, kills them, and lets an attacker
// change the database.
package trail_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	_ "modernc.org/sqlite"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

const origin = "acme.example/trail"

// key is the same in all processes.
var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// place says where a log is: an engine and its address.
type place struct{ engine, address string }

func (p place) log() (trail.Log, *sql.DB, error) {
	if p.engine == "file" {
		log, err := trail.OpenFile(p.address)
		return log, nil, err
	}
	driver, dialect := "sqlite", sqlstore.SQLite
	switch p.engine {
	case "postgresql":
		driver, dialect = "pgx", sqlstore.PostgreSQL
	case "mariadb":
		driver, dialect = "mysql", sqlstore.MySQL
	}
	db, err := sql.Open(driver, p.address)
	if err != nil {
		return nil, nil, err
	}
	log, err := trail.NewTable(db, dialect)
	return log, db, err
}

// open is log for a test.
func (p place) open(t *testing.T) (trail.Log, *sql.DB) {
	log, db, err := p.log()
	require.NoError(t, err)
	if db != nil {
		t.Cleanup(func() { _ = db.Close() })
	}
	return log, db
}

// places returns one of each engine, with the table made.
func places(t *testing.T) []place {
	list := []place{
		{"file", filepath.Join(t.TempDir(), "trail.jsonl")},
		{"sqlite", "file:" + filepath.Join(t.TempDir(), "trail.db") +
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_txlock=immediate"},
		{"postgresql", servers.PostgreSQL(t).PostgreSQLDSN()},
		{"mariadb", servers.MariaDBDSN(servers.MariaDB(t).Addr, "secondgate")},
	}
	for _, p := range list {
		if log, db := p.open(t); db != nil {
			require.NoError(t, log.(*trail.Table).Migrate(t.Context()))
		}
	}
	return list
}

// TestMain is also the process that writes until it is killed.
func TestMain(m *testing.M) {
	if p := os.Getenv("SECONDGATE_TRAIL"); p != "" {
		engine, address, _ := strings.Cut(p, " ")
		writeForEver(place{engine, address})
	}
	os.Exit(m.Run())
}

// writeForEver says a number after the events up to it are written.
func writeForEver(p place) {
	log, _, err := p.log()
	if err != nil {
		panic(err)
	}
	w, err := trail.New(trail.Config{Log: log, Key: secret.Bytes(key), Origin: origin,
		Interval: 5 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	go func() { _ = w.Run(ctx) }()
	keep := w.Events(nil)
	for n := 1; ; n++ {
		for range 3 {
			keep(ctx, mfa.Event{Name: "verify.success", UserID: fmt.Sprint("process-", os.Getpid()),
				FactorID: fmt.Sprint(n), Time: time.Now()})
		}
		if w.Flush(ctx) == nil {
			fmt.Println(n)
		}
	}
}

func verify(t *testing.T, log trail.Log, anchors ...string) (*trail.Result, error) {
	return trail.Verify(log.Read(t.Context(), 1), trail.Verification{
		Key: key.Public().(ed25519.PublicKey), Origin: origin, Anchors: anchors})
}

// output is what a process printed so far.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	return len(p), nil
}

// lines returns the number of complete lines.
func (o *output) lines() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Count(o.text, []byte("\n"))
}

// Four processes write at once and are killed at any moment after each has written, three times.
// What they said to be written is there once, in one chain.
func TestLog_SurvivesKilledWriters(t *testing.T) {
	for _, p := range places(t) {
		t.Run(p.engine, func(t *testing.T) {
			written := make(map[string]int)
			for round := range 3 {
				var running []*exec.Cmd
				var said []*output
				for range 4 {
					c := exec.Command(os.Args[0])
					c.Env = append(os.Environ(), "SECONDGATE_TRAIL="+p.engine+" "+p.address)
					out := &output{}
					c.Stdout, c.Stderr = out, os.Stderr
					require.NoError(t, c.Start())
					running, said = append(running, c), append(said, out)
				}
				require.Eventually(t, func() bool {
					all := 0
					for _, o := range said {
						all += o.lines()
					}
					return all >= 12 &&
						!slices.ContainsFunc(said, func(o *output) bool { return o.lines() == 0 })
				}, 3*time.Minute, time.Millisecond)
				time.Sleep(time.Duration(7*round) * time.Millisecond)
				for i, c := range running {
					require.NoError(t, c.Process.Kill())
					_ = c.Wait()
					written[fmt.Sprint("process-", c.Process.Pid)] = said[i].lines()
				}
			}
			log, _ := p.open(t)
			flushed(t, log)
			result, err := verify(t, log)
			require.NoError(t, err)
			require.GreaterOrEqual(t, result.Entries, int64(3*3*12))
			for user, n := range written {
				counts := make(map[string]int)
				for e, err := range log.Read(t.Context(), 1) {
					require.NoError(t, err)
					_, personal, err := e.Read()
					require.NoError(t, err)
					if personal.User == user {
						counts[personal.FactorID]++
					}
				}
				for i := 1; i <= n; i++ {
					require.Equal(t, 3, counts[fmt.Sprint(i)], "%s, events %d", user, i)
				}
			}
		})
	}
}

// flushed appends one event, as the next process does.
func flushed(t *testing.T, log trail.Log) {
	w, err := trail.New(trail.Config{Log: log, Key: secret.Bytes(key), Origin: origin})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	w.Events(nil)(ctx, mfa.Event{Name: "challenge.begun", UserID: "ann", Tenant: "acme",
		Time: time.Now()})
	cancel()
	require.NoError(t, w.Run(ctx))
}

// An attacker with the password of the database changes it by SQL.
func TestVerify_FindsWhatAnAttackerDoesToATable(t *testing.T) {
	for _, p := range places(t)[1:] {
		t.Run(p.engine, func(t *testing.T) {
			log, db := p.open(t)
			for range 5 {
				flushed(t, log)
			}
			result, err := verify(t, log)
			require.NoError(t, err)
			require.EqualValues(t, 5, result.Entries)
			_, err = db.Exec("CREATE TABLE kept AS SELECT * FROM secondgate_trail")
			require.NoError(t, err)
			for _, act := range []string{
				"UPDATE secondgate_trail SET fact = replace(fact, 'begun', 'ended') WHERE seq = 3",
				"UPDATE secondgate_trail SET personal = replace(personal, 'ann', 'bob') WHERE seq = 3",
				"UPDATE secondgate_trail SET personal = '', subject = '' WHERE seq = 3",
				"UPDATE secondgate_trail SET subject = 'x' WHERE seq = 3",
				"DELETE FROM secondgate_trail WHERE seq = 3",
				"DELETE FROM secondgate_trail WHERE seq = 1",
				"DELETE FROM secondgate_trail WHERE seq > 3",
				"DELETE FROM secondgate_trail",
				"UPDATE secondgate_trail SET seq = 6 WHERE seq = 4",
				"UPDATE secondgate_trail SET seq = seq + 10",
			} {
				_, err = db.Exec(act)
				require.NoError(t, err, act)
				_, err = verify(t, log, result.Checkpoint)
				var broken *trail.BrokenError
				require.ErrorAs(t, err, &broken, act)
				_, err = db.Exec("DELETE FROM secondgate_trail")
				require.NoError(t, err)
				_, err = db.Exec("INSERT INTO secondgate_trail SELECT * FROM kept")
				require.NoError(t, err)
			}
			_, err = verify(t, log, result.Checkpoint)
			require.NoError(t, err)
		})
	}
}

// The history of a user reads from each log what was written last about them, the latest first.
func TestNewest_IsTheSameFromEveryLog(t *testing.T) {
	for _, p := range places(t) {
		t.Run(p.engine, func(t *testing.T) {
			log, db := p.open(t)
			w, err := trail.New(trail.Config{Log: log, Key: secret.Bytes(key), Origin: origin})
			require.NoError(t, err)
			for i := range 9 {
				for _, id := range []string{"nora", "ben"} {
					w.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: id,
						Tenant: "acme", Time: time.Unix(int64(i), 0)})
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- w.Run(ctx) }()
			require.NoError(t, w.Flush(t.Context()))
			cancel()
			require.NoError(t, <-done)
			list, err := w.Newest(t.Context(), mfa.User{ID: "nora", Tenant: "acme"}, 4)
			require.NoError(t, err)
			require.Len(t, list, 4)
			for i, e := range list {
				require.Equal(t, "nora", e.UserID)
				require.EqualValues(t, 8-i, e.Time.Unix())
			}
			list, err = w.Newest(t.Context(), mfa.User{ID: "nora"}, 4)
			require.NoError(t, err)
			require.Empty(t, list, "another tenant has a user of that name")
			if db == nil {
				return
			}
			_, err = db.Exec("UPDATE secondgate_trail SET subject = " +
				"(SELECT subject FROM secondgate_trail WHERE seq = 17) WHERE seq = 18")
			require.NoError(t, err)
			list, err = w.Newest(t.Context(), mfa.User{ID: "nora", Tenant: "acme"}, 4)
			require.NoError(t, err)
			require.Len(t, list, 3, "an entry about ben is not shown as one about nora")
		})
	}
}

func TestErase_InATable(t *testing.T) {
	for _, p := range places(t)[1:] {
		t.Run(p.engine, func(t *testing.T) {
			log, db := p.open(t)
			flushed(t, log)
			flushed(t, log)
			w, err := trail.New(trail.Config{Log: log, Key: secret.Bytes(key), Origin: origin})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- w.Run(ctx) }()
			require.NoError(t, w.Erase(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}))
			cancel()
			require.NoError(t, <-done)
			result, err := verify(t, log)
			require.NoError(t, err)
			require.EqualValues(t, 2, result.Erased)
			left := 0
			require.NoError(t, db.QueryRow("SELECT count(*) FROM secondgate_trail WHERE "+
				"personal LIKE '%ann%' OR subject <> ''").Scan(&left))
			require.Zero(t, left)
		})
	}
}

// Go's implementation of signed notes, which its checksum database uses, reads a checkpoint.
func TestCheckpoint_IsASignedNote(t *testing.T) {
	log, err := trail.OpenFile(filepath.Join(t.TempDir(), "trail.jsonl"))
	require.NoError(t, err)
	flushed(t, log)
	result, err := verify(t, log)
	require.NoError(t, err)
	text, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	verifier, err := note.NewVerifier(text)
	require.NoError(t, err)
	read, err := note.Open([]byte(result.Checkpoint), note.VerifierList(verifier))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(read.Text, origin+"\n1\n"), read.Text)
}
