package pin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/secret"
)

// A PIN of another system is verified by its hash, and kept as argon2id from then on.
func TestImport_HashesAnewAtTheFirstResponse(t *testing.T) {
	f := newFactor(t, pin.Config{})
	hash, err := bcrypt.GenerateFromPassword([]byte("739162"), bcrypt.MinCost)
	require.NoError(t, err)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true,
		Params: map[string]secret.Text{
			"hash": secret.New(string(hash))}})
	require.NoError(t, err)
	in := factor.VerifyInput{State: out.State, Response: secret.New("739163")}
	_, err = f.Verify(t.Context(), in)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	in.Response = secret.New("739162")
	v, err := f.Verify(t.Context(), in)
	require.NoError(t, err)
	require.Contains(t, string(v.State), "$argon2id$")
	in.State = v.State
	v, err = f.Verify(t.Context(), in)
	require.NoError(t, err)
	require.Nil(t, v.State)
}

// A comparison with an imported hash takes a second at most.
func TestImport_BoundsTheCost(t *testing.T) {
	f := newFactor(t, pin.Config{})
	for memory, want := range map[string]string{"15625": "<nil>", "15626": "pin_hash"} {
		hash := "$argon2id$v=19$m=" + memory + ",t=64,p=1$c2FsdHNhbHQ$" + strings.Repeat("YWJj", 8)
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true,
			Params: map[string]secret.Text{"hash": secret.New(hash)}})
		require.Equal(t, want, reason(err), memory)
	}
}

// A PIN has few possible values, so a quick hash of it is no protection.
func TestImport_RefusesHashes(t *testing.T) {
	f := newFactor(t, pin.Config{})
	for name, hash := range map[string]string{
		"nothing":   "",
		"the PIN":   "739162",
		"SHA-256":   strings.Repeat("ab", 32),
		"cost 15":   "$2b$15$abcdefghijklmnopqrstuu.O2cX48sCyHpcpMdF.Zh9eItK8drSY.",
		"a damaged": "\x02$2b$04$abcdefghijklmnopqrstuu.O2cX48sCyHpcpMdF.Zh9eItK8drSY.",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true,
				Params: map[string]secret.Text{
					"hash": secret.New(hash)}})
			require.Equal(t, "pin_hash", reason(err))
		})
	}
}
