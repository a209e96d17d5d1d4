package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/routes"
)

// The routes that change something verify the password, which mfahttp follows with the second
// factor, and sign out. There are no administrators, and the source names the portal's clients.
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
		"name the proof that a new route requires, and test it")
}
