package policy

import (
	"slices"
	"time"
)

// Mode says which users are asked for a second factor.
type Mode string

const (
	// ModeOff asks no user. Factors stay enrolled.
	ModeOff Mode = "off"
	// ModeOptional asks the users who enrolled a factor.
	ModeOptional Mode = "optional"
	// ModeRequired asks every user. A user without a factor must enrol one. The zero value of
	// Mode means ModeRequired.
	ModeRequired Mode = "required"
)

// Policy is what the users of one type of one tenant must do. The zero value requires a second
// factor, of any kind that is configured, and remembers no device.
type Policy struct {
	// Mode defaults to ModeRequired.
	Mode Mode `json:"mode"`
	// Kinds are the kinds allowed. Defaults to every configured kind. Recovery kinds are
	// always allowed as well.
	Kinds []string `json:"kinds,omitempty"`
	// Default is the kind that a user with several kinds is offered first.
	Default string `json:"default,omitempty"`
	// Implicit are kinds that a user has without enrolling, where the application vouches for
	// the address (mfa.User.EmailVerified). With "email", every user is asked by e-mail
	// until they enrol a better factor.
	Implicit []string `json:"implicit,omitempty"`
	// KeepImplicit offers implicit kinds also to users with another factor. A
	// mailbox is usually easier to take over than the other factor, so most applications leave
	// it false.
	KeepImplicit bool `json:"keep_implicit,omitempty"`
	// Passwordless lets users sign in without the application's password, by a factor that
	// identifies them and proves two things at once: a passkey with a PIN or a fingerprint.
	// The Manager asks such a user for nothing else, whatever Mode says.
	Passwordless bool `json:"passwordless,omitempty"`
	// NoDowngrade asks a user who has a phishing-resistant factor that the policy allows for
	// nothing less, in every Mode. No other factor, recovery code, access code or remembered
	// device signs that user in. A user who lost the factor recovers by a mailed link, and the
	// replacement signs in when RecoveryHold has passed. An attacker who relays what such a user
	// types, or is mailed, gets no session before that. Every strict profile sets it.
	NoDowngrade bool `json:"no_downgrade,omitempty"`
	// DeviceBound, Hardware and Certified say which phishing-resistant factors, such as passkeys,
	// Kinds allow. Of other kinds they ask for nothing. One that does not satisfy them is like one
	// of a kind that the policy does not allow: it is not enrolled, and one that the user has is
	// a proof for enrolling another and nothing else. It never signs in without a password.
	//
	// DeviceBound refuses keys that can be copied to another device, such as synchronised passkeys.
	// The device says so itself.
	DeviceBound bool `json:"device_bound,omitempty"`
	// Hardware allows only keys that hardware keeps, that cannot be copied, and whose attestation
	// has proven both.
	Hardware bool `json:"hardware,omitempty"`
	// Certified allows only keys that are kept by a model of at least this FIDO certification
	// level: "L1", "L1+", "L2", "L2+", "L3" or "L3+". Empty asks for none.
	Certified string `json:"certified,omitempty"`
	// Attestation is how much a new factor is asked to prove about what keeps its key: "none",
	// "indirect", "direct" or "enterprise". "enterprise" may identify the device, and works only
	// where the organisation's devices permit it for the site. Defaults to "direct" if Hardware or
	// Certified is set, and to "none" otherwise. Must not be "none" if one of them is set.
	Attestation string `json:"attestation,omitempty"`
	// EnrollBy lets users without a factor sign in without one until then. The zero value
	// means that they must enrol at once.
	EnrollBy time.Time `json:"enroll_by,omitzero"`
	// EnrollWithin lets each user without a factor postpone the enrolment for this long, from the
	// sign-in that first asked for it. 0 means no time. Must be at most 90 days.
	EnrollWithin time.Duration `json:"enroll_within,omitempty"`
	// EnrollSkips lets each user without a factor postpone the enrolment this often. 0 means
	// never, or with EnrollWithin as often as they want until then. If both are set, the
	// enrolment is due when one of them is used up. Must be at most 100.
	EnrollSkips int `json:"enroll_skips,omitempty"`
	// MaxAge is how old a verification may be for a page that RequireRecent guards without an
	// age of its own. Defaults to 5 minutes.
	MaxAge time.Duration `json:"max_age,omitempty"`
	// RecoveryHold is how long a replacement that a user enrolled by a recovery signs in
	// without permission to change what was there before. Defaults to 24 hours. Must be between
	// 1 hour and 30 days.
	RecoveryHold time.Duration `json:"recovery_hold,omitempty"`
	// Remember is how long a device may be remembered after a sign-in, and sign the user in
	// without a second factor. 0 means never. Must be at most 90 days. A shorter time also
	// holds for devices that are remembered already.
	Remember time.Duration `json:"remember,omitempty"`
	// SkipRecoveryCodes lets users go on without recovery codes. By default a user who has
	// enrolled something that can be lost makes recovery codes, if they are configured, and says
	// that they are saved; a user who has not is asked again after the next sign-in.
	SkipRecoveryCodes bool `json:"skip_recovery_codes,omitempty"`
	// AskBeforeSending asks before a code is sent at a sign-in. By default it is sent at once if
	// its kind is the one that the user is offered first.
	AskBeforeSending bool `json:"ask_before_sending,omitempty"`
}

const (
	defaultMaxAge       = 5 * time.Minute
	defaultRecoveryHold = 24 * time.Hour
	minRecoveryHold     = time.Hour
	maxRecoveryHold     = 30 * 24 * time.Hour
	maxRemember         = 90 * 24 * time.Hour
	maxEnrollWithin     = 90 * 24 * time.Hour
	maxEnrollSkips      = 100
)

// WithDefaults returns p with defaults in place of what is empty or not allowed, and shares
// no slice with p. An unknown Mode becomes ModeRequired, and Remember stays within its bounds:
// a Source of the application may return what no Manager would accept.
func (p Policy) WithDefaults() Policy {
	if p.Mode != ModeOff && p.Mode != ModeOptional {
		p.Mode = ModeRequired
	}
	if p.MaxAge <= 0 {
		p.MaxAge = defaultMaxAge
	}
	if p.RecoveryHold < minRecoveryHold || p.RecoveryHold > maxRecoveryHold {
		p.RecoveryHold = defaultRecoveryHold
	}
	p.Remember = min(max(p.Remember, 0), maxRemember)
	p.EnrollWithin = min(max(p.EnrollWithin, 0), maxEnrollWithin)
	p.EnrollSkips = min(max(p.EnrollSkips, 0), maxEnrollSkips)
	p.Kinds, p.Implicit = slices.Clone(p.Kinds), slices.Clone(p.Implicit)
	return p
}

// Allows reports whether the policy's Kinds contain kind, or are empty. It does not know which
// kinds are for recovery.
func (p Policy) Allows(kind string) bool {
	return len(p.Kinds) == 0 || slices.Contains(p.Kinds, kind)
}
