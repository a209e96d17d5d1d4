package mfa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// enrollTries is how often an enrolment starts again because the user's instances of the kind
// changed meanwhile.
const enrollTries = 5

// errEnrolled says that the factor was shown other instances than the user has by now.
var errEnrolled = errors.New("mfa: the user's factors changed meanwhile")

// enrolling is one try of Enroll.
type enrolling struct {
	claims *token.Claims // of the grant
	factor factor.Factor
	shown  []string // the instances that the factor was shown
	p      record.Pending
	// allowed is what authority said of it last.
	allowed authority.Permission
	token   token.Claims // of the enrolment
	e       *Enrollment
}

// enroll is one try of Enroll. The factor is shown the instances that exist, and refuses what
// is there already; so the swap insists on the same instances.
func (m *Manager) enroll(
	ctx context.Context, c *token.Claims, f factor.Factor, r EnrollRequest,
) (*Enrollment, error) {
	t := f.Traits()
	clock, key := m.now(), c.Subject.Key()
	rec, err := m.read(ctx, key)
	if err == nil && rec == nil {
		rec, err = m.unborn(ctx, key, clock)
	}
	if err != nil {
		return nil, err
	}
	if _, err := m.permits(rec, c, m.toEnroll(r.Kind), rec.At(clock)); err != nil {
		return nil, err
	}
	n := &enrolling{claims: c, factor: f, shown: rec.InstanceIDs(r.Kind), token: *c}
	out, err := callEnroll(ctx, f, factor.EnrollInput{User: c.Subject.FactorUser(), Name: r.Name, Params: r.Params,
		Existing: m.existing(rec, r.Kind), Now: clock})
	if err != nil {
		return nil, err
	}
	n.p = record.Pending{Instance: record.Instance{ID: record.NewID(), Kind: r.Kind, Name: cmp.Or(r.Name, out.Name), MaskedDestination: out.MaskedDestination, State: out.State},
		Replace: t.OnePerUser, SignIn: c.Forced}
	n.token.ID, n.token.Pending = record.Random16(), n.p.Instance.ID
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
func (m *Manager) admitEnrollment(r *record.Record, n *enrolling, now time.Time) error {
	var err error
	if n.allowed, err = m.permits(r, n.claims, m.toEnroll(n.p.Instance.Kind), now); err != nil {
		return err
	}
	if !slices.Equal(n.shown, r.InstanceIDs(n.p.Instance.Kind)) {
		return errEnrolled
	}
	full := !n.p.Replace && len(n.shown) >= record.MaxInstances || len(r.Factors) >= record.MaxFactors
	if full && !n.allowed.Hold { // a recovery adds one of a kind at most, for as long as its hold
		return fmt.Errorf("%w: there are as many as there may be", ErrNotAvailable)
	}
	n.p.Instance.Created, n.p.Expires = now.UnixMilli(), now.Add(m.cfg.EnrollmentTTL).UnixMilli()
	return nil
}

// begun makes what the caller is given of an enrolment that is pending in r.
func (m *Manager) begun(r *record.Record, n *enrolling, now time.Time) []Event {
	n.e.Expires = time.UnixMilli(n.p.Expires).UTC()
	n.token.Issued, n.token.Epoch = now.UnixMilli(), r.Epoch[:]
	n.e.token = token.New(m.cfg.Keys, token.KindEnrollment, n.token)
	return []Event{m.event("enroll.begun", n.claims.Subject, now, func(e *Event) {
		e.Kind, e.FactorID = n.p.Instance.Kind, n.p.Instance.ID
	})}
}

// enrollAndSend begins an enrolment that a code confirms, and sends the code.
func (m *Manager) enrollAndSend(ctx context.Context, f factor.Challenger, n *enrolling) error {
	d, err := m.issueFirst(ctx, f, &n.token, &n.p,
		func(r *record.Record, now time.Time) error { return m.admitEnrollment(r, n, now) },
		func(r *record.Record, now time.Time) []Event { return m.begun(r, n, now) })
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
	err := m.update(ctx, c.Subject, clock, func(r *record.Record) (bool, error) {
		now := r.At(clock)
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

// addPending puts a pending enrolment into the record, in place of another of its kind, whose
// code is then superseded.
func (m *Manager) addPending(r *record.Record, p record.Pending) {
	for _, old := range r.AddPending(p) {
		if old.Code != nil && !m.factors[old.Instance.Kind].Traits().SharedChallenge {
			r.Supersede(old.Instance.Kind, *old.Code)
		}
	}
}
