package record

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// Code is an issued code, or another challenge, that waits for its response.
type Code struct {
	Challenge [16]byte `cbor:"0,keyasint"`           // the challenge that asked
	Factor    string   `cbor:"1,keyasint,omitempty"` // the instance; "" for an implicit one
	Keep      []byte   `cbor:"2,keyasint,omitempty"`
	Issued    int64    `cbor:"3,keyasint"`
	Expires   int64    `cbor:"4,keyasint"`
	// To is a digest of the address that the application vouched for, where it went to one. Earlier
	// versions wrote none.
	To []byte `cbor:"5,keyasint,omitempty"`
}

// SendTo notes the instance that the code is for. An address that the application vouches for has
// no ID, and may be another one a moment later.
func (c *Code) SendTo(in *Instance) {
	if c.Factor, c.To = in.ID, nil; in.ID == "" {
		c.To = addressDigest(in.State)
	}
}

// SentTo reports whether the code is for an instance.
func (c *Code) SentTo(in *Instance) bool {
	return c.Factor == in.ID && (len(c.To) == 0 || bytes.Equal(c.To, addressDigest(in.State)))
}

func addressDigest(state []byte) []byte {
	sum := sha256.Sum256(state)
	return sum[:8]
}

// Pending is an enrolment that waits for its confirmation.
type Pending struct {
	Instance Instance `cbor:"0,keyasint"`
	Expires  int64    `cbor:"1,keyasint"`
	Code     *Code    `cbor:"2,keyasint,omitempty"`
	// Replace the same kind's instances end when this one is confirmed.
	Replace bool `cbor:"3,keyasint,omitempty"`
	// SignIn confirming completes the sign-in that forced the enrolment.
	SignIn bool `cbor:"4,keyasint,omitempty"`
	// Moves confirming puts the address in place of the address of record, whose state is From.
	Moves bool   `cbor:"5,keyasint,omitempty"`
	From  []byte `cbor:"6,keyasint,omitempty"`
	// Unnamed says that the name is the factor's, and that the user gave none.
	Unnamed bool `cbor:"7,keyasint,omitempty"`
}

// PendingByID returns the pending enrolment of an instance, or nil.
func (r *Record) PendingByID(id string) *Pending {
	for i := range r.Pending {
		if r.Pending[i].Instance.ID == id && id != "" {
			return &r.Pending[i]
		}
	}
	return nil
}

// RemovePending removes the pending enrolment of an instance.
func (r *Record) RemovePending(id string) {
	r.Pending = slices.DeleteFunc(r.Pending, func(p Pending) bool { return p.Instance.ID == id })
}

// AddPending keeps p in place of another pending enrolment of the kind by the same means;
// the oldest goes when there are too many.
func (r *Record) AddPending(p Pending) (replaced []Pending) {
	r.Pending = slices.DeleteFunc(r.Pending, func(q Pending) bool {
		same := q.Instance.Kind == p.Instance.Kind && q.Instance.Implicit == p.Instance.Implicit
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

// InstanceIDs are the IDs of the user's own instances of a kind, in their order.
func (r *Record) InstanceIDs(kind string) (ids []string) {
	for _, in := range r.Factors {
		if in.Kind == kind && !in.Implicit {
			ids = append(ids, in.ID)
		}
	}
	return ids
}
