// Package factor is what the author of a factor needs, and nothing else: the
// interface [Factor] with its optional companions, and the values that travel
// through it. An application that only uses factors does not need this package.
//
// A factor is state in, verdict out. It is handed its own state, as bytes that it
// chose, and the person's answer; it returns whether the answer is right and what its
// state becomes. It never touches a store, never counts, never locks, never reads a
// clock: the Manager does all of that around it, so that a factor written by a
// stranger cannot forget to. The Manager may call a factor again for the same answer
// when another process was faster, so nothing but Deliver may have an effect outside.
//
// Factors are used by many goroutines at once and must be safe for that.
package factor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The verdicts of a factor that refuses an answer. All of them but ErrExpired are counted as a
// wrong answer, and so is any other error and a panic.
var (
	// ErrIncorrect is returned for an incorrect response.
	ErrIncorrect = errors.New("factor: incorrect answer")
	// ErrExpired is returned for a correct response that comes too late. It is not counted as
	// a failed attempt, so a factor returns it only after it has compared the response: for an
	// incorrect one, however late, it returns ErrIncorrect.
	ErrExpired = errors.New("factor: answer has expired")
	// ErrReplayed is returned for a response that would be correct if it had not been accepted
	// before.
	ErrReplayed = errors.New("factor: answer was used before")
	// ErrCloned is an ErrReplayed of an instance that seems to have been copied: the answer
	// is older than one that was accepted. It is told as the event "factor.cloned" as well.
	ErrCloned = fmt.Errorf("%w, or the instance was copied", ErrReplayed)
)

// ErrMalformed says that an input could not have been right whatever the state is: no
// digits where digits are due, no address where an address is due. It may be returned
// by [Normalizer] and by [Factor.Enroll]; the text is for developers, a [Problem] is for
// people. Returned by [Factor.Verify] it counts as a wrong answer like any error.
var ErrMalformed = errors.New("factor: malformed input")

// ErrUndeliverable says that the application vouches for an address that no message can be sent
// to. [Implicit] returns it. It never means that the user has no address: a user without one
// could be let in, or be asked to enrol, by the password alone.
var ErrUndeliverable = errors.New("mfa: no message can be sent to the address")

// Problem is an ErrMalformed with a reason that a page may show. Reason is a stable
// code, such as "pin_too_short", that pages translate; Detail is its English text and
// holds nothing that was typed.
type Problem struct {
	Reason string
	Detail string
}

func (p *Problem) Error() string { return "factor: " + p.Detail }

// Unwrap makes errors.Is(p, ErrMalformed) true.
func (p *Problem) Unwrap() error { return ErrMalformed }

// Class says what a factor proves.
type Class uint8

const (
	// ClassPossession is something that the user has (RFC 8176 otp, sms, hwk).
	ClassPossession Class = iota + 1
	// ClassKnowledge is something that the user knows. Beside a password it is still a single
	// factor (NIST SP 800-63-4 section 2.3.1).
	ClassKnowledge
	// ClassRecovery is a way back in after a loss. The Manager never offers it first, and it
	// never permits more than the replacement of what was lost.
	ClassRecovery
)

// Level ranks what a success proves (NIST SP 800-63B-4 section 4.1.2.1: binding another
// authenticator needs the highest level that the user has).
type Level uint8

const (
	// LevelWeak does not prove possession well enough for NIST AAL2: e-mail, a PIN.
	LevelWeak Level = iota + 1
	// LevelStrong proves possession, and can be typed into the wrong site: authenticator app, SMS.
	LevelStrong
	// LevelPhishingResistant cannot be typed into the wrong site (NIST SP 800-63B-4 section
	// 3.2.5): passkey.
	LevelPhishingResistant
)

// Effective returns the level that counts: below every other, the zero Level for
// [ClassRecovery], and at least [LevelWeak] for the other classes.
func (t Traits) Effective() Level {
	if t.Class == ClassRecovery {
		return 0
	}
	return max(t.Level, LevelWeak)
}

