package ui_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests in the browser look at every page in every state. This writes them: SECONDGATE_GALLERY
// names the directory, in which "en/verify-totp.html" is a page and "mfa/static" has what it loads.
// Without a directory it writes the English pages; TestPages_KeepTheirPromises renders them all.
func TestSamples_AreWrittenForTheBrowser(t *testing.T) {
	dir, written := os.Getenv("SECONDGATE_GALLERY"), langs
	if dir == "" {
		dir, written = t.TempDir(), []string{"en"}
	}
	write := func(name, content string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	r := newUI(t)
	for _, lang := range written {
		for _, s := range samples() {
			write(lang+"/"+s.name+".html", rendered(t, r, s.make(frame(lang))))
		}
	}
	for _, name := range []string{"app.css", "theme.css", "app.js", "passkey.js", "wait.js",
		"ends.js", "session.js",
		"js/codefield.js", "js/client.js", "js/passkey.js"} {
		at := r.AssetPath(name)
		require.NotEqual(t, name, at, "there is no such file")
		asset, ok := r.Static(at)
		require.True(t, ok)
		write("mfa/static/"+at, string(asset.Content))
	}
}
