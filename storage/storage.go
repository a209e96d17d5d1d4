// Package storage is the contract between secondgate and the database an application
// already runs: one record for each user, one conditional write for each decision.
//
// A [Store] has three methods and knows nothing of second factors. Every decision is
// made in the core between a Get and a Swap, so all that a store must be able to do is
// an update on condition. To write one, implement Store and pass the kit in
// storage/storagetest; docs/writing-a-store.md walks through it.
//
// Most applications do not call anything here: they pass a Store to mfa.New.
package storage

import (
	"context"
	"errors"
	"fmt"
)

// Portable limits. Every adapter accepts everything within them.
const (
	// MaxKeyLen is in bytes; a byte-compared key of this length fits the index of every
	// database we know (MySQL's limit is 3072 bytes, older ones 767).
	MaxKeyLen = 512
	// MaxRevisionLen is in bytes.
	MaxRevisionLen = 64
	// MaxDataLen is in bytes; one less than MySQL's BLOB allows.
	MaxDataLen = 65534
)

var (
	// ErrNotFound is returned when there is no record under the key. It never means a failure.
	ErrNotFound = errors.New("storage: not found")
	// ErrConflict is returned when the present revision is not the one expected. Nothing was
	// changed.
	ErrConflict = errors.New("storage: revision conflict")
	// ErrInvalid is returned for a key, revision or data outside the portable limits. Nothing
	// was tried.
	ErrInvalid = errors.New("storage: invalid argument")
)

// Revision names one version of a record. "" names none: there is no record.
type Revision string

// Record is what a Store keeps under one key. The core chooses Revision, random and
// never reused; the store only compares and keeps it.
type Record struct {
	Revision Revision
	Data     []byte
}

// Store keeps records. Keys are compared byte for byte: case, trailing spaces, Unicode
// forms and NUL bytes distinguish. All methods are safe for concurrent use, honour ctx
// (when it is done they return its error, wrapped or not), copy bytes in and out, and
// never retry or read a clock.
type Store interface {
	// Get returns the record under key, or ErrNotFound. It sees every Swap and Delete that
	// completed before it began, from any process (no lagging replica), and never turns a
	// failure into ErrNotFound: that would read as "this user has no second factor".
	Get(ctx context.Context, key string) (Record, error)

	// Swap makes next the record under key, durably and in one atomic step, if the present
	// revision is old ("" = there must be no record). Otherwise it changes nothing and
	// returns ErrConflict. After any other error the swap may or may not have happened.
	Swap(ctx context.Context, key string, old Revision, next Record) error

	// Delete removes the record under key if its revision is old, by the same rules;
	// ErrConflict if there is none. old is never "".
	Delete(ctx context.Context, key string, old Revision) error
}

// Entry is one key and its record.
type Entry struct {
	Key    string
	Record Record
}

// Cursor is a place in a walk over the records of one store. Its bytes are the store's own.
type Cursor string

// Lister is an optional capability of a Store, for re-encryption and reports, never for
// safety.
type Lister interface {
	// List returns one page of a walk over the entries whose key starts with prefix. The
	// first page is asked for with the cursor "", each following one with the next that the
	// page before returned; a next of "" is the end. A next, even one of a former process,
	// takes the same walk up again.
	//
	// What is there during the whole walk is on at least one page. What is written
	// meanwhile may be on none, and an entry may come twice. A record that was deleted, or
	// replaced, before the walk began is on none. Pages may be in any order, may
	// be empty before the end, and hold about limit entries: a database that scans its keys
	// by hash promises no more than that, and no caller needs more. A limit below 1 is
	// ErrInvalid, and so may be a cursor that came from elsewhere.
	List(
		ctx context.Context, prefix string, cursor Cursor, limit int,
	) (page []Entry, next Cursor, err error)
}

// CheckKey returns an error that wraps ErrInvalid for a key outside the limits. Adapters call it,
// [CheckSwap] and [CheckDelete].
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKeyLen {
		return fmt.Errorf("%w: key of %d bytes, want 1 to %d", ErrInvalid, len(key), MaxKeyLen)
	}
	return nil
}

// CheckSwap returns an error that wraps ErrInvalid for arguments of Store.Swap outside the limits.
func CheckSwap(key string, old Revision, next Record) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(old) > MaxRevisionLen || next.Revision == "" || len(next.Revision) > MaxRevisionLen {
		return fmt.Errorf(
			"%w: revisions of %d and %d bytes, want at most %d, the new one not empty",
			ErrInvalid, len(old), len(next.Revision), MaxRevisionLen)
	}
	if old == next.Revision {
		return fmt.Errorf("%w: the new revision is the old one", ErrInvalid)
	}
	if len(next.Data) == 0 || len(next.Data) > MaxDataLen {
		return fmt.Errorf("%w: data of %d bytes, want 1 to %d", ErrInvalid, len(next.Data),
			MaxDataLen)
	}
	return nil
}

// CheckDelete returns an error that wraps ErrInvalid for arguments of Store.Delete outside the
// limits.
func CheckDelete(key string, old Revision) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if old == "" || len(old) > MaxRevisionLen {
		return fmt.Errorf("%w: revision of %d bytes, want 1 to %d", ErrInvalid, len(old),
			MaxRevisionLen)
	}
	return nil
}
