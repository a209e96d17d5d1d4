package simulation

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// grant is a grant, and what was proven for it.
type grant struct {
	mfa.Grant
	of      *account
	session string
	origin  string // first, implied, own, recovery
	level   factor.Level
	// earliest and latest are when it was proven, by the least and by the latest time.
	earliest, latest time.Time
	life             time.Duration
	added            []string
	policy           policy.Policy
	epoch            int
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// implied reports whether the account has a factor without enrolling.
func (a *account) implied(p policy.Policy) bool {
	return contains(p.Implicit, "mail") && p.Allows("mail")
}

// permitted says whether a grant permits a change, by the table in docs/architecture.md, section
// "Authority".
func (a *account) permitted(g *grant, act, kind, target string) bool {
	var before []*owned
	held, allowed, had := false, false, false
	for _, f := range a.own {
		held = held || !f.held.IsZero()
		allowed = allowed || f.held.IsZero() && g.policy.Allows(f.kind)
		if contains(g.added, f.id) {
			continue
		}
		before = append(before, f)
		had = had || f.held.IsZero() && g.policy.Allows(f.kind)
	}
	switch {
	case len(a.own) == 0 && act == "codes":
		return false
	case len(a.own) == 0 && g.origin == "first":
		return act == "enroll" && !a.implied(g.policy)
	case len(a.own) == 0 && g.origin == "recovery":
		return act == "enroll"
	case len(a.own) == 0, len(before) == 0 && !held:
		return true
	case g.origin == "first":
		return false
	case g.origin == "recovery":
		return a.recoveryPermits(g, act, kind, target, had)
	case g.origin == "own" && act == "remove" && a.own[target] != nil &&
		!contains(g.added, target) && !a.own[target].held.IsZero():
		return true // any older factor cancels a recovery
	case !allowed:
		return act == "enroll" && g.origin == "own"
	}
	need, _ := a.strongest(g.added)
	return g.level >= need
}

// allowed reports whether the policy allows one of the account's own factors.
func (a *account) allowed(p policy.Policy) bool {
	for _, f := range a.own {
		if p.Allows(f.kind) {
			return true
		}
	}
	return false
}

func (a *account) recoveryPermits(g *grant, act, kind, target string, had bool) bool {
	if act == "remove" {
		f := a.own[target]
		return f != nil && (!f.held.IsZero() || contains(g.added, target))
	}
	return act == "enroll" && (contains(g.kindsBefore(), kind) || !had)
}

// kindsBefore are the kinds that a recovery may replace.
func (g *grant) kindsBefore() (kinds []string) {
	for _, f := range g.of.own {
		if !contains(g.added, f.id) && f.held.IsZero() && g.policy.Allows(f.kind) {
			kinds = append(kinds, f.kind)
		}
	}
	return kinds
}

// compare holds what became of a change against the table.
func (w *world) compare(g *grant, a *account, session, act string, permitted bool, err error,
	t trouble) {
	foreign := g.of != a || g.session != session
	over := !w.clock.Now().Before(g.latest.Add(g.life))
	perhapsOver := !w.latest.Before(g.earliest.Add(g.life))
	if err == nil {
		w.seen["change "+act+" by "+g.origin]++
		switch {
		case foreign:
			w.fail("authority", "%s by another user's or session's grant", act)
		case g.epoch != g.of.epoch:
			w.fail("authority", "%s by a grant from before a reset", act)
		case over:
			w.fail("authority", "%s by a grant that has expired", act)
		case !permitted:
			w.fail("authority", "%s by %s %d, which the table refuses to %s", act, g.origin,
				g.level, a)
		}
		return
	}
	void := foreign || g.epoch != g.of.epoch
	refused := errors.Is(err, mfa.ErrForbidden)
	if refused && permitted && !void && !perhapsOver && !t.any && !a.blurred {
		w.fail("authority", "%s by %s %d, which the table permits to %s: %v", act, g.origin,
			g.level, a, err)
	}
	if refused {
		w.seen["change refused "+g.origin]++
	}
}

// sync compares the factors that are stored with the ledger's. A change that may have been made
// although its reply was lost is made known to the ledger here.
func (w *world) sync(a *account) {
	r, err := w.inner.Get(w.ctx(), a.key)
	if err == nil && r.Revision == a.synced && !a.holds() {
		return // nothing was written, and no hold can have ended
	}
	a.synced = r.Revision
	o, err := w.witness.Overview(w.ctx(), a.user)
	if err != nil {
		w.fail("never none", "what is stored for %s cannot be read: %v", a.user.ID, err)
	}
	stored := map[string]mfa.FactorInfo{}
	for _, f := range o.Factors {
		if !f.Recovery && !f.Implicit {
			stored[f.ID] = f
		}
	}
	w.endHolds(a, stored)
	for id, f := range stored {
		if a.own[id] == nil {
			w.fail("authority", "%s has a %s that nobody enrolled", a.user.ID, f.Kind)
		}
	}
	for id, f := range a.own {
		if _, ok := stored[id]; !ok {
			w.fail("authority", "the %s of %s has gone", f.kind, a.user.ID)
		}
		if f.held.IsZero() && !stored[id].HeldUntil.IsZero() {
			w.fail("authority", "the %s of %s is on hold", f.kind, a.user.ID)
		}
	}
	if len(a.own) == 0 && o.RecoveryCodesRemaining > 0 {
		w.fail("authority", "recovery codes without a factor")
	}
}

func (a *account) holds() bool {
	for _, f := range a.own {
		if !f.held.IsZero() {
			return true
		}
	}
	return false
}

// endHolds ends the holds whose time has come, and what each replaces.
func (w *world) endHolds(a *account, stored map[string]mfa.FactorInfo) {
	for _, f := range a.own {
		now, ok := stored[f.id]
		if f.held.IsZero() || !ok || !now.HeldUntil.IsZero() {
			continue
		}
		if w.latest.Before(f.held) {
			w.fail("authority", "the hold of %s ended before its time", f.id)
		}
		a.lastHold = f.held
		f.held = time.Time{}
		for id, old := range a.own {
			if old.kind == f.kind && old.serial < f.serial {
				delete(a.own, id)
			}
		}
	}
}
