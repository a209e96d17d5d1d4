package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// StoredPolicy is one policy that a Manager keeps for a [Stored] Source.
type StoredPolicy struct {
	Scope
	Policy Policy
}

// Audit holds the configuration and its policies to a profile, which need not be
// Setup.Profile, and returns what it finds: first the rows that are broken, then advice. The
// caller passes the policies that are in the store. If the policies come from a Source of the
// application, one finding says that they cannot be seen. An error wraps [ErrInvalid]: the
// profile does not exist.
func (s Setup) Audit(p Profile, now time.Time, stored ...StoredPolicy) ([]Finding, error) {
	p, err := p.check()
	if err != nil {
		return nil, err
	}
	a := s.audit(p, now)
	a.all()
	for _, of := range stored {
		a.policy(of.Policy, fmt.Sprintf("policy of user type %q of tenant %q", of.UserType,
			of.Tenant))
	}
	if _, ok := known(a.Policies); !ok {
		a.unseen()
	}
	a.exceptions()
	slices.SortStableFunc(a.found, func(x, y Finding) int {
		switch {
		case x.Advice == y.Advice:
			return 0
		case y.Advice:
			return -1
		default:
			return 1
		}
	})
	return a.found, nil
}

// audit is one walk over a configuration. rows.go has what it looks for.
type audit struct {
	Setup
	profile Profile
	now     time.Time
	found   []Finding
}

func (s Setup) audit(p Profile, now time.Time) *audit {
	if s.Policies == nil {
		s.Policies = Static(Policy{})
	}
	return &audit{Setup: s, profile: p, now: now}
}

// all looks at everything that is known without a store.
func (a *audit) all() {
	a.settings()
	for _, f := range a.Factors {
		if f.Traits().Recovery {
			a.recovery(f)
		}
	}
	policies, _ := known(a.Policies)
	for _, userType := range slices.Sorted(maps.Keys(policies)) {
		where := fmt.Sprintf("policy of user type %q", userType)
		if userType == "" {
			where = "policy of all other user types"
		}
		a.policy(policies[userType], where)
	}
}

// broken returns an error that names every row that is broken, advice aside, or nil.
func (a *audit) broken() error {
	var rows, texts []string
	for _, f := range a.found {
		if f.Advice {
			continue
		}
		if !slices.Contains(rows, f.Row) {
			rows = append(rows, f.Row)
		}
		texts = append(texts, f.Row+", "+f.Where+": "+f.Problem+"; "+f.Remedy)
	}
	if rows == nil {
		return nil
	}
	return invalidf("profile %s is broken in %s: %s",
		a.profile, strings.Join(rows, ", "), strings.Join(texts, ". "))
}

// rows names the requirement that one fault breaks under each profile, "" for none. Without a
// strict profile it is advice. What breaks level 2 of NIST breaks level 3.
type rows struct{ plain, nist, l2, l3 string }

func (a *audit) row(r rows) string {
	switch a.profile {
	case ProfileNISTAAL2, ProfileNISTAAL3:
		return r.nist
	case ProfileASVSL2:
		return r.l2
	case ProfileASVSL3:
		return r.l3
	case ProfilePCIDSS4:
		return ""
	default:
		return r.plain
	}
}

// findIn finds what breaks a row of one profile alone, and adviseIn what that profile recommends.
func (a *audit) findIn(p Profile, row, where, problem, remedy string) {
	if a.profile == p {
		a.add(Finding{Row: row, Where: where, Problem: problem, Remedy: remedy})
	}
}

func (a *audit) adviseIn(p Profile, row, where, problem, remedy string) {
	if a.profile == p {
		a.add(Finding{Row: row, Where: where, Problem: problem, Remedy: remedy, Advice: true})
	}
}

func (a *audit) find(r rows, where, problem, remedy string) {
	a.add(Finding{Row: a.row(r), Where: where, Problem: problem, Remedy: remedy,
		Advice: !a.profile.Strict()})
}

func (a *audit) advise(r rows, where, problem, remedy string) {
	a.add(Finding{Row: a.row(r), Where: where, Problem: problem, Remedy: remedy, Advice: true})
}

func (a *audit) add(f Finding) {
	// Two policies that allow a kind do not report its settings twice.
	if f.Row != "" && !slices.Contains(a.found, f) {
		a.found = append(a.found, f)
	}
}
