//go:build unix

package sqlite_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The permissions of files mean nothing to root, so these are tried as nobody.
func TestOpen_ReportsMissingPermissions(t *testing.T) {
	dir, err := os.MkdirTemp("", "secondgate-permissions-")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	closed := filepath.Join(dir, "closed")
	require.NoError(t, os.Mkdir(closed, 0o555))
	readOnly := filepath.Join(dir, "readonly.db")
	openStore(t, readOnly)
	require.NoError(t, os.Chmod(readOnly, 0o444))

	for name, c := range map[string]struct{ role, path, says string }{
		"directory that cannot be written": {"migrate", filepath.Join(closed, "records.db"),
			"unable to open database file"},
		"file that cannot be written": {"new", readOnly, "readonly"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := asNobody(t, dir, c.role, c.path).CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "it succeeded: %s", out)
			refused(t, errors.New(strings.TrimSpace(string(out))), c.says)
		})
	}
}

// asNobody makes a process of this test binary that has no privileges, from a copy in dir
// that it may run.
func asNobody(t *testing.T, dir, role, path string) *exec.Cmd {
	t.Helper()
	cmd := process(t, role, path)
	if os.Getuid() != 0 {
		return cmd
	}
	in, err := os.Open(cmd.Path)
	require.NoError(t, err)
	defer in.Close()
	cmd.Path = filepath.Join(dir, "test-binary-"+role)
	out, err := os.OpenFile(cmd.Path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}
