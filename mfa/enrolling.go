package mfa

import (
	"cmp"
	"context"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// enrollTries is how often an enrolment starts again because the user's instances of the kind
// changed meanwhile.
const enrollTries = 5

// enroll is one try of Enroll. The factor is shown the instances that exist, and refuses what
// is there already; so the swap insists on the same instances.
func (m *Manager) enroll(
	ctx context.Context, c *token.Claims, f factor.Factor, r EnrollRequest,
) (*Enrollment, error) {
	t, clock := f.Traits(), m.now()
	rec, err := m.readOrNew(ctx, c.Subject.Key(), clock)
	if err != nil {
		return nil, err
	}
	v := m.view(rec, c, rec.At(clock))
	if _, err := v.Permits(m.rules.ToEnroll(r.Kind)); err != nil {
		return nil, err
	}
	out, err := m.callEnroll(ctx, f, factor.EnrollInput{User: c.Subject.FactorUser(), Name: r.Name,
		Params: r.Params, Existing: existing(v, r.Kind), Now: clock})
	if err != nil {
		return nil, err
	}
	n := &decide.Enrolling{Shown: rec.InstanceIDs(r.Kind), Pending: record.Pending{
		Instance: record.Instance{ID: record.NewID(), Kind: r.Kind, Name: cmp.Or(r.Name, out.Name),
			MaskedDestination: out.MaskedDestination, State: out.State},
		Replace: t.OnePerUser, SignIn: c.Forced, Unnamed: r.Name == ""}}
	if err := m.describeInstance(&n.Pending.Instance); err != nil {
		return nil, err
	}
	e := &Enrollment{Kind: r.Kind, Prompt: out.Prompt, Polled: t.Polled}
	ch, sends := f.(factor.Challenger)
	switch {
	case t.NoConfirmation:
		n.ShowsCodes = len(out.Prompt.Codes) > 0
		e.Confirmed, err = m.enrollAtOnce(ctx, c, n, clock)
	case sends:
		err = m.enrollAndSend(ctx, c, ch, n, e)
	default:
		err = m.enrollUnsent(ctx, c, n, e, clock)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// begun completes what the caller is given of an enrolment that is pending.
func (m *Manager) begun(
	e *Enrollment, c *token.Claims, p record.Pending, epoch [8]byte, now time.Time,
) {
	own := *c
	own.ID, own.Pending, own.Issued, own.Epoch = record.Random16(), p.Instance.ID, now.UnixMilli(),
		epoch[:]
	e.Expires = record.Instant(p.Expires)
	e.token = token.New(m.cfg.Keys, token.KindEnrollment, own)
}

func (m *Manager) begunEvent(s token.Subject, in record.Instance, now time.Time) Event {
	return m.event("enroll.begun", s, now, func(e *Event) { e.Kind, e.FactorID = in.Kind, in.ID })
}

// enrollAndSend begins an enrolment that a code confirms, and sends the code: in one write, so
// that an enrolment that may not be sent for changes nothing.
func (m *Manager) enrollAndSend(
	ctx context.Context, c *token.Claims, f factor.Challenger, n *decide.Enrolling, e *Enrollment,
) error {
	own := *c
	own.Pending = n.Pending.Instance.ID
	d, err := m.send(ctx, &sending{to: toNewEnrollment, factor: f, claims: &own, enrolling: n})
	if err != nil {
		return err
	}
	m.begun(e, c, d.pending, d.epoch, d.now)
	e.CodeExpires = d.Expires
	e.Prompt.MaskedDestination = cmp.Or(e.Prompt.MaskedDestination, d.MaskedDestination)
	if d.Prompt.Data != nil {
		e.Prompt.Data = d.Prompt.Data
	}
	return nil
}

// begunPending is an enrolment that was put into the record.
type begunPending struct {
	pending record.Pending
	epoch   [8]byte
	now     time.Time
}

// enrollUnsent begins an enrolment for which nothing is sent.
func (m *Manager) enrollUnsent(
	ctx context.Context, c *token.Claims, n *decide.Enrolling, e *Enrollment, clock time.Time,
) error {
	b, err := update(ctx, m, c.Subject, clock, func(r *record.Record) (begunPending, bool, error) {
		v := m.view(r, c, r.At(clock))
		p, _, err := v.AdmitEnrollment(*n)
		if err != nil {
			return begunPending{}, false, err
		}
		v.AddPending(p)
		return begunPending{p, r.Epoch, v.Now}, true, nil
	})
	if err != nil {
		return err
	}
	m.begun(e, c, b.pending, b.epoch, b.now)
	m.emit(ctx, []Event{m.begunEvent(c.Subject, b.pending.Instance, b.now)})
	return nil
}

// enrollAtOnce enrols an instance of a kind that needs no confirmation.
func (m *Manager) enrollAtOnce(
	ctx context.Context, c *token.Claims, n *decide.Enrolling, clock time.Time,
) (*Confirmation, error) {
	a := &attempt{claims: c, now: clock,
		Response: decide.Response{Task: decide.Confirm, Kind: n.Pending.Instance.Kind}}
	d, err := update(ctx, m, c.Subject, clock, func(r *record.Record) (decision, bool, error) {
		v := m.view(r, c, r.At(clock))
		p, allowed, err := v.AdmitEnrollment(*n)
		if err != nil {
			return decision{}, false, err
		}
		to := m.recipients(r, c.Subject)
		return m.decided(r, a, v.ConfirmUnasked(p, allowed, n.ShowsCodes), to, true), true,
			nil
	})
	if err != nil {
		return nil, err
	}
	done, err := m.conclude(ctx, a, d, nil)
	return done.confirmation, err
}
