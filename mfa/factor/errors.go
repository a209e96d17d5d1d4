package factor

import "errors"

// The errors of a response that a factor refuses. Only ErrExpired is not counted as a failed
// attempt.
var (
	// ErrIncorrect is returned for an incorrect response.
	ErrIncorrect = errors.New("factor: incorrect response")
	// ErrExpired is returned for a correct response that comes too late. It is not counted as
	// a failed attempt, so a factor returns it only after it has compared the response. For an
	// incorrect response, however late, it returns ErrIncorrect. A [Problem] beside it tells the
	// user why a correct response is accepted no more.
	ErrExpired = errors.New("factor: response has expired")
	// ErrReplayed is returned for a response that would be correct if it had not been accepted
	// before. A factor that finds that the instance was copied returns a Verdict with Cloned
	// beside it.
	ErrReplayed = errors.New("factor: response was used before")
)

// ErrPending is returned by [Factor.Verify] while a response is not decided yet: the user has
// been asked on another device and has neither approved nor denied. Only a kind that is
// [Traits].Polled may return it; for any other kind it is a failed attempt. The Manager counts
// and writes nothing, and what Issue made stays as it is until it expires. Verify returns at
// once and never waits for the user.
var ErrPending = errors.New("factor: not decided yet")

// ErrMalformed is returned for an input that no state would make correct: no digits in place of
// digits, no address in place of an address. [Normalizer] and [Factor.Enroll] may return it. Its
// text is for developers; a [Problem] is for users. An ErrMalformed of [Factor.Verify] is
// counted as a failed attempt, like every error.
var ErrMalformed = errors.New("factor: malformed input")

// ErrUndeliverable is returned by [Implier.Implied] when the application vouches for an address
// that no message can be sent to. It never means that the user has no address: a user without
// one could sign in, or enrol a factor, with the password alone.
var ErrUndeliverable = errors.New("factor: no message can be sent to the address")

// Problem is an ErrMalformed with a reason that a page may show. Reason is a stable code, such
// as "pin_too_short", that pages translate. Detail is its English text, without anything that
// the user typed.
type Problem struct {
	Reason string
	Detail string
}

func (p *Problem) Error() string { return "factor: " + p.Detail }

// Unwrap makes errors.Is(p, ErrMalformed) true.
func (p *Problem) Unwrap() error { return ErrMalformed }
