package factor

import (
	"time"

	"github.com/secondgate/secondgate/secret"
)

// Level ranks what a success proves. To add an authenticator, a user needs the highest level
// that they have (NIST SP 800-63B-4 section 4.1.2.1). The zero Level is below every other: it
// is the level of recovery kinds, and no other kind may have it.
type Level uint8

const (
	// LevelWeak does not prove possession well enough for NIST's AAL2: e-mail, a PIN.
	LevelWeak Level = iota + 1
	// LevelStrong proves possession, but a user can type the response into a forged site:
	// authenticator app, SMS.
	LevelStrong
	// LevelPhishingResistant proves possession to the site that asks and to no other (NIST SP
	// 800-63B-4 section 3.2.5): passkey.
	LevelPhishingResistant
)

// Traits are the facts about a kind of factor, the same for every user. The Manager refuses
// a kind with neither Level nor Recovery, and traits that contradict each other.
type Traits struct {
	// Level ranks what a success proves, for the rules about which user may change which
	// factors. Required, except with Recovery.
	Level Level
	// Knowledge says that the factor is something that users know, and not something that they
	// have. Beside a password it is still a single factor (NIST SP 800-63-4 section 2.3.1), so
	// its Level is LevelWeak.
	Knowledge bool
	// Recovery says that the factor is a way back in after a loss. The Manager never offers it
	// first, and a success permits no more than the replacement of what was lost. Such a kind
	// has no Level and no Knowledge.
	Recovery bool
	// AMR is the authentication method reference (RFC 8176) that a success adds, for example
	// "otp". Empty adds none.
	AMR string
	// OnePerUser limits the kind to one instance for each user: a new one replaces the old one
	// when the user confirms it. The default limit is five.
	OnePerUser bool
	// NoConfirmation says that an enrolment is complete without a response: the user has seen
	// the recovery codes, and the Manager can ask for nothing more. Only with Recovery.
	NoConfirmation bool
	// AdminOnly says that only administrators make an instance for a user. Such a kind has
	// NoConfirmation too.
	AdminOnly bool
	// Importable says that Enroll also prepares instances that another system has confirmed
	// ([EnrollInput].Imported). It then sends nothing, and it accepts no response in the user's
	// place: a code that the user's device shows stays valid. The state of an [Identifier] has its
	// identity.
	//
	// Users can take an instance along to another installation (mfa.Admin.Export) if the factor has
	// the method
	//
	//	ImportParams(state []byte) (map[string]secret.Text, error)
	//
	// It returns the Params that make the instance anew in an import, secrets in full. Nil without
	// an error means that nothing of the instance is left to move. It has no effect, and nothing of
	// what was used up goes along.
	Importable bool
	// SharedChallenge says that one challenge goes to all instances of the kind at once, and
	// that any of them may respond: each signs it, and nothing is sent to one of them. Only for
	// a [Challenger].
	SharedChallenge bool
	// LastResort says that a response never signs in. It permits the enrolment of a replacement
	// only, and only while the user has no other way of recovery. Only with Recovery.
	LastResort bool
	// Polled says that users type nothing. They approve what Issue made somewhere else, such as
	// on another device, and the client asks again and again whether they have. Verify may
	// return ErrPending until then. The Manager passes no response to Verify and none to
	// Normalize, because what is not counted must hold no guess. It asks only about what was
	// issued to the challenge. The first ErrIncorrect or ErrReplayed is counted and ends what
	// was issued, so that a denial is final; a failure of the factor is not counted. Only for a
	// [Challenger], and not for an [Identifier], whose responses name the instance.
	Polled bool
	// Expensive says that Verify takes long or costs money: it hashes a password, or calls a
	// provider. The Manager then stores the failed attempt before it calls Verify, so that a
	// burst of responses cannot buy hash time. It never verifies two responses by one user at
	// once.
	Expensive bool
	// Limited says that instances run out of responses, as recovery codes do:
	// [Description].Remaining applies. Only for a [Describer].
	Limited bool
	// Temporary says that instances end by themselves, at [Description].Ends. Only for a
	// [Describer].
	Temporary bool
	// Settings state how the kind is configured, so that a profile (policy.Profile) can accept
	// it.
	Settings Settings
}

