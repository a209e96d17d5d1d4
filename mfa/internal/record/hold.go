package record

import (
	"slices"
	"time"
)

// Hold is a replacement that must not change anything that was there before it, yet.
type Hold struct {
	Until int64 `cbor:"0,keyasint"`
	// Replaces are the IDs of the factors that end when the hold does.
	Replaces []string `cbor:"1,keyasint,omitempty"`
}

// PutOnHold puts a replacement on hold until a time. A replacement of the same kind that is on
// hold already ends.
func (r *Record) PutOnHold(in Instance, until int64) {
	r.RemoveFactors(func(old Instance) bool { return r.Held(old.ID) && old.Kind == in.Kind })
	h := Hold{Until: until}
	for _, old := range r.Factors {
		if old.Kind == in.Kind && !old.Implicit {
			h.Replaces = append(h.Replaces, old.ID)
		}
	}
	if r.Holds == nil {
		r.Holds = make(map[string]Hold)
	}
	r.Holds[in.ID] = h
}

// Held reports whether a factor is a replacement on hold.
func (r *Record) Held(id string) bool {
	_, held := r.Holds[id]
	return held
}

// EndHolds ends the holds that have expired, and with each the factors that it replaces.
func (r *Record) EndHolds(now time.Time) {
	for id, h := range r.Holds {
		if now.UnixMilli() < h.Until {
			continue
		}
		delete(r.Holds, id)
		if r.Factor(id) != nil {
			r.RemoveFactors(func(in Instance) bool { return slices.Contains(h.Replaces, in.ID) })
		}
	}
}
