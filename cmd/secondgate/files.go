package main

import (
	"errors"
	"os"
	"path/filepath"
)

// writeNew makes a file with mode 0600. It appears with all its content, and is an error if it is
// there already.
func writeNew(path, content string) error {
	return writeBeside(path, content, os.Link)
}

// writeBeside writes a file beside a path, and gives it the path when its content is on disk.
func writeBeside(path, content string, place func(from, to string) error) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), ".secondgate-*") // has mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(fresh.Name()) }()
	_, err = fresh.WriteString(content)
	if err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return err
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
