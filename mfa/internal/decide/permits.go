package decide

import (
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// This file asks authority: it says what the user has, and what a response proves.

// Holding returns what the user has, for authority to decide by.
func (v View) Holding() (h authority.Holding) {
	for i := range v.Record.Factors {
		in := &v.Record.Factors[i]
		k, known := v.Kinds[in.Kind]
		if in.Implicit || known && k.Recovery {
			continue
		}
		h.Own = append(h.Own, v.ownFactor(in, k, known))
	}
	if len(h.Own) == 0 {
		switch list, err := v.implied(nil); {
		case err != nil:
			h.Implied = authority.ImpliedUndeliverable
		case len(list) > 0:
			h.Implied = authority.ImpliedUsable
		}
	}
	return h
}

// ownFactor returns what authority looks at of an instance. k is its kind, if that is known.
func (v View) ownFactor(in *record.Instance, k Kind, known bool) authority.OwnFactor {
	own := authority.OwnFactor{ID: in.ID, Kind: in.Kind, Known: known,
		Allowed: v.allowed(in), Outdated: v.Record.IsOutdated(in.ID),
		Held: v.Record.Held(in.ID)}
	if known {
		own.Level = k.Level
	}
	return own
}

// Permits decides whether the view's grant permits a request now.
func (v View) Permits(q authority.Request) (authority.Permission, error) {
	if err := v.Claims.SameRecord(v.Record); err != nil {
		return authority.Permission{}, err
	}
	if p := v.Claims.Proof; p.Origin == 0 || p.Expired(v.Now, v.Lifetimes) {
		return authority.Permission{}, token.ErrExpired
	}
	return v.Holding().Permit(v.Claims.Proof, q)
}

// ToEnroll returns the request to enrol a kind.
func (r *Rules) ToEnroll(kind string) authority.Request {
	if r.Kinds[kind].Recovery {
		return authority.Request{Act: authority.ActEnrollRecovery, Kind: kind}
	}
	return authority.Request{Act: authority.ActEnroll, Kind: kind}
}

// permitsConfirm asks authority again as an enrolment is confirmed: meanwhile a stronger factor
// may have been added. The proof was fresh when the enrolment began, and that has its own end.
func (v View) permitsConfirm(p *record.Pending) (authority.Permission, error) {
	_, known := v.Kinds[p.Instance.Kind]
	if p.Instance.Implicit && !p.Moves || !known {
		return authority.Permission{}, nil // an address that a link verifies changes no factor
	}
	return v.Holding().Permit(v.Claims.Proof, v.toBegin(p))
}

// toBegin returns the request that a pending enrolment is.
func (r *Rules) toBegin(p *record.Pending) authority.Request {
	if p.Moves {
		return authority.Request{Act: authority.ActMoveAddress}
	}
	return r.ToEnroll(p.Instance.Kind)
}

// EnrollableBy returns the kinds that a proof lets the user enrol.
func (v View) EnrollableBy(p authority.Proof) (list []string) {
	h := v.Holding()
	for _, k := range v.Enrollable(v.Claims.Kinds) {
		_, err := h.Permit(p, authority.Request{Act: authority.ActEnroll, Kind: k})
		if err == nil && !v.Kinds[k].AdminOnly {
			list = append(list, k)
		}
	}
	return list
}

// proofBy returns what a response of an instance proves.
func (v View) proofBy(in *record.Instance) authority.Proof {
	k := v.Kinds[in.Kind]
	p := authority.Proof{Origin: authority.OriginOwn, Level: k.Level, Time: v.Now.UnixMilli()}
	switch {
	case v.Record.Held(in.ID), k.Recovery:
		p.Origin, p.Level = authority.OriginRecovery, authority.LevelRecovery
	case in.Implicit:
		p.Origin = authority.OriginImplied
	}
	return p
}

// isLast reports whether a factor is the last one with which the user meets a policy. One that is
// outdated meets it no more, so it leaves another the last. The view's Vouched are those that the
// policy makes factors.
func (v View) isLast(p policy.Policy, id string) bool {
	meets, now := false, *v.Claims
	now.SetPolicy(p)
	v.Claims = &now
	for _, k := range v.own() {
		if !v.allowed(k.Instance) || k.ID != id && v.Record.IsOutdated(k.ID) {
			continue
		}
		if k.ID != id {
			return false
		}
		meets = true
	}
	implied, err := v.implied(nil)
	return meets && (err != nil || len(implied) == 0)
}

// Answerable refuses a challenge that a response can no longer be given to.
func (v View) Answerable() error {
	return v.Claims.Answerable(v.Record, v.Now, v.Lifetimes.FirstFactor)
}

// Pending returns the pending enrolment that the view's claims are for.
func (v View) Pending() (*record.Pending, error) {
	p, _, err := v.pending()
	return p, err
}

func (v View) pending() (*record.Pending, authority.Permission, error) {
	if err := v.Claims.SameRecord(v.Record); err != nil {
		return nil, authority.Permission{}, err
	}
	p := v.Record.PendingByID(v.Claims.Pending)
	if p == nil || v.Now.UnixMilli() >= p.Expires {
		return nil, authority.Permission{}, token.ErrExpired
	}
	allowed, err := v.permitsConfirm(p)
	if err != nil {
		return nil, authority.Permission{}, err
	}
	if v.full(*p) && !allowed.Hold && !p.Instance.Implicit {
		// What it was to replace is not outdated any more.
		return nil, authority.Permission{}, errFull
	}
	return p, allowed, nil
}

// status returns how a kind stands: locked, disabled, or neither.
func (v View) status(kind string) lockout.Status {
	return v.Lockout.Status(v.Record.Lockout, kind, v.Now)
}
