package mfa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

const (
	maxName   = 64
	maxParams = 16
	maxParam  = 1024
)

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
	if !t.Recovery && !(policy.Policy{Kinds: c.Kinds}).Allows(r.Kind) {
		return nil, fmt.Errorf("%w: the policy does not allow this kind", ErrNotAvailable)
	}
	for range enrollTries {
		e, err := m.enroll(ctx, c, f, r)
		if !errors.Is(err, decide.ErrChanged) {
			return e, err
		}
	}
	return nil, unavailable(decide.ErrChanged)
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
		if m.rules.Kinds[k].RecoveryCodes() {
			return s.Enroll(ctx, g, EnrollRequest{Kind: k})
		}
	}
	return nil, fmt.Errorf("%w: no recovery codes are configured", ErrNotAvailable)
}

// existing returns the user's instances of a kind, as its factor is shown them.
func existing(v decide.View, kind string) (list []factor.EnrollOutput) {
	for i := range v.Record.Factors {
		in := &v.Record.Factors[i]
		if in.Kind == kind && !in.Implicit {
			out := output(in)
			out.Outdated = v.Record.IsOutdated(in.ID) || !v.AllowsKey(in)
			list = append(list, out)
		}
	}
	return list
}

// outputs returns instances as their factor is shown them.
func outputs(all []*record.Instance) (list []factor.EnrollOutput) {
	for _, in := range all {
		list = append(list, output(in))
	}
	return list
}

func output(in *record.Instance) factor.EnrollOutput {
	return factor.EnrollOutput{State: bytes.Clone(in.State), Name: in.Name,
		MaskedDestination: in.MaskedDestination}
}

func checkEnroll(r EnrollRequest) error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	return checkParams(r.Params, maxParam)
}

// checkParams bounds parameters before a factor reads them.
func checkParams(params map[string]secret.Text, most int) error {
	if len(params) > maxParams {
		return fmt.Errorf("%w: too many parameters", factor.ErrMalformed)
	}
	for k, v := range params {
		text := v.Reveal()
		if len(k) > maxParam || len(text) > most || !utf8.ValidString(k) ||
			!utf8.ValidString(text) {
			return fmt.Errorf("%w: a parameter has at most %d bytes of UTF-8", factor.ErrMalformed,
				most)
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

// readPending returns the pending enrolment that claims are for. The kind is in the record, and
// the token's owner cannot change it before a later read.
func (m *Manager) readPending(
	ctx context.Context, c *token.Claims, now time.Time,
) (*record.Pending, error) {
	r, err := m.read(ctx, c.Subject.Key())
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, ErrTokenExpired
	}
	return m.view(r, c, r.At(now)).Pending()
}

// Confirm makes a pending enrolment take effect, by a response of the new factor. Failed
// attempts count and lock like those of Verify, and give the same errors. The response that
// confirms cannot be used again to sign in. ErrNotAvailable also means that another user has
// what is being enrolled, such as a passkey's credential. A change of the user's address is
// confirmed by [Session.ConfirmAddress].
func (s Session) Confirm(
	ctx context.Context, e *Enrollment, response secret.Text,
) (*Confirmation, error) {
	return s.confirm(ctx, e, response, nil)
}

// confirm confirms a pending enrolment, or with store a change of the user's address.
func (s Session) confirm(
	ctx context.Context, e *Enrollment, response secret.Text, store func(context.Context) error,
) (*Confirmation, error) {
	if e == nil {
		return nil, ErrToken
	}
	m := s.m
	c, err := s.open(token.KindEnrollment, e.token)
	if err != nil {
		return nil, err
	}
	now := m.now()
	p, err := m.readPending(ctx, c, now)
	if err != nil {
		return nil, err
	}
	f := m.factors[p.Instance.Kind]
	switch {
	case p.Moves != (store != nil):
		return nil, ErrToken
	case f == nil:
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
	if claimed.key != "" || store != nil {
		// From here on the response is verified, and counted, whether or not the caller waits:
		// else a caller who hangs up in time would leave a claim behind with each response, or an
		// address that is stored without its factors.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
	}
	r, err := m.respond(ctx, &attempt{
		Response: decide.Response{Task: decide.Confirm, Kind: p.Instance.Kind}, factor: f,
		claims: c, store: store,
		text: text, named: claimed.name, opened: record.Instant(p.Instance.Created), now: now})
	if err != nil {
		var attempted *AttemptError
		if errors.As(err, &attempted) || !errors.Is(err, ErrUnavailable) {
			m.withdraw(ctx, claimed) // certain that nothing was confirmed
		}
		return nil, err
	}
	m.reclaim(ctx, claimed)
	return r.confirmation, nil
}

// ConfirmLink makes a pending enrolment take effect, by the link in a message. A user who has
// the link has received the message, and the link cannot be guessed, so nothing is counted and a
// lock does not matter. The errors are those of [Session.Confirm]. Call it when the user presses
// the button of the page that the link leads to, not when the page is fetched: mail systems
// fetch links.
func (m *Manager) ConfirmLink(ctx context.Context, link secret.Text) (*Confirmation, error) {
	c, err := token.Open(m.cfg.Keys, token.KindLink, link.Reveal(), token.SessionID{})
	if err != nil {
		return nil, err
	}
	now := m.now()
	p, err := m.readPending(ctx, c, now)
	if err != nil {
		return nil, err
	}
	a := &attempt{claims: c, now: now,
		Response: decide.Response{Task: decide.Confirm, Kind: p.Instance.Kind}}
	d, err := update(ctx, m, c.Subject, now, func(r *record.Record) (decision, bool, error) {
		to := m.recipients(r, c.Subject)
		o := m.view(r, c, r.At(now)).ConfirmByLink()
		if o.Result == decide.Refused {
			return decision{}, false, o.Err
		}
		return m.decided(r, a, o, to, true), true, nil
	})
	if err != nil {
		return nil, err
	}
	done, err := m.conclude(ctx, a, d, nil)
	return done.confirmation, err
}
