package passkey_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/exporting"
	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
)

// A passkey that moves to another installation signs in there with the same device, beside a
// password and alone. It keeps its counter, so that a copy of before is found.
func TestImportParams_MovesAPasskey(t *testing.T) {
	from, to, device := newWorld(t, ofSamples), newWorld(t, ofSamples), oldDevice(t)
	require.NoError(t, from.take(annSubject, request(sample(t, "go-webauthn.json"), oldHandle)))
	require.NoError(t, from.signsInAlone(device))
	var file bytes.Buffer
	done, err := exporting.Write(t.Context(), from.Admin(mfa.System("move"), "ticket 4711"), &file,
		exporting.Options{})
	require.NoError(t, err)
	require.Equal(t, exporting.Done{Users: 1, Factors: 1}, done)
	for r := range importing.Run(t.Context(), to.Admin(mfa.System("move"), "ticket 4711"),
		importing.JSONLines(&file), importing.Options{}) {
		require.Equal(t, "imported passkey", r.Outcome())
	}
	require.NoError(t, to.signsInAlone(device))
	to.signsInBeside(annSubject, device)
}
