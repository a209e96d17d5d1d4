package mfa

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	maxName   = 64
	maxParams = 16
	maxParam  = 1024
)

// may says whether a grant permits a request now.
func (m *Manager) permits(r *record, c *claims, q request, now time.Time) (permission, error) {
	if err := c.sameRecord(r); err != nil {
		return permission{}, err
	}
	if c.Proof.Origin == 0 || c.Proof.expired(now, &m.cfg) {
		return permission{}, ErrTokenExpired
	}
	return m.holding(r, c).permit(c.Proof, q)
}

// toEnroll is the request to enrol a kind.
func (m *Manager) toEnroll(kind string) request {
	if m.factors[kind].Traits().Recovery {
		return request{act: actEnrollRecovery, kind: kind}
	}
	return request{act: actEnroll, kind: kind}
}

// Enroll starts the enrolment of an instance of a kind. Nothing of the user's changes until
// Confirm, and what they had stays valid. For a kind that sends, the first code has been sent
// when Enroll returns. Recovery codes need no confirmation: Enrollment.Confirmed is set at
// once.
//
// ErrProofRequired means that the grant's proof does not permit it: the user has a stronger
// factor to prove first, or has recovered and may only replace what was lost. ErrNotAvailable
// means that the policy does not allow the kind or that the user has five.
func (s Session) Enroll(ctx context.Context, g Grant, r EnrollRequest) (*Enrollment, error) {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return nil, err
	}
	f := m.factors[r.Kind]
	if f == nil || f.Traits().AdminOnly {
		return nil, fmt.Errorf("%w: no such kind to enrol", ErrNotAvailable)
	}
	if err := checkEnroll(r); err != nil {
		return nil, err
	}
	t := f.Traits()
	if !t.Recovery && !allows(c.Kinds, r.Kind) {
		return nil, fmt.Errorf("%w: the policy does not allow this kind", ErrNotAvailable)
	}
	for range enrollTries {
		e, err := m.enroll(ctx, c, f, r)
		if !errors.Is(err, errEnrolled) {
			return e, err
		}
	}
	return nil, unavailable(errEnrolled)
}

// NewRecoveryCodes makes new recovery codes; all earlier ones end. The codes are in
// Prompt.Codes, once. ErrNotAvailable means that no factor makes recovery codes, or that the
// user has nothing yet that they could recover.
func (s Session) NewRecoveryCodes(ctx context.Context, g Grant) (*Enrollment, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	m := s.m
	for _, k := range m.kinds {
		if t := m.factors[k].Traits(); t.Limited && t.NoConfirmation {
			return s.Enroll(ctx, g, EnrollRequest{Kind: k})
		}
	}
	return nil, fmt.Errorf("%w: no recovery codes are configured", ErrNotAvailable)
}

func newID() string { return rand.Text()[:12] }

func (m *Manager) existing(r *record, kind string) (list []factor.Instance) {
	for _, in := range r.Factors {
		if in.Kind == kind && !in.Implicit {
			list = append(list, factor.Instance{Name: in.Name, State: bytes.Clone(in.State)})
		}
	}
	return list
}

func checkEnroll(r EnrollRequest) error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	if len(r.Params) > maxParams {
		return fmt.Errorf("%w: too many parameters", factor.ErrMalformed)
	}
	for k, v := range r.Params {
		text := v.Reveal()
		if len(k) > maxParam || len(text) > maxParam || !utf8.ValidString(k) || !utf8.ValidString(text) {
			return fmt.Errorf("%w: a parameter has at most %d bytes of UTF-8", factor.ErrMalformed, maxParam)
		}
	}
	return nil
}

// checkName holds the name of a factor or a device to what may go into the service's own mails:
// short, visible, and no link or address; see package plainname.
func checkName(name string) error {
	detail := "a name has at most 64 bytes"
	if len(name) <= maxName {
		detail = plainname.Problem(name)
	}
	if detail != "" {
		return &factor.Problem{Reason: "name_form", Detail: detail}
	}
	return nil
}

func (m *Manager) pendingOf(r *record, c *claims, now time.Time) (*pending, error) {
	if err := c.sameRecord(r); err != nil {
		return nil, err
	}
	p := r.pendingByID(c.Pending)
	if p == nil || now.UnixMilli() >= p.Expires {
		return nil, ErrTokenExpired
	}
	if _, err := m.permitsConfirm(r, c, p); err != nil {
		return nil, err
	}
	return p, nil
}

// mayConfirm asks authority again as an enrolment is confirmed: meanwhile a stronger factor may
// have been added. The proof was fresh when the enrolment began, and that has its own end.
func (m *Manager) permitsConfirm(r *record, c *claims, p *pending) (permission, error) {
	if p.In.Implicit || m.factors[p.In.Kind] == nil {
		return permission{}, nil // an address that a link verifies changes no factor
	}
	return m.holding(r, c).permit(c.Proof, m.toEnroll(p.In.Kind))
}

