//go:build unix && !solaris && !illumos && !aix

package main

import (
	"errors"
	"os"
	"syscall"
)

// lockDirectory waits until no other process has locked a directory, and locks it. The system
// ends the lock of a process that is killed.
func lockDirectory(path string) (unlock func() error, err error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir.Close, nil
}

// giveToOwnerOf gives a file to the owner and the group of another.
func giveToOwnerOf(other, path string) error {
	info, err := os.Stat(other)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.ErrUnsupported
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}
