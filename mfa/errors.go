package mfa

import (
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// Errors to branch on with errors.Is. What a factor says of a response is package factor's:
// factor.ErrIncorrect, ErrReplayed, ErrExpired and ErrMalformed. The texts are for developers;
// show users a text of your own, as mfahttp does.
var (
	// ErrToken is returned for a challenge, an enrolment, a grant or a link that was altered, or
	// that is another user's, another session's or for another purpose. Which of these it is
	// stays unsaid.
	ErrToken = token.ErrInvalid
	// ErrTokenExpired is returned for a challenge, an enrolment, a grant or a link that has
	// expired, or that was used or superseded. Begin again.
	ErrTokenExpired = token.ErrExpired
	// ErrNotAvailable is returned when the user does not have the kind or the factor, or when
	// the policy does not allow it now.
	ErrNotAvailable = decide.ErrNotAvailable
	// ErrForbidden is returned when the grant does not permit the change, or when
	// Config.Authorize refused it.
	ErrForbidden = authority.ErrForbidden
	// ErrProofRequired is an ErrForbidden for a change that the grant's proof does not permit.
	// The user has to prove a factor at the highest level that they have, or, after a recovery,
	// to wait until its hold ends.
	ErrProofRequired = authority.ErrProofRequired
	// ErrFirstFactorRequired is returned by Begin for a user who has no second factor, and who
	// gave the first factor too long ago to enrol one. Ask for the password again.
	ErrFirstFactorRequired = decide.ErrFirstFactorRequired
	// ErrRecordMissing is returned when the application says that the user has enrolled, or a
	// token proves it, and the store holds no record. It does not mean that the user may enrol.
	ErrRecordMissing = token.ErrRecordMissing
	// ErrKindNotConfigured is returned for a user who has a factor of a kind that this Manager
	// does not have. It does not mean that the user has none.
	ErrKindNotConfigured = authority.ErrKindNotConfigured
	// ErrLastFactor is an ErrNotAvailable, returned by Remove for the last factor of a user whose
	// policy requires one.
	ErrLastFactor = decide.ErrLastFactor
	// ErrUnknownFactor is returned for a response without a first factor that names an instance
	// which no user has. The application may say so to the browser, which then stops offering it.
	ErrUnknownFactor = decide.ErrUnknownFactor
	// ErrUnavailable is returned when the store, a sender or a factor failed, or when the record
	// is under heavy contention. The user was not signed in; the attempt may have been counted.
	// Try again. The text says which factor or sender failed and the status that it states, and
	// nothing else, because what it said may quote a code. errors.As finds its error; log that
	// error's fields and not its text.
	ErrUnavailable = errors.New("mfa: temporarily unavailable")
)

// AttemptError is a failed attempt, which was counted. It unwraps to factor.ErrIncorrect or
// factor.ErrReplayed, or to ErrUnavailable when the factor failed, and then to what the factor
// returned, whose text is not printed.
type AttemptError struct {
	Kind string
	// Remaining is how many failed attempts remain before a lock; 0 means that this one locked.
	Remaining int
	// LockedUntil is the end of the lock that this attempt caused, or zero.
	LockedUntil time.Time
	Err         error
}

func (e *AttemptError) Error() string {
	return fmt.Sprintf("mfa: %s response refused, %d attempts remain: %v", e.Kind, e.Remaining,
		e.Err)
}

func (e *AttemptError) Unwrap() error { return e.Err }

// LockedError is returned while the user is locked. Nothing was verified, sent, used or counted.
type LockedError struct {
	Until time.Time
	// RetryAfter is the time that remains, by the Manager's clock.
	RetryAfter time.Duration
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("mfa: locked for another %s", e.RetryAfter.Round(time.Second))
}

// DisabledError is returned for a kind that was disabled after too many failed attempts in a row
// (NIST SP 800-63B-4 section 3.2.2). Waiting does not help. The kind is enabled again by
// enrolling it, by [Session.UnlockByProof] or by an administrator.
type DisabledError struct{ Kind string }

func (e *DisabledError) Error() string {
	return "mfa: " + e.Kind + " is disabled after too many failed attempts"
}

// RateLimitError is returned when too many codes, links or requests for support were sent. It
// says nothing about responses.
type RateLimitError struct{ RetryAfter time.Duration }

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("mfa: too many codes sent, try again in %s", e.RetryAfter.Round(time.Second))
}

// EnrollmentRequiredError is returned by Verify for a correct response of a factor that the
// policy no longer allows. The response was recorded, and does not sign the user in. The grant
// permits the enrolment of one of Kinds, and confirming it completes the sign-in.
type EnrollmentRequiredError struct {
	Grant        Grant
	GrantExpires time.Time
	Kinds        []string
}

func (e *EnrollmentRequiredError) Error() string {
	return "mfa: the policy no longer allows what the user has; another kind must be enrolled"
}
