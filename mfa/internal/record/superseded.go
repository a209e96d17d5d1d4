package record

import (
	"slices"
	"time"
)

const (
	// maxSuperseded is how many superseded codes are remembered.
	maxSuperseded = 3
	// maxSupersededKeep is the most that is kept for one of them. A sent code keeps 48 bytes.
	maxSupersededKeep = 128
)

// Superseded is a sent code that another code superseded before it was used.
type Superseded struct {
	Kind    string `cbor:"0,keyasint"`
	Keep    []byte `cbor:"1,keyasint"`
	Issued  int64  `cbor:"2,keyasint"`
	Expires int64  `cbor:"3,keyasint"`
}

// Supersede remembers a code that is about to be replaced. The oldest goes when there are
// too many, or an hour after it has expired.
func (r *Record) Supersede(kind string, l Code) {
	if len(l.Keep) == 0 || len(l.Keep) > maxSupersededKeep {
		return
	}
	r.Superseded = append(r.Superseded, Superseded{kind, l.Keep, l.Issued, l.Expires})
	if n := len(r.Superseded) - maxSuperseded; n > 0 {
		r.Superseded = slices.Delete(r.Superseded, 0, n)
	}
}

// OtherCodes are the user's codes of a kind other than some: those that were superseded, the one
// that another challenge asked for, and those of other pending enrolments.
func (r *Record) OtherCodes(kind string, than []Code, now time.Time) (list []Code) {
	add := func(l Code) {
		same := func(o Code) bool { return string(o.Keep) == string(l.Keep) }
		known := now.UnixMilli() < l.Expires+CodeMemory.Milliseconds()
		if known && len(l.Keep) > 0 && !slices.ContainsFunc(than, same) {
			list = append(list, l)
		}
	}
	if l, ok := r.Codes[kind]; ok {
		add(l)
	}
	for _, p := range r.Pending {
		if p.Instance.Kind == kind && p.Code != nil {
			add(*p.Code)
		}
	}
	for _, s := range r.Superseded {
		if s.Kind == kind {
			add(Code{Keep: s.Keep, Issued: s.Issued, Expires: s.Expires})
		}
	}
	return list
}
