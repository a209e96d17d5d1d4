package policy

import (
	"context"
	"maps"
)

// Scope is the users whom one policy is for: one user type of one tenant. Both may be empty.
type Scope struct{ Tenant, UserType string }

// Source gives the policy of a user type of a tenant. An error is never read as "no policy":
// the operation that needs the policy fails with mfa.ErrUnavailable.
type Source interface {
	// Policy returns the policy. The Manager calls it for every sign-in, from many goroutines
	// at once.
	Policy(ctx context.Context, scope Scope) (Policy, error)
}

// Static returns a Source with one policy for all users. mfa.New checks it.
func Static(p Policy) Source { return byUserType{"": p} }

// ByUserType returns a Source with one policy for each user type. The one under "" holds for
// all other types; without it they get the zero Policy, which requires a factor. mfa.New
// checks them.
func ByUserType(policies map[string]Policy) Source { return byUserType(maps.Clone(policies)) }

type byUserType map[string]Policy

func (s byUserType) Policy(_ context.Context, scope Scope) (Policy, error) {
	if p, ok := s[scope.UserType]; ok {
		return p, nil
	}
	return s[""], nil
}

// Stored returns a Source whose policies a Manager keeps in its own store, one record for each
// tenant. mfa.Manager.SetPolicy changes them at run time, and a change takes effect at the
// user's next sign-in. Where no policy was set, defaults gives it. Each sign-in reads one more
// record.
func Stored(defaults Source) Source { return stored{defaults} }

type stored struct{ Source }

// Stored returns what [Stored] was called with, and whether Policies is a Source that it returned.
// By it, a Manager knows which policies it keeps itself.
func (s Setup) Stored() (defaults Source, ok bool) {
	of, ok := s.Policies.(stored)
	return of.Source, ok
}

// known returns the policies of a source that can be seen before they are used, and whether
// they are all of its policies, except those in a store. The policy of all other user types is
// among them: without one, they get the zero Policy, which must meet the profile too.
func known(s Source) (map[string]Policy, bool) {
	switch s := s.(type) {
	case byUserType:
		all := map[string]Policy{"": {}}
		maps.Copy(all, s)
		return all, true
	case stored:
		return known(s.Source)
	default:
		return nil, false
	}
}
