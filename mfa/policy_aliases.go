package mfa

import "github.com/secondgate/secondgate/mfa/policy"

// These names have moved to package policy.
type (
	// Mode is [policy.Mode].
	Mode = policy.Mode
	// Policy is [policy.Policy].
	Policy = policy.Policy
	// PolicySource is [policy.Source].
	PolicySource = policy.Source
	// Profile is [policy.Profile].
	Profile = policy.Profile
	// Finding is [policy.Finding].
	Finding = policy.Finding
)

// These names have moved to package policy.
const (
	Off      = policy.ModeOff
	Optional = policy.ModeOptional
	Required = policy.ModeRequired

	DefaultProfile = policy.ProfileDefault
	NISTAAL2       = policy.ProfileNISTAAL2
	ASVSL2         = policy.ProfileASVSL2
	ASVSL3         = policy.ProfileASVSL3
)

// StaticPolicy is [policy.Static].
func StaticPolicy(p policy.Policy) policy.Source { return policy.Static(p) }

// StaticPolicies is [policy.ByUserType].
func StaticPolicies(byUserType map[string]policy.Policy) policy.Source {
	return policy.ByUserType(byUserType)
}

// StoredPolicies is [policy.Stored].
func StoredPolicies(defaults policy.Source) policy.Source { return policy.Stored(defaults) }
