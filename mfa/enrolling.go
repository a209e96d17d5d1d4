package mfa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// enrollTries is how often an enrolment starts again because the user's instances of the kind
// changed meanwhile.
const enrollTries = 5

// errEnrolled says that the factor was shown other instances than the user has by now.
var errEnrolled = errors.New("mfa: the user's factors changed meanwhile")

// enrolling is one try of Enroll.
type enrolling struct {
	claims *claims // of the grant
	factor factor.Factor
	shown  []string // the instances that the factor was shown
	p      pending
	// allowed is what authority said of it last.
	allowed permission
	token   claims // of the enrolment
	e       *Enrollment
}

// enroll is one try of Enroll. The factor is shown the instances that exist, and refuses what
// is there already; so the swap insists on the same instances.
func (m *Manager) enroll(
	ctx context.Context, c *claims, f factor.Factor, r EnrollRequest,
) (*Enrollment, error) {
	t := f.Traits()
	clock, key := m.now(), c.Subject.key()
	rec, err := m.read(ctx, key)
	if err == nil && rec == nil {
		rec, err = m.unborn(ctx, key, clock)
	}
	if err != nil {
		return nil, err
	}
	if _, err := m.permits(rec, c, m.toEnroll(r.Kind), rec.at(clock)); err != nil {
		return nil, err
	}
	n := &enrolling{claims: c, factor: f, shown: rec.instanceIDs(r.Kind), token: *c}
	out, err := callEnroll(ctx, f, factor.EnrollInput{User: c.Subject.person(), Name: r.Name, Params: r.Params,
		Existing: m.existing(rec, r.Kind), Now: clock})
	if err != nil {
		return nil, err
	}
	n.p = pending{In: instance{ID: newID(), Kind: r.Kind, Name: cmp.Or(r.Name, out.Name), Hint: out.MaskedDestination, State: out.State},
		Replace: t.OnePerUser, SignIn: c.Forced}
	n.token.ID, n.token.Pending = random16(), n.p.In.ID
	n.e = &Enrollment{Kind: r.Kind, Prompt: out.Prompt}
	if ch, sends := f.(factor.Challenger); sends && !t.NoConfirmation {
		err = m.enrollAndSend(ctx, ch, n)
	} else {
		err = m.enrollUnsent(ctx, n, clock)
	}
	if err != nil {
		return nil, err
	}
	return n.e, nil
}

// admitEnrollment refuses an enrolment, or dates it.
func (m *Manager) admitEnrollment(r *record, n *enrolling, now time.Time) error {
	var err error
	if n.allowed, err = m.permits(r, n.claims, m.toEnroll(n.p.In.Kind), now); err != nil {
		return err
	}
	if !slices.Equal(n.shown, r.instanceIDs(n.p.In.Kind)) {
		return errEnrolled
	}
	full := !n.p.Replace && len(n.shown) >= maxInstances || len(r.Factors) >= maxFactors
	if full && !n.allowed.hold { // a recovery adds one of a kind at most, for as long as its hold
		return fmt.Errorf("%w: there are as many as there may be", ErrNotAvailable)
	}
	n.p.In.Created, n.p.Expires = now.UnixMilli(), now.Add(m.cfg.EnrollmentTTL).UnixMilli()
	return nil
}

// begun makes what the caller is given of an enrolment that is pending in r.
func (m *Manager) begun(r *record, n *enrolling, now time.Time) []Event {
	n.e.Expires = time.UnixMilli(n.p.Expires).UTC()
	n.token.Issued, n.token.Epoch = now.UnixMilli(), r.Epoch[:]
	n.e.token = m.keep(sealEnrollment, n.token)
	return []Event{m.event("enroll.begun", n.claims.Subject, now, func(e *Event) {
		e.Kind, e.FactorID = n.p.In.Kind, n.p.In.ID
	})}
}

// enrollAndSend begins an enrolment that a code confirms, and sends the code.
func (m *Manager) enrollAndSend(ctx context.Context, f factor.Challenger, n *enrolling) error {
	d, err := m.issueFirst(ctx, f, &n.token, &n.p,
		func(r *record, now time.Time) error { return m.admitEnrollment(r, n, now) },
		func(r *record, now time.Time) []Event { return m.begun(r, n, now) })
	if err != nil {
		return err
	}
	n.e.CodeExpires = d.Expires
	n.e.Prompt.MaskedDestination = cmp.Or(n.e.Prompt.MaskedDestination, d.MaskedDestination)
	if d.Prompt.Data != nil {
		n.e.Prompt.Data = d.Prompt.Data
	}
	return nil
}

// enrollUnsent begins an enrolment for which nothing is sent, or completes a silent one.
func (m *Manager) enrollUnsent(ctx context.Context, n *enrolling, clock time.Time) error {
	c := n.claims
	var events []Event
	var o outcome
	a := &attempt{task: taskConfirm, factor: n.factor, claims: c, now: clock}
	err := m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		now := r.at(clock)
		if err := m.admitEnrollment(r, n, now); err != nil {
			return false, err
		}
		if n.factor.Traits().NoConfirmation {
			o = m.confirm(r, c, n.p, n.allowed, now)
			m.countNotices(r, a, &o)
			n.e.Confirmed = o.confirmation
			return true, nil
		}
		m.addPending(r, n.p)
		events = m.begun(r, n, now)
		return true, nil
	})
	if err == nil {
		m.emit(ctx, events)
	}
	if err == nil && o.result == resultConfirmed {
		_, err = m.conclude(ctx, a, o, nil)
	}
	return err
}

// instanceIDs are the IDs of the user's own instances of a kind, in their order.
func (r *record) instanceIDs(kind string) (ids []string) {
	for _, in := range r.Factors {
		if in.Kind == kind && !in.Implicit {
			ids = append(ids, in.ID)
		}
	}
	return ids
}
