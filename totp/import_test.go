package totp_test

import (
	"testing"
	"time"

	"github.com/pquerna/otp"
	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

func params(list ...string) map[string]secret.Text {
	p := make(map[string]secret.Text)
	for i := 0; i < len(list); i += 2 {
		p[list[i]] = secret.New(list[i+1])
	}
	return p
}

const (
	short = "JBSWY3DPEHPK3PXP"                 // 80 bits
	long  = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // 160 bits
)

// The app goes on: its present code is valid, once.
func TestImport_KeepsTheApp(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		params  map[string]secret.Text
		secret  string
		options oldtotp.ValidateOpts
		renew   bool
	}{
		"a secret": {params("secret", long), long, oldtotp.ValidateOpts{Digits: 6}, false},
		"128 bits": {params("secret", long[:26]), long[:26], oldtotp.ValidateOpts{Digits: 6},
			false},
		"80 bits": {params("secret", short), short, oldtotp.ValidateOpts{Digits: 6}, true},
		"a URI": {params("uri", "otpauth://totp/Acme:ann?secret="+long+"&issuer=Acme"+
			"&algorithm=SHA256&digits=8&period=60"), long,
			oldtotp.ValidateOpts{Digits: 8, Period: 60, Algorithm: otp.AlgorithmSHA256}, false},
		"parameters": {params("secret", long, "algorithm", "sha-512", "digits", "8"), long,
			oldtotp.ValidateOpts{Digits: 8, Algorithm: otp.AlgorithmSHA512}, false},
	} {
		t.Run(name, func(t *testing.T) {
			// The Config is for new enrolments alone.
			f := newFactor(t, strict)
			out, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true, Params: c.params})
			require.NoError(t, err)
			require.Equal(t, c.renew, out.Renew)
			if c.options.Period == 0 {
				c.options.Period = 30
			}
			code, err := oldtotp.GenerateCodeCustom(c.secret, now, c.options)
			require.NoError(t, err)
			state, err := at(f, out.State, now.Unix(), code)
			require.NoError(t, err)
			_, err = at(f, state, now.Unix(), code)
			require.ErrorIs(t, err, factor.ErrReplayed)

			moved, err := f.ImportParams(state)
			require.NoError(t, err)
			there, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true, Params: moved})
			require.NoError(t, err)
			_, err = at(f, there.State, now.Unix(), code)
			require.NoError(t, err, "what an export has is the same app")
			_, err = f.ImportParams(state[:1])
			require.Error(t, err)

			_, err = f.Enroll(t.Context(), factor.EnrollInput{Imported: true, Params: c.params,
				Existing: []factor.EnrollOutput{{State: state}}})
			require.ErrorIs(t, err, factor.ErrMalformed, "the user has it already")
		})
	}
}

func TestImport_Refuses(t *testing.T) {
	f := newFactor(t)
	for name, p := range map[string]map[string]secret.Text{
		"nothing":            params(),
		"72 bits":            params("secret", "JBSWY3DPEHPK3P"),
		"no base32":          params("secret", "0189"),
		"a URI of counters":  params("uri", "otpauth://hotp/x?secret="+long+"&counter=1"),
		"a URI and a secret": params("uri", "otpauth://totp/x?secret="+long, "secret", long),
		"no URI":             params("uri", "otpauth://totp/%zz"),
		"four digits":        params("secret", long, "digits", "4"),
		"an hour":            params("secret", long, "period", "3600"),
		"MD5":                params("uri", "otpauth://totp/x?algorithm=MD5&secret="+long),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true, Params: p})
			require.ErrorIs(t, err, factor.ErrMalformed)
			require.NotContains(t, err.Error(), long)
		})
	}
	_, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true,
		Params: params("uri", "otpauth://hotp/x?secret="+long)})
	require.ErrorContains(t, err, "URI", "the error names the parameter")
	_, err = f.Enroll(t.Context(), factor.EnrollInput{Params: params("secret", short)})
	require.ErrorIs(t, err, factor.ErrMalformed, "users enrol no short secret")
}
