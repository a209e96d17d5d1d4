package authority

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
)

// cell is one combination of what the user has, what was proven, and what is asked for.
type cell struct {
	has    Holding
	proven Proof
	asked  Request
}

func (c cell) decide() (Permission, error) { return c.has.Permit(c.proven, c.asked) }

func (c cell) permitted() bool {
	_, err := c.decide()
	return err == nil
}

// having returns the cell with another holding.
func (c cell) having(own []OwnFactor) cell {
	c.has.Own = own
	return c
}

// cells are all combinations of up to two factors of the user's own, in every state, with
// every proof and every request.
func cells(yield func(cell) bool) {
	for _, has := range holdings() {
		for _, p := range proofsFor(has) {
			for _, q := range requests(has) {
				if !yield(cell{has, p, q}) {
					return
				}
			}
		}
	}
}

func states(id, kind string) (list []OwnFactor) {
	for level := factor.LevelWeak; level <= factor.LevelPhishingResistant; level++ {
		for bits := range 8 {
			list = append(list, OwnFactor{ID: id, Kind: kind, Level: level,
				Known: bits&1 == 0, Allowed: bits&2 == 0, Held: bits&4 != 0})
		}
		list = append(list, OwnFactor{ID: id, Kind: kind, Level: level, Known: true, Allowed: true,
			Outdated: true})
	}
	return list
}

func holdings() (list []Holding) {
	for implied := ImpliedNone; implied <= ImpliedUndeliverable; implied++ {
		list = append(list, Holding{Implied: implied})
	}
	for _, a := range states("a", "app") {
		list = append(list, Holding{Own: []OwnFactor{a}})
		for _, b := range append(states("b", "key"), states("b", "app")...) {
			list = append(list, Holding{Own: []OwnFactor{a, b}})
		}
	}
	return list
}

func proofsFor(has Holding) (list []Proof) {
	added := [][]string{nil}
	for _, f := range has.Own {
		added = append(added, []string{f.ID})
	}
	if len(has.Own) == 2 {
		added = append(added, []string{"a", "b"})
	}
	for _, ids := range added {
		list = append(list, Proof{Origin: OriginFirst, Added: ids}, Proof{Origin: OriginRecovery,
			Added: ids},
			Proof{Origin: OriginImplied, Level: factor.LevelWeak, Added: ids})
		for level := factor.LevelWeak; level <= factor.LevelPhishingResistant; level++ {
			list = append(list, Proof{Origin: OriginOwn, Level: level, Added: ids})
		}
	}
	return list
}

func requests(has Holding) []Request {
	list := []Request{{Act: ActEnrollRecovery}, {Act: ActManage}, {Act: ActMoveAddress},
		{Act: ActAdminister}}
	for _, kind := range []string{"app", "key", "other"} {
		list = append(list, Request{Act: ActEnroll, Kind: kind})
	}
	for _, f := range append(slices.Clone(has.Own), OwnFactor{ID: "codes"}) {
		list = append(list, Request{Act: ActRemove, Target: f.ID}, Request{Act: ActRename,
			Target: f.ID})
	}
	return list
}

