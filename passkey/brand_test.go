package passkey_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

// The name that some browsers show is that of the user's tenant.
func TestIssue_NamesTheBrand(t *testing.T) {
	f, err := passkey.New(passkey.Config{RPID: rpID, RPName: "Acme",
		Origins: []string{"https://" + rpID}})
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	user := factor.User{ID: "42", Account: "ann"}
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: user, Now: now})
	require.NoError(t, err)
	for want, b := range map[string]brand.Brand{"Acme": {}, "Northwind": {Product: "Northwind"}} {
		is, err := f.Issue(t.Context(), factor.IssueInput{User: user, State: out.State,
			Confirming: true, Brand: b, Now: now})
		require.NoError(t, err)
		var o struct {
			PublicKey struct{ RP struct{ Name string } }
		}
		require.NoError(t, json.Unmarshal(is.Prompt.Data, &o))
		require.Equal(t, want, o.PublicKey.RP.Name)
	}
}
