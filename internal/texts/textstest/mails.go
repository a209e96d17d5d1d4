package textstest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/secondgate/secondgate/internal/texts"
)

// mailsVar names the directory for the mails that linters look at.
const mailsVar = "SECONDGATE_MAILS"

// LintedTags returns the languages of the mails that linters look at. It is English alone where
// no linter has set a directory, because other tests compose every mail in every language.
func LintedTags() []string {
	if os.Getenv(mailsVar) == "" {
		return []string{texts.English}
	}
	return texts.Tags()
}

// WriteMail writes the HTML of a mail to where linters look for it: a folder for each language in
// the directory that SECONDGATE_MAILS names. Without that, the directory ends with the test.
func WriteMail(t testing.TB, tag, name, html string) {
	t.Helper()
	dir := os.Getenv(mailsVar)
	if dir == "" {
		dir = t.TempDir()
	}
	folder := filepath.Join(dir, tag)
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".html"), []byte(html), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
