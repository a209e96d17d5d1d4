package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// byteOrderMark begins a text that some programs of Windows write. It is no part of a secret.
const byteOrderMark = "\ufeff"

// maxSecret bounds what is read of a file with a secret.
const maxSecret = 1 << 20

// readSecret reads a file with a key, a passphrase or a PIN. It refuses one that other users of the
// machine may read, as secondgate.KeyFile does. A pipe of the shell has no such mode.
func readSecret(path string) ([]byte, error) {
	if err := checkReadable(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	mode := info.Mode()
	if mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("other users may read %s (mode %#o): run chmod 600 on it", path,
			mode.Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSecret))
	return bytes.TrimPrefix(text, []byte(byteOrderMark)), err
}

// checkReadable refuses a directory and a named pipe. To open such a pipe waits for a program that
// may never write into it. A pipe of the shell, such as <(pass show acme), is a link that leads to
// no path, and is accepted.
func checkReadable(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil // to open it says why, unless it is a pipe of the shell
	}
	info, err := os.Lstat(real)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory and no file", path)
	case info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0:
		return fmt.Errorf("%s is a named pipe or a socket and no file", path)
	}
	return nil
}

// writeNew makes a file with mode 0600. It appears with all its content, and is an error if it is
// there already.
func writeNew(path, content string) error {
	return writeBeside(path, content, os.Link)
}

// writeBeside writes a file beside a path, and gives it the path when its content is on disk.
func writeBeside(path, content string, place func(from, to string) error) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), ".secondgate-*") // has mode 0600
	if err != nil {
		return fmt.Errorf("nothing was written to %s: %w", path, err)
	}
	defer func() { _ = os.Remove(fresh.Name()) }()
	_, err = fresh.WriteString(content)
	if err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return fmt.Errorf("nothing was written to %s: %w", path, err)
	}
	if err := place(fresh.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
