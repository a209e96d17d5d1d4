package main

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
)

func TestHome_NeedsTheSecondFactor(t *testing.T) {
	t.Chdir(t.TempDir()) // newApp makes its key file here
	app, err := newApp()
	require.NoError(t, err)
	client := mfatest.NewClient(t, app)
	client.Post(t, "/login", url.Values{"email": {"ann@example.com"},
		"password": {"correct horse battery"}})
	require.NotContains(t, client.Get(t, "/").Text, "Welcome")
	client.PassSecondFactor(t, new(mfatest.App))
	require.Contains(t, client.Get(t, "/").Text, "Welcome, ann@example.com")
}
