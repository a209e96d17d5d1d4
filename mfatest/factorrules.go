package mfatest

import "testing"

// factorRule is one promise of a factor and the test of it.
type factorRule struct {
	name, why string
	check     func(FactorKit, *testing.T) error
}

// factorRules returns all rules.
func factorRules() []factorRule {
	return []factorRule{
		{"kind and traits", "they are stored, and decide what a success is worth", FactorKit.kind},
		{"correct and incorrect", "a correct response is accepted, an incorrect one gives an error " +
			"wrapping ErrIncorrect", FactorKit.responses},
		{"used response", "a code that an attacker saw works again", FactorKit.used},
		{"state is not changed in place", "a refused response would change what is stored",
			FactorKit.untouched},
		{"unreadable state", "what is corrupted must never verify, and never panic",
			FactorKit.corrupted},
		{"malformed input", "any client can send it; it gives ErrMalformed at most, and no panic",
			FactorKit.malformed},
		{"nothing secret in errors", "errors are logged", FactorKit.secrets},
		{"nothing secret in any error", "a malformed parameter, response or state is logged too",
			FactorKit.quotes},
		{"masked destination", "every user who passes the first factor sees it", FactorKit.masked},
		{"prompt", "an enrolment that is kept for the next page has the secret and the URI alone, so " +
			"that the user sees no codes", FactorKit.prompt},
		{"description", "a user whose codes have run out, or ended, is asked for one for ever",
			FactorKit.described},
		{"implied instance", "a user with an address that the application verified signs in " +
			"without enrolling", FactorKit.implied},
		{"parallel use", "one factor serves all requests; run with -race", FactorKit.parallel},
		{"issue", "a code that can be predicted, or read in the store, is no code",
			FactorKit.issues},
		{"challenges", "a response without a challenge, or after its time, is refused",
			FactorKit.challenges},
		{"undecided", "what is neither approved nor denied gives ErrPending, as often as a client " +
			"asks", FactorKit.undecided},
	}
}
