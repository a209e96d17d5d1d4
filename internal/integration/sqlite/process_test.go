package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// The test binary runs itself again as the processes of these tests: SECONDGATE_TEST_ROLE
// says what to be, and SECONDGATE_TEST_DB on which file.
const roleVar, dbVar = "SECONDGATE_TEST_ROLE", "SECONDGATE_TEST_DB"

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
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
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
	old := ""
	for n := 0; ; n++ {
		next := storage.Record{Revision: fmt.Sprintf("%s/%d", key, n), Data: fmt.Appendf(nil, "%d %s", n, strings.Repeat("x", n%4000))}
		if err := store.Swap(ctx, key, old, next); err != nil {
			return err
		}
		old = next.Revision
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// process makes a command of this test binary in a role.
func process(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), roleVar+"="+role, dbVar+"="+path)
	return cmd
}

func TestProcessesLoseNoUpdate(t *testing.T) {
	const processes, times = 4, 150
	path := filepath.Join(t.TempDir(), "records.db")
	outputs := make([]bytes.Buffer, processes)
	cmds := make([]*exec.Cmd, processes)
	for i := range cmds {
		cmds[i] = process(t, fmt.Sprintf("increment:%d", times), path)
		cmds[i].Stderr = &outputs[i]
		require.NoError(t, cmds[i].Start())
	}
	for i, cmd := range cmds {
		require.NoError(t, cmd.Wait(), "process %d: %s", i, &outputs[i])
	}
	rec, err := openStore(t, path).Get(t.Context(), "counter")
	require.NoError(t, err)
	require.Equal(t, uint64(processes*times), binary.BigEndian.Uint64(rec.Data), "updates were lost")
}

func TestProcessesMigrateAtOnce(t *testing.T) {
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
	_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: openDB(t, path), Dialect: sqlstore.SQLite})
	require.NoError(t, err)
}

// Whatever was acknowledged before a SIGKILL is there after it, whole.
func TestKilledUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	for round := range 4 {
		keys := []string{fmt.Sprintf("a%d", round), fmt.Sprintf("b%d", round), fmt.Sprintf("c%d", round)}
		acknowledged := make([]chan int, len(keys))
		cmds := make([]*exec.Cmd, len(keys))
		for i, key := range keys {
			cmds[i] = process(t, "write:"+key, path)
			out, err := cmds[i].StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmds[i].Start())
			last := make(chan int, 1)
			acknowledged[i] = last
			go func() {
				n := -1
				for lines := bufio.NewScanner(out); lines.Scan(); {
					if v, err := strconv.Atoi(lines.Text()); err == nil {
						n = v
					}
				}
				last <- n
			}()
		}
		time.Sleep(time.Duration(250+70*round) * time.Millisecond)
		for _, cmd := range cmds {
			require.NoError(t, cmd.Process.Kill())
		}
		store := openStore(t, path)
		total := 0
		for i, key := range keys {
			// All that was written to the pipe is read before Wait closes it.
			last := <-acknowledged[i]
			total += last + 1
			_ = cmds[i].Wait() // it was killed
			rec, err := store.Get(t.Context(), key)
			if last < 0 && errors.Is(err, storage.ErrNotFound) {
				t.Logf("key %s: killed before its first write", key)
				continue
			}
			require.NoError(t, err)
			var n int
			_, err = fmt.Sscanf(string(rec.Data), "%d ", &n)
			require.NoError(t, err)
			// One more may have been written and not yet acknowledged.
			require.Contains(t, []int{last, last + 1}, n, "key %s: acknowledged up to %d", key, last)
			require.Equal(t, fmt.Sprintf("%s/%d", key, n), rec.Revision)
			require.Equal(t, fmt.Sprintf("%d %s", n, strings.Repeat("x", n%4000)), string(rec.Data))
			t.Logf("key %s: %d writes acknowledged, %d found", key, last+1, n+1)
		}
		require.NotZero(t, total, "nothing was acknowledged, so nothing was tested")
	}
}
