package factor

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/secret"
)

// User is what a factor may know about the user. ID is the application's. Account is the name
// that an authenticator app shows, by default the e-mail address or the ID. The other fields may
// be empty.
type User struct {
	ID, Tenant, UserType string
	Account              string
	Email, Phone         string
	Locale               string
	// TimeZone is the IANA name of the user's time zone, such as "Europe/Oslo", or "".
	TimeZone string
}

// Format writes the user's ID, tenant and type for every verb. It leaves out the account, the
// address and the number.
func (u User) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{ID:%q Tenant:%q UserType:%q}", u.ID, u.Tenant, u.UserType)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (u User) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", u.ID), slog.String("tenant", u.Tenant),
		slog.String("user_type", u.UserType))
}

// Prompt is what a user sees during enrolment, or what a client receives with a challenge.
// Secrets print as "[redacted]" unless revealed.
type Prompt struct {
	Secret secret.Text // key of an authenticator app, to type
	URI    secret.Text // otpauth URI, which a QR code shows
	// Codes are recovery codes, which are shown once. Only for a kind that has
	// [Traits].NoConfirmation: an enrolment that is kept between two requests does not have them.
	// A kind whose user confirms codes shows them as its Secret.
	Codes             []secret.Text
	MaskedDestination string // such as "a•••@example.com"
	// Data is the kind's own public data as JSON (WebAuthn options), or nil.
	Data []byte
}

// EnrollInput is one request to enrol.
type EnrollInput struct {
	User User
	// Name is the name that the user gave the new instance, possibly empty.
	Name string
	// Params are the factor's own parameters ("address", "number", "pin", "secret"), documented
	// by the factor. They may be secret: never log them.
	Params map[string]secret.Text
	// Existing are the user's instances of this kind, so that the factor can make a label
	// unique and refuse a duplicate.
	Existing []EnrollOutput
	// Imported says that the instance is one that another system has confirmed, for a kind that is
	// [Traits].Importable. Params describe it, and nobody is asked to confirm it. The Prompt is
	// ignored.
	Imported bool
	// Brand is how the user sees the application. Zero fields mean the factor's own settings.
	Brand brand.Brand
	Now   time.Time
}

// EnrollOutput is a prepared instance. Where the Manager lists instances that are enrolled, it has
// the State, the Name and the MaskedDestination that an instance has now, Outdated, and no Prompt.
type EnrollOutput struct {
	// State is kept for the pending instance and passed to Issue and Verify.
	State secret.Bytes
	// Outdated says, of an instance that is enrolled, that it responded in a form that it was not
	// enrolled with ([Verdict].Outdated), or that the policy does not allow it any more. It is no
	// duplicate of another of its kind.
	Outdated bool
	// Renew says, of an imported instance, that it is weaker than what users enrol. It proves level
	// 1 only, the user is asked to enrol another, and that one takes its place. A profile other
	// than the default refuses it.
	Renew bool
	// MaskedDestination distinguishes the instance in a list ("a•••@example.com"), or is empty.
	MaskedDestination string
	// Name is used when the user gave none.
	Name string
	// Prompt is what to show now.
	Prompt Prompt
}

// VerifyInput is one response to verify.
type VerifyInput struct {
	User User
	// State is the state of the instance, as Enroll or the last Verdict left it. It must not be
	// changed in place.
	State secret.Bytes
	// Issued is what Issue kept for a Challenger. It is nil when nothing was issued to the
	// challenge that the user responds to.
	Issued secret.Bytes
	// IssuedAt and Expires are the times of Issued.
	IssuedAt, Expires time.Time
	// Response is the normalised response, 1 to 8192 bytes of valid UTF-8 without NUL. It is
	// empty for a kind that is [Traits].Polled.
	Response secret.Text
	// Opened is when the challenge or enrolment began.
	Opened time.Time
	// Confirming is true while an enrolment is being confirmed.
	Confirming bool
	Now        time.Time
}

