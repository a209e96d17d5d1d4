package trail_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const nobody = 65534

// An operator who is not root cannot give the new file to its owner. The old one stays: the
// application would otherwise lose its trail.
func TestErase_TakesTheFileFromNoOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // there is no file of another user
	}
	r, log := newFile(t, "ann")
	subject := r.first().Subject
	dir := filepath.Dir(r.path)
	for _, d := range []string{dir, filepath.Dir(dir)} { // those of the test alone
		require.NoError(t, os.Chmod(d, 0o777))
	}
	require.NoError(t, os.Chmod(r.path, 0o666))
	require.NoError(t, os.Chmod(r.path+".lock", 0o666))
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
			ended <- errno
			return
		}
		ended <- log.Erase(t.Context(), subject, 1)
	}()
	require.ErrorIs(t, <-ended, os.ErrPermission)
	require.NotEmpty(t, r.first().Personal)
	require.NoFileExists(t, r.path+".new")
}

// The new file has the owner and the group of the old one, if one of them differs or both.
func TestErase_KeepsTheOwnerOrTheGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}
	for _, owner := range [][2]int{{nobody, 0}, {0, nobody}, {nobody, nobody}} {
		r, log := newFile(t, "ann")
		require.NoError(t, os.Chown(r.path, owner[0], owner[1]))
		require.NoError(t, log.Erase(t.Context(), r.first().Subject, 1))
		info, err := os.Stat(r.path)
		require.NoError(t, err)
		is := info.Sys().(*syscall.Stat_t)
		require.Equal(t, owner, [2]int{int(is.Uid), int(is.Gid)})
	}
}
