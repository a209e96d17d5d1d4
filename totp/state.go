package totp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// state is what is kept of an instance.
type state struct {
	algorithm Algorithm
	digits    int
	period    int   // seconds
	last      int64 // last accepted step, -1 for none
	label     [labelLen]byte
	secret    []byte
}

const (
	stateVersion = 1
	// stateImported is the version of a state whose secret is shorter than minSecret.
	stateImported = 2
	labelLen      = 8
	stateHeader   = 3 + 8 + labelLen
)

var errState = errors.New("totp: the stored state is not readable")

// encode is version, algorithm and digits, period, last+1 (big endian), label, secret.
func (s state) encode() []byte {
	b := make([]byte, 0, stateHeader+len(s.secret))
	version := byte(stateVersion)
	if s.short() {
		version = stateImported
	}
	b = append(b, version, byte(s.algorithm)<<4|byte(s.digits), byte(s.period))
	b = binary.BigEndian.AppendUint64(b, uint64(s.last+1))
	b = append(b, s.label[:]...)
	return append(b, s.secret...)
}

// short reports whether the secret is shorter than RFC 4226 wants.
func (s state) short() bool { return len(s.secret) < minSecret }

// decodeState refuses whatever encode does not make of a state that Enroll or Import allows: a
// short secret in a damaged record would let an attacker compute codes.
func decodeState(b []byte) (state, error) {
	if len(b) < stateHeader+minImported || len(b) > stateHeader+maxSecret {
		return state{}, errState
	}
	if version := b[0]; version != stateVersion && version != stateImported ||
		(version == stateImported) != (len(b) < stateHeader+minSecret) {
		return state{}, errState
	}
	last := binary.BigEndian.Uint64(b[3:])
	s := state{
		algorithm: Algorithm(b[1] >> 4),
		digits:    int(b[1] & 15),
		period:    int(b[2]),
		last:      int64(last) - 1,
		label:     [labelLen]byte(b[11:]),
		secret:    bytes.Clone(b[stateHeader:]),
	}
	if s.algorithm > SHA512 || s.digits < minDigits || s.digits > maxDigits ||
		last > math.MaxInt64 ||
		s.period < int(minPeriod/time.Second) || s.period > int(maxPeriod/time.Second) {
		return state{}, errState
	}
	return s, nil
}

// step is the time step of t: T0 is the Unix epoch (RFC 6238 section 4.2). There is none
// before it, and -2 is so far from the first that no window reaches one.
func (s state) step(t time.Time) int64 {
	if t.Unix() < 0 {
		return -2
	}
	return t.Unix() / int64(s.period)
}
