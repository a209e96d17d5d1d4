package admin

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
)

// This file has what the pages offer as policies, and how they say in words what is set.

// modes are the values of policy.Mode in the order of the pages.
var modes = []policy.Mode{policy.ModeRequired, policy.ModeOptional, policy.ModeOff}

const day = 24 * time.Hour

func daysOf(p policyJSON) int { return int(time.Duration(p.Remember) * time.Second / day) }

// waitOf is how many days users may put off an enrolment, rounded up.
func waitOf(p policyJSON) int {
	return int((time.Duration(p.EnrollWithin)*time.Second + day - 1) / day)
}

// offered are the numbers of a drop-down, with the one that is set.
func offered(set int, usual ...int) []int {
	if !slices.Contains(usual, set) {
		usual = append(usual, set)
		slices.Sort(usual)
	}
	return usual
}

// number reads a number of a form between 0 and most. An empty one is 0.
func number(f url.Values, name string, most int) (int, error) {
	n, err := strconv.Atoi(cmp.Or(f.Get(name), "0"))
	if err != nil || n < 0 || n > most {
		return 0, malformed("%s is not between 0 and %d", name, most)
	}
	return n, nil
}

// fillInTime changes how long users may put off an enrolment.
func fillInTime(p *policyJSON, f url.Values) error {
	days, err := number(f, "within", 90)
	if err != nil {
		return err
	}
	if days != waitOf(*p) { // else it may be no whole number of days
		p.EnrollWithin = int64(days) * int64(day/time.Second)
	}
	p.EnrollSkips, err = number(f, "skips", 100)
	return err
}

// preset is an entry of the drop-down of a policy. It says who is asked and for what; the rest of
// a policy has fields of its own.
type preset struct {
	ID string
	// Text is the key of its text; Kind is set instead where one kind alone is allowed.
	Text, Kind string
	mode       policy.Mode
	implicit   []string
}

// custom is the entry with which the check boxes count.
const custom = "custom"

// presets are the entries: the usual policies, and each kind alone.
func (v *visit) presets() []preset {
	kinds := v.ordinaryKinds()
	var list []preset
	if slices.Contains(kinds, kindEmail) {
		list = append(list, preset{ID: "email", Text: "admin.policy.preset.email",
			mode: policy.ModeRequired, implicit: []string{kindEmail}})
	}
	list = append(list, preset{ID: "own", Text: "admin.policy.preset.own",
		mode: policy.ModeRequired})
	for _, k := range kinds {
		list = append(list, preset{ID: "only-" + k, Kind: k, mode: policy.ModeRequired})
	}
	return append(list,
		preset{ID: "optional", Text: "admin.policy.optional", mode: policy.ModeOptional},
		preset{ID: "off", Text: "admin.policy.off", mode: policy.ModeOff})
}

// ordinaryKinds are the configured kinds that are not for recovery.
func (v *visit) ordinaryKinds() []string {
	return slices.DeleteFunc(slices.Clone(v.h.cfg.Manager.Kinds()), func(k string) bool {
		return slices.Contains(recoveryKinds, k)
	})
}

// presetOf returns the ID of the entry that says what p says, or custom.
func (v *visit) presetOf(p policyJSON) string {
	kinds := p.Kinds
	if v.all(kinds) {
		kinds = nil
	}
	for _, c := range v.presets() {
		var only []string
		if c.Kind != "" {
			only = []string{c.Kind}
		}
		if p.Mode == c.mode && slices.Equal(kinds, only) && slices.Equal(p.Implicit, c.implicit) {
			return c.ID
		}
	}
	return custom
}

// all reports whether a list allows every kind, or is empty.
func (v *visit) all(kinds []string) bool {
	for _, k := range v.ordinaryKinds() {
		if len(kinds) > 0 && !slices.Contains(kinds, k) {
			return false
		}
	}
	return true
}

// combine fills in who is asked and for what: as the chosen entry says, or as the check boxes do.
func (v *visit) combine(p *policyJSON, f url.Values) error {
	chosen := cmp.Or(f.Get("preset"), custom)
	if chosen == custom {
		p.Mode, p.Kinds, p.Implicit = policy.Mode(f.Get("mode")), f["kind"], f["implicit"]
		if len(p.Kinds) == 0 {
			return malformed("no kind is allowed")
		}
		if v.all(p.Kinds) {
			p.Kinds = nil // all, also those to come
		}
		return nil
	}
	list := v.presets()
	i := slices.IndexFunc(list, func(c preset) bool { return c.ID == chosen })
	if i < 0 {
		return malformed("the entry is not one")
	}
	p.Mode, p.Kinds, p.Implicit = list[i].mode, nil, list[i].implicit
	if list[i].Kind != "" {
		p.Kinds = []string{list[i].Kind}
	}
	return nil
}

// typePolicy is the policy of a user type, for the block "policy".
type typePolicy struct {
	Type   string
	Policy policyJSON
	Days   int
	Wait   int // in days
	// Only is the one kind that is required and allowed, or "".
	Only string
	// Implicit says that codes go to addresses without an enrolment.
	Implicit bool
	// Fresh and Hold are in seconds, and 0 for the defaults.
	Fresh, Hold int
}

func typePolicyOf(userType string, p policyJSON) typePolicy {
	usual := policyOf(policy.Policy{}.WithDefaults())
	out := typePolicy{Type: userType, Policy: p, Days: daysOf(p), Wait: waitOf(p),
		Implicit: len(p.Implicit) > 0}
	if p.Mode == policy.ModeRequired && len(p.Kinds) == 1 && !out.Implicit {
		out.Only = p.Kinds[0]
	}
	if p.MaxAge != usual.MaxAge {
		out.Fresh = int(p.MaxAge)
	}
	if p.RecoveryHold != usual.RecoveryHold {
		out.Hold = int(p.RecoveryHold)
	}
	return out
}

// proposedWords is what a proposal would set, for each user type.
func (v *visit) proposedWords(in proposal) (list []typePolicy, err error) {
	set, err := v.resolve(in)
	if err != nil {
		return nil, err
	}
	for _, p := range set {
		words := typePolicyOf(p.userType, policyOf(p.policy.WithDefaults()))
		list = append(list, words)
	}
	if in.Policy != nil && len(in.Types) == 0 && len(list) > 1 { // the same for all
		list = list[:1]
		list[0].Type = ""
	}
	return list, nil
}