// Confirm makes a pending enrolment take effect, by a response of the new factor. Failed
// attempts count and lock like those of Verify, and give the same errors. The response that
// confirms cannot be used again to sign in. ErrNotAvailable also means that another user has
// what is being enrolled, such as a passkey's credential.
func (s Session) Confirm(
	ctx context.Context, e *Enrollment, response secret.Text,
) (*Confirmation, error) {
	if e == nil {
		return nil, ErrToken
	}
	m := s.m
	c, err := s.open(sealEnrollment, e.token)
	if err != nil {
		return nil, err
	}
	// The kind is in the record; the token's owner cannot change it between here and there.
	rec, err := m.read(ctx, c.Subject.key())
	if err != nil {
		return nil, err
	}
	now := m.now()
	if rec == nil {
		return nil, ErrTokenExpired
	}
	p, err := m.pendingOf(rec, c, rec.at(now))
	if err != nil {
		return nil, err
	}
	f := m.factors[p.In.Kind]
	if f == nil {
		return nil, ErrNotAvailable
	}
	text, err := m.normalize(f, response)
	if err != nil {
		return nil, err
	}
	claimed, err := m.claim(ctx, c.Subject, f, text, now)
	if err != nil {
		return nil, err
	}
	if claimed.key != "" {
		// From here on the response is verified, and counted, whether or not the caller waits:
		// else a caller who hangs up in time would leave a claim behind with each response.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
	}
	o, err := m.respond(ctx, &attempt{task: taskConfirm, factor: f, claims: c, text: text,
		named: claimed.name, opened: instant(p.In.Created), now: now})
	if err != nil {
		var judged *AttemptError
		if errors.As(err, &judged) || !errors.Is(err, ErrUnavailable) { // certain that nothing was confirmed
			m.giveUp(ctx, claimed)
		}
		return nil, err
	}
	m.hold(ctx, claimed)
	return o.confirmation, nil
}

// confirmTargets is the pending enrolment that a response confirms.
func (m *Manager) confirmTargets(r *record, a *attempt, now time.Time) ([]target, error) {
	p, err := m.pendingOf(r, a.claims, now)
	if err != nil {
		return nil, err
	}
	return []target{{instance: &p.In, live: p.Live}}, nil
}

// ConfirmLink makes a pending enrolment take effect, by the link in a message. A user who has the
// link has received the message, and nobody can guess it, so nothing is counted and a lock does
// not matter. The errors are those of [Session.Confirm]. Call it when the user presses the
// button of the page that the link leads to, not when the page is fetched: mail systems fetch
// links.
func (m *Manager) ConfirmLink(ctx context.Context, link secret.Text) (*Confirmation, error) {
	c, err := m.openToken(sealLink, link.Reveal(), sessionID{})
	if err != nil {
		return nil, err
	}
	clock := m.now()
	var o outcome
	a := &attempt{task: taskConfirm, claims: c, now: clock}
	err = m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		if r.fresh {
			return false, ErrTokenExpired
		}
		now := r.at(clock)
		p, err := m.pendingOf(r, c, now)
		if err != nil {
			return false, err
		}
		allowed, err := m.permitsConfirm(r, c, p)
		if err != nil {
			return false, err
		}
		if a.factor = m.factors[p.In.Kind]; a.factor == nil {
			return false, ErrKindNotConfigured
		}
		o = m.confirm(r, c, *p, allowed, now)
		m.countNotices(r, a, &o)
		// A link that is opened elsewhere signs nobody in.
		done := o.confirmation
		done.Grant, done.GrantExpires, done.Verification = Grant{}, time.Time{}, nil
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	_, err = m.conclude(ctx, a, o, nil)
	return o.confirmation, err
}

// confirm turns a pending enrolment into a factor.
func (m *Manager) confirm(
	r *record, c *claims, p pending, allowed permission, now time.Time,
) outcome {
	in, f := p.In, m.factors[p.In.Kind]
	ordinary := !in.Implicit && !isRecovery(f)
	o := outcome{result: resultConfirmed, at: now, to: m.recipients(r, c.Subject)}
	o.confirmed = confirmed{event: confirmedEvent(in, f, allowed), factorID: in.ID, name: in.Name}
	r.removePending(in.ID)
	in.Created = now.UnixMilli()
	if allowed.hold {
		o.confirmed.heldUntil = m.holdBack(r, c, in, now)
	} else {
		if ordinary && !r.hasOwn(m) {
			m.endRecovery(r) // codes of factors that ended long ago
		}
		ended := r.removeFactors(func(old instance) bool {
			return old.Kind == in.Kind && old.Implicit == in.Implicit && (p.Replace || in.Implicit)
		})
		if ordinary && len(ended) > 0 {
			o.confirmed.event = "factor.replaced"
		}
	}
	r.Factors = append(r.Factors, in)
	r.Devices = nil
	r.Lockout = m.cfg.Lockout.Succeed(r.Lockout, in.Kind, now)
	o.confirmation = m.confirmation(r, c, p, in, now)
	return o
}

// confirmedEvent is the event of an enrolment that takes effect, if it replaces nothing.
func confirmedEvent(in instance, f factor.Factor, allowed permission) string {
	switch {
	case in.Implicit:
		return "address.confirmed"
	case isRecovery(f):
		return "recovery.regenerated"
	case allowed.hold:
		return "recovery.replacement"
	default:
		return "factor.added"
	}
}

// confirmation is what the user has now, and may do.
func (m *Manager) confirmation(r *record, c *claims, p pending, in instance, now time.Time) *Confirmation {
	g, recovery := *c, isRecovery(m.factors[in.Kind])
	if !in.Implicit && !recovery {
		g.Proof.Added = append(slices.Clone(c.Proof.Added), in.ID)
	}
	v := m.verification(r, &g, &in, now)
	done := &Confirmation{UserID: c.Subject.ID, Tenant: c.Subject.Tenant,
		Factor: m.info(r, candidate{&in, !in.Implicit}, now)}
	if !recovery {
		done.Grant, done.GrantExpires = v.Grant, v.GrantExpires
	}
	if p.SignIn {
		v.Purpose = string(purposeSignIn)
		done.Verification = v
	}
	return done
}
