// Package record has what is stored of one user: factors, issued codes, counts of failed
// attempts, used challenges, pending enrolments, remembered devices and notices. It is CBOR with
// integer keys, and docs/architecture.md lists them. A record is a value: its methods change it,
// and know no store, no clock and no factor.
package record

import (
	"crypto/rand"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/lockout"
)

// format is the newest format this code reads and the one it writes.
const format = 1

// Bounds of a record. What would exceed them is refused, or the oldest goes, as said
// where it happens.
const (
	MaxInstances = 5  // of one kind
	MaxFactors   = 16 // in all
	maxPending   = 4
	maxUsed      = 16
	// CodeMemory is how long an expired code is still distinguished from an incorrect one.
	CodeMemory = time.Hour
)

// Record is everything that is stored of one user. Keys are never reused for another meaning.
// Times are Unix milliseconds.
type Record struct {
	Format int `cbor:"0,keyasint"`
	// changes when everything issued before is void
	Epoch     [8]byte         `cbor:"1,keyasint"`
	Seen      int64           `cbor:"2,keyasint,omitempty"` // the latest time a write was made at
	UsedUntil int64           `cbor:"3,keyasint,omitempty"` // challenges issued until then are used
	Lockout   lockout.State   `cbor:"4,keyasint,omitempty"`
	Factors   Instances       `cbor:"5,keyasint,omitempty"`
	Codes     map[string]Code `cbor:"6,keyasint,omitempty"` // issued codes by kind
	Used      usedList        `cbor:"7,keyasint,omitempty"`
	Pending   []Pending       `cbor:"8,keyasint,omitempty"`
	Sends     SendLog         `cbor:"9,keyasint,omitempty"`
	Charge    *Charge         `cbor:"10,keyasint,omitempty"`
	// Born is the first write; -1 after a reset, and for a record made soon after a deletion.
	Born int64 `cbor:"11,keyasint,omitempty"`
	// UserType is the user's when the record was last written, for Report alone: what
	// decides is always the one that the application gives.
	UserType Bytes    `cbor:"12,keyasint,omitempty"`
	Devices  []Device `cbor:"13,keyasint,omitempty"`
	// Warned is when the user was last notified that an attacker may know their password.
	Warned int64 `cbor:"14,keyasint,omitempty"`
	// UnlockProofs are correct responses of kinds that are disabled.
	UnlockProofs map[string]UnlockProofs `cbor:"15,keyasint,omitempty"`
	RecoveryLink *Recovery               `cbor:"16,keyasint,omitempty"`
	// Superseded are sent codes that others took the place of.
	Superseded []Superseded `cbor:"17,keyasint,omitempty"`
	// Holds are replacements that a recovery enrolled, by ID, until their hold ends.
	Holds map[string]Hold `cbor:"18,keyasint,omitempty"`
	// Recovery is the recovery that a mailed link began.
	Recovery *Recovery `cbor:"19,keyasint,omitempty"`
	// Undeliverable is when an address that no message can be sent to kept the user out.
	Undeliverable int64 `cbor:"20,keyasint,omitempty"`
	// Notices count what the user was notified of, by event.
	Notices map[string]NoticeTally `cbor:"21,keyasint,omitempty"`
	// CodesDue says what is left to do of setting up recovery codes.
	CodesDue CodesDue `cbor:"22,keyasint,omitempty"`
	// Postponed counts how often, and since when, the user has postponed an enrolment.
	Postponed *Postponed `cbor:"23,keyasint,omitempty"`
	// Preferred is the kind that the user wants to be asked first, or "".
	Preferred string `cbor:"24,keyasint,omitempty"`
	// NoImplied says that an address that nobody enrolled sends no codes while the user has
	// something stronger.
	NoImplied bool `cbor:"25,keyasint,omitempty"`
	// Outdated are the IDs of factors that have changed since they were enrolled.
	Outdated []string `cbor:"26,keyasint,omitempty"`
	// Imported is when factors that another system had confirmed were imported.
	Imported int64 `cbor:"27,keyasint,omitempty"`
	// Renew are the IDs of imported factors that are weaker than what the user can enrol.
	Renew []string `cbor:"28,keyasint,omitempty"`
	// Declined is when the user last declined the offer of a kind, by kind. No reset clears it.
	Declined map[string]int64 `cbor:"29,keyasint,omitempty"`
	// Exception lets a user without a factor sign in. Whatever voids what was issued ends it.
	Exception *Exception `cbor:"30,keyasint,omitempty"`
	// Writes is greater by one after every write, and begins at the time of the first. An audit
	// trail shows by it that an older record was put back.
	Writes int64 `cbor:"31,keyasint,omitempty"`

	// unknown holds the keys a newer version wrote, kept as they are.
	unknown map[int]cbor.RawMessage
	// Fresh says that there is nothing under the key yet.
	Fresh bool `cbor:"-"`
	// Tombstone is the tombstone that a fresh record is made under, or nil.
	Tombstone *Tombstone `cbor:"-"`
}

// Charge is a failed attempt counted ahead of an expensive verification; it is also the lease
// that keeps a second one from being verified meanwhile. Earlier versions wrote keys 2 to 4,
// which no version reads after the lease.
type Charge struct {
	ID      [8]byte `cbor:"0,keyasint"`
	Expires int64   `cbor:"1,keyasint"`
}

// New returns what a user without a record starts with.
func New() *Record { return &Record{Format: format, Epoch: Random8(), Fresh: true} }

// Random8 returns 8 random bytes. rand.Read never fails since Go 1.24.
func Random8() (b [8]byte) {
	_, _ = rand.Read(b[:])
	return b
}

