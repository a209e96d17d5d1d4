package pin_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/secret"
)

// A PIN works in another installation, whether it was chosen here or came from another system.
func TestImportParams_MoveAPIN(t *testing.T) {
	f := newFactor(t, pin.Config{})
	hash, err := bcrypt.GenerateFromPassword([]byte("739162"), bcrypt.MinCost)
	require.NoError(t, err)
	for _, in := range []factor.EnrollInput{
		{Params: map[string]secret.Text{"pin": secret.New("739162")}},
		{Params: map[string]secret.Text{"hash": secret.New(string(hash))}, Imported: true},
	} {
		out, err := f.Enroll(t.Context(), in)
		require.NoError(t, err)
		params, err := f.ImportParams(out.State)
		require.NoError(t, err)
		require.Len(t, params, 1)
		there, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true, Params: params})
		require.NoError(t, err)
		_, err = f.Verify(t.Context(), factor.VerifyInput{State: there.State,
			Response: secret.New("739162")})
		require.NoError(t, err)
	}
	for _, state := range [][]byte{nil, {}, {0}, {3, 'x'}} {
		_, err := f.ImportParams(state)
		require.Error(t, err)
	}
}
