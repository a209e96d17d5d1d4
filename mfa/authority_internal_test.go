package mfa

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
)

// cell is one combination of what the user has, what was proven, and what is asked for.
type cell struct {
	has    holding
	proven proof
	asked  request
}

func (c cell) decide() (permission, error) { return c.has.permit(c.proven, c.asked) }

func (c cell) permitted() bool {
	_, err := c.decide()
	return err == nil
}

// having returns the cell with another holding.
func (c cell) having(own []ownFactor) cell {
	c.has.own = own
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

func states(id, kind string) (list []ownFactor) {
	for level := factor.LevelWeak; level <= factor.LevelPhishingResistant; level++ {
		for bits := range 8 {
			list = append(list, ownFactor{id: id, kind: kind, level: level,
				known: bits&1 == 0, allowed: bits&2 == 0, held: bits&4 != 0})
		}
	}
	return list
}

func holdings() (list []holding) {
	for implied := impliedNone; implied <= impliedUndeliverable; implied++ {
		list = append(list, holding{implied: implied})
	}
	for _, a := range states("a", "app") {
		list = append(list, holding{own: []ownFactor{a}})
		for _, b := range append(states("b", "key"), states("b", "app")...) {
			list = append(list, holding{own: []ownFactor{a, b}})
		}
	}
	return list
}

func proofsFor(has holding) (list []proof) {
	added := [][]string{nil}
	for _, f := range has.own {
		added = append(added, []string{f.id})
	}
	if len(has.own) == 2 {
		added = append(added, []string{"a", "b"})
	}
	for _, ids := range added {
		list = append(list, proof{Origin: originFirst, Added: ids}, proof{Origin: originRecovery, Added: ids},
			proof{Origin: originImplied, Level: factor.LevelWeak, Added: ids})
		for level := factor.LevelWeak; level <= factor.LevelPhishingResistant; level++ {
			list = append(list, proof{Origin: originOwn, Level: level, Added: ids})
		}
	}
	return list
}

func requests(has holding) []request {
	list := []request{{act: actEnrollRecovery}, {act: actManage}, {act: actAdminister}}
	for _, kind := range []string{"app", "key", "other"} {
		list = append(list, request{act: actEnroll, kind: kind})
	}
	for _, f := range append(slices.Clone(has.own), ownFactor{id: "codes"}) {
		list = append(list, request{act: actRemove, target: f.id}, request{act: actRename, target: f.id})
	}
	return list
}

// TestAuthority_Rules checks the rules of the documents one by one over all cells. Each is
// written from docs/architecture.md and knows nothing of how permit decides.
func TestAuthority_Rules(t *testing.T) {
	before := func(c cell) []ownFactor { return c.has.without(c.proven.Added) }
	setUpByIt := func(c cell) bool { // all there is was set up by this very proof
		return len(before(c)) == 0 && len(c.has.own) > 0 && !anyHeld(c.has.own)
	}
	heldTarget := func(c cell) bool {
		return slices.ContainsFunc(c.has.own, func(f ownFactor) bool { return f.held && f.id == c.asked.target })
	}
	addedTarget := func(c cell) bool { return slices.Contains(c.proven.Added, c.asked.target) }
	known := func(c cell) bool { return !slices.ContainsFunc(c.has.own, func(f ownFactor) bool { return !f.known }) }
	oldLevel := func(c cell) (n factor.Level) {
		for _, f := range before(c) {
			if !f.held {
				n = max(n, f.level)
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
			if c.proven.Origin == originFirst && len(c.has.own) > 0 && !setUpByIt(c) && c.permitted() {
				return errors.New("permitted")
			}
			return nil
		},
		"a first factor opens a first enrolment, and administration, for a user who has nothing": func(c cell) error {
			may := c.asked.act == actEnroll || c.asked.act == actAdminister
			if c.proven.Origin == originFirst && len(c.has.own) == 0 && c.permitted() != (may && c.has.implied == impliedNone) {
				return errors.New("wrong")
			}
			return nil
		},
		"an address that no message reaches is an error and never an enrolment": func(c cell) error {
			_, err := c.decide()
			if c.has.implied == impliedUndeliverable && c.proven.Origin == originFirst && c.asked.act == actEnroll &&
				!errors.Is(err, factor.ErrUndeliverable) {
				return errors.New("not the error")
			}
			return nil
		},
		"recovery codes come beside a factor of the user's own": func(c cell) error {
			if c.asked.act == actEnrollRecovery && len(c.has.own) == 0 && c.permitted() {
				return errors.New("permitted")
			}
			return nil
		},
		"a proof below the highest level cancels a recovery, enrols when all is banned, and no more": func(c cell) error {
			low := c.proven.Origin == originOwn || c.proven.Origin == originImplied
			if !low || len(before(c)) == 0 || c.proven.Level >= oldLevel(c) || !c.permitted() {
				return nil
			}
			cancels := c.asked.act == actRemove && heldTarget(c) && c.proven.Origin == originOwn
			enrols := c.asked.act == actEnroll && !anyAllowed(c.has.own) && c.proven.Origin == originOwn
			if !cancels && !enrols {
				return errors.New("permitted")
			}
			return nil
		},
		"a proof at the highest level of a user with an allowed factor permits everything": func(c cell) error {
			if known(c) && c.proven.Origin == originOwn && len(before(c)) > 0 && anyAllowed(c.has.own) &&
				c.proven.Level >= oldLevel(c) && !c.permitted() {
				return errors.New("refused")
			}
			return nil
		},
		"where the policy bans all, an own factor is a proof for enrolling and for cancelling only": func(c cell) error {
			if c.proven.Origin != originOwn || len(c.has.own) == 0 || anyAllowed(c.has.own) || setUpByIt(c) || !known(c) {
				return nil
			}
			enrols := c.asked.act == actEnroll
			cancels := c.asked.act == actRemove && heldTarget(c) && !addedTarget(c)
			if c.permitted() != (enrols || cancels) {
				return errors.New("wrong")
			}
			return nil
		},
		"a recovery changes nothing that was there before": func(c cell) error {
			if c.proven.Origin != originRecovery || len(c.has.own) == 0 || setUpByIt(c) || !c.permitted() {
				return nil
			}
			switch c.asked.act {
			case actEnroll:
				if p, _ := c.decide(); !p.hold {
					return errors.New("enrols without a hold")
				}
				return nil
			case actRemove, actRename:
				if heldTarget(c) || addedTarget(c) {
					return nil
				}
			}
			return errors.New("permitted")
		},
		"a recovery enrols the kind that was lost, and no other while one is allowed": func(c cell) error {
			if c.proven.Origin != originRecovery || c.asked.act != actEnroll || len(before(c)) == 0 || !known(c) {
				return nil
			}
			lost := slices.ContainsFunc(before(c), func(f ownFactor) bool { return f.allowed && !f.held && f.kind == c.asked.kind })
			if c.permitted() != (lost || !anyAllowed(before(c))) {
				return errors.New("wrong")
			}
			return nil
		},
		"nothing but a recovery is put on hold": func(c cell) error {
			if p, err := c.decide(); err == nil && p.hold && c.proven.Origin != originRecovery {
				return errors.New("held")
			}
			return nil
		},
		"a policy that bans more permits no more, but to enrol": func(c cell) error {
			if c.permitted() || c.asked.act == actEnroll {
				return nil
			}
			for i, f := range c.has.own {
				own := slices.Clone(c.has.own)
				own[i].allowed = false
				if f.allowed && c.having(own).permitted() {
					return fmt.Errorf("permitted without %s", f.id)
				}
			}
			return nil
		},
		"a higher level permits no less": func(c cell) error {
			if c.proven.Origin != originOwn || !c.permitted() {
				return nil
			}
			for c.proven.Level++; c.proven.Level <= factor.LevelPhishingResistant; c.proven.Level++ {
				if !c.permitted() {
					return errors.New("refused")
				}
			}
			return nil
		},
		"a replacement on hold takes nothing away from older factors": func(c cell) error {
			if len(c.has.own) != 1 || c.has.own[0].held || !c.permitted() || c.proven.Origin == originFirst ||
				c.proven.Origin == originRecovery || len(c.proven.Added) > 0 {
				return nil
			}
			h := ownFactor{id: "h", kind: "key", level: factor.LevelPhishingResistant, known: true, allowed: true, held: true}
			if !c.having(append(slices.Clone(c.has.own), h)).permitted() {
				return errors.New("refused")
			}
			return nil
		},
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			n := 0
			for c := range cells {
				n++
				if err := rule(c); err != nil {
					t.Fatalf("%+v: %v", c, err)
				}
			}
			require.Greater(t, n, 100_000)
		})
	}
}

