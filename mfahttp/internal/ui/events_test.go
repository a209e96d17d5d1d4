package ui_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// docs/api.md lists the events that a client of the API is given.
func TestOwnEvents_AreInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/api.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(guide), "| `event` | meaning |\n|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var listed []string
	for _, name := range regexp.MustCompile("`([a-z.-]+)`").FindAllStringSubmatch(table, -1) {
		listed = append(listed, name[1])
	}
	require.ElementsMatch(t, ui.OwnEvents(), listed)
}

// Clients are given the same names whatever kinds there are.
func TestEventName_DoesNotDependOnTheKinds(t *testing.T) {
	kinds := []string{"totp", "acme", "reset"}
	for event, name := range map[string]string{
		"verify.success": "verify.success", "admin.acme": "admin.access",
		"admin.access": "admin.access", "admin.reset": "admin.reset",
	} {
		require.Equal(t, name, ui.EventName(event, kinds), event)
		require.True(t, ui.OwnEvent(event, kinds))
	}
}
