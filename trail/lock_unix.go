//go:build unix && !solaris && !illumos && !aix

package trail

import (
	"errors"
	"os"
	"syscall"
)

// lockFile waits until no other process has the lock. The system ends the lock of a killed one.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }

// giveTo gives a file the owner, the group and the mode of another.
func giveTo(file, other *os.File) error {
	want, err := other.Stat()
	has, hasErr := file.Stat()
	if err = errors.Join(err, hasErr); err != nil {
		return err
	}
	to, from := want.Sys().(*syscall.Stat_t), has.Sys().(*syscall.Stat_t)
	if to.Uid != from.Uid || to.Gid != from.Gid {
		if err := file.Chown(int(to.Uid), int(to.Gid)); err != nil {
			return err
		}
	}
	return file.Chmod(want.Mode().Perm())
}