// Traits are what a kind of factor is, the same for every user. They never change while the
// process runs.
type Traits struct {
	Class Class
	// AMR is the authentication method reference (RFC 8176) that a success adds, for example
	// "otp"; empty adds none.
	AMR string
	// Level ranks what a success proves, for the rules about who may change what. The zero
	// value counts as [LevelWeak]. ClassRecovery ranks below every Level, whatever it says.
	Level Level
	// OnePerUser allows one instance of the kind for a user: enrolling again replaces the
	// old one at the moment the new one is confirmed. Otherwise there may be five.
	OnePerUser bool
	// NoConfirmation says that an enrolment is complete without a response (recovery codes:
	// the user has seen them, and nothing more can be asked). Only for ClassRecovery.
	NoConfirmation bool
	// AdminOnly says that an administrator makes an instance for a user, and users cannot
	// make one for themselves. Such a kind has NoConfirmation too.
	AdminOnly bool
	// SharedChallenge says that one challenge goes to all instances of the kind at once, and
	// that any of them may respond: they sign it, and nothing is sent to one of them. Only for
	// a [Challenger].
	SharedChallenge bool
	// LastResort says that a response never signs in, but only permits the enrolment of a
	// replacement, and only while the user has no other way of recovery. Such a kind is of
	// ClassRecovery.
	LastResort bool
	// Expensive says that Verify takes long or costs money (a password hash, a call to a
	// provider). The Manager then stores the failed attempt before it calls Verify, so that a
	// burst of responses cannot buy hash time, and never verifies two responses of one user at
	// once.
	Expensive bool
	// Limited says that instances run out of responses, as recovery codes do:
	// [Description].Remaining applies. Only for a [Describer].
	Limited bool
	// Temporary says that instances end by themselves, at [Description].Ends. Only for a
	// [Describer].
	Temporary bool
	// Settings state how the kind is configured, so that a profile (policy.Profile) can accept it.
	Settings Settings
}

// User is what a factor may know about the user. ID is the application's; Account is
// the user's name in an authenticator app, by default the e-mail address or
// ID; the other fields may be empty.
type User struct {
	ID, Tenant, UserType string
	Account              string
	Email, Phone         string
	Locale               string
}

// Factor is one kind of second factor. What its errors say is not printed by the Manager, as it
// may quote an answer or a message; errors.Is and errors.As find the errors. A [Problem]'s Reason
// is printed if it is a code.
type Factor interface {
	// Kind is the stable name under which instances are stored, such as "totp": 1 to 32
	// lower-case ASCII letters, digits or hyphens. Two factors of one Manager differ in it.
	Kind() string
	// Traits never change while the process runs.
	Traits() Traits
	// Enroll prepares an instance and what to show of it. Nothing of the person changes
	// until the enrolment is confirmed. Bad parameters give an error wrapping
	// ErrMalformed, best a *Problem.
	Enroll(ctx context.Context, in EnrollInput) (*EnrollOutput, error)
	// Verify judges one answer against one instance, and is also what confirms a pending
	// enrolment. A nil error means right. Comparisons are constant-time.
	Verify(ctx context.Context, in VerifyInput) (*Verdict, error)
}

// Normalizer is implemented by factors whose answers have a form. Normalize sees only
// the answer, never state, so what it refuses (an error wrapping ErrMalformed) tells
// nothing and is not counted. It returns the form that Verify is given.
type Normalizer interface {
	Normalize(response string) (string, error)
}

// Challenger is implemented by factors that must issue something before an answer can
// be given: a sent code, a WebAuthn challenge.
type Challenger interface {
	Factor
	// Issue makes the challenge for one instance (state as in VerifyInput). It has no
	// effect outside: the Manager keeps what it returns, and then calls Deliver.
	Issue(ctx context.Context, in IssueInput) (*Issue, error)
	// Deliver hands the issued challenge to the person. It runs once, after the issue and
	// the budget it costs have been committed, and outside every lock. The error says that
	// delivery failed or may have; the code stays good.
	Deliver(ctx context.Context, in DeliverInput) error
}

