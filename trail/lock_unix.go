//go:build unix && !solaris && !illumos && !aix

package trail

import (
	"os"
	"syscall"
)

// lockFile waits until no other process has the lock. The system ends the lock of a killed one.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
