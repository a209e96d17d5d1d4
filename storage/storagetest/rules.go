package storagetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/secondgate/secondgate/storage"
)

// A rule is one promise and the test of it. A check returns what it saw broken, so that the
// kit's own tests can ask which rules an adapter breaks without failing themselves.
type rule struct {
	name  string
	why   string
	check func(ctx context.Context, s *subject) error
}

// subject opens the stores of one rule. The calls of a rule go to a few stores in turn, because
// a connection costs some databases more than all that a rule asks over it.
type subject struct {
	openStore func() storage.Store
	stores    []storage.Store
	next      int
}

// storesOfRule is how many stores a rule is tried with at most.
const storesOfRule = 3

// open returns a new store, or one that was opened before if there are enough. It never returns
// the same store twice in a row.
func (s *subject) open() storage.Store {
	if len(s.stores) < storesOfRule {
		s.stores = append(s.stores, s.openStore())
	}
	store := s.stores[s.next%storesOfRule]
	s.next++
	return store
}

// rules returns all rules.
func rules() []rule { return slices.Concat(singleRules(), manyRules(), batchRules()) }

// singleRules are about one call after the other.
func singleRules() []rule {
	return []rule{
		{"absent", "Only ErrNotFound distinguishes a user without a record from one whose " +
			"record could not be " +
			"read: anything else keeps new users out, or lets everyone in when the database is " +
			"down.", absent},
		{"create", "Creating over a record that exists would replace a user's factors by the " +
			"attacker's own, " +
			"or forget every failure so far.", create},
		{"replace", "A write that goes through although the record has changed undoes what was " +
			"recorded " +
			"meanwhile: a code already used works again, failed attempts are forgotten, a lock " +
			"is lifted.", replace},
		{"revision-exact", "Revisions that are nearly equal are not equal; taken for equal, the " +
			"condition that makes " +
			"a response count once is gone.", revisionExact},
		{"delete", "A conditional deletion that removes a newer record also removes the lock or " +
			"the factor that " +
			"was written since.", deletion},
		{"recreate", "A record that was deleted and made anew is another record; a decision " +
			"made on the old one " +
			"must not be written over it.", recreate},
		{"aba", "A record may come back to contents it had before; a process with the earlier " +
			"revision has " +
			"missed what happened in between, such as the use of a code.", aba},
		{"keys", "Two users whose keys look alike would share one record: one could sign in " +
			"with the other's " +
			"factor, or lock them out.", keys},
		{"data", "Records are sealed: with one byte changed, trimmed or re-encoded nothing can " +
			"be read, and the " +
			"user is locked out permanently.", dataBytes},
		{"limits", "A record cut off at a limit is destroyed, and a key cut off is another " +
			"user's. What is within " +
			"the limits must fit, and what is not must be refused before anything is written.",
			limits},
		{"context", "A cancelled request must not be taken for a reply: as 'not found' it would " +
			"mean " +
			"that no second factor is needed.", cancelled},
		{"context-in-flight", "Requests are cancelled at any moment. A write then half made, or " +
			"reported as something " +
			"it was not, loses a count or a record.", cancelledInFlight},
		{"slices", "Bytes shared with the caller change under the store's hands: one request " +
			"would see, or " +
			"overwrite, another user's record.", aliasing},
		{"read-your-writes", "A read that lags behind a write shows a code as unused and a lock " +
			"as not yet set.", readYourWrites},
		{"two-stores", "Two processes that do not see each other's writes at once each grant " +
			"the full number of " +
			"guesses, and each accept the same code once.", twoStores},
	}
}

// manyRules are about many callers, and about walks over many records.
func manyRules() []rule {
	return []rule{
		{"race-create", "Of many simultaneous first writes exactly one may win; two winners are " +
			"two responses " +
			"accepted for one code.", raceCreate},
		{"race-swap", "Of many simultaneous writes on one revision exactly one may win; each " +
			"further winner is " +
			"a guess that was not counted.", raceSwap},
		{"race-delete", "Of many simultaneous deletions of one revision exactly one may win; " +
			"two would consume one " +
			"thing twice.", raceDelete},
		{"lost-update", "Every acknowledged write must be in the record: with a lost one, " +
			"parallel guesses are " +
			"more than the limit allows.", lostUpdate},
		{"list-prefix", "Re-encryption and reports walk the keys; one that is left out keeps " +
			"its retired encryption key, " +
			"and a foreign one is treated as a user's.", listPrefix},
		{"list-pages", "A walk in pages that skips keys leaves users out of re-encryption; one " +
			"that repeats them " +
			"for ever does not end.", listPages},
		{"list-resumed", "Re-encryption of a million records takes longer than a process lives; " +
			"a cursor that is valid in " +
			"one process alone makes it start again for ever.", listResumed},
		{"list-current", "Re-encryption writes what the walk gave it: an earlier version of a record " +
			"forgets failed attempts, and one that was deleted brings a factor back.", listCurrent},
		{"list-arguments", "A cancelled walk that reports an end looks like a walk that was " +
			"completed.", listArguments},
	}
}

// key returns a key that no other run has used.
func key(name string) string { return "storagetest/" + rand.Text() + "/" + name }

func rec(revision storage.Revision, data string) storage.Record {
	return storage.Record{Revision: revision, Data: []byte(data)}
}

// show keeps failures readable when a record is long.
func show(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%q… (%d bytes)", b[:40], len(b))
	}
	return fmt.Sprintf("%q", b)
}

// is expects err to be target; nil expects success.
func is(what string, err, target error) error {
	switch {
	case target == nil && err != nil:
		return fmt.Errorf("%s: %w, want success", what, err)
	case target == nil:
		return nil
	case err == nil:
		return fmt.Errorf("%s: no error, want %q", what, target)
	case !errors.Is(err, target):
		return fmt.Errorf("%s: error %q, want %q", what, err, target)
	}
	// One error that is two results is read as the first one that a caller asks about.
	for _, other := range []error{storage.ErrNotFound, storage.ErrConflict, storage.ErrInvalid} {
		if other != target && errors.Is(err, other) { //nolint:errorlint // two sentinels
			return fmt.Errorf("%s: error %q is also %q", what, err, other)
		}
	}
	return nil
}

// holds expects the record under k to be want.
func holds(ctx context.Context, what string, s storage.Store, k string, want storage.Record) error {
	got, err := s.Get(ctx, k)
	if err != nil {
		return fmt.Errorf("%s: get of %s: %w, want a record", what, show([]byte(k)), err)
	}
	if got.Revision != want.Revision {
		return fmt.Errorf("%s: get of %s: revision %s, want %s", what, show([]byte(k)),
			show([]byte(got.Revision)), show([]byte(want.Revision)))
	}
	if !bytes.Equal(got.Data, want.Data) {
		return fmt.Errorf("%s: get of %s: data %s, want %s", what, show([]byte(k)), show(got.Data),
			show(want.Data))
	}
	return nil
}

// isAbsent expects no record under k.
func isAbsent(ctx context.Context, what string, s storage.Store, k string) error {
	got, err := s.Get(ctx, k)
	if err := is(fmt.Sprintf("%s: get of %s", what, show([]byte(k))), err,
		storage.ErrNotFound); err != nil {
		return err
	}
	if got.Revision != "" || got.Data != nil {
		return fmt.Errorf("%s: get returned ErrNotFound and a record with it", what)
	}
	return nil
}

// first runs steps until one fails. Each is a closure because they depend on each other.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
