package totp

import (
	"context"
	"crypto/subtle"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Verify accepts a code of a step in the window that is later than the last accepted one, and
// returns the state that remembers it. A code of a step in the window that is not later gives
// factor.ErrReplayed, whether that very step was accepted or one after it; everything else
// gives factor.ErrIncorrect. An error that is neither means that the state is damaged, or
// that FIPS 140-3 is enforced and the instance uses SHA1.
//
// Now and then steps near each other have the same code. All steps of the window are looked
// at, not just up to the first match, so that a user is not refused because the earlier of
// them was used; and the latest that matches is the one remembered, so that the digits
// accepted now do not work again when the later step comes.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	s, err := decodeState(in.State)
	if err != nil {
		return nil, err
	}
	if err := s.algorithm.usable(); err != nil {
		return nil, err
	}
	matched, replayed := int64(-1), false
	for _, w := range f.windows(s, in) {
		for step := w.from; step <= w.to; step++ {
			code, err := s.code(step)
			if err != nil {
				return nil, err
			}
			switch {
			case subtle.ConstantTimeCompare([]byte(code), []byte(in.Response.Reveal())) == 0:
			case step > s.last:
				matched = step
			default:
				replayed = true
			}
		}
	}
	switch {
	case matched >= 0:
		s.last = matched
		return &factor.Verdict{State: s.encode()}, nil
	case replayed:
		return nil, factor.ErrReplayed
	default:
		return nil, factor.ErrIncorrect
	}
}

// window is the steps from one to another, both included, none if to is less than from.
type window struct{ from, to int64 }

// windows are the steps accepted at in.Now, in ascending order and none twice: those that were
// valid when the prompt was opened, while the grace lasts, and those that are valid now. A step
// between them was valid at neither time, and is not accepted.
func (f *Factor) windows(s state, in factor.VerifyInput) [2]window {
	skew := int64(1)
	if f.cfg.Strict {
		skew = 0
	}
	around := func(step int64) window { return window{max(step-skew, 0), step + skew} }
	opened, now := window{0, -1}, around(s.step(in.Now))
	// A prompt that was opened later than now is one from before the clock stepped back. Without
	// a grace, the second condition is never true.
	if !in.Opened.After(in.Now) && in.Now.Sub(in.Opened) < f.cfg.EntryGrace {
		opened = around(s.step(in.Opened))
		now.from = max(now.from, opened.to+1)
	}
	return [2]window{opened, now}
}

// code is the code of a step (RFC 6238 section 4.2, RFC 4226 section 5.3).
func (s state) code(step int64) (string, error) {
	return hotp.GenerateCodeCustom(b32.EncodeToString(s.secret), uint64(step),
		hotp.ValidateOpts{Digits: otp.Digits(s.digits), Algorithm: s.algorithm.otp()})
}
