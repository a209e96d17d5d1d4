package trail

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// Verification is what Verify compares a trail with.
type Verification struct {
	// Key is the public key of Config.Key. Required.
	Key ed25519.PublicKey
	// Origin is that of Config. Required.
	Origin string
	// Anchors are checkpoints that Config.Anchor kept. Each must be of this trail.
	Anchors []string
}

// Result is what a trail has that verifies.
type Result struct {
	// Entries is how many there are, and Erased how many of them have no personal part.
	Entries, Erased int64
	// Newest is the time of the last entry. Without anchors nothing shows whether entries after
	// it were cut off.
	Newest time.Time
	// Checkpoint is the newest one.
	Checkpoint string
}

// BrokenError says where a trail does not verify.
type BrokenError struct {
	// Seq is the number of the entry, or of the last one where the end is wrong.
	Seq     int64
	Problem string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("trail: entry %d: %s", e.Seq, e.Problem)
}

// verifier goes through a trail.
type verifier struct {
	Verification
	anchors map[int64][]byte
	before  []byte
	last    Entry
	// missing are the entries without a personal part, in order, and erased the runs of entries of
	// which later ones say that they were erased. They are compared once, at the end: an attacker
	// who writes to the log could otherwise keep an auditor waiting for days.
	missing []int64
	erased  [][2]int64
	result  Result
}

// Verify verifies a whole trail, from its first entry on, such as log.Read(ctx, 1). It needs no
// secret and no network. A *BrokenError says what was altered, removed, reordered or cut off.
func Verify(entries iter.Seq2[Entry, error], with Verification) (*Result, error) {
	if len(with.Key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("trail: Key is no public key of Ed25519")
	}
	v := &verifier{Verification: with, before: genesis(), anchors: make(map[int64][]byte)}
	for _, a := range with.Anchors {
		seq, hash, err := openCheckpoint(with.Key, with.Origin, a)
		if err != nil {
			return nil, fmt.Errorf("trail: an anchor: %w", err)
		}
		if other := v.anchors[seq]; other != nil && !bytes.Equal(other, hash) {
			return nil, &BrokenError{seq, "two anchors of one length differ: it was rewritten"}
		}
		v.anchors[seq] = hash
	}
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if problem := v.add(e); problem != "" {
			return nil, &BrokenError{e.Seq, problem}
		}
	}
	return v.end()
}

// add verifies one more entry, and returns what is wrong with it, or "".
func (v *verifier) add(e Entry) string {
	fact, personal, err := e.Read()
	var broken *BrokenError
	anchor, anchored := v.anchors[e.Seq]
	switch {
	case errors.As(err, &broken):
		return broken.Problem
	case e.Seq != v.last.Seq+1:
		return fmt.Sprintf("it follows entry %d: entries were removed or reordered", v.last.Seq)
	case !bytes.Equal(e.Hash, e.chain(v.before)):
		return "it was altered, or the one before was"
	case e.Checkpoint != "" && !checks(v.Key, v.Origin, &e):
		return "its checkpoint is not of this key and this trail"
	case anchored && !bytes.Equal(anchor, e.Hash):
		return "the anchor at it differs: the trail was rewritten"
	}
	if len(e.Personal) == 0 {
		if e.Subject != "" {
			return "its subject was altered"
		}
		v.missing = append(v.missing, e.Seq)
		v.result.Erased++
	} else if problem := v.personal(e, personal); problem != "" {
		return problem
	}
	for _, run := range fact.Erased {
		v.erased = append(v.erased, [2]int64{run[0], min(run[1], e.Seq-1)})
	}
	v.before, v.last, v.result.Newest = e.Hash, e, fact.Time
	v.result.Entries++
	return ""
}

func (v *verifier) personal(e Entry, p Personal) string {
	hash := sha256.Sum256(e.Personal)
	switch {
	case !bytes.Equal(hash[:], e.PersonalHash):
		return "its personal part was altered"
	case e.Subject != subject(p.User, mfa.User{Tenant: p.Tenant}):
		return "its subject was altered"
	}
	return ""
}

// end verifies what is known after the last entry.
func (v *verifier) end() (*Result, error) {
	if v.last.Seq > 0 && v.last.Checkpoint == "" {
		return nil, &BrokenError{v.last.Seq, "it has no checkpoint: entries after it were cut " +
			"off, or a process was killed while it wrote"}
	}
	for seq := range v.anchors {
		if seq > v.last.Seq {
			return nil, &BrokenError{v.last.Seq, fmt.Sprintf(
				"it is the last, and an anchor has %d entries: the end was cut off", seq)}
		}
	}
	if seq, _ := v.unexplained(); seq > 0 {
		return nil, &BrokenError{seq, "its personal part was removed without an erasure"}
	}
	v.result.Checkpoint = v.last.Checkpoint
	return &v.result, nil
}

// unexplained returns the first entry without a personal part that was not erased, or 0. It looks
// at each entry and each run once.
func (v *verifier) unexplained() (seq int64, looks int) {
	slices.SortFunc(v.erased, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	var end int64 // of the runs so far
	runs := v.erased
	for _, seq := range v.missing {
		looks++
		for ; len(runs) > 0 && runs[0][0] <= seq; runs = runs[1:] {
			looks++
			end = max(end, runs[0][1])
		}
		if seq > end {
			return seq, looks
		}
	}
	return 0, looks
}
