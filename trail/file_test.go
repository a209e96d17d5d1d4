package trail_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/trail"
)

// newFile returns a log in a file that has entries about these users.
func newFile(t *testing.T, users ...string) (*rig, *trail.File) {
	r := newRig(t)
	r.keep(users...)
	require.NoError(t, r.end())
	return r, r.log
}

func TestOpenFile_ReportsWhatItCannotOpen(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "directory"), 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "locked.lock"), 0o700))
	for name, problem := range map[string]string{
		"missing/trail": "no such file", "directory": "is a directory", "pipe": "seek",
		"locked": "locked.lock: is a directory",
	} {
		_, err := trail.OpenFile(filepath.Join(dir, name))
		require.ErrorContains(t, err, problem)
		require.ErrorContains(t, err, "trail: ")
	}
	var missing error
	for _, missing = range trail.ReadFile(filepath.Join(dir, "missing")) {
	}
	require.ErrorIs(t, missing, os.ErrNotExist)
}

// A line that is no entry, or is longer than any, is an error of each call, and stays where it is.
func TestFile_RefusesALineThatIsNoEntry(t *testing.T) {
	for name, bad := range map[string]string{"no JSON": "{\n", "another type": `{"seq":"x"}` + "\n",
		"too long": `{"fact":"` + strings.Repeat("x", 1<<20) + `"}` + "\n"} {
		t.Run(name, func(t *testing.T) {
			r, log := newFile(t, "ann", "bob")
			good, err := os.ReadFile(r.path)
			require.NoError(t, err)
			text := append(bytes.Clone(good), bad...)
			require.NoError(t, os.WriteFile(r.path, text, 0o600))
			_, err = trail.OpenFile(r.path)
			require.ErrorContains(t, err, "trail: ")
			_, err = log.Last(t.Context())
			require.Error(t, err)
			require.Error(t, log.Append(t.Context(), []trail.Entry{{Seq: 3, Fact: []byte("{}")}}))
			require.Error(t, log.Erase(t.Context(), r.first().Subject, 2))
			n := 0
			for e, err := range trail.ReadFile(r.path) {
				if n++; n > 2 {
					requireBroken(t, err, 2)
					require.Zero(t, e)
				}
			}
			require.Equal(t, 3, n, "the error ends the walk")
			_, err = r.check(trail.ReadFile(r.path))
			requireBroken(t, err, 2)
			now, err := os.ReadFile(r.path)
			require.NoError(t, err)
			require.Equal(t, text, now)
		})
	}
}

// requireBroken requires an error that says where the trail was altered.
func requireBroken(t *testing.T, err error, seq int64) {
	t.Helper()
	var broken *trail.BrokenError
	require.ErrorAs(t, err, &broken)
	require.Equal(t, seq, broken.Seq)
	require.NotContains(t, broken.Problem, "trail: ", "the error says it once")
}

// A part of an entry that has another type is found as any other change is.
func TestVerify_SaysWhichEntryHasAPartOfAnotherType(t *testing.T) {
	for _, part := range []string{`"actor":1`, `"write":"x"`} {
		r, _ := newFile(t, "ann", "bob")
		list := r.entries()
		list[1].Personal = []byte("{" + part + "}")
		_, _, err := list[1].Read()
		requireBroken(t, err, 2)
		_, err = r.check(seq(list))
		requireBroken(t, err, 2)
	}
}

// first returns the first entry.
func (r *rig) first() trail.Entry {
	for e, err := range trail.ReadFile(r.path) {
		require.NoError(r, err)
		return e
	}
	panic("there is none")
}

// A reader may stop, and reads from the number that it asks for.
func TestFile_ReadsFromANumberOn(t *testing.T) {
	r, log := newFile(t, "ann", "bob", "cas")
	for want := int64(1); want <= 3; want++ {
		for e, err := range log.Read(t.Context(), want) {
			require.NoError(t, err)
			require.Equal(t, want, e.Seq)
			break
		}
	}
	n := int64(0)
	for e, err := range trail.ReadFile(r.path) {
		require.NoError(t, err)
		n++
		require.Equal(t, n, e.Seq)
	}
	require.EqualValues(t, 3, n)
}

