package value_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/internal/value"
)

func TestRecord_IsWhatWasKept(t *testing.T) {
	for n := 1; n <= storage.MaxRevisionLen; n++ {
		kept := storage.Record{Revision: storage.Revision(strings.Repeat("\xff", n)),
			Data: []byte("\x00data")}
		got, err := value.Record([]byte(value.Of(kept)))
		require.NoError(t, err)
		require.Equal(t, kept, got)
		require.True(t, strings.HasPrefix(value.Of(kept), value.Head(kept.Revision)))
	}
}

// Whatever another program writes under a key is an error, and no panic.
func TestRecord_RefusesForeignValues(t *testing.T) {
	for first := range 256 {
		for _, n := range []int{0, 1, 2, first, first + 1, first + 2, 300} {
			v := append([]byte{byte(first)}, bytes.Repeat([]byte("x"), n)...)
			_, err := value.Record(v)
			isRecord := first > 0 && first <= storage.MaxRevisionLen && n > first
			require.Equal(t, isRecord, err == nil, "first byte %d, and %d more", first, n)
		}
	}
	for _, v := range [][]byte{nil, {}} {
		_, err := value.Record(v)
		require.Error(t, err)
		require.NotErrorIs(t, err, storage.ErrNotFound)
	}
}
