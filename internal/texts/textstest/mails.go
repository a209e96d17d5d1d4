package textstest

import (
	"os"
	"path/filepath"
	"testing"
)

// WriteMail writes the HTML of a mail to where linters look for it: a folder for each language in
// the directory that SECONDGATE_MAILS names. Without that, the directory ends with the test.
func WriteMail(t testing.TB, tag, name, html string) {
	t.Helper()
	dir := os.Getenv("SECONDGATE_MAILS")
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
