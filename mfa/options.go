package mfa

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// This file decides which of a user's factors may respond to a challenge, and in which order
// they are offered.

// candidate is one instance that a response could be verified against.
type candidate struct {
	*instance
	// own says that the user enrolled it; otherwise an address implies it.
	own bool
}

// allOwn are the instances that the user enrolled, of the kinds that this process has, other
// than recovery kinds.
func (m *Manager) allOwn(r *record) []candidate {
	list := make([]candidate, 0, len(r.Factors)+1)
	for i := range r.Factors {
		in := &r.Factors[i]
		f := m.factors[in.Kind]
		if f != nil && !in.Implicit && !f.Traits().Recovery {
			list = append(list, candidate{in, true})
		}
	}
	return list
}

// candidates are the instances that may respond to a challenge with these claims.
//
// A user's own factors are a second factor whatever the policy says of them. Those that it
// allows may respond. If it allows none of them any more, each may, and then is a proof for
// enrolling an allowed kind only (see Manager.restricted). An implied address responds for a
// user who has nothing of their own, or where the policy keeps it beside other factors.
func (m *Manager) candidates(r *record, c *claims) ([]candidate, error) {
	if c.Purpose == purposeRecover {
		return m.recoveries(nil, r, c), nil
	}
	own := m.allOwn(r)
	list, settled, manage := own, r.settled(own, c.Kinds), c.Purpose == purposeManage
	switch {
	case (manage || !settled) && m.hasUnknown(r):
		return nil, ErrKindNotConfigured
	case manage && settled:
		list = m.strongest(r, own)
	case settled:
		list = allowedOf(own, c.Kinds)
	}
	if len(own) == 0 || c.Keep && !manage {
		var err error
		if list, err = m.withImplied(list, r, c, len(own) == 0); err != nil {
			return nil, err
		}
	}
	if c.Purpose == purposeSignIn {
		list = m.recoveries(list, r, c)
	}
	return list, nil
}

// withImplied adds the implied addresses. It is an error that none of them can be sent to, if
// the user has nothing else to respond with.
func (m *Manager) withImplied(list []candidate, r *record, c *claims, alone bool) ([]candidate, error) {
	implied, err := m.implied(r, c)
	if err != nil && alone && (c.Purpose != purposeSignIn || len(m.recoveries(nil, r, c)) == 0) {
		return nil, err
	}
	for _, k := range implied {
		if !slices.ContainsFunc(list, k.same) {
			list = append(list, k)
		}
	}
	return list, nil
}

// settled says whether the policy's kinds allow one of the user's own factors. A replacement on
// hold does not count: it must not take the place of what the user had.
func (r *record) settled(own []candidate, kinds []string) bool {
	return slices.ContainsFunc(own, func(k candidate) bool {
		_, held := r.Holds[k.ID]
		return !held && allows(kinds, k.Kind)
	})
}

// allowedOf are those of list that the policy's kinds allow.
func allowedOf(list []candidate, kinds []string) []candidate {
	i := slices.IndexFunc(list, func(k candidate) bool { return !allows(kinds, k.Kind) })
	if i < 0 {
		return list
	}
	allowed := slices.Clone(list[:i])
	for _, k := range list[i:] {
		if allows(kinds, k.Kind) {
			allowed = append(allowed, k)
		}
	}
	return allowed
}

// strongest are the own factors that prove enough to change everything. While a replacement
// is on hold, every older factor may respond, because each of them may cancel it.
func (m *Manager) strongest(r *record, own []candidate) []candidate {
	level := func(k candidate) factor.Level { return m.factors[k.Kind].Traits().Level }
	need := levelRecovery
	for _, k := range own {
		if _, held := r.Holds[k.ID]; held {
			need = levelRecovery
			break
		}
		need = max(need, level(k))
	}
	return slices.DeleteFunc(own, func(k candidate) bool { return level(k) < need })
}

// recoveries adds the recovery kinds that may respond. Without a factor of the user's own there
// is nothing to recover, except by a code that an administrator has made. Security questions
// respond only after a mailed link, and only while there is no other way.
func (m *Manager) recoveries(list []candidate, r *record, c *claims) []candidate {
	own, other, last := r.hasOwn(m), false, false
	for i := range r.Factors {
		in := &r.Factors[i]
		f := m.factors[in.Kind]
		if f == nil || in.Implicit || !f.Traits().Recovery {
			continue
		}
		t := f.Traits()
		if !own && !t.AdminOnly || t.LastResort && !c.Linked {
			continue
		}
		list = append(list, candidate{in, true})
		other, last = other || !t.LastResort && m.left(in), last || t.LastResort
	}
	if other && last {
		list = slices.DeleteFunc(list, func(k candidate) bool {
			return m.factors[k.Kind].Traits().LastResort
		})
	}
	return list
}

// left says whether an instance has anything left to respond with.
func (m *Manager) left(in *instance) bool {
	f := m.factors[in.Kind]
	return !f.Traits().Limited || describe(f, in.State).Remaining > 0
}