// Random16 returns 16 random bytes.
func Random16() (b [16]byte) {
	_, _ = rand.Read(b[:])
	return b
}

// At returns the time that counts: never before a time that this record was written at, so that
// a clock that steps back neither shortens a lock nor makes a code valid again.
func (r *Record) At(now time.Time) time.Time {
	if now.UnixMilli() < r.Seen {
		return time.UnixMilli(r.Seen).UTC()
	}
	return now
}

// NextWrite is what Writes is after a write at now. A record that is made after a deletion begins
// with a greater number than the deleted one had.
func (r *Record) NextWrite(now time.Time) int64 {
	if r.Writes == 0 {
		return r.At(now).UnixMilli()
	}
	return r.Writes + 1
}

// Tidy forgets what can no longer matter at now. ttl is how long a challenge lives.
func (r *Record) Tidy(now time.Time, ttl time.Duration) {
	ms := now.UnixMilli()
	r.Seen = max(r.Seen, ms)
	if r.Fresh && r.Born == 0 {
		r.Born = ms
	}
	for i := r.Used.len() - 1; i >= 0; i-- {
		if ms >= r.Used.issued(i)+ttl.Milliseconds() {
			r.Used = r.Used.remove(i)
		}
	}
	r.Pending = slices.DeleteFunc(r.Pending, func(p Pending) bool { return ms >= p.Expires })
	for k, l := range r.Codes {
		if ms >= l.Expires+CodeMemory.Milliseconds() {
			delete(r.Codes, k)
		}
	}
	r.Superseded = slices.DeleteFunc(r.Superseded, func(s Superseded) bool {
		return ms >= s.Expires+CodeMemory.Milliseconds()
	})
	if r.RecoveryLink != nil && ms >= r.RecoveryLink.Expires {
		r.RecoveryLink = nil
	}
	if r.Recovery != nil && ms >= r.Recovery.Expires {
		r.Recovery = nil
	}
	if r.Charge != nil && ms >= r.Charge.Expires {
		r.Charge = nil
	}
	r.Exception = r.ExceptionAt(now)
	for name, t := range r.Notices {
		if t.Expired(now) {
			delete(r.Notices, name)
		}
	}
	r.Sends = r.Sends.Since(now)
}

// Factor returns the enrolled instance with an ID, or nil.
func (r *Record) Factor(id string) *Instance {
	for i := range r.Factors {
		if r.Factors[i].ID == id && id != "" {
			return &r.Factors[i]
		}
	}
	return nil
}

// RemoveFactors ends instances, what was issued for them, and all remembered devices.
func (r *Record) RemoveFactors(gone func(Instance) bool) (ended []Instance) {
	r.Factors = slices.DeleteFunc(r.Factors, func(i Instance) bool {
		if !gone(i) {
			return false
		}
		ended = append(ended, i)
		return true
	})
	for _, i := range ended {
		if l, ok := r.Codes[i.Kind]; ok && l.Factor == i.ID {
			delete(r.Codes, i.Kind)
		}
		delete(r.Holds, i.ID)
		r.SetOutdated(i.ID, false)
		r.Renew = slices.DeleteFunc(r.Renew, func(id string) bool { return id == i.ID })
	}
	if len(ended) > 0 {
		r.Devices = nil
	}
	return ended
}

// IsOutdated reports whether a factor has changed since it was enrolled.
func (r *Record) IsOutdated(id string) bool { return slices.Contains(r.Outdated, id) }

// SetOutdated notes whether an enrolled factor has changed since it was enrolled, and reports
// whether that is news.
func (r *Record) SetOutdated(id string, outdated bool) (news bool) {
	if outdated == r.IsOutdated(id) || outdated && r.Factor(id) == nil {
		return false
	}
	if outdated {
		r.Outdated = append(r.Outdated, id)
	} else {
		r.Outdated = slices.DeleteFunc(r.Outdated, func(o string) bool { return o == id })
	}
	return true
}

// IsToRenew reports whether a factor was imported and is weaker than what the user can enrol.
func (r *Record) IsToRenew(id string) bool { return slices.Contains(r.Renew, id) }

// Instant returns the time of Unix milliseconds, and the zero time for 0.
func Instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// NewID returns an ID for a new instance.
func NewID() string { return rand.Text()[:12] }

// Reset ends everything that the user has, except a verified address of record, and everything
// that was issued.
func (r *Record) Reset() {
	r.RemoveFactors(func(in Instance) bool { return !in.Implicit })
	r.Void()
	r.Lockout, r.Charge, r.UnlockProofs, r.Holds, r.Seen = lockout.State{}, nil, nil, nil, 0
	r.CodesDue = 0
}

// Void ends everything that was issued: challenges, enrolments, grants, links, devices and an
// exception.
// Factors, locks and counts stay.
func (r *Record) Void() {
	r.Codes, r.Superseded, r.Pending, r.Used, r.Devices = nil, nil, nil, nil, nil
	r.RecoveryLink, r.Recovery, r.Exception = nil, nil, nil
	r.UsedUntil, r.Epoch, r.Born = 0, Random8(), -1
}

// Unlock ends locks and counts, and enables the kinds that were disabled.
func (r *Record) Unlock(now time.Time) {
	// What a clock that ran ahead left behind must not outlast the unlocking.
	r.UsedUntil = min(r.UsedUntil, now.UnixMilli())
	r.Lockout, r.Charge, r.UnlockProofs, r.Seen = lockout.State{}, nil, nil, 0
}
