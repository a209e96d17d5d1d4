package totp

import "time"

// State is a state for tests.
func State(secret []byte, a Algorithm, digits int, period time.Duration, last int64) []byte {
	return state{algorithm: a, digits: digits, period: int(period / time.Second), last: last, secret: secret}.encode()
}

// Last is the last accepted step of a state.
func Last(b []byte) int64 {
	s, err := decodeState(b)
	if err != nil {
		panic(err)
	}
	return s.last
}

// Decode decodes a state and encodes it again.
func Decode(b []byte) ([]byte, error) {
	s, err := decodeState(b)
	if err != nil {
		return nil, err
	}
	return s.encode(), nil
}

// Code is the code of a step.
func Code(b []byte, step int64) string {
	s, err := decodeState(b)
	if err != nil {
		panic(err)
	}
	c, err := s.code(step)
	if err != nil {
		panic(err)
	}
	return c
}
