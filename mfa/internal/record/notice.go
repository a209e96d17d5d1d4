package record

import "time"

// maxNotices is how many notices of one event a user is sent in 24 hours. An attacker with the
// user's session, or with the password, can repeat most events without end. Each event has its
// own limit, so that a flood of one of them hides no other.
const maxNotices = 10

// NoticeTally counts the notices of one event since Start.
type NoticeTally struct {
	Start int64 `cbor:"0,keyasint"`
	Count int   `cbor:"1,keyasint"`
}

// Expired says whether a tally counts for nothing any more. One that a clock which ran ahead left
// in the future does not.
func (t NoticeTally) Expired(now time.Time) bool {
	ms := now.UnixMilli()
	return ms < t.Start || ms >= t.Start+(24*time.Hour).Milliseconds()
}

// CountNotice counts a notice of an event, and returns false, counting nothing, for a user who
// was sent as many as a day has.
func (r *Record) CountNotice(event string, now time.Time) bool {
	t := r.Notices[event]
	if t.Expired(now) {
		t = NoticeTally{Start: now.UnixMilli()}
	}
	if t.Count >= maxNotices {
		return false
	}
	t.Count++
	if r.Notices == nil {
		r.Notices = make(map[string]NoticeTally)
	}
	r.Notices[event] = t
	return true
}
