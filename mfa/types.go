package mfa

import (
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Clock tells the time. It is read once for each operation. It must be one clock for
// all processes, within a few seconds.
type Clock interface{ Now() time.Time }

// Subject is a person as the application knows them when it calls. secondgate keeps
// nothing of it but what a factor needs.
type User struct {
	// ID is stable, unique within Tenant and never reused: 1 to 128 bytes of UTF-8.
	ID string
	// Tenant and UserType choose the policy; both may be empty, 64 bytes each.
	Tenant   string
	UserType string
	// Account is how the person is called in an authenticator app. Empty means Email, or
	// ID without one. Where one address has two accounts, tell them apart here.
	Account string
	// Email is the person's address of record. EmailVerified says that the application
	// has made sure that it is theirs; only then can it be an implicit factor.
	Email         string
	EmailVerified bool
	// Phone is the person's number of record in E.164 form, used to notify only.
	Phone string
	// Locale is a BCP 47 tag for messages, such as "nl"; empty means English.
	Locale string
	// Enrolled says that, as far as the application knows, the person has enrolled. If the
	// store then holds no record, Begin fails with ErrRecordMissing and nobody gets in.
	Enrolled bool
}

// Purpose is what a challenge is for. What is issued for one is refused for another.
type Purpose string

const (
	// SignIn completes a sign-in after the first factor.
	PurposeSignIn Purpose = "sign-in"
	// StepUp proves presence again before something sensitive.
	PurposeStepUp Purpose = "step-up"
	// ManageFactors opens changes to the factors.
	PurposeManage Purpose = "manage"
	// ReplaceFactor opens the enrolment of a replacement after a loss, by recovery only.
	PurposeRecover Purpose = "replace"
)

// Next is what a sign-in needs now.
type Next string

const (
	// Done: nothing is asked; sign the person in.
	NextDone Next = "done"
	// Verify: ask for one of the Options.
	NextVerify Next = "verify"
	// Enroll: a factor is required and there is none; Grant opens enrolment.
	NextEnroll Next = "enroll"
)

// ChallengeToken, EnrollmentToken, LinkToken and Grant are sealed, opaque and printable
// (URL-safe). They print as "[redacted]"; Reveal returns the text to store or send.
type (
	// ChallengeToken stands for one challenge begun.
	ChallengeToken struct{ factor.Secret }
	// EnrollmentToken stands for one pending enrolment.
	EnrollmentToken struct{ factor.Secret }
	// LinkToken verifies an address from a link in a mail.
	LinkToken struct{ factor.Secret }
	// Grant is the only key to changing a user's factors. It may be used several times
	// until it expires, in the session (Binding) it was made in.
	Grant struct{ factor.Secret }
)

// BeginRequest opens a challenge. The caller has checked the first factor.
type BeginRequest struct {
	User User
	// Purpose is SignIn if empty.
	Purpose Purpose
	// Binding ties the challenge to a session: any string that only this session presents,
	// not empty, at most 512 bytes. It need not survive as the session's id.
	Binding string
	// SignedIn is when the user last gave the first factor in this session, which is what a
	// user who has nothing else proves to enrol a first factor: it must be minutes ago
	// (Config.ChallengeTTL). Zero means now with SignIn, since Begin is called as the password
	// is checked, and unknown, which is never recent, with every other purpose. Set it
	// wherever Begin may be called later in a session.
	SignedIn time.Time
	// Device is the token that the browser has kept of an earlier sign-in, or "". What is no
	// good, or another person's, is passed over. Only for SignIn.
	Device DeviceToken
}

// Challenge is what Begin answers.
type Challenge struct {
	Next  Next
	Token ChallengeToken
	// Options are the kinds the person may use now, default first; for Verify.
	Options []Option
	// Kinds may be enrolled under the policy; for Enroll.
	Kinds []string
	// Grant opens enrolment and nothing else; for Enroll.
	Grant Grant
	// Expires is when Token (or Grant) is over.
	Expires time.Time
	// LockedUntil is the end of a present lock, or zero.
	LockedUntil time.Time
	// EnrollBy is the end of a grace period that lets the person in unenrolled (Next is
	// Done), or zero.
	EnrollBy time.Time
	// Remembered says that Next is Done because the device is a remembered one. Device then
	// replaces the token that it sent, until DeviceExpires; if it is empty, another request
	// of the same moment has replaced it, and the browser keeps what it has.
	Remembered    bool
	Device        DeviceToken
	DeviceExpires time.Time
}

// Option is one way to answer a challenge.
type Option struct {
	Kind              string
	FactorID          string // for Send with several instances; "" for an implicit one, and for all of a kind
	Name              string
	MaskedDestination string // masked destination, or ""
	Default           bool
	// Sends is true if the kind needs Send before Verify.
	Sends bool
	// Class tells recovery kinds from the others.
	Class factor.Class
	// Stopped is true if the kind was stopped after too many failures.
	Disabled bool
	// Asks are the texts to answer, one on each line of the response; of a kind with factor.Description.Questions.
	Questions []string
}

// SendRequest asks that a code be sent, or sent again.
type SendRequest struct {
	Challenge ChallengeToken
	Purpose   Purpose // SignIn if empty
	Binding   string
	Kind      string
	// FactorID chooses among several instances of the kind; empty takes the one used last.
	FactorID string
}

// Delivery is what was sent. A code sent before for this kind is no longer good.
type Delivery struct {
	Kind              string
	MaskedDestination string
	Expires           time.Time
	Prompt            factor.Prompt
}

// VerifyRequest answers a challenge.
type VerifyRequest struct {
	Challenge ChallengeToken
	Purpose   Purpose // SignIn if empty
	Binding   string
	Kind      string
	Response  factor.Secret
	// Remember is a name for the device that the answer comes from, at most 64 bytes, if the
	// person wants it to be remembered, as far as Policy.Remember allows. Only for SignIn, and
	// never after a recovery.
	Remember string
}

// Verification is the proof that a person answered rightly. It exists only with a nil
// error, after the write that recorded it.
type Verification struct {
	UserID, Tenant, UserType string
	Purpose                  Purpose
	Kind                     string
	FactorID                 string
	Time                     time.Time
	// AMR are authentication method references of this verification (RFC 8176), without
	// those of the application's first factor.
	AMR []string
	// AssuranceLevel is what first factor and this one reach together in the terms of NIST
	// SP 800-63B-4: 1 or 2. A manager of keys for level 3 is out of scope.
	AssuranceLevel int
	// ACR is "phr" for an answer that no other site could have got (OpenID Connect EAP ACR
	// Values 1.0 section 2), else empty.
	ACR string
	// Passwordless says that the answer took the place of the first factor too: the session
	// waited for nobody.
	Passwordless bool
	// Grant opens changes to the factors for Config.GrantTTL, as far as what was proven
	// permits. EnrollKinds are, after a recovery, the kinds that it lets the user enrol.
	Grant        Grant
	GrantExpires time.Time
	EnrollKinds  []string
	// RecoveryLeft is how many recovery codes are left after one was used, else -1.
	RecoveryCodesRemaining int
	// Device is the token of the device, if it is remembered now, until DeviceExpires.
	Device        DeviceToken
	DeviceExpires time.Time
}

// EnrollRequest starts the enrolment of an instance of a kind.
type EnrollRequest struct {
	Grant   Grant
	Binding string
	Kind    string
	// Name is what the person calls it ("Phone"), at most 64 bytes; may be empty.
	Name string
	// Params are the kind's own, such as "address", "number" and "region", "pin", "secret".
	Params map[string]factor.Secret
}

// Enrollment is a pending enrolment. Nothing has changed yet. For a kind that sends, the
// code has been sent to the new destination.
type Enrollment struct {
	Token   EnrollmentToken
	Kind    string
	Prompt  factor.Prompt
	Expires time.Time
	// CodeExpires is when a code that was sent is over; zero without one.
	CodeExpires time.Time
	// Confirmed is set when the kind needs no confirmation (recovery codes); then it is
	// done, and Token is empty.
	Confirmed *Confirmation
}

// ConfirmRequest confirms an enrolment, by Token and the answer, or by Link alone.
type ConfirmRequest struct {
	Token    EnrollmentToken
	Binding  string
	Response factor.Secret
	Link     LinkToken
}

// Confirmation is an enrolment that has taken effect.
type Confirmation struct {
	UserID, Tenant string
	Factor         FactorInfo
	// Grant replaces the one that opened the enrolment: it knows the new factor to have
	// been proven. Empty when confirmed by a link.
	Grant        Grant
	GrantExpires time.Time
	// Verification is set for an enrolment that was forced at sign-in: the person has
	// proven the new factor, and is signed in.
	Verification *Verification
}

// FactorInfo describes one factor of a person, without secrets.
type FactorInfo struct {
	ID                string // "" for an implicit one
	Kind              string
	Name              string
	MaskedDestination string
	Class             factor.Class
	Created           time.Time
	LastUsed          time.Time // zero: never
	Implicit          bool
	Disabled          bool
	Remaining         int // recovery codes left; -1 for kinds that do not run out
	// HeldUntil is, for a replacement that a recovery enrolled, until when it signs in and
	// changes nothing; any older factor of the user removes it. Zero for every other.
	HeldUntil time.Time
	// Data is JSON that the kind has for the person's own client, or nil.
	Data []byte
}

// Overview is what a security page shows of a person.
type Overview struct {
	Factors                []FactorInfo
	LockedUntil            time.Time // zero: not locked
	RecoveryCodesRemaining int       // 0 without codes
	Policy                 policy.Policy
	// Kinds may be enrolled under the policy.
	Kinds []string
	// Devices are those that are remembered.
	Devices []DeviceInfo
}
