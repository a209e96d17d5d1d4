package decide

import (
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
)

// This file decides how long a user may put off an enrolment that the policy requires.

// Respite is how long a user may put off an enrolment. The zero value means not at all.
type Respite struct {
	// Until is when the enrolment is due; zero: when Times is used up.
	Until time.Time
	// Times is how often the user may still put it off; 0: as often as they want until then.
	Times int
}

// IsZero reports whether the enrolment is due.
func (r Respite) IsZero() bool { return r == Respite{} }

// Respite returns how long the user may put off an enrolment under a policy. The time begins with
// the first sign-in that asks, which is now for a user who was never asked.
func (v View) Respite(p policy.Policy) Respite {
	var out Respite
	had := v.Record.Postponement()
	if p.EnrollWithin > 0 {
		asked := had.Asked
		if asked == 0 {
			asked = v.Now.UnixMilli()
		}
		out.Until = time.UnixMilli(asked).Add(p.EnrollWithin).UTC()
		if !v.Now.Before(out.Until) {
			return Respite{}
		}
	}
	if p.EnrollSkips > 0 {
		if out.Times = p.EnrollSkips - had.Times; out.Times <= 0 {
			return Respite{}
		}
	}
	return out
}

// StartRespite notes when the user was first asked, if the policy counts from then. It reports
// whether the record has changed.
func (v View) StartRespite(p policy.Policy) bool {
	had := v.Record.Postponement()
	if p.EnrollWithin <= 0 || had.Asked != 0 {
		return false
	}
	had.Asked = v.Now.UnixMilli()
	v.Record.Postponed = &had
	return true
}

// Postpone completes the sign-in that the view's claims are for without an enrolment, and counts
// it. The challenge is then used. A user who has something to respond with by now, or who must
// enrol at once, gets ErrNotAvailable.
func (v View) Postpone(p policy.Policy) error {
	if err := v.Answerable(); err != nil {
		return err
	}
	list, err := v.Candidates()
	if err != nil {
		return err
	}
	if p.Mode != policy.ModeRequired || v.HasOwn(v.Record) ||
		v.hasOrdinary(v.Options(list, p.Default)) || v.Respite(p).IsZero() {
		return ErrNotAvailable
	}
	v.StartRespite(p)
	had := v.Record.Postponement()
	had.Times++
	v.Record.Postponed = &had
	v.Record.Use(v.Claims.ID, v.Claims.Issued)
	return nil
}
