package admin

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// policyJSON is a policy.Policy. Durations are in seconds.
type policyJSON struct {
	Mode              policy.Mode `json:"mode"`
	Kinds             []string    `json:"kinds"`
	Default           string      `json:"default"`
	Implicit          []string    `json:"implicit"`
	KeepImplicit      bool        `json:"keep_implicit"`
	Passwordless      bool        `json:"passwordless"`
	NoDowngrade       bool        `json:"no_downgrade"`
	DeviceBound       bool        `json:"device_bound"`
	Hardware          bool        `json:"hardware"`
	Certified         string      `json:"certified"`
	Attestation       string      `json:"attestation"`
	EnrollBy          *time.Time  `json:"enroll_by,omitempty"`
	EnrollWithin      int64       `json:"enroll_within"`
	EnrollSkips       int         `json:"enroll_skips"`
	MaxAge            int64       `json:"max_age"`
	RecoveryHold      int64       `json:"recovery_hold"`
	Remember          int64       `json:"remember"`
	SkipRecoveryCodes bool        `json:"skip_recovery_codes"`
	AskBeforeSending  bool        `json:"ask_before_sending"`
}

func policyOf(p policy.Policy) policyJSON {
	out := policyJSON{Mode: p.Mode, Kinds: append([]string{}, p.Kinds...), Default: p.Default,
		Implicit: append([]string{}, p.Implicit...), KeepImplicit: p.KeepImplicit,
		Passwordless: p.Passwordless, NoDowngrade: p.NoDowngrade,
		DeviceBound: p.DeviceBound, Hardware: p.Hardware, Certified: p.Certified,
		Attestation:       p.Attestation,
		MaxAge:            int64(p.MaxAge / time.Second),
		RecoveryHold:      int64(p.RecoveryHold / time.Second),
		Remember:          int64(p.Remember / time.Second),
		SkipRecoveryCodes: p.SkipRecoveryCodes, AskBeforeSending: p.AskBeforeSending,
		EnrollWithin: int64(p.EnrollWithin / time.Second), EnrollSkips: p.EnrollSkips}
	if !p.EnrollBy.IsZero() {
		out.EnrollBy = &p.EnrollBy
	}
	return out
}

// maxSeconds bounds a duration of a policy: more is refused anyway, and must not overflow.
const maxSeconds = 10 * 365 * 24 * 3600

// policy returns the policy that was sent. Mode must be there, because an empty one would mean
// "required" without saying so.
func (p *policyJSON) policy() (policy.Policy, error) {
	if p == nil || p.Mode == "" {
		return policy.Policy{}, malformed("the policy has no mode")
	}
	for _, n := range []int64{p.MaxAge, p.RecoveryHold, p.Remember, p.EnrollWithin} {
		if n < 0 || n > maxSeconds {
			return policy.Policy{}, malformed("a duration is out of bounds")
		}
	}
	out := policy.Policy{Mode: p.Mode, Kinds: p.Kinds, Default: p.Default, Implicit: p.Implicit,
		KeepImplicit: p.KeepImplicit, Passwordless: p.Passwordless,
		NoDowngrade: p.NoDowngrade, DeviceBound: p.DeviceBound, Hardware: p.Hardware,
		Certified: p.Certified, Attestation: p.Attestation,
		MaxAge:       time.Duration(p.MaxAge) * time.Second,
		RecoveryHold: time.Duration(p.RecoveryHold) * time.Second,
		Remember:     time.Duration(p.Remember) * time.Second,

		SkipRecoveryCodes: p.SkipRecoveryCodes, AskBeforeSending: p.AskBeforeSending,
		EnrollWithin: time.Duration(p.EnrollWithin) * time.Second, EnrollSkips: p.EnrollSkips}
	if p.EnrollBy != nil {
		out.EnrollBy = *p.EnrollBy
	}
	return out, nil
}

// mayViewPolicy asks the application whether the administrator may see the tenant's policies.
func (v *visit) mayViewPolicy() error {
	return v.viewer.Allowed(v.ctx, "view-policy", mfa.User{Tenant: v.tenant})
}

// policies has what the administrator sees of the policies of a tenant.
func (v *visit) policies() (map[string]policyJSON, error) {
	if err := v.mayViewPolicy(); err != nil {
		return nil, err
	}
	list := make(map[string]policyJSON, len(v.h.cfg.UserTypes))
	for _, t := range v.h.cfg.UserTypes {
		p, err := v.h.cfg.Manager.Policy(v.ctx, policy.Scope{Tenant: v.tenant, UserType: t})
		if err != nil {
			return nil, err
		}
		list[t] = policyOf(p)
	}
	return list, nil
}

func getPolicies(v *visit) error {
	list, err := v.policies()
	if err != nil {
		return err
	}
	return v.ok(struct {
		Policies map[string]policyJSON `json:"policies"`
		Kinds    []string              `json:"kinds"`
	}{list, append([]string{}, v.h.cfg.Manager.Kinds()...)})
}

// proposal is a policy for some user types, or without types for all.
type proposal struct {
	Types  []string    `json:"types"`
	Policy *policyJSON `json:"policy"`
	// Mode is sent in place of Policy: the user types keep the rest of what they have.
	Mode policy.Mode `json:"mode"`
	// Reason is for PUT, and Cursor for a preview.
	Reason string `json:"reason"`
	Cursor string `json:"cursor"`
}

