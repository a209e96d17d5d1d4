package totp

import (
	"time"

	"github.com/secondgate/secondgate/secret"
)

// State is a state for tests.
func State(secret []byte, a Algorithm, digits int, period time.Duration, last int64) []byte {
	return state{algorithm: a, digits: digits, period: int(period / time.Second), last: last,
		secret: secret}.encode()
}

// Last is the last accepted step of a state.
func Last(b []byte) int64 { return must(decodeState(b)).last }

// Decode decodes a state and encodes it again.
func Decode(b []byte) ([]byte, error) {
	s, err := decodeState(b)
	if err != nil {
		return nil, err
	}
	return s.encode(), nil
}

// Code is the code of a step.
func Code(b []byte, step int64) string { return must(must(decodeState(b)).code(step)) }

// Imported is the secret, algorithm, digits and period in seconds that an import is read as.
func Imported(f *Factor, params map[string]secret.Text) ([]byte, Algorithm, int, int, error) {
	s, err := f.newState(params, minSecret)
	return s.secret, s.algorithm, s.digits, s.period, err
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
