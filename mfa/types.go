package mfa

import (
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// Clock tells the time. A Manager reads it once for each operation. All processes need one
// clock, within a few seconds.
type Clock interface{ Now() time.Time }

// Next is what a sign-in needs now.
type Next string

const (
	// NextDone means that nothing is asked: sign the user in.
	NextDone Next = "done"
	// NextVerify means that the user responds with one of Challenge.Options.
	NextVerify Next = "verify"
	// NextEnroll means that the policy requires a factor and the user has none:
	// Challenge.Grant permits the enrolment of one.
	NextEnroll Next = "enroll"
)

// Challenge is what a user has to do now. An application that keeps it between two requests
// stores its text or JSON form, which is sealed; [Session.RestoreChallenge] fills in the
// fields again. A challenge is valid for one user in one session.
type Challenge struct {
	Next Next
	// Options are the ways in which the user may respond now, the default first; for
	// NextVerify.
	Options []Option
	// Kinds may be enrolled under the policy; for NextEnroll.
	Kinds []string
	// Grant permits enrolment and nothing else; for NextEnroll.
	Grant Grant
	// Prompt.Data is what the browser is asked, for a sign-in without a first factor.
	Prompt factor.Prompt
	// Expires is when the challenge, or the grant, expires.
	Expires time.Time
	// LockedUntil is the end of a present lock, or zero.
	LockedUntil time.Time
	// EnrollBy is the end of a grace period in which the user signs in without a factor (Next
	// is NextDone), or zero.
	EnrollBy time.Time
	// ExceptionEnds is the end of an exception ([Admin.GrantException]) that lets the user sign in
	// without a second factor (Next is NextDone), or zero. The session has proven nothing: serve
	// nothing that needs a step-up, and begin again when the exception ends.
	ExceptionEnds time.Time
	// PostponeUntil and PostponesRemaining say how long [Session.Postpone] completes the sign-in
	// without the enrolment (Next is NextEnroll). If both are zero, the user must enrol. If one
	// is, the other alone counts.
	PostponeUntil      time.Time
	PostponesRemaining int
	// Remembered says that Next is NextDone because the device is a remembered one. Device then
	// replaces the token that it sent, until DeviceExpires; if it is empty, another request
	// of the same moment has replaced it, and the browser keeps what it has.
	Remembered    bool
	Device        secret.Text
	DeviceExpires time.Time

	token token.Token
}

// Option is one way to respond to a challenge.
type Option struct {
	Kind string
	// FactorID is the instance, for [Session.SendTo]; empty for an implied one, and for all
	// instances of a kind together.
	FactorID string
	Name     string
	// MaskedDestination is where a code is sent, such as "a•••@example.com", or empty.
	MaskedDestination string
	Default           bool
	// Sends says that the kind needs Send before Verify.
	Sends bool
	// Polled says that the user approves elsewhere and types nothing. Show Delivery.Prompt and
	// call Verify with an empty response every few seconds, as long as it returns
	// factor.ErrPending.
	Polled bool
	// Recovery and Knowledge are the kind's [factor.Traits].
	Recovery, Knowledge bool
	// AssuranceLevel and ACR are those of the [Verification] that a correct response gives.
	AssuranceLevel int
	ACR            string
	// Disabled says that the kind was disabled after too many failed attempts.
	Disabled bool
	// Questions are the texts of security questions. The response has one line for each.
	Questions []string
}

// Delivery is what was sent. A code that was sent before for this kind is superseded.
type Delivery struct {
	Kind              string
	MaskedDestination string
	Expires           time.Time
	Prompt            factor.Prompt
}

// Verification is the proof that a user's response was correct. It exists only with a nil
// error, after the write that recorded it.
type Verification struct {
	UserID, Tenant, UserType string
	// Purpose is "sign-in", "step-up", "manage" or "replace", as in events.
	Purpose  string
	Kind     string
	FactorID string
	Time     time.Time
	// AMR are authentication method references of this verification (RFC 8176), without
	// those of the application's first factor.
	AMR []string
	// AssuranceLevel is what the first factor and this one reach together in the terms of NIST
	// SP 800-63B-4: 1 or 2.
	AssuranceLevel int
	// ACR is "phr" for a response that no other site could have obtained (OpenID Connect EAP
	// ACR Values 1.0 section 2), else empty.
	ACR string
	// Passwordless says that the response took the place of the first factor too.
	Passwordless bool
	// Grant permits changes to the factors for Config.GrantTTL, as far as what was proven
	// permits. EnrollKinds are, after a recovery, the kinds that it lets the user enrol.
	Grant        Grant
	GrantExpires time.Time
	EnrollKinds  []string
	// RecoveryCodesRemaining is how many recovery codes remain after one was used, else -1.
	RecoveryCodesRemaining int
	// RecoveryCodesDue says that the user has not finished setting up recovery codes, and is
	// asked again, unless Policy.SkipRecoveryCodes lets them go on.
	RecoveryCodesDue bool
	// RenewalDue says that the user responded with a factor that is to be renewed
	// ([FactorInfo].Renew). Ask the user to enrol another of its kind.
	RenewalDue bool
	// Factors are the user's factors of Kind, as recorded with the response, if responses of the
	// kind name their user, as those of passkeys do. With them an application has a browser keep
	// these passkeys alone.
	Factors []FactorInfo
	// Device is the token for the device, if it is remembered now, until DeviceExpires: the
	// value for a cookie that is Secure, HttpOnly and SameSite, at most 200 bytes.
	Device        secret.Text
	DeviceExpires time.Time
}

// EnrollRequest starts the enrolment of an instance of a kind.
type EnrollRequest struct {
	Kind string
	// Name is the user's name for it, such as "Phone": at most 64 bytes of visible characters.
	// Defaults to the factor's own.
	Name string
	// Params are the kind's own, such as "address", "number" and "region", "pin", "secret".
	Params map[string]secret.Text
}

// Enrollment is a pending enrolment. Nothing has changed yet. For a kind that sends, the code
// has been sent to the new destination. It is kept between two requests like a [Challenge];
// [Session.RestoreEnrollment] fills in the fields again.
type Enrollment struct {
	Kind    string
	Prompt  factor.Prompt
	Expires time.Time
	// CodeExpires is when a code that was sent expires; zero without one.
	CodeExpires time.Time
	// Polled is as in an [Option], for [Session.Confirm].
	Polled bool
	// Confirmed is set for a kind that needs no confirmation, such as recovery codes: then
	// nothing is pending.
	Confirmed *Confirmation
	// Address is, for a change of the user's address, the new one in the form in which mails go
	// there. The user may have typed it in another one.
	Address secret.Text

	token token.Token
}

// Confirmation is an enrolment that has taken effect.
type Confirmation struct {
	UserID, Tenant string
	Factor         FactorInfo
	// Grant replaces the one that began the enrolment. It is zero when a link confirmed.
	Grant        Grant
	GrantExpires time.Time
	// Verification is set for an enrolment that a sign-in required: the user has proven the
	// new factor, and is signed in.
	Verification *Verification
	// Waits says that the factor does not sign in until Factor.HeldUntil: see
	// policy.Policy.NoDowngrade.
	Waits bool
	// RecoveryCodesDue says that recovery codes come next: the user has enrolled something that
	// can be lost, and has no codes or has not said that they are saved. Make them with
	// [Session.NewRecoveryCodes].
	RecoveryCodesDue bool
}

// FactorInfo describes one factor of a user, without secrets.
type FactorInfo struct {
	ID                string // empty for an implied one
	Kind              string
	Name              string
	MaskedDestination string
	Recovery          bool // factor.Traits.Recovery of the kind
	Created           time.Time
	LastUsed          time.Time // zero: never
	Implicit          bool
	// TurnedOff is true for an address that the user did not enrol and has turned off
	// (Session.UseImplied). It is not offered.
	TurnedOff bool
	Disabled  bool
	// Outdated is true for a factor that has changed since the user enrolled it, such as a passkey
	// whose manager began to copy it between devices. It cannot sign in. It ends when the user
	// enrols another of its kind.
	Outdated bool
	// Renew is true for a factor that was imported ([Admin.Import]) and is weaker than what users
	// enrol. It signs in, and proves level 1 only. It ends when the user enrols another of its
	// kind.
	Renew     bool
	Remaining int // responses that remain, such as recovery codes; -1: it does not run out
	// Unsaved says that the user was shown these recovery codes, and has not said that they are
	// saved. They are valid all the same.
	Unsaved bool
	// HeldUntil is, for a replacement that a recovery enrolled, until when it signs in and
	// changes nothing; any older factor of the user removes it. Zero for every other.
	HeldUntil time.Time
	// Data is JSON that the kind has for the user's own client, or nil.
	Data []byte
}

// Overview is what a security page shows of a user.
type Overview struct {
	Factors                []FactorInfo
	LockedUntil            time.Time // zero: not locked
	RecoveryCodesRemaining int       // -1 for a user who has set up none
	// RecoveryCodesLow says that the user has set up recovery codes, of which three or fewer
	// remain.
	RecoveryCodesLow bool
	// RecoveryCodesDue says that the user has not finished setting up recovery codes.
	RecoveryCodesDue bool
	Policy           policy.Policy
	// Kinds may be enrolled under the policy.
	Kinds []string
	// Devices are those that are remembered.
	Devices []DeviceInfo
	// Preferred is the kind that the user wants to be asked for first (Session.Prefer), or "".
	Preferred string
	// ImpliedOff is true if the user has turned off the address that they did not enrol
	// (Session.UseImplied), and CanTurnOffImplied if they can do so now.
	ImpliedOff, CanTurnOffImplied bool
	// Exception is the user's exception from the second factor, or nil.
	Exception *report.Exception
	// Declined is when the user last declined the offer of a kind (Session.Decline), by kind.
	Declined map[string]time.Time
	// Write is the number of the newest write of the user's record, as in Event.Write. It is 0 for
	// a user without a record.
	Write int64
}
