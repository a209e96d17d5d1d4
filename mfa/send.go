package mfa

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/client"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

// Send sends a code for a challenge, or sends a new one; the code before is then superseded.
// To a user with several instances of the kind it sends to the one used last. For a kind that
// sends nothing, such as a passkey, it makes what Delivery.Prompt has for the user's client.
// It never resets a count.
//
// A *RateLimitError says when the next code may be sent, and a *factor.Problem that the factor
// does not send there. After an error that wraps ErrUnavailable the code may have been sent or
// not; send again.
func (s Session) Send(ctx context.Context, ch *Challenge, kind string) (*Delivery, error) {
	return s.sendFor(ctx, ch, &sending{}, kind)
}

// SendTo is [Session.Send] to the instance of an option, for a user who has several of a kind.
func (s Session) SendTo(ctx context.Context, ch *Challenge, o Option) (*Delivery, error) {
	return s.sendFor(ctx, ch, &sending{factorID: o.FactorID}, o.Kind)
}

// SendFirst is [Session.SendTo] for a code that is sent without the user asking for it. If one of
// the kind was sent for the challenge before, SendFirst sends nothing and charges nothing, and
// returns what was sent: a page that is loaded twice, in one tab or in two, sends one message.
func (s Session) SendFirst(ctx context.Context, ch *Challenge, o Option) (*Delivery, error) {
	d, err := s.sendFor(ctx, ch, &sending{factorID: o.FactorID, first: true}, o.Kind)
	var before *sentBeforeError
	if errors.As(err, &before) {
		return &before.Delivery, nil
	}
	return d, err
}

// sendFor completes a sending, and sends it.
func (s Session) sendFor(
	ctx context.Context, ch *Challenge, what *sending, kind string,
) (*Delivery, error) {
	c, f, err := s.openFor(ch, kind)
	if err != nil {
		return nil, err
	}
	challenger, ok := f.(factor.Challenger)
	if !ok {
		return nil, fmt.Errorf("%w: nothing is sent for this kind", ErrNotAvailable)
	}
	what.to, what.factor, what.claims = toChallenge, challenger, c
	d, err := s.m.send(ctx, what)
	if err != nil {
		return nil, err
	}
	return &d.Delivery, nil
}

// sendTarget is what a message is for, which says where its code is kept.
type sendTarget uint8

const (
	// toChallenge is a code for a challenge.
	toChallenge sendTarget = iota + 1
	// toNewEnrollment is the first code of an enrolment, which begins with it.
	toNewEnrollment
	// toEnrollment is another code for a pending enrolment.
	toEnrollment
	// toAddress is a link that verifies an address, without a code.
	toAddress
	// toRecovery is a recovery link that a user who has passed the first factor asks for, and
	// toRecoveryFor one that an administrator or the application sends.
	toRecovery
	toRecoveryFor
)

// sending is a message that is about to be sent: what for, and to whom.
type sending struct {
	to     sendTarget
	factor factor.Challenger // nil for recovery links, which go to every known address
	claims *token.Claims     // of the challenge, the enrolment or the link
	// factorID is the instance to send to for a challenge, or empty for the latest used.
	factorID string
	// first says that nothing is sent if a code was sent for the challenge before.
	first bool
	// enrolling is the enrolment that begins with the message.
	enrolling *decide.Enrolling
	// enrolled says that the application knows the user to have enrolled.
	enrolled bool
	// link is the claims of a recovery link.
	link token.Claims
	// brand is read before anything is written down, so that its failure changes nothing.
	brand brand.Brand
}

// confirming says that the destination is not verified yet.
func (s *sending) confirming() bool { return s.to != toChallenge }

// purpose is what the message says that it is for.
func (s *sending) purpose() string {
	if s.confirming() {
		return "confirm"
	}
	return string(s.claims.Purpose)
}

// sent is a message whose code was written down, and what the write made of it.
type sent struct {
	Delivery
	now      time.Time
	epoch    [8]byte
	factorID string
	link     secret.Text
	pending  record.Pending
	// recipients are the destinations of a recovery link.
	recipients []recipient
}

