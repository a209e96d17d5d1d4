package sms_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/sms"
)

func TestImportParams_MoveANumber(t *testing.T) {
	f := new(sms.Factor)
	params, err := f.ImportParams([]byte("+31612345678"))
	require.NoError(t, err)
	require.Len(t, params, 1)
	require.Equal(t, "+31612345678", params["number"].Reveal())
	_, err = f.ImportParams([]byte("no number"))
	require.Error(t, err)
}
