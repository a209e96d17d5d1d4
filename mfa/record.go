package mfa

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/lockout"
)

// recordFormat is the newest format this code reads and the one it writes.
const recordFormat = 1

// Bounds of a record. What would exceed them is refused, or the oldest goes, as said
// where it happens.
const (
	maxInstances = 5  // of one kind
	maxFactors   = 16 // in all
	maxPending   = 4
	maxSpent     = 16
	// codeMemory is how long an expired code is still told apart from an incorrect one.
	codeMemory = time.Hour
)

// record is everything kept of one user. Keys are never reused for another meaning.
// Times are Unix milliseconds.
type record struct {
	Format  int             `cbor:"0,keyasint"`
	Epoch   [8]byte         `cbor:"1,keyasint"`           // changes when everything issued before is void
	Seen    int64           `cbor:"2,keyasint,omitempty"` // the latest time a write was made at
	Void    int64           `cbor:"3,keyasint,omitempty"` // challenges issued until then are spent
	Lockout lockout.State   `cbor:"4,keyasint,omitempty"`
	Factors []instance      `cbor:"5,keyasint,omitempty"`
	Live    map[string]live `cbor:"6,keyasint,omitempty"` // issued codes by kind
	Spent   spentList       `cbor:"7,keyasint,omitempty"`
	Pending []pending       `cbor:"8,keyasint,omitempty"`
	Sends   sendLog         `cbor:"9,keyasint,omitempty"`
	Charge  *charge         `cbor:"10,keyasint,omitempty"`
	// Born is the first write; -1 after a reset, and for a record made soon after a deletion.
	Born int64 `cbor:"11,keyasint,omitempty"`
	// UserType is the user's when the record was last written, for Report alone: what
	// decides is always the one that the application gives.
	UserType slice    `cbor:"12,keyasint,omitempty"`
	Devices  []device `cbor:"13,keyasint,omitempty"`
	// Warned is when the user was last notified that somebody knows their password.
	Warned int64 `cbor:"14,keyasint,omitempty"`
	// Proofs are correct responses of kinds that are disabled.
	Proofs map[string]unlockProofs `cbor:"15,keyasint,omitempty"`
	Setup  *setup                  `cbor:"16,keyasint,omitempty"`
	// Superseded are sent codes that others took the place of.
	Superseded []superseded `cbor:"17,keyasint,omitempty"`
	// Holds are replacements that a recovery enrolled, by ID, until their hold ends.
	Holds map[string]hold `cbor:"18,keyasint,omitempty"`
	// Recovering is the recovery that a mailed link began.
	Recovering *setup `cbor:"19,keyasint,omitempty"`
	// Undeliverable is when an address that no message can be sent to kept the user out.
	Undeliverable int64 `cbor:"20,keyasint,omitempty"`
	// Notices count what the user was notified of, by event.
	Notices map[string]noticeTally `cbor:"21,keyasint,omitempty"`

	// unknown holds the keys a newer version wrote, kept as they are.
	unknown map[int]cbor.RawMessage
	// fresh: there is nothing under the key yet.
	fresh bool
	// tomb is the tombstone that a fresh record is made under, or nil.
	tomb *tombstone
}

// instance is one enrolled factor. Its own decoder, in instance.go, knows the keys too.
type instance struct {
	ID      string `cbor:"0,keyasint"`
	Kind    string `cbor:"1,keyasint"`
	Name    string `cbor:"2,keyasint,omitempty"`
	Hint    string `cbor:"3,keyasint,omitempty"`
	State   []byte `cbor:"4,keyasint,omitempty"`
	Created int64  `cbor:"5,keyasint,omitempty"`
	Used    int64  `cbor:"6,keyasint,omitempty"`
	// Implicit: a confirmed address, good only while the policy has the kind as implicit.
	Implicit bool `cbor:"7,keyasint,omitempty"`
}

// hold is a replacement that must not change anything that was there before it, yet.
type hold struct {
	Until int64 `cbor:"0,keyasint"`
	// Replaces are the IDs of the factors that end when the hold does.
	Replaces []string `cbor:"1,keyasint,omitempty"`
}

// live is an issued challenge that waits for its response.
type live struct {
	Challenge [16]byte `cbor:"0,keyasint"`           // the challenge that asked
	Factor    string   `cbor:"1,keyasint,omitempty"` // the instance; "" for an implicit one
	Keep      []byte   `cbor:"2,keyasint,omitempty"`
	Issued    int64    `cbor:"3,keyasint"`
	Expires   int64    `cbor:"4,keyasint"`
}

