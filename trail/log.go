package trail

import (
	"context"
	"errors"
	"iter"
)

var (
	// ErrConflict is returned by Log.Append if another writer appended first.
	ErrConflict = errors.New("trail: another process appended first")
	// ErrRewritten is reported if the log no longer has what this process saw there, or ends with
	// an entry that has no valid checkpoint. No entry is written then: look at the log first.
	// Erase returns it for an entry that an attacker made one of the user's.
	ErrRewritten = errors.New("trail: the log was rewritten or cut off")
)

// Log keeps entries. [File] and [Table] are logs. All methods may be called concurrently, also
// from several processes.
type Log interface {
	// Last returns the last entry, or one with Seq 0 if there is none.
	Last(ctx context.Context) (Entry, error)
	// Read returns all entries from a number on, in order.
	Read(ctx context.Context, from int64) iter.Seq2[Entry, error]
	// About returns all entries of a subject, in order.
	About(ctx context.Context, subject string) iter.Seq2[Entry, error]
	// Append appends all entries, durably, or none. ErrConflict means that the last entry is not
	// the one before the first of these. After another error they may be there or not.
	Append(ctx context.Context, batch []Entry) error
	// Erase removes the personal parts and the subject of the entries of a subject up to a number.
	Erase(ctx context.Context, subject string, to int64) error
}

// entryAt returns one entry, or one with Seq 0.
func entryAt(ctx context.Context, log Log, seq int64) (Entry, error) {
	for e, err := range log.Read(ctx, seq) {
		if err != nil || e.Seq == seq {
			return e, err
		}
		break
	}
	return Entry{}, nil
}