// send makes a challenge, charges the rate limits for it, commits it, and only then delivers it:
// a message cannot be rolled back. The narrowest limit is looked at first: that of the user,
// which is in the record and is charged by the swap. Whatever refuses the message after a wider
// limit was charged, the charge is taken back, since nothing is delivered then.
func (m *Manager) send(ctx context.Context, s *sending) (*sent, error) {
	clock := m.now()
	r, err := m.readOrNew(ctx, s.claims.Subject.Key(), clock)
	if err != nil {
		return nil, err
	}
	in, err := m.admitSend(m.view(r, s.claims, r.At(clock)), s)
	if err != nil {
		return nil, err
	}
	if s.brand, err = m.Brand(ctx, s.claims.Subject.Scope()); err != nil {
		return nil, err
	}
	state := bytes.Clone(in.State)
	is, err := m.makeIssue(ctx, s, r, state, r.At(clock))
	if err != nil {
		return nil, err
	}
	masked := in.MaskedDestination
	out, err := m.chargeAndCommit(ctx, s, r, is, state, clock)
	if err != nil {
		var limited *RateLimitError
		if errors.As(err, &limited) {
			m.emit(ctx, []Event{m.event("send.limited", s.claims.Subject, clock, func(e *Event) {
				e.Kind = s.factor.Kind()
			})})
		}
		return nil, err
	}
	out.Delivery = Delivery{Kind: s.factor.Kind(), MaskedDestination: masked, Expires: is.Expires,
		Prompt: is.Prompt}
	if s.to == toNewEnrollment {
		m.emit(ctx, []Event{m.begunEvent(s.claims.Subject, out.pending.Instance, out.now)})
	}
	if !isMessage(is) {
		return &out, nil // the caller hands the prompt over
	}
	return &out, m.deliver(ctx, s, &out, is, state)
}

// isMessage reports whether what was issued is sent, and not handed over by the caller.
func isMessage(is *factor.Issue) bool { return !is.Destination.IsZero() || !is.Payload.IsZero() }

// deliver sends what has been committed.
func (m *Manager) deliver(
	ctx context.Context, s *sending, out *sent, is *factor.Issue, state []byte,
) error {
	in := factor.Message{User: awaiting(ctx, s.claims.Subject), State: state,
		Payload: is.Payload, Purpose: s.purpose(), Link: out.link, Expires: is.Expires,
		Time: out.now, Brand: s.brand}
	if s.to == toAddress {
		in.Payload = secret.Text{}              // the link alone
		in.User = s.claims.Subject.FactorUser() // the language of ctx is the administrator's
	}
	if out.pending.Moves {
		in.Link = secret.Text{} // the code alone, for the session that asked
	}
	err := m.callDeliver(ctx, s.factor, in)
	m.emit(ctx, []Event{m.event(sendEvent(err), s.claims.Subject, out.now, func(e *Event) {
		e.Kind, e.FactorID, e.Purpose = s.factor.Kind(), out.factorID, s.purpose()
	})})
	return err
}

// awaiting returns the user who asked for a message, in the language of the request if the
// application does not know the user's own.
func awaiting(ctx context.Context, s token.Subject) factor.User {
	u := s.FactorUser()
	u.Locale = cmp.Or(u.Locale, client.Of(ctx).Language)
	return u
}

func sendEvent(err error) string {
	if err != nil {
		return "send.failed"
	}
	return "send.success"
}

// makeIssue asks the factor for a challenge. It has no effect outside.
func (m *Manager) makeIssue(
	ctx context.Context, s *sending, r *record.Record, state []byte, now time.Time,
) (*factor.Issue, error) {
	in := factor.IssueInput{User: s.claims.Subject.FactorUser(), State: bytes.Clone(state),
		Confirming: s.confirming(), Brand: s.brand, Now: now}
	if s.confirming() {
		in.Attestation = s.claims.Attestation
	}
	if s.factor.Traits().SharedChallenge && !s.confirming() {
		may, err := m.view(r, s.claims, now).Responders(s.factor.Kind())
		if err != nil {
			return nil, err
		}
		in.Instances = outputs(may)
	}
	return m.callIssue(ctx, s.factor, in)
}

// chargeAndCommit charges the rate limits and writes down what was issued, or does neither.
func (m *Manager) chargeAndCommit(
	ctx context.Context, s *sending, r *record.Record, is *factor.Issue, state []byte,
	clock time.Time,
) (sent, error) {
	var charged charges
	if isMessage(is) {
		err := m.checkUserLimit(r, r.At(clock))
		if err == nil {
			charged, err = m.chargeShared(ctx, s, is.Destination, clock)
		}
		if err != nil {
			return sent{}, err
		}
	}
	out, err := m.commitSend(ctx, s, is, state, clock)
	if err != nil {
		m.refund(ctx, charged)
	}
	return out, err
}

