package mfa

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Begin opens a challenge for a person who has passed the first factor, or says that
// nothing needs to be asked. It reads the record once and writes nothing, unless a device
// is remembered, whose token changes with every use.
//
// With Purpose ManageFactors the policy's mode does not matter: a person with factors
// proves one, and a person without any is given a grant to enrol the first. The caller has
// made sure, by the password or a fresh sign-in, that it is that person.
func (m *Manager) Begin(ctx context.Context, r BeginRequest) (*Challenge, error) {
	if err := r.Subject.check(); err != nil {
		return nil, err
	}
	if err := checkBinding(r.Binding); err != nil {
		return nil, err
	}
	purpose := cmp.Or(r.Purpose, SignIn)
	if !purpose.known() {
		return nil, fmt.Errorf("%w: unknown purpose", ErrMalformed)
	}
	now := m.now()
	p, err := m.Policy(ctx, r.Subject.Tenant, r.Subject.UserType)
	if err != nil {
		return nil, err
	}
	s := r.Subject.compact()
	rec, err := m.read(ctx, s.key())
	if err != nil {
		return nil, err
	}
	if rec == nil && r.Subject.Enrolled {
		return nil, ErrStateLost
	}
	c := claims{ID: random16(), Subject: s, Purpose: purpose, Bind: bindTo(r.Binding),
		Kinds: p.Kinds, Implicit: p.Implicit, Keep: p.KeepImplicit}
	if purpose == SignIn {
		c.Remember = p.Remember.Milliseconds()
	}
	if rec == nil {
		if rec, err = m.unborn(ctx, s.key(), now); err != nil {
			return nil, err
		}
	}
	c.Epoch = rec.issuedUnder()
	now = rec.at(now)
	c.Issued = now.UnixMilli()

	options := m.options(rec, &c, p.Default, now)
	ch := &Challenge{Next: Verify, Options: options, LockedUntil: m.lockedUntil(rec, options, now)}
	switch ordinary := hasOrdinary(options); {
	case purpose == SignIn && p.Mode == Off,
		purpose == SignIn && p.Mode == Optional && !m.chosen(rec, &c):
		ch.Next, ch.Options = Done, nil
	case ordinary, purpose == ReplaceFactor && len(options) > 0:
		ch.Token = ChallengeToken(m.newToken(sealChallenge, c))
		ch.Expires = now.Add(m.cfg.ChallengeTTL)
	case purpose == ReplaceFactor, purpose == StepUp:
		return nil, ErrNotAvailable
	case purpose == SignIn && now.Before(p.EnrollBy):
		ch.Next, ch.Options, ch.EnrollBy = Done, nil, p.EnrollBy
	default:
		ch.Next, ch.Options = Enroll, nil
		ch.Kinds = m.enrollable(c.Kinds)
		c.Scope = scopeFirst
		ch.Grant = Grant(m.newToken(sealGrant, c))
		ch.Expires = now.Add(m.cfg.GrantTTL)
	}
	if ch.Next == Verify && r.Device != "" && c.Remember > 0 && rec.Devices != nil {
		if err := m.recognise(ctx, r.Device, &c, now, ch); err != nil {
			return nil, err
		}
		if ch.Remembered {
			ch.Next, ch.Options, ch.Token, ch.Expires = Done, nil, "", time.Time{}
		}
	}
	if m.cfg.Events != nil {
		m.emit(ctx, []Event{m.event("challenge.begun", s, now, func(e *Event) { e.Purpose, e.Reason = purpose, string(ch.Next) })})
	}
	return ch, nil
}

func (p Purpose) known() bool {
	return p == SignIn || p == StepUp || p == ManageFactors || p == ReplaceFactor
}

// candidate is one instance an answer could be judged against.
type candidate struct {
	*instance
	// mine: enrolled by the person, not implied by an address.
	mine bool
}

// candidates are the instances of a person that the claims' policy lets them answer with
// for their purpose, of all kinds.
func (m *Manager) candidates(r *record, c *claims) []candidate {
	list := make([]candidate, 0, len(r.Factors)+1)
	mine, strong, recoverable := false, false, false
	for i := range r.Factors {
		f := m.factors[r.Factors[i].Kind]
		if f == nil || r.Factors[i].Implicit {
			continue
		}
		t := f.Traits()
		if t.Class != factor.Recovery && !allows(c.Kinds, f.Kind()) {
			continue
		}
		list = append(list, candidate{&r.Factors[i], true})
		mine = mine || t.Class != factor.Recovery
		strong = strong || t.Strong
		recoverable = recoverable || t.Class == factor.Recovery && !t.LastResort && m.left(&r.Factors[i])
	}
	if !mine || c.Keep {
		list = append(list, m.implied(r, c, list)...)
	}
	return slices.DeleteFunc(list, func(k candidate) bool {
		t := m.factors[k.Kind].Traits()
		if t.LastResort && (c.Purpose != ReplaceFactor || recoverable) {
			return true
		}
		switch c.Purpose {
		case ReplaceFactor:
			return t.Class != factor.Recovery
		case StepUp:
			return t.Class == factor.Recovery
		case ManageFactors:
			return t.Class == factor.Recovery || !k.mine && mine || !t.Strong && strong
		default:
			return false
		}
	})
}