// TestAuthority_Rules checks the rules of the documents one by one over all cells. Each is
// written from docs/architecture.md and knows nothing of how permit decides.
func TestAuthority_Rules(t *testing.T) {
	before := func(c cell) []OwnFactor { return c.has.without(c.proven.Added) }
	setUpByIt := func(c cell) bool { // all there is was set up by this very proof
		held := slices.ContainsFunc(c.has.Own, func(f OwnFactor) bool { return f.Held })
		return len(before(c)) == 0 && len(c.has.Own) > 0 && !held
	}
	heldTarget := func(c cell) bool {
		return slices.ContainsFunc(c.has.Own, func(f OwnFactor) bool {
			return f.Held && f.ID == c.asked.Target
		})
	}
	addedTarget := func(c cell) bool { return slices.Contains(c.proven.Added, c.asked.Target) }
	known := func(c cell) bool {
		return !slices.ContainsFunc(c.has.Own, func(f OwnFactor) bool { return !f.Known })
	}
	oldLevel := func(c cell) (n factor.Level) {
		for _, f := range before(c) {
			switch {
			case f.Held:
			case f.Outdated && f.Level == factor.LevelPhishingResistant:
				n = max(n, factor.LevelStrong) // a proof by an app suffices to enrol it anew
			default:
				n = max(n, f.Level)
			}
		}
		return n
	}
	rules := map[string]func(c cell) error{
		"a kind that is not known is an error for everything": func(c cell) error {
			if _, err := c.decide(); !known(c) && !errors.Is(err, ErrKindNotConfigured) {
				return err
			}
			return nil
		},
		"a first factor changes nothing for a user who has more": func(c cell) error {
			if c.proven.Origin == OriginFirst && len(c.has.Own) > 0 && !setUpByIt(c) &&
				c.permitted() {
				return errors.New("permitted")
			}
			return nil
		},
		"a first factor opens a first enrolment, another address and administration, for a user who has nothing": func(c cell) error {
			may := slices.Contains([]Act{ActEnroll, ActMoveAddress, ActAdminister}, c.asked.Act)
			if c.proven.Origin == OriginFirst && len(c.has.Own) == 0 && c.permitted() != (may &&
				c.has.Implied == ImpliedNone) {
				return errors.New("wrong")
			}
			return nil
		},
		"an address that no message reaches is an error and never an enrolment": func(
			c cell) error {
			_, err := c.decide()
			if c.has.Implied == ImpliedUndeliverable && c.proven.Origin == OriginFirst &&
				c.asked.Act == ActEnroll &&
				!errors.Is(err, factor.ErrUndeliverable) {
				return errors.New("not the error")
			}
			return nil
		},
		"the address of record moves by what changes everything, or where there is nothing": func(
			c cell) error {
			nothing := len(c.has.Own) == 0 && c.has.Implied == ImpliedNone
			moves := c.asked.Act == ActMoveAddress && c.permitted()
			c.asked.Act = ActManage
			if moves && !c.permitted() && (c.proven.Origin != OriginFirst || !nothing) {
				return errors.New("permitted")
			}
			return nil
		},
		"recovery codes come beside a factor of the user's own": func(c cell) error {
			if c.asked.Act == ActEnrollRecovery && len(c.has.Own) == 0 && c.permitted() {
				return errors.New("permitted")
			}
			return nil
		},
		"a proof below the highest level cancels a recovery, enrols when all is banned, and no more": func(c cell) error {
			low := c.proven.Origin == OriginOwn || c.proven.Origin == OriginImplied
			if !low || len(before(c)) == 0 || c.proven.Level >= oldLevel(c) || !c.permitted() {
				return nil
			}
			cancels := c.asked.Act == ActRemove && heldTarget(c) && c.proven.Origin == OriginOwn
			enrols := c.asked.Act == ActEnroll && !anyAllowed(c.has.Own) &&
				c.proven.Origin == OriginOwn
			if !cancels && !enrols {
				return errors.New("permitted")
			}
			return nil
		},
		"a proof at the highest level of a user with an allowed factor permits everything": func(
			c cell) error {
			if known(c) && c.proven.Origin == OriginOwn && len(before(c)) > 0 &&
				anyAllowed(c.has.Own) &&
				c.proven.Level >= oldLevel(c) && !c.permitted() {
				return errors.New("refused")
			}
			return nil
		},
		"where the policy bans all, an own factor is a proof for enrolling and for cancelling only": func(c cell) error {
			if c.proven.Origin != OriginOwn || len(c.has.Own) == 0 || anyAllowed(c.has.Own) ||
				setUpByIt(c) || !known(c) {
				return nil
			}
			enrols := c.asked.Act == ActEnroll
			cancels := c.asked.Act == ActRemove && heldTarget(c) && !addedTarget(c)
			if c.permitted() != (enrols || cancels) {
				return errors.New("wrong")
			}
			return nil
		},
		"a recovery changes nothing that was there before": func(c cell) error {
			if c.proven.Origin != OriginRecovery || len(c.has.Own) == 0 || setUpByIt(c) ||
				!c.permitted() {
				return nil
			}
			switch c.asked.Act {
			case ActEnroll:
				if p, _ := c.decide(); !p.Hold {
					return errors.New("enrols without a hold")
				}
				return nil
			case ActRemove, ActRename:
				if heldTarget(c) || addedTarget(c) {
					return nil
				}
			}
			return errors.New("permitted")
		},
		"a recovery enrols the kind that was lost, and no other while one is allowed": func(
			c cell) error {
			if c.proven.Origin != OriginRecovery || c.asked.Act != ActEnroll ||
				len(before(c)) == 0 || !known(c) {
				return nil
			}
			lost := slices.ContainsFunc(before(c), func(f OwnFactor) bool {
				return f.Allowed && !f.Held && f.Kind == c.asked.Kind
			})
			if c.permitted() != (lost || !anyAllowed(before(c))) {
				return errors.New("wrong")
			}
			return nil
		},
		"nothing but a recovery is put on hold": func(c cell) error {
			if p, err := c.decide(); err == nil && p.Hold && c.proven.Origin != OriginRecovery {
				return errors.New("held")
			}
			return nil
		},
		"a policy that bans more permits no more, but to enrol": func(c cell) error {
			if c.permitted() || c.asked.Act == ActEnroll {
				return nil
			}
			for i, f := range c.has.Own {
				own := slices.Clone(c.has.Own)
				own[i].Allowed = false
				if f.Allowed && c.having(own).permitted() {
					return fmt.Errorf("permitted without %s", f.ID)
				}
			}
			return nil
		},
		"a factor that is outdated is no reason for a weak proof to permit more": func(
			c cell) error {
			weak := c.proven.Level == factor.LevelWeak
			for i, f := range c.has.Own {
				own := slices.Clone(c.has.Own)
				own[i].Outdated = false
				if f.Outdated && weak && c.permitted() && !c.having(own).permitted() {
					return fmt.Errorf("permitted since %s is outdated", f.ID)
				}
			}
			return nil
		},
		"a higher level permits no less": func(c cell) error {
			if c.proven.Origin != OriginOwn || !c.permitted() {
				return nil
			}
			most := factor.LevelPhishingResistant
			for c.proven.Level++; c.proven.Level <= most; c.proven.Level++ {
				if !c.permitted() {
					return errors.New("refused")
				}
			}
			return nil
		},
		"a replacement on hold takes nothing away from older factors": func(c cell) error {
			if len(c.has.Own) != 1 || c.has.Own[0].Held || !c.permitted() ||
				c.proven.Origin == OriginFirst ||
				c.proven.Origin == OriginRecovery || len(c.proven.Added) > 0 {
				return nil
			}
			h := OwnFactor{ID: "h", Kind: "key", Level: factor.LevelPhishingResistant, Known: true,
				Allowed: true, Held: true}
			if !c.having(append(slices.Clone(c.has.Own), h)).permitted() {
				return errors.New("refused")
			}
			return nil
		},
	}
	n, broken := 0, map[string]error{} // by rule, in the first cell
	for c := range cells {
		n++
		for name, rule := range rules {
			if err := rule(c); err != nil && broken[name] == nil {
				broken[name] = fmt.Errorf("%+v: %w", c, err)
			}
		}
	}
	require.Greater(t, n, 100_000)
	for name := range rules {
		t.Run(name, func(t *testing.T) { require.NoError(t, broken[name]) })
	}
}

// A recovery removes what it has enrolled itself, and nothing that was there before.
func TestPermit_RecoveryRemovesWhatItEnrolled(t *testing.T) {
	has := Holding{Own: []OwnFactor{
		{ID: "old", Kind: "app", Level: factor.LevelStrong, Known: true, Allowed: true},
		{ID: "new", Kind: "app", Level: factor.LevelStrong, Known: true, Allowed: true}}}
	p := Proof{Origin: OriginRecovery, Added: []string{"new"}}
	if _, err := has.Permit(p, Request{Act: ActRemove, Target: "new"}); err != nil {
		t.Error(err)
	}
	if _, err := has.Permit(p, Request{Act: ActRemove, Target: "old"}); err == nil {
		t.Error("it removes what was there before")
	}
}
