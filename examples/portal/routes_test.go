package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/routes"
)

// What changes something here: the password, which mfahttp follows with the second factor, and
// signing out. Nobody administers; the clients of the portal are in its source.
func TestRoutes_AreClassified(t *testing.T) {
	list, err := routes.Of(".", "Handle", "HandleFunc")
	require.NoError(t, err)
	var writes []string
	for _, r := range list {
		if !strings.HasPrefix(r, "GET ") {
			writes = append(writes, r)
		}
	}
	require.Equal(t, []string{"/mfa/", "POST /login", "POST /sign-out"}, writes,
		"say of a new route what it has to prove, and prove it")
}
