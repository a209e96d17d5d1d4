package factor

import (
	"time"
)

// Settings state how a factor is configured, in [Traits].Settings, for a profile (policy.Profile)
// to check. A factor states facts and no opinion: the profile says which numbers suffice. The
// zero value of a field means that it does not apply, or is not stated; a profile that asks for
// it counts it as not met.
type Settings struct {
	// Bits is how hard the easiest answer that the factor makes is to guess: the binary
	// logarithm of how many there are, 19.9 for six decimal digits. Not for answers that
	// people choose.
	Bits float64
	// Lifetime is how long one answer can be good, at the most: of a code that is sent, from
	// the issue to the expiry; of a time-based one, all steps in which it is accepted.
	Lifetime time.Duration
	// Step is how often a time-based code changes.
	Step time.Duration
	// MinLength is how many characters an answer that a person chooses has at least.
	MinLength int
	// SlowHash says that what is kept of an answer is a salted password hash.
	SlowHash bool
	// Mail and Telephone say by which way codes reach the person: e-mail, or the public
	// telephone network (SMS, voice).
	Mail, Telephone bool
	// AsksBefore says that the application is asked before a code goes out, for a number that
	// was ported or is Voice over IP.
	AsksBefore bool
	// Hardware says that answers come from hardware that nothing can copy them out of, and that
	// it has proved to be such (by attestation, or because the organisation handed it out).
	Hardware bool
	// PersonalFacts says that the answers are about the person's life, which others may know
	// or find out.
	PersonalFacts bool
}
