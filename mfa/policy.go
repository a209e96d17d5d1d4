package mfa

import (
	"context"
	"time"
)

// Mode says who is asked for a second factor.
type Mode string

const (
	// Off: nobody is asked. Factors stay enrolled.
	Off Mode = "off"
	// Optional: those who enrolled one are asked. The zero value of Mode means Required.
	Optional Mode = "optional"
	// Required: everybody is asked, and who has none must enrol.
	Required Mode = "required"
)

// Policy is what one user type of one tenant must do. The zero value requires a second
// factor, of any kind the Manager has, and remembers no device.
type Policy struct {
	// Mode defaults to Required.
	Mode Mode `json:"mode"`
	// Kinds are the kinds allowed; empty means every kind the Manager has. Recovery kinds
	// are allowed beside any other.
	Kinds []string `json:"kinds,omitempty"`
	// Default is the kind offered first to people who have several.
	Default string `json:"default,omitempty"`
	// Implicit are kinds that a person has without enrolling where the application vouches
	// for the address (Subject.EmailConfirmed): with "email", everybody is asked by e-mail
	// unless they choose better.
	Implicit []string `json:"implicit,omitempty"`
	// KeepImplicit goes on offering implicit kinds to people who have enrolled another
	// factor. A mailbox is usually the weaker lock, so most want this false.
	KeepImplicit bool `json:"keep_implicit,omitempty"`
	// Passwordless lets people sign in by a factor that says who they are and proves two things
	// at once, a passkey with a PIN or a fingerprint, without the application's password.
	// Nothing else is asked of them then, whatever Mode says.
	Passwordless bool `json:"passwordless,omitempty"`
	// EnrollBy lets people who have no factor in until then; zero means no grace.
	EnrollBy time.Time `json:"enroll_by,omitzero"`
	// MaxAge is how fresh a verification must be for what the application guards with
	// RequireRecent when it names no age itself; 0 means 5 minutes.
	MaxAge time.Duration `json:"max_age,omitempty"`
	// RecoveryHold is how long a replacement that a recovery enrolled signs in and changes
	// nothing that was there before. Defaults to 24 hours. Must be between 1 hour and 30 days.
	RecoveryHold time.Duration `json:"recovery_hold,omitempty"`
	// Remember is how long a device may be remembered after a sign-in, and let the person in
	// without a second factor; 0 means never, and at most 90 days are allowed. A shorter time
	// also holds for the devices that are remembered already.
	Remember time.Duration `json:"remember,omitempty"`
}

const (
	defaultMaxAge       = 5 * time.Minute
	defaultRecoveryHold = 24 * time.Hour
	minRecoveryHold     = time.Hour
	maxRecoveryHold     = 30 * 24 * time.Hour
)

// PolicySource gives the policy of a user type. An error is never read as "no policy": the
// operation fails with ErrUnavailable.
type PolicySource interface {
	Policy(ctx context.Context, tenant, userType string) (Policy, error)
}