// Append keeps the longest line that can be read, and nothing of a batch that it cannot keep.
func TestFile_AppendsNothingOfABadBatch(t *testing.T) {
	r, log := newFile(t, "ann")
	before, err := os.ReadFile(r.path)
	require.NoError(t, err)
	entry := func(size int) trail.Entry {
		e := trail.Entry{Seq: 2, Fact: []byte(`""`), Checkpoint: "x"}
		line, err := json.Marshal(&e)
		require.NoError(t, err)
		e.Fact = []byte(`"` + strings.Repeat("x", size-len(line)) + `"`)
		return e
	}
	for name, batch := range map[string][]trail.Entry{
		"no JSON":      {{Seq: 2, Fact: []byte("{}")}, {Seq: 3, Fact: []byte("{")}},
		"too long":     {{Seq: 2, Fact: []byte("{}")}, entry(1 << 20)},
		"not the next": {{Seq: 3, Fact: []byte("{}")}},
		"there":        {{Seq: 1, Fact: []byte("{}")}},
	} {
		err := log.Append(t.Context(), batch)
		require.ErrorContains(t, err, "trail: ", name)
		conflict := name == "not the next" || name == "there"
		require.Equal(t, conflict, errors.Is(err, trail.ErrConflict), name)
		now, err := os.ReadFile(r.path)
		require.NoError(t, err)
		require.Equal(t, before, now, name)
	}
	require.NoError(t, log.Append(t.Context(), []trail.Entry{entry(1<<20 - 1)}))
	last, err := log.Last(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, last.Seq)
	require.Len(t, r.entries(), 2)
}

// An erasure by another process writes the file anew, and what is appended makes it as long again.
func TestFile_GoesOnAfterAnErasureByAnotherProcess(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob")
	other, err := trail.OpenFile(r.path)
	require.NoError(t, err)
	w := r.writer(other, trail.Client{})
	require.NoError(t, w.Erase(t.Context(), ann))
	for range 5 {
		w.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "cas"})
		require.NoError(t, w.Flush(t.Context()))
	}
	r.keep("dan")
	result, err := r.verify()
	require.NoError(t, err)
	require.EqualValues(t, 9, result.Entries)
}

// The entries after the number that an erasure was decided for keep their personal parts: no entry
// says that they were erased.
func TestFile_ErasesUpToANumber(t *testing.T) {
	r, log := newFile(t, "ann", "ann", "ann")
	require.NoError(t, log.Erase(t.Context(), r.first().Subject, 2))
	var parts []bool
	for _, e := range r.entries() {
		parts = append(parts, len(e.Personal) > 0)
	}
	require.Equal(t, []bool{false, false, true}, parts)
}

// What is in the way of the new file leaves the old one as it is.
func TestFile_ErasesNothingWhereItCannotWriteAnew(t *testing.T) {
	r, log := newFile(t, "ann")
	require.NoError(t, os.MkdirAll(filepath.Join(r.path+".new", "full"), 0o700))
	require.Error(t, log.Erase(t.Context(), r.first().Subject, 1))
	require.NotEmpty(t, r.first().Personal)
}

// A full disk keeps no part of a batch and no part of an erasure. Space that is freed is used.
func TestFile_KeepsTheFileWholeOnAFullDisk(t *testing.T) {
	r, log := newFile(t, "ann", "bob")
	before, err := os.ReadFile(r.path)
	require.NoError(t, err)
	next := trail.Entry{Seq: 3, Fact: []byte(`{}`), Checkpoint: "x"}
	full(t, len(before)+10, func() {
		err = log.Append(t.Context(), []trail.Entry{next})
	})
	require.ErrorIs(t, err, syscall.EFBIG)
	full(t, len(before)/2, func() {
		err = log.Erase(t.Context(), r.first().Subject, 2)
	})
	require.ErrorIs(t, err, syscall.EFBIG)
	now, err := os.ReadFile(r.path)
	require.NoError(t, err)
	require.Equal(t, before, now)
	require.NoFileExists(t, r.path+".new")
	require.NoError(t, log.Append(t.Context(), []trail.Entry{next}))
	require.Len(t, r.entries(), 3)
}

// full calls do while no file of the process can be longer than a number of bytes.
func full(t *testing.T, length int, do func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGXFSZ)
	defer signal.Stop(signals)
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	now := old
	now.Cur = uint64(length)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now))
	do()
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
}

// No other process writes while one does, nor two logs of one process.
func TestFile_IsLockedWhileItWrites(t *testing.T) {
	r, log := newFile(t)
	lock, err := os.Open(r.path + ".lock")
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Close()) }()
	try := func() error { return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
	require.NoError(t, log.Locked(func() { err = try() }))
	require.ErrorIs(t, err, syscall.EWOULDBLOCK)
	require.NoError(t, try(), "it is free after that")
}