// TestAuthority_Table compares the table in testdata with what permit decides. It has a row for
// what users have in practice and a column for what they may have proven; read it, and change
// it by hand.
func TestAuthority_Table(t *testing.T) {
	own := func(id, kind string, level factor.Level, allowed bool) ownFactor {
		return ownFactor{id: id, kind: kind, level: level, known: true, allowed: allowed}
	}
	app, sms := own("app", "app", factor.LevelStrong, true), own("sms", "sms", factor.LevelStrong, false)
	pin, key := own("pin", "pin", factor.LevelWeak, true), own("key", "key", factor.LevelPhishingResistant, true)
	held := own("new", "app", factor.LevelStrong, true)
	held.held = true
	strange := own("odd", "odd", 0, true)
	strange.known = false
	has := []struct {
		name string
		holding
	}{
		{"nothing", holding{}},
		{"an implied address", holding{implied: impliedUsable}},
		{"an undeliverable address", holding{implied: impliedUndeliverable}},
		{"a PIN", holding{own: []ownFactor{pin}}},
		{"an app", holding{own: []ownFactor{app}}},
		{"an app and a PIN", holding{own: []ownFactor{app, pin}}},
		{"an app and a passkey", holding{own: []ownFactor{app, key}}},
		{"SMS, banned", holding{own: []ownFactor{sms}}},
		{"SMS, banned, and a PIN", holding{own: []ownFactor{sms, pin}}},
		{"an app and its held replacement", holding{own: []ownFactor{app, held}}},
		{"a passkey and a held app", holding{own: []ownFactor{key, held}}},
		{"an app and an unknown kind", holding{own: []ownFactor{app, strange}}},
	}
	proven := []struct {
		name string
		proof
	}{
		{"first factor", proof{Origin: originFirst}},
		{"first factor, which set up all", proof{Origin: originFirst, Added: []string{"app", "pin", "key", "sms"}}},
		{"implied address", proof{Origin: originImplied, Level: factor.LevelWeak}},
		{"own, weak", proof{Origin: originOwn, Level: factor.LevelWeak}},
		{"own, strong", proof{Origin: originOwn, Level: factor.LevelStrong}},
		{"own, phishing-resistant", proof{Origin: originOwn, Level: factor.LevelPhishingResistant}},
		{"recovery", proof{Origin: originRecovery}},
		{"recovery, which added the replacement", proof{Origin: originRecovery, Added: []string{"new"}}},
	}
	var b strings.Builder
	for _, h := range has {
		fmt.Fprintf(&b, "%s\n", h.name)
		for _, p := range proven {
			fmt.Fprintf(&b, "  %-38s", p.name)
			asked := []request{{act: actEnroll, kind: "app"}, {act: actEnroll, kind: "key"}, {act: actEnrollRecovery},
				{act: actManage}, {act: actAdminister}}
			names := []string{"enrol-app", "enrol-passkey", "recovery-codes", "manage", "administer"}
			for _, f := range h.own {
				asked = append(asked, request{act: actRemove, target: f.id})
				names = append(names, "remove-"+f.id)
			}
			var may []string
			var refusal error
			for i, q := range asked {
				switch got, err := h.permit(p.proof, q); {
				case err != nil && !errors.Is(err, ErrProofRequired):
					refusal = err
				case err != nil:
				case got.hold:
					may = append(may, names[i]+"(held)")
				default:
					may = append(may, names[i])
				}
			}
			switch {
			case len(may) == len(asked):
				may = []string{"everything"}
			case refusal != nil:
				may = append(may, "error: "+refusal.Error())
			case len(may) == 0:
				may = []string{"-"}
			}
			fmt.Fprintln(&b, strings.Join(may, " "))
		}
	}
	path := filepath.Join("testdata", "authority.txt")
	if os.Getenv("UPDATE_AUTHORITY") != "" {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}
