package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/client"
)

func TestContext_CarriesTheClient(t *testing.T) {
	require.Zero(t, client.Of(t.Context()))
	c := client.Client{Browser: "Firefox", Place: "Oslo"}
	require.Equal(t, c, client.Of(c.Context(t.Context())))
}
