package quiet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/quiet"
)

type loud struct{ Secret string }

func (l loud) Error() string { return l.Secret }

type reply struct {
	loud
	code      int
	temporary bool
}

func (r reply) SendStatus() (int, bool) { return r.code, r.temporary }

func TestNew_KeepsTheCauseAndPrintsNoneOfIt(t *testing.T) {
	sentinel := errors.New("sentinel")
	err := quiet.New("ours", sentinel, nil, loud{"012345"})
	require.ErrorIs(t, err, sentinel)
	var l loud
	require.ErrorAs(t, err, &l)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		require.Equal(t, "ours", fmt.Sprintf(verb, err), verb)
	}
	require.Equal(t, `"ours"`, fmt.Sprintf("%q", err))
	encoded, jsonErr := json.Marshal(err)
	require.NoError(t, jsonErr)
	require.Equal(t, `"ours"`, string(encoded))
	require.Equal(t, "around: ours", fmt.Errorf("around: %w", err).Error())
}

func TestStatus_ShowsTheStatusOnly(t *testing.T) {
	for want, err := range map[string]error{
		"":                         loud{"012345"},
		" (status 550, permanent)": reply{loud{"012345"}, 550, false},
		" (status 451, temporary)": fmt.Errorf("012345: %w", reply{loud{"012345"}, 451, true}),
		" (temporary)":             reply{loud{"012345"}, 12345, true},
	} {
		require.Equal(t, want, quiet.Status(err))
		require.Equal(t, want, quiet.Text(err))
	}
	require.Equal(t, ": ours", quiet.Text(fmt.Errorf("012345: %w",
		quiet.New("ours", loud{"012345"}))))
}
