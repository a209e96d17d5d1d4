package totp

import (
	"strconv"

	"github.com/secondgate/secondgate/secret"
)

// ImportParams returns the parameters with which Enroll imports an instance: "secret", "algorithm",
// "digits" and "period". The last accepted code does not go along.
func (f *Factor) ImportParams(data []byte) (map[string]secret.Text, error) {
	s, err := decodeState(data)
	if err != nil {
		return nil, err
	}
	return map[string]secret.Text{"secret": secret.New(b32.EncodeToString(s.secret)),
		"algorithm": secret.New(s.algorithm.String()),
		"digits":    secret.New(strconv.Itoa(s.digits)),
		"period":    secret.New(strconv.Itoa(s.period))}, nil
}
