// Package factor has what the author of a factor needs, and nothing else. An application that
// only uses factors needs it for the list of its factors, for prompts and for the errors of
// a response.
//
// A factor implements [Factor]: four methods that say what the factor is, enrol an instance and
// verify a response. Optional interfaces add to it and never replace it:
//
//   - [Normalizer]: responses have one form, such as six digits
//   - [Challenger]: something is issued before a user can respond, such as a code in a message
//   - [Notifier]: users can be notified over the factor
//   - [Describer]: instances run out, end, or have questions to show
//   - [Implier]: users have the factor without enrolling, such as a verified address
//   - [Identifier]: responses name the user, so that no first factor is needed
//
// A factor receives its own state, in bytes that it chose, and the user's response. It returns
// whether the response is correct, and its next state. A factor never touches a store, never
// counts, never locks and never reads a clock: the Manager does all of that around it, so that
// a third-party factor cannot forget to. The Manager may call a factor again for the same
// response when another process was faster, so only Deliver and Notify have effects outside.
//
// Many goroutines use a factor at once, and it must be safe for that.
package factor

import "context"

// Factor is one kind of second factor. The Manager prints no text of a factor's errors, because
// it may quote a response or a message; errors.Is and errors.As find the errors. The Reason of
// a [Problem] is printed if it is a code.
type Factor interface {
	// Kind returns the stable name under which instances are stored, such as "totp": 1 to 32
	// lower-case ASCII letters, digits or hyphens. Each factor of one Manager has its own.
	Kind() string
	// Traits returns the facts about the kind. They never change while the process runs.
	Traits() Traits
	// Enroll prepares an instance, and what to show of it. Nothing about the user changes until
	// the enrolment is confirmed. Parameters that are not valid give an error that wraps
	// ErrMalformed, if possible a *Problem.
	Enroll(ctx context.Context, in EnrollInput) (*EnrollOutput, error)
	// Verify verifies one response against one instance. It also confirms a pending enrolment.
	// A nil error means that the response is correct. ErrIncorrect, ErrExpired and ErrReplayed
	// say why it is not; any other error and a panic are failed attempts too. Of a kind that is
	// [Traits].Polled, ErrPending says that the user has not decided yet. Comparisons take
	// constant time. A Verdict beside an error is ignored, except for Cloned and
	// Outdated.
	Verify(ctx context.Context, in VerifyInput) (*Verdict, error)
}

// Normalizer is implemented by factors whose responses have one form.
type Normalizer interface {
	// Normalize returns the form of a response that Verify receives. It sees the response and
	// no state, so that its refusal (an error that wraps ErrMalformed) discloses nothing and
	// is not counted as a failed attempt.
	Normalize(response string) (string, error)
}

// Challenger is implemented by factors that issue something before a user can respond: a code
// in a message, a WebAuthn challenge.
type Challenger interface {
	Factor
	// Issue makes the challenge for one instance, whose state is as in VerifyInput. It has no
	// effect outside: the Manager keeps what it returns, and then calls Deliver.
	Issue(ctx context.Context, in IssueInput) (*Issue, error)
	// Deliver sends the issued challenge to the user. The Manager calls it once for an Issue,
	// after it has committed the Issue and charged the rate limits, and holds no lock
	// meanwhile. It never calls Deliver again for the same code. An error says that the message
	// was not sent, or may not have been; the code stays valid.
	Deliver(ctx context.Context, in Message) error
}

// Notifier is implemented by factors over which users can be notified of what happened: a
// factor was added, verification is locked, an administrator has reset the user.
type Notifier interface {
	Factor
	// Notify sends a notice to the destination of one instance. No decision depends on it. After
	// an error the application may call it again with the same Message, so that a user may
	// receive a notice twice.
	Notify(ctx context.Context, in Message) error
}

// Describer is implemented by factors that have something to say about an instance.
type Describer interface {
	Factor
	// Describe describes an instance in this state. Many goroutines call it often. It has no
	// effect, and must not panic or change the state. For a state that it cannot read it
	// returns the zero Description.
	Describe(state []byte) Description
}

// Implier is implemented by factors that users can have without enrolling, because the
// application vouches for a verified address ([User].Email). The policy says which kinds are
// implicit.
type Implier interface {
	Factor
	// Implied returns the state and the masked destination of an implicit instance. A nil state
	// with a nil error means that the user has no such address. An error that wraps
	// ErrUndeliverable means that the user has one that no message can be sent to. Any other
	// error is a failure of the factor. No error is ever taken for "the user has none". The text
	// of an error holds nothing of the address.
	Implied(u User) (state []byte, maskedDestination string, err error)
}

// Identifier is implemented by challengers whose responses name the instance that made them,
// as a passkey names its credential. The Manager makes sure that an identity belongs to one
// user of all, from the confirmation of the instance to its end. It finds the user by the
// identity, so that a response can take the place of the first factor (Policy.Passwordless).
// Such a response must verify the user as well ([Verdict].UserVerified).
type Identifier interface {
	Challenger
	// Identity returns the identity of an instance in this state, 1 to 1023 bytes, or nil before
	// the instance has been confirmed. It never changes after that.
	Identity(state []byte) []byte
	// Identify returns the identity that a normalised response names, also that of an
	// enrolment, or nil. It proves nothing yet.
	Identify(response string) []byte
}
