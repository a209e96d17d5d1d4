package mfa

import (
	"errors"
	"fmt"
	"time"
)

// Errors to branch on with errors.Is. Their texts are for developers; show people a text
// of your own (mfahttp has them).
var (
	// ErrToken: a token or grant is not one of ours, was altered, is another person's or
	// another session's, or is for another purpose. Which of these is not told.
	ErrToken = errors.New("mfa: invalid token")
	// ErrTokenExpired: the token or grant was good and is over, or the challenge or
	// enrolment was completed or replaced before. Begin again.
	ErrTokenExpired = errors.New("mfa: token has expired or was used")
	// ErrNotAvailable: the person does not have this kind or factor, or the policy does not
	// allow it now.
	ErrNotAvailable = errors.New("mfa: not available to this person")
	// ErrForbidden: the grant does not open this, or the application's Authorize refused.
	ErrForbidden = errors.New("mfa: forbidden")
	// ErrRecordMissing: the application says that the person has enrolled, or a token proves
	// it, and the store holds nothing. It is not an invitation to enrol.
	ErrRecordMissing = errors.New("mfa: the person's record is missing")
	// ErrProofRequired is an ErrForbidden for a change that the grant's proof does not permit:
	// the user has to prove a factor at the highest level that they have, or, after a recovery,
	// to wait until its hold ends.
	ErrProofRequired = fmt.Errorf("%w: a stronger proof is required", ErrForbidden)
	// ErrFirstFactorRequired is returned by Begin for a user who has no second factor, and
	// gave the first factor too long ago to enrol one: ask for the password again.
	ErrFirstFactorRequired = errors.New("mfa: the first factor was given too long ago")
	// ErrKindNotConfigured is returned for a user who has a factor of a kind that this Manager
	// does not have. It does not mean that the user has none.
	ErrKindNotConfigured = errors.New("mfa: the user has a factor of a kind that is not configured here")
	// ErrLastFactor is returned by Remove for the last factor of a user whose policy requires
	// one.
	ErrLastFactor = fmt.Errorf("%w: the policy requires a factor, and this is the last one", ErrNotAvailable)
	// ErrUnknownFactor: an answer without a first factor names something that nobody has (any
	// more). A browser can be told so, to stop offering it.
	ErrUnknownFactor = errors.New("mfa: nobody has this factor")
	// ErrUnavailable: the store, a sender or a factor failed, or the record is under heavy
	// contention. Of a factor or a sender the text says which failed, and the status that a
	// sender states (see email.Sender), but nothing that it said, as that may quote a code.
	// errors.As finds its error: a *smtp.Error, say, or a *sms.SendError. Log their fields and
	// not their text, unless you know the sender.
	//
	// Nobody was let in; the attempt may have been counted. Try again.
	ErrUnavailable = errors.New("mfa: temporarily unavailable")
	// ErrConfig: wrong configuration, found by New or SetPolicy.
	ErrConfig = errors.New("mfa: configuration")
)

// AttemptError is a refused answer that was counted. It unwraps to ErrIncorrect or
// ErrReplayed, or to ErrUnavailable when the factor failed, and then to what the factor
// returned, whose text is not printed.
type AttemptError struct {
	Kind string
	// Left is how many wrong answers remain before a lock; 0 means that this one locked.
	Remaining int
	// LockedUntil is the end of the lock that this answer caused, or zero.
	LockedUntil time.Time
	Err         error
}

func (e *AttemptError) Error() string {
	return fmt.Sprintf("mfa: %s answer refused, %d attempts left: %v", e.Kind, e.Remaining, e.Err)
}

func (e *AttemptError) Unwrap() error { return e.Err }

// LockedError: the person is locked; nothing was evaluated, sent, consumed or counted.
type LockedError struct {
	Until time.Time
	// RetryAfter is the time left, by the Manager's clock.
	RetryAfter time.Duration
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("mfa: locked for another %s", e.RetryAfter.Round(time.Second))
}

// DisabledError: the kind was stopped after too many consecutive failures. Waiting does
// not help; enrolling it again, ProveUnlock or an administrator does (NIST SP 800-63B-4 section 3.2.2).
type DisabledError struct{ Kind string }

func (e *DisabledError) Error() string {
	return "mfa: " + e.Kind + " is stopped after too many failures"
}

// RateLimitError: too many codes were sent. It says nothing about answers.
type RateLimitError struct{ RetryAfter time.Duration }

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("mfa: too many codes sent, try again in %s", e.RetryAfter.Round(time.Second))
}

// EnrollmentRequiredError is returned by Verify for a correct response of a factor that the
// policy no longer allows. The response has been recorded, and signs nobody in: Grant opens the
// enrolment of one of Kinds, and confirming it completes the sign-in.
type EnrollmentRequiredError struct {
	Grant        Grant
	GrantExpires time.Time
	Kinds        []string
}

func (e *EnrollmentRequiredError) Error() string {
	return "mfa: the policy no longer allows what the user has; another kind must be enrolled"
}