// Verdict is what a response changes.
type Verdict struct {
	// State replaces the state of the instance. Nil leaves it.
	State secret.Bytes
	// Ended says that the instance is used up: the user no longer has it.
	Ended bool
	// Name, beside a response that confirms an enrolment, is used when the user gave none. It takes
	// the place of EnrollOutput.Name, for a factor that learns only then what the user has. The
	// Manager numbers it if another instance of the kind has it.
	Name string
	// UserVerified says that the response also proves which user holds the instance, by a PIN,
	// a finger or a face. These are two factors in one, so that no other is needed.
	UserVerified bool
	// Cloned says that the instance seems to have been copied: the response is older than one
	// that was accepted. The user is notified (event "factor.cloned"). A factor that accepts the
	// response sets it in its Verdict. A factor that refuses the response returns
	// Verdict{Cloned: true} beside ErrReplayed; beside any other error it is ignored.
	Cloned bool
	// Outdated says that the instance itself has responded, and that it has changed since the user
	// enrolled it: it cannot respond correctly until the user enrols it anew. A factor returns
	// Verdict{Outdated: true} beside ErrExpired; beside any other error, and beside none, it is
	// ignored. Only the holder of the instance may be able to cause it, because an outdated
	// instance raises the level that the user must prove to LevelStrong at most. A correct response
	// of the instance ends it.
	Outdated bool
}

// IssueInput is one request for a challenge.
type IssueInput struct {
	User       User
	State      secret.Bytes
	Confirming bool // the challenge confirms an enrolment
	// Instances are all that may respond, for a SharedChallenge kind. State belongs to one of
	// them.
	Instances []EnrollOutput
	// Discoverable says that no user is known yet, and that the response will name the user:
	// User, State and Instances are empty. Only for an Identifier.
	Discoverable bool
	// Attestation is how much the factor asks the instance, at its enrolment, to prove about what
	// keeps its key: "none", "indirect", "direct" or "enterprise" (WebAuthn Level 3 section 5.4.7).
	// Empty means "none".
	Attestation string
	// Brand is how the user sees the application. It is zero if Discoverable is true.
	Brand brand.Brand
	Now   time.Time
}

// Issue is a challenge that was made.
type Issue struct {
	// Keep is kept in the user's record until Expires and passed to Verify: a hash of the code,
	// never the code.
	Keep secret.Bytes
	// Expires is when a response becomes too late: at Expires itself it is.
	Expires time.Time
	// Destination is the full address or number, for the rate limit of the destination. Only a
	// keyed hash of it is kept. Empty if nothing is sent.
	Destination secret.Text
	// Payload is passed to Deliver and then forgotten. An Issue without Destination and Payload
	// consists of its Prompt: it counts against no rate limit, and Deliver is not called.
	Payload secret.Text
	// Prompt is returned to the caller of Send (WebAuthn options, the number that the user
	// compares on another device). It holds no codes.
	Prompt Prompt
}

// Message is what a factor sends to a user: a challenge, for Deliver, or a notice, for Notify. A
// notice holds nothing that another reader of the message could use, unless it has a Link.
type Message struct {
	User User
	// State is the state of the instance whose destination the message goes to.
	State secret.Bytes
	// Time is when the challenge was issued, or when the event of a notice happened.
	Time time.Time
	// Brand is how the user sees the application. Zero fields mean the factor's own settings.
	Brand brand.Brand
	// Link is a token for a link to a page that posts it, or empty. In a challenge, while an
	// address is being confirmed, it proves that messages to the address arrive. In a notice
	// with the Event "setup.link", it is a recovery link.
	Link secret.Text

	// Payload is the Payload of the Issue. Only for Deliver, like the two fields below it.
	Payload secret.Text
	// Purpose is "sign-in", "step-up", "manage", "replace" or "confirm".
	Purpose string
	// Expires is when a response becomes too late.
	Expires time.Time

	// Event is the name of the event, as in the table at mfa.SlogEvents. It is "setup.link" for a
	// message whose purpose is the link, and "setup.elsewhere" for one that the user asked for to
	// enrol on another device. Only for Notify, like the fields below it.
	Event string
	// Kind is the kind that the event is about, or empty.
	Kind string
	// Label is the name that the user gave the factor or the device, or empty. It has no links,
	// quotation marks and invisible characters. Put quotation marks around it: an attacker may
	// have chosen it.
	Label string
	// Cause says what the user, or an attacker, did before: "first-factor" passed the first step
	// of a sign-in, "recovery-link" opened a recovery link, "session" was signed in already. It is
	// empty where none of these is meant.
	Cause string
	// Browser and Place are where the request came from that caused the event, as far as that is
	// known, or empty. Only package mfahttp knows them. An attacker may have chosen Browser.
	Browser, Place string
	// Until is the end of a lock or of a hold, or zero.
	Until time.Time
	// Remaining is how many recovery codes remain, or -1.
	Remaining int
}