// types returns the user types that the proposal is for.
func (v *visit) types(p proposal) ([]string, error) {
	if len(p.Types) == 0 {
		return v.h.cfg.UserTypes, nil
	}
	for i, t := range p.Types {
		if !slices.Contains(v.h.cfg.UserTypes, t) || slices.Contains(p.Types[:i], t) {
			return nil, malformed("a user type is unknown, or is there twice")
		}
	}
	return p.Types, nil
}

// proposedPolicy is what a proposal sets for one user type.
type proposedPolicy struct {
	userType string
	policy   policy.Policy
}

// resolve returns what a proposal sets for each of its user types.
func (v *visit) resolve(in proposal) (set []proposedPolicy, err error) {
	types, err := v.types(in)
	if err != nil {
		return nil, err
	}
	if (in.Policy == nil) == (in.Mode == "") {
		return nil, malformed("there is either a policy or a mode")
	}
	for _, t := range types {
		p := proposedPolicy{userType: t}
		if in.Policy != nil {
			p.policy, err = in.Policy.policy()
		} else if err = v.mayViewPolicy(); err == nil {
			p.policy, err = v.h.cfg.Manager.Policy(v.ctx, policy.Scope{Tenant: v.tenant,
				UserType: t})
			p.policy.Mode = in.Mode
		}
		if err != nil {
			return nil, err
		}
		set = append(set, p)
	}
	return set, nil
}

// putPolicies replaces the policies of some user types, or of all. It applies from each user's
// next sign-in. After an error, those of the types before the one that failed are set.
func putPolicies(v *visit) error {
	var in proposal
	if err := v.read(&in); err != nil {
		return err
	}
	if err := v.setPolicies(in); err != nil {
		return err
	}
	return getPolicies(v)
}

func (v *visit) setPolicies(in proposal) error {
	set, err := v.resolve(in)
	if err != nil {
		return err
	}
	by, err := v.acting(in.Reason)
	if err != nil {
		return err
	}
	for _, p := range set {
		err := by.SetPolicy(v.ctx, policy.StoredPolicy{
			Scope: policy.Scope{Tenant: v.tenant, UserType: p.userType}, Policy: p.policy})
		if err != nil {
			return err
		}
	}
	return nil
}

// previewJSON counts users by what their next sign-in would need.
type previewJSON struct {
	// Users is how many the policy is for. Of these, Done are asked for nothing, Verify respond
	// with what they have, and Enroll would have to enrol a factor that the policy allows: Barred
	// of these have factors, and none that the policy allows. Failed could not sign in, or have a
	// record that cannot be read.
	Users  int `json:"users"`
	Done   int `json:"done"`
	Verify int `json:"verify"`
	Enroll int `json:"enroll"`
	Barred int `json:"barred"`
	Failed int `json:"failed"`
	walked
}

// postPreview counts, for a part of the users, what a policy would change, and changes nothing.
func postPreview(v *visit) error {
	var in proposal
	if err := v.mayList(); err != nil {
		return err
	}
	if err := v.read(&in); err != nil {
		return err
	}
	out, err := v.preview(in)
	if err != nil {
		return err
	}
	return v.ok(out)
}

func (v *visit) preview(in proposal) (previewJSON, error) {
	var out previewJSON
	set, err := v.resolve(in)
	if err != nil {
		return out, err
	}
	if len(in.Cursor) > maxCursor || !plain(in.Cursor) {
		return out, malformed("the cursor is not one")
	}
	q := Query{Tenant: v.tenant, Cursor: in.Cursor}
	if len(set) == 1 {
		q.UserType = set[0].userType
	}
	out.walked, err = v.walk(step{q, maxExamined, maxExamined, v.search},
		func(e Entry) (bool, error) {
			i := slices.IndexFunc(set, func(p proposedPolicy) bool {
				return p.userType == e.User.UserType
			})
			if i < 0 {
				return false, nil
			}
			next, err := v.viewer.Preview(v.ctx, e.User, set[i].policy)
			if err == nil && next == mfa.NextEnroll {
				var has bool
				if has, err = v.hasMethod(e.User); err == nil && has {
					out.Barred++
				}
			}
			return true, out.count(next, err)
		})
	return out, err
}

// hasMethod reports whether a user has a factor other than a recovery kind, or an address that
// codes go to.
func (v *visit) hasMethod(u mfa.User) (bool, error) {
	o, err := v.h.cfg.Manager.Overview(v.ctx, u)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool { return !f.Recovery }), nil
}

// count adds a user whose next sign-in would need what Preview has returned. It returns an error
// that is not about the user alone.
func (out *previewJSON) count(next mfa.Next, err error) error {
	if errors.Is(err, policy.ErrInvalid) || errors.Is(err, mfa.ErrForbidden) {
		return err
	}
	out.Users++
	switch {
	case err != nil && (errors.Is(err, mfa.ErrKindNotConfigured) ||
		errors.Is(err, factor.ErrUndeliverable) || errors.Is(err, mfa.ErrNotAvailable) ||
		errors.Is(err, mfa.ErrRecordMissing) || errors.Is(err, mfa.ErrUnavailable)):
		out.Failed++
	case err != nil:
		return fmt.Errorf("admin: a preview: %w", err)
	case next == mfa.NextDone:
		out.Done++
	case next == mfa.NextVerify:
		out.Verify++
	case next == mfa.NextEnroll:
		out.Enroll++
	}
	return nil
}
