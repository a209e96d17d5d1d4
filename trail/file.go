package trail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
)

// File is a log of JSON lines in a file. Several processes of one machine may append to it; it is
// locked by the file beside it with the ending .lock. Erase writes the file anew. It has all of it
// in memory meanwhile, and no process appends. A File needs a Unix system.
type File struct {
	path string

	mu sync.Mutex
	// What was read of the file: its length up to the last checkpoint, and the entry there.
	known  os.FileInfo
	length int64
	last   Entry
}

var _ Log = (*File)(nil)

// maxLine bounds a line.
const maxLine = 1 << 20

// OpenFile returns the log in a file, which it makes with mode 0600 if it is missing.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	err := f.locked(func(file *os.File) error { return f.catchUp(file) })
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ReadFile returns all entries of the file of a [File], in order. It writes nothing, so that an
// auditor can [Verify] a copy.
func ReadFile(path string) iter.Seq2[Entry, error] {
	return (&File{path: path}).walk(func(Entry) bool { return true })
}

// locked calls do with the open file, while no other process writes to it.
func (f *File) locked(do func(*os.File) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	lock, err := os.OpenFile(f.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	defer func() { _ = lock.Close() }() // which ends the lock
	if err := lockFile(lock); err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	return errors.Join(do(file), file.Close())
}

// catchUp reads what other processes appended. What follows the last checkpoint belongs
// to a batch that a killed process did not finish.
func (f *File) catchUp(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	if !os.SameFile(f.known, info) || info.Size() < f.length {
		f.length, f.last = 0, Entry{}
	}
	f.known = info
	if _, err := file.Seek(f.length, io.SeekStart); err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	at := f.length
	for l, err := range lines(file, f.last.Seq) {
		if err != nil {
			return err
		}
		at += int64(l.length)
		if l.entry.Checkpoint != "" {
			f.length, f.last = at, l.entry
		}
	}
	return nil
}

// line is one line of the file.
type line struct {
	entry  Entry
	length int
}

// lines leaves out a last line whose end is missing: a killed process did not finish it. A line
// that no process wrote is a *BrokenError. It has the number of the entry before, which is after
// for the first line.
func lines(r io.Reader, after int64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		b := bufio.NewReaderSize(r, maxLine)
		for {
			text, err := b.ReadSlice('\n')
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.Is(err, bufio.ErrBufferFull):
				yield(line{}, &BrokenError{after, "the line after it is longer than any entry"})
				return
			case err != nil:
				yield(line{}, fmt.Errorf("trail: %w", err))
				return
			}
			l := line{length: len(text)}
			if err := json.Unmarshal(text, &l.entry); err != nil {
				yield(line{}, &BrokenError{after, "the line after it is no entry: " + err.Error()})
				return
			}
			after = l.entry.Seq
			if !yield(l, nil) {
				return
			}
		}
	}
}

// Last implements [Log].
func (f *File) Last(context.Context) (last Entry, err error) {
	err = f.locked(func(file *os.File) error {
		err := f.catchUp(file)
		last = f.last
		return err
	})
	return last, err
}

// Read implements [Log].
func (f *File) Read(_ context.Context, from int64) iter.Seq2[Entry, error] {
	return f.walk(func(e Entry) bool { return e.Seq >= from })
}

// About implements [Log].
func (f *File) About(_ context.Context, subject string) iter.Seq2[Entry, error] {
	return f.walk(func(e Entry) bool { return e.Subject == subject })
}

func (f *File) walk(which func(Entry) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		file, err := os.Open(f.path)
		if err != nil {
			yield(Entry{}, fmt.Errorf("trail: %w", err))
			return
		}
		defer func() { _ = file.Close() }()
		for l, err := range lines(file, 0) {
			switch {
			case err != nil:
				yield(Entry{}, err)
				return
			case which(l.entry) && !yield(l.entry, nil):
				return
			}
		}
	}
}

// Append implements [Log].
func (f *File) Append(_ context.Context, batch []Entry) error {
	text, err := encode(batch)
	if err != nil {
		return err
	}
	return f.locked(func(file *os.File) error {
		if err := f.catchUp(file); err != nil {
			return err
		}
		if f.last.Seq != batch[0].Seq-1 {
			return ErrConflict
		}
		err := errors.Join(file.Truncate(f.length), write(file, text, f.length))
		if err != nil {
			return errors.Join(fmt.Errorf("trail: %w", err), file.Truncate(f.length))
		}
		f.length += int64(len(text))
		f.last = batch[len(batch)-1]
		return nil
	})
}

func encode(batch []Entry) ([]byte, error) {
	var text bytes.Buffer
	for i := range batch {
		l, err := json.Marshal(&batch[i])
		if err != nil {
			return nil, fmt.Errorf("trail: %w", err)
		}
		if len(l) >= maxLine {
			return nil, fmt.Errorf("trail: entry %d has %d bytes", batch[i].Seq, len(l))
		}
		text.Write(append(l, '\n'))
	}
	return text.Bytes(), nil
}

func write(file *os.File, text []byte, at int64) error {
	if _, err := file.WriteAt(text, at); err != nil {
		return err
	}
	return file.Sync()
}

// Erase implements [Log].
func (f *File) Erase(_ context.Context, subject string, to int64) error {
	return f.locked(func(file *os.File) error {
		var kept []Entry
		for l, err := range lines(file, 0) {
			if err != nil {
				return err
			}
			if l.entry.Subject == subject && l.entry.Seq <= to {
				l.entry.Personal, l.entry.Subject = nil, ""
			}
			kept = append(kept, l.entry)
		}
		text, err := encode(kept)
		if err != nil {
			return err
		}
		return f.replace(file, text)
	})
}

// replace writes the file anew, for the owner and with the mode of the old one: the application
// goes on where an operator erased as another user of the machine. A process that is killed
// meanwhile leaves the old file.
func (f *File) replace(old *os.File, text []byte) error {
	if err := os.Remove(f.path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("trail: %w", err)
	}
	fresh, err := os.OpenFile(f.path+".new", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	err = errors.Join(giveTo(fresh, old), write(fresh, text, 0))
	if err = errors.Join(err, fresh.Close()); err != nil {
		return errors.Join(fmt.Errorf("trail: %w", err), os.Remove(f.path+".new"))
	}
	if err := os.Rename(f.path+".new", f.path); err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