// Settings state how a factor is configured, for a profile (policy.Profile) to check. A factor
// states facts: the profile says which numbers suffice. The zero value of a field means that it
// does not apply, or is not stated. A profile that needs the field then finds it missing.
type Settings struct {
	// Bits is how hard the easiest response that the factor makes is to guess: the binary
	// logarithm of the number of possible responses, 19.9 for six decimal digits. It does not
	// apply to responses that users choose.
	Bits float64
	// Lifetime is the longest time for which one response can be valid. For a code that is
	// sent it is the time from issue to expiry; for a time-based code, all steps in which it
	// is accepted.
	Lifetime time.Duration
	// Step is how often a time-based code changes.
	Step time.Duration
	// MinLength and MaxLength are how many characters a response has that a user chooses. Pages
	// say them beside the field.
	MinLength, MaxLength int
	// Digits says that a response that a user chooses has decimal digits only, so that a phone
	// shows its number pad.
	Digits bool
	// SlowHash says that the factor keeps responses as salted password hashes.
	SlowHash bool
	// Mail and Telephone say how codes reach the user: by e-mail, or over the public telephone
	// network (SMS, voice).
	Mail, Telephone bool
	// AsksBefore says that the factor asks the application before it sends a code, so that the
	// application can refuse a number that was ported or is Voice over IP.
	AsksBefore bool
	// Hardware says that responses come from hardware whose keys cannot be copied, and that the
	// hardware has proved this (by attestation, or because the organisation handed it out).
	Hardware bool
	// Attests says that the factor can verify what keeps the key of an instance, and states it in
	// [Description].Hardware and Certified. Not every instance has to prove it.
	Attests bool
	// PersonalFacts says that responses are about the user's life, which others may know or
	// find out.
	PersonalFacts bool
}

// Description is what a factor says about one instance. The kind's [Traits] say whether
// Remaining and Ends apply; the other fields are zero where they do not apply, or are not known.
// The Manager reads it again at every decision, so it follows what the factor learns.
type Description struct {
	// Remaining is how many responses remain, for a kind that is [Traits].Limited. An instance
	// with zero cannot respond.
	Remaining int
	// Ends is when the instance ends, for a kind that is [Traits].Temporary. From then on the
	// user does not have it. The zero time is in the past: the instance has ended.
	Ends time.Time
	// Questions are the texts that the user chose to respond to. One response has one line for
	// each question. The Manager shows them to every user who may respond.
	Questions []string
	// AMR takes the place of [Traits].AMR for the instance: "hwk" where hardware keeps its key, and
	// "swk" where software does (RFC 8176). Empty leaves that of the kind.
	AMR string
	// DeviceBound says that the key cannot leave its device. Nothing proves it, unless Hardware is
	// true as well.
	DeviceBound bool
	// Hardware says that hardware keeps the key, that the key cannot be copied, and that this was
	// proven at the enrolment.
	Hardware bool
	// Certified is the FIDO certification level of the model that keeps the key, if the model was
	// proven: "L1", "L1+", "L2", "L2+", "L3", "L3+", or "".
	Certified string
	// Compromised says that the model that keeps the key is known to be unsafe. The Manager refuses
	// its enrolment. An instance that is enrolled meets no requirement of a policy for its key.
	Compromised bool
	// Public is JSON about the instance without secrets, for the user's client. A browser learns
	// from it which passkey was removed.
	Public []byte
	// Destination is the address or number that messages go to, in full. The data that a user asks
	// for (mfa.Admin.PersonalData) has it; everything else has EnrollOutput.MaskedDestination.
	Destination secret.Text
	// Export is the instance without secrets, in a form that other libraries import. The data that
	// a user asks for (mfa.Admin.PersonalData) has it, and nothing else.
	Export string
}