// spentList is challenges that were answered rightly, 24 bytes each: the id, and when it was
// issued, big-endian. Packed, because it is read and written with every response.
type spentList []byte

const spentLen = 16 + 8

func (l spentList) id(i int) []byte    { return l[i*spentLen:][:16] }
func (l spentList) issued(i int) int64 { return int64(binary.BigEndian.Uint64(l[i*spentLen+16:])) }
func (l spentList) len() int           { return len(l) / spentLen }

func (l spentList) add(id [16]byte, issued int64) spentList {
	return binary.BigEndian.AppendUint64(append(slices.Clip(l), id[:]...), uint64(issued))
}

func (l spentList) remove(i int) spentList {
	return slices.Concat(l[:i*spentLen], l[(i+1)*spentLen:])
}

// pending is an enrolment that waits for its confirmation.
type pending struct {
	In      instance `cbor:"0,keyasint"`
	Expires int64    `cbor:"1,keyasint"`
	Live    *live    `cbor:"2,keyasint,omitempty"`
	// Replace: the same kind's instances end when this one is confirmed.
	Replace bool `cbor:"3,keyasint,omitempty"`
	// SignIn: confirming completes the sign-in that forced the enrolment.
	SignIn bool `cbor:"4,keyasint,omitempty"`
}

// charge is a failed attempt counted ahead of an expensive verification; it is also the lease
// that keeps a second one from being verified meanwhile. Earlier versions wrote keys 2 to 4,
// which nobody reads after their lease.
type charge struct {
	ID      [8]byte `cbor:"0,keyasint"`
	Expires int64   `cbor:"1,keyasint"`
}

// Strict decoding finds out cheaply whether a newer version wrote the record; only then
// are its unknown keys collected.
var (
	cborStrict = mustDec(cbor.DecOptions{ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, DupMapKey: cbor.DupMapKeyEnforcedAPF})
	cborLoose  = mustDec(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF})
	cborEnc    = mustEnc(cbor.CoreDetEncOptions())
)

func mustDec(o cbor.DecOptions) cbor.DecMode {
	m, err := o.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}

func mustEnc(o cbor.EncOptions) cbor.EncMode {
	m, err := o.EncMode()
	if err != nil {
		panic(err)
	}
	return m
}

var errRecord = errors.New("mfa: stored record is not readable")

// knownKeys is how many keys record has, from 0.
const knownKeys = 22

