package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func TestPages_InTheBrowsersLanguage(t *testing.T) {
	s := start(t)
	seen := map[string]bool{}
	for _, tag := range []string{"en", "nl", "nb", "de"} {
		b := s.open(true)
		b.run(language(tag))
		b.login("hugo")
		var lang string
		b.eval(`document.documentElement.lang`, &lang)
		require.Equal(t, tag, lang)
		seen[b.text("h1")] = true
	}
	require.Len(t, seen, 4)
}

// A sign-in with the keyboard alone, and a pasted code that has a space in it.
func TestSignIn_ByKeyboardAndPaste(t *testing.T) {
	s := start(t)
	b := s.open(true)
	b.login("ines")
	b.run(chromedp.Focus(sendForm, chromedp.ByQuery))
	err := b.follow(chromedp.KeyEvent(kb.Enter))
	require.NoError(t, err)
	b.becomes(`document.activeElement.id === "code"`, "the field gets the focus")
	code := b.code("ines@acme.example")
	var value string
	b.eval(
		fmt.Sprintf(
			`(() => { document.querySelector("#code").focus(); document.execCommand("insertText", false, %q); return document.querySelector("#code").value })()`, code[:3]+" "+code[3:]), &value)
	require.Equal(t, code[:3]+" "+code[3:], value, "nothing is cut off")
	err = b.follow(chromedp.KeyEvent(kb.Enter))
	require.NoError(t, err)
	require.NotContains(t, b.path(), "/mfa/verify")
}
