package customstore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/secondgate/secondgate/examples/customstore"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/storagetest"
)

func TestStore_Conforms(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "records.bolt"), 0o600, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	storagetest.Run(t, func(t *testing.T) storage.Store {
		store, err := customstore.New(db)
		require.NoError(t, err)
		return store
	})
}

// docs/writing-a-store.md promises it. Comments and empty lines do not count.
func TestStore_HasUnderSixtyLinesOfCode(t *testing.T) {
	source, err := os.ReadFile("store.go")
	require.NoError(t, err)
	lines := 0
	for line := range strings.Lines(string(source)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			lines++
		}
	}
	require.Greater(t, lines, 40)
	require.Less(t, lines, 60)
}

// An error of the database says nothing about the record.
func TestStore_ReturnsDatabaseErrors(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "records.bolt"), 0o600, nil)
	require.NoError(t, err)
	store, err := customstore.New(db)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = store.Get(t.Context(), "k")
	require.ErrorIs(t, err, berrors.ErrDatabaseNotOpen)
	require.NotErrorIs(t, err, storage.ErrNotFound)
	require.ErrorIs(t, store.Swap(t.Context(), "k", "",
		storage.Record{Revision: "r", Data: []byte("x")}), berrors.ErrDatabaseNotOpen)
}

// A value that another program wrote is an error, and neither a panic nor a missing record.
func TestStore_RefusesForeignValues(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "records.bolt"), 0o600, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, err := customstore.New(db)
	require.NoError(t, err)
	for _, value := range []string{"", "\x00xx", "\x01", "\x01r",
		"\xff" + strings.Repeat("x", 255)} {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("secondgate")).Put([]byte("k"), []byte(value))
		}))
		_, err = store.Get(t.Context(), "k")
		require.ErrorContains(t, err, "not a record", "%q", value)
		require.NotErrorIs(t, err, storage.ErrNotFound)
		require.ErrorContains(t, store.Delete(t.Context(), "k", "r"), "not a record")
	}
}

// The walk-through quotes the code without changes.
func TestDocument_QuotesTheCode(t *testing.T) {
	source, err := os.ReadFile("store.go")
	require.NoError(t, err)
	text, err := os.ReadFile("../../docs/writing-a-store.md")
	require.NoError(t, err)
	fold := func(b []byte) string { return string(bytes.Join(bytes.Fields(b), []byte(" "))) }
	quoted := 0
	for i, part := range bytes.Split(text, []byte("```")) {
		code, is := bytes.CutPrefix(part, []byte("go\n"))
		if i%2 == 1 && is && bytes.Contains(code, []byte("[]byte{byte(")) ||
			bytes.Contains(code, []byte("bbolt.Tx")) || bytes.Contains(code, []byte("record(v ")) {
			quoted++
			require.Contains(t, fold(source), fold(code))
		}
	}
	require.Equal(t, 4, quoted)
}