func decodeRecord(data []byte) (*record, error) {
	r := &record{}
	err := cborStrict.Unmarshal(data, r)
	var unknown *cbor.UnknownFieldError
	if errors.As(err, &unknown) {
		*r = record{}
		if err = cborLoose.Unmarshal(data, r); err == nil {
			err = r.collectUnknown(data)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	if len(r.Spent)%spentLen != 0 || len(r.Sends)%2 != 0 {
		return nil, errRecord
	}
	if r.Format < 1 || r.Format > recordFormat {
		return nil, fmt.Errorf("%w: format %d, this version reads 1 to %d", errRecord, r.Format, recordFormat)
	}
	return r, nil
}

func (r *record) collectUnknown(data []byte) error {
	var all map[int]cbor.RawMessage
	if err := cborLoose.Unmarshal(data, &all); err != nil {
		return err
	}
	r.unknown = make(map[int]cbor.RawMessage)
	for k, v := range all {
		if k < 0 || k >= knownKeys {
			r.unknown[k] = v
		}
	}
	return nil
}

func (r *record) encode() ([]byte, error) {
	r.Format = recordFormat
	data, err := cborEnc.Marshal(r)
	if err != nil || len(r.unknown) == 0 {
		return data, err
	}
	var all map[int]cbor.RawMessage
	if err := cborLoose.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for k, v := range r.unknown {
		all[k] = v
	}
	return cborEnc.Marshal(all)
}

// newRecord is what a user without a record starts with.
func newRecord() *record { return &record{Format: recordFormat, Epoch: random8(), fresh: true} }

// rand.Read never fails since Go 1.24.

func random8() (b [8]byte) {
	_, _ = rand.Read(b[:])
	return b
}

func random16() (b [16]byte) {
	_, _ = rand.Read(b[:])
	return b
}

// at is the time that counts: never before a time this record was written at, so that a
// clock that steps back neither shortens a lock nor revives a code.
func (r *record) at(now time.Time) time.Time {
	if now.UnixMilli() < r.Seen {
		return time.UnixMilli(r.Seen).UTC()
	}
	return now
}

// tidy forgets what can no longer matter at now. ttl is how long a challenge lives.
func (r *record) tidy(now time.Time, ttl time.Duration) {
	ms := now.UnixMilli()
	r.Seen = max(r.Seen, ms)
	if r.fresh && r.Born == 0 {
		r.Born = ms
	}
	for i := r.Spent.len() - 1; i >= 0; i-- {
		if ms >= r.Spent.issued(i)+ttl.Milliseconds() {
			r.Spent = r.Spent.remove(i)
		}
	}
	r.Pending = slices.DeleteFunc(r.Pending, func(p pending) bool { return ms >= p.Expires })
	for k, l := range r.Live {
		if ms >= l.Expires+codeMemory.Milliseconds() {
			delete(r.Live, k)
		}
	}
	r.Superseded = slices.DeleteFunc(r.Superseded, func(s superseded) bool {
		return ms >= s.Expires+codeMemory.Milliseconds()
	})
	if r.Setup != nil && ms >= r.Setup.Expires {
		r.Setup = nil
	}
	if r.Recovering != nil && ms >= r.Recovering.Expires {
		r.Recovering = nil
	}
	if r.Charge != nil && ms >= r.Charge.Expires {
		r.Charge = nil
	}
	for name, t := range r.Notices {
		if t.over(now) {
			delete(r.Notices, name)
		}
	}
	r.Sends = r.Sends.since(now)
}

// spend marks a challenge as answered. When there are too many to remember, the oldest is
// let go and everything issued until then counts as spent.
func (r *record) spend(id [16]byte, issued int64) {
	r.Spent = r.Spent.add(id, issued)
	if r.Spent.len() <= maxSpent {
		return
	}
	oldest := 0
	for i := range r.Spent.len() {
		if r.Spent.issued(i) < r.Spent.issued(oldest) {
			oldest = i
		}
	}
	r.Void = max(r.Void, r.Spent.issued(oldest))
	r.Spent = r.Spent.remove(oldest)
}

func (r *record) isSpent(id [16]byte, issued int64) bool {
	if issued <= r.Void {
		return true
	}
	for i := range r.Spent.len() {
		if string(r.Spent.id(i)) == string(id[:]) {
			return true
		}
	}
	return false
}

func (r *record) factor(id string) *instance {
	for i := range r.Factors {
		if r.Factors[i].ID == id && id != "" {
			return &r.Factors[i]
		}
	}
	return nil
}

func (r *record) pendingByID(id string) *pending {
	for i := range r.Pending {
		if r.Pending[i].In.ID == id && id != "" {
			return &r.Pending[i]
		}
	}
	return nil
}

func (r *record) removePending(id string) {
	r.Pending = slices.DeleteFunc(r.Pending, func(p pending) bool { return p.In.ID == id })
}

// addPending keeps p in place of another pending enrolment of the kind by the same means;
// the oldest goes when there are too many.
func (r *record) addPending(p pending) (replaced []pending) {
	r.Pending = slices.DeleteFunc(r.Pending, func(q pending) bool {
		same := q.In.Kind == p.In.Kind && q.In.Implicit == p.In.Implicit
		if same {
			replaced = append(replaced, q)
		}
		return same
	})
	if len(r.Pending) >= maxPending {
		r.Pending = slices.Delete(r.Pending, 0, 1)
	}
	r.Pending = append(r.Pending, p)
	return replaced
}

// removeFactors ends instances, what was issued for them, and what was remembered on the
// strength of them.
func (r *record) removeFactors(gone func(instance) bool) (ended []instance) {
	r.Factors = slices.DeleteFunc(r.Factors, func(i instance) bool {
		if !gone(i) {
			return false
		}
		ended = append(ended, i)
		return true
	})
	for _, i := range ended {
		if l, ok := r.Live[i.Kind]; ok && l.Factor == i.ID {
			delete(r.Live, i.Kind)
		}
		delete(r.Holds, i.ID)
	}
	if len(ended) > 0 {
		r.Devices = nil
	}
	return ended
}
