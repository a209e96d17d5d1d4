package sqlite_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// The test binary runs itself again as the processes of these tests: SECONDGATE_TEST_ROLE
// says what to be, SECONDGATE_TEST_DB on which file, and SECONDGATE_TEST_DRIVER through which
// driver, if not the usual one.
const (
	roleVar   = "SECONDGATE_TEST_ROLE"
	dbVar     = "SECONDGATE_TEST_DB"
	driverVar = "SECONDGATE_TEST_DRIVER"
)

func TestMain(m *testing.M) {
	role, isChild := os.LookupEnv(roleVar)
	if !isChild {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), role, os.Getenv(dbVar)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(ctx context.Context, role, path string) error {
	db, err := sql.Open(cmp.Or(os.Getenv(driverVar), "sqlite"), sqlstore.SQLiteDSN(path))
	if err != nil {
		return err
	}
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	switch role {
	case "migrate":
		return sqlstore.Migrate(ctx, cfg)
	case "new":
		_, err := sqlstore.New(ctx, cfg)
		return err
	}
	// Also the processes that work migrate, as an application that starts does.
	if err := sqlstore.Migrate(ctx, cfg); err != nil {
		return err
	}
	store, err := sqlstore.New(ctx, cfg)
	if err != nil {
		return err
	}
	name, arg, _ := strings.Cut(role, ":")
	switch name {
	case "increment":
		times, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		updater := storage.NewUpdater(store)
		for range times {
			if err := updater.Update(ctx, "counter", increment); err != nil {
				return err
			}
		}
		return nil
	case "updates":
		workers, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		return update(ctx, store, workers)
	case "write":
		return writeForever(ctx, store, arg)
	}
	return fmt.Errorf("unknown role %q", role)
}

func increment(data []byte) (storage.Change, error) {
	var n uint64
	if data != nil {
		n = binary.BigEndian.Uint64(data)
	}
	return storage.Change{Data: binary.BigEndian.AppendUint64(nil, n+1)}, nil
}

// writeForever puts ever larger numbers under one key, and acknowledges each on standard
// output once its write has returned.
func writeForever(ctx context.Context, store *sqlstore.Store, key string) error {
	old := storage.Revision("")
	for n := 0; ; n++ {
		next := storage.Record{
			Revision: storage.Revision(fmt.Sprintf("%s/%d", key, n)),
			Data:     fmt.Appendf(nil, "%d %s", n, strings.Repeat("x", n%4000)),
		}
		for store.Swap(ctx, key, old, next) != nil {
			// On a busy machine a writer can wait for the lock longer than the busy timeout.
			if rec, err := store.Get(ctx, key); err == nil && rec.Revision == next.Revision {
				break
			}
		}
		old = next.Revision
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// process makes a command of this test binary in a role.
func process(t testing.TB, role, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), roleVar+"="+role, dbVar+"="+path)
	return cmd
}

func TestUpdate_ProcessesLoseNoWrite(t *testing.T) {
	// An application and the command of its operators may have one file open through two drivers.
	for name, drivers := range map[string][]string{"one driver": {"sqlite"},
		"two drivers": {"sqlite", "sqlite3"}} {
		t.Run(name, func(t *testing.T) {
			const processes, times = 4, 150
			path := filepath.Join(t.TempDir(), "records.db")
			outputs := make([]bytes.Buffer, processes)
			cmds := make([]*exec.Cmd, processes)
			for i := range cmds {
				cmds[i] = process(t, fmt.Sprintf("increment:%d", times), path)
				cmds[i].Env = append(cmds[i].Env, driverVar+"="+drivers[i%len(drivers)])
				cmds[i].Stderr = &outputs[i]
				require.NoError(t, cmds[i].Start())
			}
			for i, cmd := range cmds {
				require.NoError(t, cmd.Wait(), "process %d: %s", i, &outputs[i])
			}
			rec, err := openStore(t, path).Get(t.Context(), "counter")
			require.NoError(t, err)
			require.Equal(t, uint64(processes*times), binary.BigEndian.Uint64(rec.Data),
				"updates were lost")
		})
	}
}

func TestMigrate_InManyProcessesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	cmds := make([]*exec.Cmd, 6)
	outputs := make([]bytes.Buffer, len(cmds))
	for i := range cmds {
		cmds[i] = process(t, "migrate", path)
		cmds[i].Stderr = &outputs[i]
		require.NoError(t, cmds[i].Start())
	}
	for i, cmd := range cmds {
		require.NoError(t, cmd.Wait(), "process %d: %s", i, &outputs[i])
	}
	_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: openDB(t, path),
		Dialect: sqlstore.SQLite})
	require.NoError(t, err)
}

// writer is a process that writes under one key and acknowledges each write.
type writer struct {
	key  string
	cmd  *exec.Cmd
	acks chan struct{} // one for each acknowledged write, until no caller waits any more
	last chan int      // the last acknowledged write, or -1, once the process has ended
}

func startWriter(t *testing.T, key, path string) *writer {
	t.Helper()
	w := &writer{key, process(t, "write:"+key, path), make(chan struct{}, 1), make(chan int, 1)}
	out, err := w.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, w.cmd.Start())
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	go func() {
		n := -1
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if v, err := strconv.Atoi(lines.Text()); err == nil {
				n = v
				select {
				case w.acks <- struct{}{}:
				default:
				}
			}
		}
		close(w.acks)
		w.last <- n
	}()
	return w
}

// Whatever was acknowledged before a SIGKILL is there after it, whole. Each round waits for a
// number of acknowledged writes and then kills the processes in the middle of further ones.
func TestStore_KeepsAcknowledgedWritesWhenKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	for round := range 4 {
		var writers []*writer
		for _, key := range []string{"a", "b", "c"} {
			writers = append(writers, startWriter(t, fmt.Sprint(key, round), path))
		}
		for i, w := range writers {
			// SQLite's lock is not fair: one each, many of the first
			for range 1 + 20*round*(1-min(i, 1)) {
				_, running := <-w.acks
				require.True(t, running, "key %s: the process ended by itself", w.key)
			}
		}
		for _, w := range writers {
			require.NoError(t, w.cmd.Process.Kill())
		}
		store := openStore(t, path)
		for _, w := range writers {
			// All that was written to the pipe is read before Wait closes it.
			last := <-w.last
			_ = w.cmd.Wait() // it was killed
			rec, err := store.Get(t.Context(), w.key)
			require.NoError(t, err, "key %s: acknowledged up to %d", w.key, last)
			var n int
			_, err = fmt.Sscanf(string(rec.Data), "%d ", &n)
			require.NoError(t, err)
			// One more may have been written and not yet acknowledged.
			require.Contains(t, []int{last, last + 1}, n, "key %s: acknowledged up to %d",
				w.key, last)
			require.Equal(t, storage.Revision(fmt.Sprintf("%s/%d", w.key, n)), rec.Revision)
			require.Equal(t, fmt.Sprintf("%d %s", n, strings.Repeat("x", n%4000)), string(rec.Data))
			t.Logf("key %s: %d writes acknowledged, %d found", w.key, last+1, n+1)
		}
	}
}
