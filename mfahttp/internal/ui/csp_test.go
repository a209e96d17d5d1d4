package ui_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var scriptPath = regexp.MustCompile(
	`^/mfa/static/[0-9a-f]{16}/(app|passkey|wait|ends|session|kinds/zx-badge)\.js$`)

// checkCSP: nothing inline, and nothing from elsewhere.
func checkCSP(t *testing.T, list []element) {
	t.Helper()
	require.Empty(t, find(list, "style"))
	for _, e := range list {
		for name, value := range e.attrs {
			require.NotEqual(t, "style", name, e.name)
			require.False(t, strings.HasPrefix(name, "on"), "%s %s", e.name, name)
			if name == "href" || name == "src" || name == "action" {
				local := strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//") ||
					strings.HasPrefix(value, "#") ||
					strings.HasPrefix(value, "otpauth://") ||
					e.name == "img" && strings.HasPrefix(value, "data:image/svg+xml;base64,")
				require.True(t, local, "%s %s=%q", e.name, name, value)
			}
		}
	}
	for _, e := range find(list, "script") {
		require.Regexp(t, scriptPath, e.attrs["src"])
		ours := !strings.Contains(e.attrs["src"], "/kinds/")
		require.Equal(t, ours, e.attrs["type"] == "module", "others load as they always did")
		require.Empty(t, strings.TrimSpace(e.text))
	}
}
