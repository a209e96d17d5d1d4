package ui_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkLabels: the name of a button or a link has the words that a user sees on it, so that one who
// speaks to the browser can name it (WCAG 2.2, 2.5.3).
func checkLabels(t *testing.T, list []element) {
	t.Helper()
	plain := func(text string) string {
		return strings.ToLower(strings.Join(strings.Fields(text), " "))
	}
	for _, e := range list {
		if shown := plain(e.text); e.has("aria-label") && shown != "" {
			require.Contains(t, plain(e.attrs["aria-label"]), shown, e.name)
		}
	}
}