// Identifier is implemented by challengers whose answers name the instance that made them,
// such as a passkey's credential. The Manager sees to it that an identity is one person's of
// all, from the confirmation of the instance to its end, and finds the person by it, so that
// an answer can take the place of the first factor (Policy.Passwordless). Whoever does that
// proves the person as well ([Verdict].UserVerified).
type Identifier interface {
	Challenger
	// Identity returns the identity of an instance in this state, 1 to 1023 bytes, or nil
	// before it has been confirmed. It never changes after that.
	Identity(state []byte) []byte
	// Identify returns the identity that a normalised answer names, of an enrolment too, or
	// nil. That proves nothing yet.
	Identify(response string) []byte
}

// Implier is implemented by factors that a user can have without enrolling, because the
// application vouches for an address ([User].Email, verified). The policy says which kinds are
// implicit.
type Implier interface {
	Factor
	// Implied returns the state and the masked hint that an implicit instance has. A nil state
	// with a nil error means that the person has no such address. An error that wraps
	// ErrUndeliverable means that they have one that no message can be sent to. Any other
	// error is a failure of the factor; neither of them is ever taken for "has none". The
	// text of an error holds nothing of the address.
	Implied(p User) (state []byte, hint string, err error)
}

// Describer is implemented by factors whose instances have something to say about themselves.
type Describer interface {
	Factor
	// Describe describes an instance in this state. It is called often and by many goroutines,
	// has no effect, and must not panic or change state. For a state that cannot be read it
	// returns the zero Description.
	Describe(state []byte) Description
}

// Description is what an instance says about itself. The kind's [Traits] say whether Remaining
// and Ends apply; the other fields are nil where they do not apply.
type Description struct {
	// Remaining is how many responses remain, for a kind that is [Traits].Limited. The instance
	// has none left at zero.
	Remaining int
	// Ends is when the instance ends, for a kind that is [Traits].Temporary. From then on it is
	// as if the user did not have it. The zero time is in the past: the instance has ended.
	Ends time.Time
	// Questions are texts for the user to respond to: questions that they chose. There is one
	// response, with one line for each question. Every user who may respond sees them.
	Questions []string
	// Public is JSON about the instance without secrets, for the user's client: a browser
	// learns from it which passkey was removed.
	Public []byte
}

// Notifier is implemented by factors over which a person can be told what happened: a mail
// about a factor that was added, a lock, a reset.
type Notifier interface {
	Factor
	// Notify tells the person at the destination of one instance. It has no part in any
	// decision; after an error it may be called again for the same notice.
	Notify(ctx context.Context, in NotifyInput) error
}

// NotifyInput is something to tell a person. It holds nothing that a stranger who reads the
// message could use, unless it has a Link.
type NotifyInput struct {
	User User
	// State is the instance's whose destination it goes to.
	State []byte
	// Name is of the event, as in the table at mfa.SlogEvents, or "setup.link" for a message
	// whose purpose is the link.
	Name string
	// Kind is of the factor that it is about, and Label the name that the person gave it or
	// the device; both may be empty. A Label has no links, quotation marks and invisible
	// characters. Put quotation marks around it: the person may be an attacker.
	Kind, Label string
	// Time is when it happened, Until the end of a lock or zero.
	Time, Until time.Time
	// Left is how many recovery codes are left, else -1.
	Remaining int
	// Link is a token to set up a new device with: put it in a link to a page that posts it.
	Link Secret
}

// EnrollInput is one request to enrol.
type EnrollInput struct {
	User User
	// Name is the name the person gave the new instance, possibly empty.
	Name string
	// Params are the factor's own parameters ("address", "number", "pin", "secret"),
	// documented by the factor. They may be secret: never log them.
	Params map[string]Secret
	// Existing are the instances of this kind the person has, so that labels can be
	// unique and duplicates refused.
	Existing []Instance
	Now      time.Time
}

