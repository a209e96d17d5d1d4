package record

import "time"

// Exception permits a user who has enrolled no factor to sign in with the first factor alone,
// until it ends.
type Exception struct {
	Granted  int64 `cbor:"0,keyasint"`
	Ends     int64 `cbor:"1,keyasint"`
	Reason   Bytes `cbor:"2,keyasint"`
	Actor    Bytes `cbor:"3,keyasint"`
	Approver Bytes `cbor:"4,keyasint"`
	// Used are the sessions of the last sign-ins that it permitted, as hashes, the latest last.
	Used [][8]byte `cbor:"5,keyasint,omitempty"`
	// Epoch is that of the record which it was granted in.
	Epoch [8]byte `cbor:"6,keyasint"`
}

// maxExceptionUses is how many sessions an exception remembers.
const maxExceptionUses = 8

// ExceptionAt returns the exception that has not ended yet, or nil. A version that does not know
// the key leaves an exception in the record when it voids what was issued; the epoch then tells.
func (r *Record) ExceptionAt(now time.Time) *Exception {
	if e := r.Exception; e != nil && e.Epoch == r.Epoch && now.UnixMilli() < e.Ends {
		return e
	}
	return nil
}

// Use notes a sign-in in a session, and reports whether it is the first there.
func (e *Exception) Use(session [8]byte) bool {
	for _, s := range e.Used {
		if s == session {
			return false
		}
	}
	if len(e.Used) >= maxExceptionUses {
		e.Used = e.Used[1:]
	}
	e.Used = append(e.Used, session)
	return true
}