// implied are the instances that a user has without having enrolled them: the address that the
// application vouches for, else one that a link verified. An error that is ErrUndeliverable means
// that there is such an address and that no message can be sent to it.
func (m *Manager) implied(r *record, c *claims) (list []candidate, err error) {
	for _, kind := range c.Implicit {
		f, ok := m.factors[kind].(factor.Implier)
		if !ok || !allows(c.Kinds, kind) {
			continue
		}
		if c.Subject.Confirmed {
			state, hint, failure := callImplied(f, c.Subject.person())
			if failure != nil {
				err = failure
				continue
			}
			if state != nil {
				in := &instance{Kind: kind, Hint: hint, State: state, Implicit: true}
				list = append(list, candidate{in, false})
				continue
			}
		}
		for i := range r.Factors {
			if in := &r.Factors[i]; in.Implicit && in.Kind == kind {
				list = append(list, candidate{in, false})
			}
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, err
}

// same says that two candidates respond with the same: an address that is implied and enrolled.
func (k candidate) same(o candidate) bool { return o.Kind == k.Kind && bytes.Equal(o.State, k.State) }

// restricted says that a response of the kind is a proof for enrolling an allowed kind only:
// the policy allows none of the user's own factors any more, and grace has ended.
func (m *Manager) restricted(r *record, c *claims, in *instance) bool {
	if c.Grace || in.Implicit || allows(c.Kinds, in.Kind) || m.factors[in.Kind].Traits().Recovery {
		return false
	}
	return !r.settled(m.allOwn(r), c.Kinds)
}

// holding is what the user has, for authority to decide by.
func (m *Manager) holding(r *record, c *claims) (h holding) {
	for _, in := range r.Factors {
		f := m.factors[in.Kind]
		if in.Implicit || f != nil && f.Traits().Recovery {
			continue
		}
		own := ownFactor{id: in.ID, kind: in.Kind, known: f != nil, allowed: allows(c.Kinds, in.Kind)}
		if f != nil {
			own.level = f.Traits().Level
		}
		_, own.held = r.Holds[in.ID]
		h.own = append(h.own, own)
	}
	if len(h.own) == 0 {
		switch list, err := m.implied(r, c); {
		case err != nil:
			h.implied = impliedUndeliverable
		case len(list) > 0:
			h.implied = impliedUsable
		}
	}
	return h
}

// hasUnknown says whether the user has a factor of a kind that this process does not know.
func (m *Manager) hasUnknown(r *record) bool {
	return slices.ContainsFunc(r.Factors, func(in instance) bool {
		return !in.Implicit && m.factors[in.Kind] == nil
	})
}

// hasOwn says whether the user has enrolled a factor other than a recovery kind. A kind that
// this process does not know counts.
func (r *record) hasOwn(m *Manager) bool {
	return slices.ContainsFunc(r.Factors, func(in instance) bool {
		f := m.factors[in.Kind]
		return !in.Implicit && (f == nil || !f.Traits().Recovery)
	})
}

func allows(kinds []string, kind string) bool {
	return policy.Policy{Kinds: kinds}.Allows(kind)
}

// options turns candidates into what is shown: the default first, then in the order of
// Config.Factors, the latest used of a kind first, and recovery kinds last.
func (m *Manager) options(r *record, list []candidate, def string, now time.Time) []Option {
	rank := func(k candidate) int {
		n := slices.Index(m.kinds, k.Kind)
		switch t := m.factors[k.Kind].Traits(); {
		case t.Recovery:
			return n + 2000
		case k.own && k.Kind == def:
			return n - 1000
		case k.own:
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
		options = append(options, Option{Kind: k.Kind, FactorID: k.ID, Name: k.Name, MaskedDestination: k.Hint,
			Sends: sends, Recovery: t.Recovery, Knowledge: t.Knowledge,
			Disabled: m.cfg.Lockout.Status(r.Lockout, k.Kind, now).Disabled})
		if i := len(options) - 2; t.SharedChallenge && i >= 0 && options[i].Kind == k.Kind {
			// Whichever of them responds, it is one way to respond.
			options[i].FactorID, options[i].Name, options[i].MaskedDestination = "", "", ""
			options = options[:i+1]
			continue
		}
		options[len(options)-1].Questions = describe(m.factors[k.Kind], k.State).Questions
	}
	for i, o := range options {
		if !o.Disabled && !o.Recovery {
			options[i].Default = true
			break
		}
	}
	return options
}

func hasOrdinary(options []Option) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return !o.Recovery })
}

// lockedUntil is the end of a lock that leaves nothing to respond with, or zero.
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

// enrollable are the kinds that a user may enrol under a policy's kinds.
func (m *Manager) enrollable(kinds []string) (list []string) {
	for _, k := range m.kinds {
		if !m.factors[k].Traits().Recovery && allows(kinds, k) {
			list = append(list, k)
		}
	}
	return list
}

// enrollableBy are the kinds that a proof lets the user enrol.
func (m *Manager) enrollableBy(r *record, c *claims, p proof) (list []string) {
	h := m.holding(r, c)
	for _, k := range m.enrollable(c.Kinds) {
		if _, err := h.permit(p, request{act: actEnroll, kind: k}); err == nil && !m.factors[k].Traits().AdminOnly {
			list = append(list, k)
		}
	}
	return list
}
