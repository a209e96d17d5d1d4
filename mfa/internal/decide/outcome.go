package decide

import (
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// Result is what became of a response. The table is everything that can happen to one:
//
//	result              counted  signs in  what the caller gets
//	Refused             no       no        the error that says why: ended, not available …
//	Locked              no       no        *LockedError
//	Disabled            no       no        *DisabledError
//	Incorrect           yes      no        *AttemptError of factor.ErrIncorrect
//	Replayed            yes      no        *AttemptError of factor.ErrReplayed
//	Failed              yes      no        *AttemptError of ErrUnavailable: the factor failed
//	Expired             no       no        factor.ErrExpired: correct, and too late
//	Pending             no       no        factor.ErrPending: not decided yet; nothing is written
//	Uncounted           no       no        what the factor refuses, where no user is known yet;
//	                                       ErrUnavailable where a Polled factor failed
//	Verified      clears   yes       the Verification
//	EnrollmentRequired  clears   no        *EnrollmentRequiredError
//	Confirmed     clears   if begun by a sign-in   the Confirmation
//	Proven              no       no        how many more it takes to enable the kind
//	Enabled             clears   no        nothing more: the kind is enabled again
//
// "Counted" is a failed attempt; "clears" is a success, which ends the count of the kind.
type Result uint8

// The results, in the order of the table.
const (
	Refused Result = iota + 1
	Locked
	Disabled
	Incorrect
	Replayed
	Failed
	Expired
	Pending
	Uncounted
	Verified
	EnrollmentRequired
	Confirmed
	Proven
	Enabled
)

// Counted reports whether the response was counted as a failed attempt.
func (r Result) Counted() bool { return r == Incorrect || r == Replayed || r == Failed }

// Outcome is the result of one response with what belongs to it. The zero Outcome is none: the
// response is admitted, and not decided yet.
type Outcome struct {
	Result Result
	// At is the record's time.
	At time.Time
	// Err is why the response is refused, or what the factor says of it.
	Err error
	// LockedUntil is the end of the lock that refused the response.
	LockedUntil time.Time
	// FactorID is the instance that accepted the response.
	FactorID string
	// Status is how the kind stands after a failed attempt.
	Status lockout.Status
	// Verification is set for Verified, and for a confirmation that completes a sign-in.
	Verification *Verification
	// Required is set for EnrollmentRequired.
	Required *Required
	// Confirmation is set for Confirmed.
	Confirmation *Confirmation
	// Remaining is how many more correct responses it takes to enable the kind.
	Remaining int
	// Cloned says that the instance may have been copied.
	Cloned bool
	// Outdated says that the instance has changed since it was enrolled, which is noted now.
	Outdated bool
	// Warned says that the user is notified of a failed attempt now, or of an instance that was
	// copied: that is limited, because an attacker may repeat it.
	Warned bool
}

// Verification is what a correct response gives.
type Verification struct {
	Instance record.Instance
	Purpose  token.Purpose
	// Grant is what the user's grant says.
	Grant token.Claims
	// EnrollKinds are, after a recovery, the kinds that the grant lets the user enrol.
	EnrollKinds []string
	// Passwordless says that the response took the place of the first factor too.
	Passwordless bool
	// CodesDue says that the user is to make or save recovery codes now.
	CodesDue bool
	// Renew says that the instance was imported and is to be renewed.
	Renew bool
	// DeviceName is the name of the device that is remembered until DeviceExpires, or empty.
	DeviceName    string
	DeviceExpires time.Time
}

// Required is what a correct response of a factor that the policy bans leads to.
type Required struct {
	// Grant is what the grant to enrol one of Kinds says.
	Grant token.Claims
	Kinds []string
}

// Change is what a confirmed enrolment did.
type Change uint8

const (
	// Added means that the user has one factor more.
	Added Change = iota + 1
	// Replaced means that others of its kind ended.
	Replaced
	// AddressVerified means that a link verified the address of record.
	AddressVerified
	// AddressMoved means that a code verified another address of record.
	AddressMoved
	// Regenerated means that recovery codes took the place of earlier ones.
	Regenerated
	// OnHold means that a recovery enrolled a replacement, which is on hold.
	OnHold
)

// Confirmation is an enrolment that took effect.
type Confirmation struct {
	Change   Change
	Instance record.Instance
	// HeldUntil is when the hold of a replacement ends, or zero.
	HeldUntil time.Time
	// Waits says that the replacement does not sign in before.
	Waits bool
	// Grant is what the user's grant says afterwards; nil for recovery codes, which change
	// nothing that a grant permits.
	Grant *token.Claims
	// CodesDue says that the user is to make or save recovery codes now.
	CodesDue bool
}