// left says whether an instance has anything left to answer with.
func (m *Manager) left(in *instance) bool {
	n, ok := m.factors[in.Kind].(factor.Counter)
	return !ok || n.Left(in.State) > 0
}

// implied are the instances a person has without having enrolled them: the address the
// application vouches for, else one confirmed by a link.
func (m *Manager) implied(r *record, c *claims, have []candidate) (list []candidate) {
	for _, kind := range c.Implicit {
		f, ok := m.factors[kind].(factor.Implicit)
		if !ok || !allows(c.Kinds, kind) {
			continue
		}
		if c.Subject.Confirmed {
			if state, hint, ok := f.Implied(c.Subject.person()); ok {
				same := func(k candidate) bool { return k.Kind == kind && bytes.Equal(k.State, state) }
				if !slices.ContainsFunc(have, same) {
					list = append(list, candidate{&instance{Kind: kind, Hint: hint, State: state, Implicit: true}, false})
				}
				continue
			}
		}
		for i := range r.Factors {
			if in := &r.Factors[i]; in.Implicit && in.Kind == kind {
				list = append(list, candidate{in, false})
			}
		}
	}
	return list
}

func allows(kinds []string, kind string) bool { return len(kinds) == 0 || slices.Contains(kinds, kind) }

// chosen says whether the person switched a second factor on by enrolling one.
func (m *Manager) chosen(r *record, c *claims) bool {
	return slices.ContainsFunc(m.candidates(r, c), func(k candidate) bool {
		return k.mine && m.factors[k.Kind].Traits().Class != factor.Recovery
	})
}

// options turns candidates into what is shown: the default first, then in the order of
// Config.Factors, the latest used of a kind first, and recovery kinds last.
func (m *Manager) options(r *record, c *claims, def string, now time.Time) []Option {
	list := m.candidates(r, c)
	rank := func(k candidate) int {
		n := slices.Index(m.kinds, k.Kind)
		switch t := m.factors[k.Kind].Traits(); {
		case t.Class == factor.Recovery:
			return n + 2000
		case k.mine && k.Kind == def:
			return n - 1000
		case k.mine:
			return n
		case k.Kind == def:
			return n + 500
		default:
			return n + 1000
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Used, a.Used))
	})
	options := make([]Option, 0, len(list))
	for _, k := range list {
		t := m.factors[k.Kind].Traits()
		_, sends := m.factors[k.Kind].(factor.Challenger)
		options = append(options, Option{Kind: k.Kind, FactorID: k.ID, Name: k.Name, Hint: k.Hint, Sends: sends,
			Class: t.Class, Stopped: m.cfg.Lockout.Status(r.Lockout, k.Kind, now).Stopped})
		if i := len(options) - 2; t.Shared && i >= 0 && options[i].Kind == k.Kind {
			// Whichever of them answers, it is one way to answer.
			options[i].FactorID, options[i].Name, options[i].Hint = "", "", ""
			options = options[:i+1]
			continue
		}
		if asker, ok := m.factors[k.Kind].(factor.Asker); ok {
			options[len(options)-1].Asks = asker.Asks(k.State)
		}
	}
	for i, o := range options {
		if !o.Stopped && o.Class != factor.Recovery {
			options[i].Default = true
			break
		}
	}
	return options
}

func hasOrdinary(options []Option) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return o.Class != factor.Recovery })
}

// lockedUntil is the end of a lock that leaves nothing to answer with, or zero.
func (m *Manager) lockedUntil(r *record, options []Option, now time.Time) (until time.Time) {
	for i, o := range options {
		st := m.cfg.Lockout.Status(r.Lockout, o.Kind, now)
		if st.LockedUntil.IsZero() {
			return time.Time{}
		}
		if i == 0 || st.LockedUntil.Before(until) {
			until = st.LockedUntil
		}
	}
	return until
}

// enrollable are the kinds a person may enrol under a policy's kinds.
func (m *Manager) enrollable(kinds []string) (list []string) {
	for _, k := range m.kinds {
		if m.factors[k].Traits().Class != factor.Recovery && allows(kinds, k) {
			list = append(list, k)
		}
	}
	return list
}

func (m *Manager) event(name string, s subject, now time.Time, more func(*Event)) Event {
	e := Event{Name: name, Time: now, SubjectID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Left: -1}
	if more != nil {
		more(&e)
	}
	return e
}
