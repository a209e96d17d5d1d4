// Package value is how stores of keys and values keep a record: the length of its revision in one
// byte, the revision, and the data.
package value

import (
	"errors"

	"github.com/secondgate/secondgate/storage"
)

// errForeign is not storage.ErrNotFound: that would read as "this user has no second factor".
var errForeign = errors.New("it holds something that is no record")

// Head returns what the value of every record with a revision begins with, and no other value.
func Head(r storage.Revision) string { return string([]byte{byte(len(r))}) + string(r) }

// Of returns the value of a record. It has a revision of at most storage.MaxRevisionLen bytes.
func Of(r storage.Record) string { return Head(r.Revision) + string(r.Data) }

// Record returns the record of a value, which shares its bytes, or an error for a value that is
// not the value of a record.
func Record(v []byte) (storage.Record, error) {
	if len(v) == 0 || v[0] == 0 || v[0] > storage.MaxRevisionLen || len(v) < 2+int(v[0]) {
		return storage.Record{}, errForeign
	}
	end := 1 + int(v[0])
	return storage.Record{Revision: storage.Revision(v[1:end]), Data: v[end:]}, nil
}
