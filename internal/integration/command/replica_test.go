package command_test

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// standby returns the URL of a hot standby of PostgreSQL, and replica that of a replica of Redis.
func standby(t *testing.T, primary *url.URL) string {
	t.Helper()
	return servers.PostgreSQLStandby(t, primary.Host).PostgreSQLDSN()
}

func replica(t *testing.T, primary *url.URL) string {
	t.Helper()
	host, port, err := net.SplitHostPort(primary.Host)
	require.NoError(t, err)
	server := servers.Redis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", host, port).Err())
	return "redis://" + server.Addr + "/0"
}

// Commands that only read run on a replica. Others say that it takes no writes, and do nothing.
func TestCommand_ReadsReplicas(t *testing.T) {
	for name, engine := range map[string]struct {
		primary func(*testing.T) *operator
		replica func(*testing.T, *url.URL) string
	}{
		"PostgreSQL": {onPostgreSQL, standby}, "Redis": {onRedis, replica},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := restoringBy(t, engine.primary(t))
			at, err := url.Parse(r.operator.store)
			require.NoError(t, err)
			other := *r.operator
			other.store = engine.replica(t, at)
			require.Eventually(t, func() bool {
				return other.run("status", "ann").code == 0
			}, time.Minute, 100*time.Millisecond, "the replica has nothing")
			require.Equal(t, r.does("status", "ann").out, other.does("status", "ann").out)
			require.Equal(t, r.does("report").out, other.does("report").out)
			require.Equal(t, r.does("keys", "list").out, other.does("keys", "list").out)
			require.Equal(t, r.run("audit").code, other.run("audit").code)
			compared := other.does("trail", "verify", "-public", r.public, "-compare")
			require.Contains(t, compared.out, "The records of 1 users were compared")

			checked := other.does("check", "-replica").out
			require.Regexp(t, `clock +ok `, checked)
			require.Regexp(t, `read +ok +median`, checked)
			require.Regexp(t, `write +unknown +a replica takes no writes`, checked)

			before := r.does("status", "-json", "ann").out
			for _, args := range [][]string{act("unlock", "ann"), act("delete", "ann"),
				act("rotate"), {"check"}, {"loadtest", "-count", "1"}, {"init"}} {
				refused := other.run(args...)
				require.Equal(t, 1, refused.code, "%v: %s", args, refused.out)
				require.Contains(t, refused.messages, "takes no writes", args)
				require.NotContains(t, refused.messages, "run: secondgate init")
			}
			require.Equal(t, before, r.does("status", "-json", "ann").out)
		})
	}
}

// An auditor who may only read looks at a backup of SQLite. Root can write every file, so the
// program runs as nobody. A log beside the file shows that a process has the file open.
func TestCommand_ReadsABackupThatCannotBeWritten(t *testing.T) {
	o := populated(t)
	dir, err := os.MkdirTemp("", "secondgate-backup-")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	copied := func(from, name string, mode os.FileMode) string {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, mode))
		return filepath.Join(dir, name)
	}
	const nobody = 65534
	auditor := &operator{t: t, store: "sqlite:" + filepath.Join(dir, "backup.db"),
		keys: copied(o.keys, "keys", 0o600)}
	path := copied(program, "secondgate", 0o755)
	_, err = openDB(t, "sqlite", strings.TrimPrefix(o.store, "sqlite:")).Exec("VACUUM INTO ?",
		filepath.Join(dir, "backup.db"))
	require.NoError(t, err)
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(auditor.keys, nobody, nobody))
	}
	for name, mode := range map[string]os.FileMode{"backup.db": 0o444, ".": 0o555} {
		require.NoError(t, os.Chmod(filepath.Join(dir, name), mode))
	}
	run := func(args ...string) result {
		cmd := exec.Command(path, args...)
		cmd.Dir = "/"
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		return auditor.finish(cmd)
	}
	for _, args := range [][]string{{"status", "ann"}, {"report"}, {"keys", "list"}} {
		read := run(args...)
		require.Zero(t, read.code, read.messages)
		require.Equal(t, o.does(args...).out, read.out)
	}
	require.Equal(t, 1, run(act("unlock", "ann")...).code)

	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "backup.db-wal"), []byte("x"), 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	require.Equal(t, 1, run("report").code)
	require.NoError(t, os.Chmod(dir, 0o755))
}