// commitSend writes down what is sent, and charges the user's own rate limit. Every message
// that a user can have sent goes through it. is is what the factor issued, or nil for a link to
// every known address.
func (m *Manager) commitSend(
	ctx context.Context, s *sending, is *factor.Issue, state []byte, clock time.Time,
) (sent, error) {
	who := s.claims.Subject
	return update(ctx, m, who, clock, func(r *record.Record) (sent, bool, error) {
		v := m.view(r, s.claims, r.At(clock))
		out := sent{now: v.Now, epoch: r.Epoch}
		in, err := m.admitSend(v, s)
		if err != nil {
			return out, false, err
		}
		if is == nil {
			out.recipients, err = m.knownAddresses(r, who)
		} else if !bytes.Equal(in.State, state) {
			err = unavailable(errors.New("the factor changed while a code was being made"))
		}
		if err == nil && (is == nil || isMessage(is)) {
			err = m.chargeUser(r, v.Now)
		}
		if err != nil {
			return out, false, err
		}
		m.keepSent(v, s, in, is, &out)
		return out, true, nil
	})
}

// admitSend refuses a message, or returns the instance to send to. For an enrolment that begins
// with the message it puts that into the record.
func (m *Manager) admitSend(v decide.View, s *sending) (*record.Instance, error) {
	if s.to == toRecovery || s.to == toRecoveryFor {
		return nil, m.admitRecoveryLink(v, s)
	}
	kind := s.factor.Kind()
	refused := v.Locked(kind)
	var in *record.Instance
	if refused.Result == 0 && s.to == toChallenge {
		in, refused = v.ToSend(kind, s.factorID)
	}
	if refused.Result != 0 {
		return nil, m.outcomeError(kind, v.Claims.Subject, &refused)
	}
	switch s.to {
	case toChallenge:
		return in, s.sentBefore(v.Record, in)
	case toEnrollment:
		p, err := v.Pending()
		if err != nil {
			return nil, err
		}
		return &p.Instance, nil
	case toNewEnrollment:
		p, _, err := v.AdmitEnrollment(*s.enrolling)
		if err != nil {
			return nil, err
		}
		return v.AddPending(p), nil
	case toAddress:
		if v.Record.Fresh && s.enrolled {
			return nil, ErrRecordMissing
		}
		p := s.enrolling.Pending
		p.Instance.Created, p.Expires = v.Now.UnixMilli(), v.Now.Add(m.cfg.LinkTTL).UnixMilli()
		return v.AddPending(p), nil
	}
	return in, nil
}

// sentBeforeError is returned for a message that is not sent, because one was.
type sentBeforeError struct{ Delivery }

func (*sentBeforeError) Error() string { return "mfa: a code was sent for this challenge before" }

// sentBefore refuses the first message of a challenge for which one was sent. Codes of other
// challenges are none of its business: each user waits for their own.
func (s *sending) sentBefore(r *record.Record, in *record.Instance) error {
	code, ok := r.Codes[in.Kind]
	moved := code.Factor == in.ID && !code.SentTo(in)
	if !s.first || !ok || code.Challenge != s.claims.ID || moved {
		return nil
	}
	if to := r.Factor(code.Factor); to != nil {
		in = to
	}
	return &sentBeforeError{Delivery{Kind: in.Kind, MaskedDestination: in.MaskedDestination,
		Expires: record.Instant(code.Expires)}}
}

// keepSent puts what is sent into the record.
func (m *Manager) keepSent(
	v decide.View, s *sending, in *record.Instance, is *factor.Issue, out *sent,
) {
	if is == nil {
		out.Expires = v.Now.Add(recoveryLinkTTL)
		v.Record.RecoveryLink = &record.Recovery{ID: s.link.ID, Expires: out.Expires.UnixMilli()}
		return
	}
	v.Record.Undeliverable = 0
	out.factorID = in.ID
	code := record.Code{Keep: is.Keep, Issued: v.Now.UnixMilli(), Expires: is.Expires.UnixMilli()}
	if s.to == toChallenge {
		v.KeepCode(in, code)
		return
	}
	link := *s.claims
	link.ID, link.Issued, link.Epoch, link.Bind = record.Random16(), code.Issued, v.Record.Epoch[:],
		nil
	out.link = secret.New(token.Seal(m.cfg.Keys, token.KindLink, link))
	if s.to != toAddress {
		v.KeepPendingCode(in.ID, code)
	}
	out.pending = *v.Record.PendingByID(in.ID)
}