// Instance is one enrolled instance as its own factor may see it.
type Instance struct {
	Name  string
	State []byte
}

// EnrollOutput is a prepared instance.
type EnrollOutput struct {
	// State is kept for the pending instance and passed to Issue and Verify.
	State []byte
	// Hint tells the instance apart in a list, masked ("a•••@example.com"), or "".
	MaskedDestination string
	// Name is used when the person gave none.
	Name string
	// Prompt is what to show now.
	Prompt Prompt
}

// Prompt is what a person is shown during enrolment, or a client is handed for a
// challenge. Secrets print as "[redacted]" unless revealed.
type Prompt struct {
	Secret            Secret   // manual key of an authenticator app
	URI               Secret   // otpauth URI
	SVG               Secret   // QR code of URI as an SVG document
	PNG               Secret   // QR code of URI as a PNG image
	Codes             []Secret // recovery codes
	MaskedDestination string   // masked destination
	// Data is a kind's own public data as JSON (WebAuthn options), or nil.
	Data []byte
}

// VerifyInput is one answer to judge.
type VerifyInput struct {
	User User
	// State is the instance's, as Enroll or the last Verdict left it. It must not be changed in place.
	State []byte
	// Issued is what Issue kept for a Challenger, nil when nothing was issued to the
	// challenge that is being answered.
	Issued []byte
	// IssuedAt and Expires are of Issued.
	IssuedAt, Expires time.Time
	// Response is the answer, normalised, 1 to 8192 bytes of valid UTF-8 without NUL.
	Response string
	// Opened is when the challenge or enrolment that is being answered was begun.
	Opened time.Time
	// Confirming is true while an enrolment is being confirmed.
	Confirming bool
	Now        time.Time
}

// Verdict is what a correct response changes.
type Verdict struct {
	// State replaces the instance's state; nil leaves it.
	State []byte
	// Ended says that the instance is used up: the person has it no longer.
	Ended bool
	// UserVerified says that the answer also proves who holds the instance, by a PIN, a finger
	// or a face: two factors in one, so that it may be the only one.
	UserVerified bool
	// Cloned says what ErrCloned says, of an answer that is accepted nevertheless.
	Cloned bool
}

// IssueInput asks for a challenge.
type IssueInput struct {
	User       User
	State      []byte
	Confirming bool // the challenge confirms an enrolment
	// Instances are all that may answer, of a SharedChallenge kind; State is one of them.
	Instances []Instance
	// Anyone says that nobody is known yet, and that whoever answers is who it is: Person,
	// State and Instances are empty. Only for an Identifier.
	Discoverable bool
	Now          time.Time
}

// Issue is a challenge that was made.
type Issue struct {
	// Keep is kept in the person's record until Expires and handed to Verify: a hash of
	// the code, never the code.
	Keep []byte
	// Expires is when the answer becomes too late: at Expires itself it is.
	Expires time.Time
	// Destination is the full address or number, for the budget per destination; it is kept
	// only as a keyed hash. Empty for what is not sent anywhere.
	Destination Secret
	// Payload is handed to Deliver and forgotten. An Issue without Destination and Payload is
	// handed over by its Prompt alone: it counts against no rate limit, and Deliver is not called.
	Payload Secret
	// Prompt is handed to the caller of Send (WebAuthn options); codes do not belong here.
	Prompt Prompt
}

// DeliverInput is a challenge to hand over.
type DeliverInput struct {
	User    User
	State   []byte
	Payload Secret
	// Purpose is "sign-in", "step-up", "manage", "replace" or "confirm".
	Purpose string
	// Link is, when an address is being confirmed, a token whose holder has proved that
	// mail reaches them: put it in a link to a page that posts it. Otherwise empty.
	Link    Secret
	Expires time.Time
	Now     time.Time
}
