package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	postForm = regexp.MustCompile(`<form[^>]*?method="post"(?:[^>{]|\{\{.*?\}\})*>`)
	// sentTwice are the forms that a script sends itself, and those that change nothing the second
	// time.
	sentTwice = regexp.MustCompile(`data-once|data-passkey=|action="[^"]*(sign-out|logout|extend)"`)
)

var (
	typedField = regexp.MustCompile(`<(?:input|textarea)\b(?:[^>{]|\{\{.*?\}\})*>`)
	// untyped are the fields that a user does not type into.
	untyped      = regexp.MustCompile(`type="(?:hidden|checkbox|radio|date)"`)
	hasDirection = regexp.MustCompile(`\sdir="(?:auto|ltr|\{\{\.Dir\}\})"`)
)

// What a user types reads in its own direction in a page in another: each field says which.
func TestForms_FieldsHaveADirection(t *testing.T) {
	found := 0
	for _, dir := range []string{"mfahttp/internal/ui/files", "mfahttp/admin/files",
		"examples/nethttp/templates"} {
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.html"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, field := range typedField.FindAllString(string(text), -1) {
				if untyped.MatchString(field) {
					continue
				}
				found++
				require.Regexp(t, hasDirection, field, file)
			}
		}
	}
	require.Greater(t, found, 20)
}

// A second click on a button sends no second mail and no second failed attempt: the script of the
// pages holds a form back that has data-once.
func TestForms_AreSentOnce(t *testing.T) {
	found := 0
	for _, dir := range []string{"mfahttp/internal/ui/files", "mfahttp/admin/files",
		"examples/nethttp/templates"} {
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.html"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, form := range postForm.FindAllString(string(text), -1) {
				found++
				require.Regexp(t, sentTwice, form, file)
			}
		}
	}
	require.Greater(t, found, 50)
}
