package passkey_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A member of the client data counts by its exact name, also where the JSON decoder is not exact.
func TestVerify_ReadsMembersOfClientDataByTheirExactNames(t *testing.T) {
	f, d := newFactor(t), newDevice()
	state := enrolled(t, f, d)
	for name, member := range map[string]string{"Origin": "origin", "TYPE": "type",
		"cro\u017f\u017forigin": "crossOrigin", "Challenge": "challenge", "origins": ""} {
		for _, both := range []bool{false, true} {
			in, options := challenge(t, f, state, false)
			w := d.forgery(options, "webauthn.get")
			w.client[name] = w.client[member]
			if !both {
				delete(w.client, member)
			}
			_, err := verify(f, in, d.sign(t, w))
			if member == "" { // another name altogether
				require.NoError(t, err)
				continue
			}
			require.Error(t, err, "%s, with %s as well: %t", name, member, both)
		}
	}
}
