package totp_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

// The seeds of RFC 6238 appendix B: as long as the hash's output, as in its reference code.
var seeds = map[totp.Algorithm][]byte{
	totp.SHA1:   []byte("12345678901234567890"),
	totp.SHA256: []byte("12345678901234567890123456789012"),
	totp.SHA512: []byte("1234567890123456789012345678901234567890123456789012345678901234"),
}

// fresh is the state of an instance as the Config's zero value makes it, whose secret is that
// of the RFCs and which has accepted nothing; usedAt is one that has accepted a step.
func fresh() []byte { return usedAt(-1) }

func usedAt(last int64) []byte {
	return totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, last)
}

func newFactor(t testing.TB, change ...func(*totp.Config)) *totp.Factor {
	t.Helper()
	cfg := totp.Config{Issuer: "Acme"}
	for _, c := range change {
		c(&cfg)
	}
	f, err := totp.New(cfg)
	require.NoError(t, err)
	return f
}

func strict(c *totp.Config) { c.Strict = true }

func grace(d time.Duration) func(*totp.Config) {
	return func(c *totp.Config) { c.EntryGrace = d }
}

// at verifies a code.
func at(f *totp.Factor, state []byte, unix int64, code string) ([]byte, error) {
	return verify(f, factor.VerifyInput{State: state,
		Response: secret.New(code), Now: time.Unix(unix, 0)})
}

func verify(f *totp.Factor, in factor.VerifyInput) ([]byte, error) {
	before := bytes.Clone(in.State)
	v, err := f.Verify(context.Background(), in)
	if !bytes.Equal(before, in.State) {
		return nil, errors.New("changed the state it was given")
	}
	if err != nil {
		if v != nil {
			return nil, errors.New("gave a verdict with an error")
		}
		return nil, err
	}
	return v.State, nil
}

func enroll(t testing.TB, f *totp.Factor, in factor.EnrollInput) (*factor.EnrollOutput, *url.URL) {
	t.Helper()
	out, err := f.Enroll(context.Background(), in)
	require.NoError(t, err)
	u, err := url.Parse(out.Prompt.URI.Reveal())
	require.NoError(t, err)
	return out, u
}

func reason(err error) string {
	var p *factor.Problem
	if errors.As(err, &p) && errors.Is(err, factor.ErrMalformed) {
		return p.Reason
	}
	return ""
}
