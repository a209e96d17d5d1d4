package mfa

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// unconfirmedPerDestination is how many codes an hour may go to an address or number that
// nobody has confirmed, over all people.
const unconfirmedPerDestination = 20

func (b SendBudget) withDefaults() SendBudget {
	if b.PerPerson == 0 {
		b.PerPerson = 30
	}
	return b
}

// Send sends a code for a challenge, or sends a new one: the code before is then no longer
// good. For a kind that sends nothing (a passkey) it makes what Delivery.Prompt has for the
// person's client. It never resets a count. A *BudgetError says when the next one may be sent; a
// *factor.Problem that the factor does not send there; after an error wrapping ErrUnavailable the code may have been sent or not, and sending again is
// the thing to do.
func (m *Manager) Send(ctx context.Context, r SendRequest) (*Delivery, error) {
	c, f, err := m.challenge(r.Challenge, r.Purpose, r.Binding, r.Kind)
	if err != nil {
		return nil, err
	}
	ch, ok := f.(factor.Challenger)
	if !ok {
		return nil, fmt.Errorf("%w: nothing is sent for this kind", ErrNotAvailable)
	}
	choose := func(r2 *record, now time.Time) (*instance, error) {
		if err := c.open(r2, now, m.cfg.ChallengeTTL); err != nil {
			return nil, err
		}
		return m.chooseInstance(r2, c, f, r.FactorID, now)
	}
	return m.issue(ctx, &issuing{factor: ch, subject: c.Subject, purpose: string(c.Purpose), choose: choose,
		keep: func(r *record, in *instance, l live) {
			l.Challenge, l.Factor = c.ID, in.ID
			if r.Live == nil {
				r.Live = make(map[string]live)
			}
			if old, ok := r.Live[in.Kind]; ok && !f.Traits().Shared {
				r.supersede(in.Kind, old)
			}
			r.Live[in.Kind] = l
		}})
}

// chooseInstance is the instance to send to: the one asked for, else the latest used.
func (m *Manager) chooseInstance(r *record, c *claims, f Factor, id string, now time.Time) (*instance, error) {
	if m.cfg.Lockout.Status(r.Lockout, f.Kind(), now).Stopped {
		return nil, &StoppedError{Kind: f.Kind()}
	}
	list, err := m.candidates(r, c)
	if err != nil {
		return nil, err
	}
	var chosen *instance
	for _, k := range list {
		if k.Kind == f.Kind() && (id == "" || id == k.ID) && (chosen == nil || k.Used > chosen.Used) {
			chosen = k.instance
		}
	}
	if chosen == nil {
		return nil, ErrNotAvailable
	}
	return chosen, nil
}

// issuing is one challenge on its road: choose, issue, pay, keep, deliver.
type issuing struct {
	factor  factor.Challenger
	subject subject
	purpose string
	// confirming: the destination is not confirmed yet.
	confirming bool
	// link is put into the message, if it is not empty; silent leaves out the code.
	link   LinkToken
	silent bool
	// choose finds the instance to send to, or refuses; it runs again before the write.
	choose func(r *record, now time.Time) (*instance, error)
	keep   func(r *record, in *instance, l live)
}

// issue makes a challenge, pays for it, commits it, and only then delivers it: a message
// cannot be rolled back.
func (m *Manager) issue(ctx context.Context, s *issuing) (*Delivery, error) {
	clock := m.now()
	key, kind := s.subject.key(), s.factor.Kind()
	r, err := m.read(ctx, key)
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = newRecord()
	}
	in, err := m.mayIssue(r, s, r.at(clock))
	if err != nil {
		return nil, err
	}
	state, person := bytes.Clone(in.State), s.subject.person()
	asked := factor.IssueInput{Person: person, State: state, Confirming: s.confirming, Now: r.at(clock)}
	if s.factor.Traits().Shared && !s.confirming {
		asked.Instances = m.existing(r, kind)
	}
	is, err := callIssue(ctx, s.factor, asked)
	if err != nil {
		return nil, err
	}
	sent := is.Destination != "" || is.Payload != ""
	if sent {
		if err := m.payDestination(ctx, s, is.Destination, clock); err != nil {
			return nil, err
		}
	}
	d := &Delivery{Kind: kind, Hint: in.Hint, Expires: is.Expires, Prompt: is.Prompt}
	var now time.Time
	err = m.update(ctx, s.subject, clock, func(r *record) (bool, error) {
		now = r.at(clock)
		in, err := m.mayIssue(r, s, now)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(in.State, state) {
			return false, unavailable(errors.New("the factor changed while a code was being made"))
		}
		if sent {
			var wait time.Duration
			if r.Sends, wait = addSend(r.Sends, now, m.cfg.Sends.PerPerson); wait > 0 {
				return false, &BudgetError{RetryAfter: wait}
			}
		}
		r.Undeliverable = 0
		s.keep(r, in, live{Keep: is.Keep, Issued: now.UnixMilli(), Expires: is.Expires.UnixMilli()})
		return true, nil
	})
	if err != nil {
		var over *BudgetError
		if errors.As(err, &over) {
			m.emit(ctx, []Event{m.event("send.budget", s.subject, clock, func(e *Event) { e.Kind = kind })})
		}
		return nil, err
	}
	if !sent {
		return d, nil // the caller hands the prompt over
	}
	out := factor.DeliverInput{Person: person, State: state, Payload: is.Payload, Purpose: s.purpose,
		Link: Secret(s.link), Expires: is.Expires, Now: now}
	if s.silent {
		out.Payload = ""
	}
	err = callDeliver(ctx, s.factor, out)
	m.emit(ctx, []Event{m.event(sendEvent(err), s.subject, now, func(e *Event) {
		e.Kind, e.FactorID, e.Purpose = kind, in.ID, Purpose(s.purpose)
	})})
	if err != nil {
		return nil, err
	}
	return d, nil
}

func sendEvent(err error) string {
	if err != nil {
		return "send.failed"
	}
	return "send.success"
}

func (m *Manager) mayIssue(r *record, s *issuing, now time.Time) (*instance, error) {
	if st := m.cfg.Lockout.Status(r.Lockout, s.factor.Kind(), now); !st.LockedUntil.IsZero() {
		return nil, &LockedError{Until: st.LockedUntil, RetryAfter: st.LockedUntil.Sub(now)}
	}
	return s.choose(r, now)
}

func addSend(l sendLog, now time.Time, limit int) (sendLog, time.Duration) {
	if limit < 0 {
		return nil, 0
	}
	return l.add(now, limit)
}

// payDestination takes one send from the budgets that are not a person's own.
func (m *Manager) payDestination(ctx context.Context, s *issuing, destination Secret, now time.Time) error {
	limit := m.cfg.Sends.PerDestination
	if limit == 0 && s.confirming {
		limit = unconfirmedPerDestination
	}
	kind := s.factor.Kind()
	if limit > 0 && destination != "" {
		name := base64.RawURLEncoding.EncodeToString(m.cfg.Keys.Digest("destination", kind+"\x00"+string(destination)))
		if err := m.pay(ctx, "b/d/"+name, now, limit); err != nil {
			return err
		}
	}
	if limit = m.cfg.Sends.PerSender; limit > 0 {
		return m.pay(ctx, fmt.Sprintf("b/s/%s/%s", kind, s.subject.Tenant), now, limit)
	}
	return nil
}

const sealBudget = "budget"

// pay takes one send from the budget kept under key.
func (m *Manager) pay(ctx context.Context, key string, now time.Time, limit int) error {
	var over error
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		var log sendLog
		if data != nil {
			plain, err := m.cfg.Keys.Open(sealBudget, key, data)
			if err == nil {
				err = cbor.Unmarshal(plain, &log)
			}
			if err != nil && !errors.Is(err, seal.ErrUnknownKey) { // a retired key's: of an hour long ago
				return storage.Change{}, err
			}
		}
		log, wait := log.add(now, limit)
		if over = nil; wait > 0 {
			over = &BudgetError{RetryAfter: wait}
			return storage.Change{}, nil
		}
		plain, err := cborEnc.Marshal(log)
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(sealBudget, key, plain)}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	return over
}
