package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A window that a test leaves is as new for the next one: without cookies, storage, headers, a
// narrow viewport or JavaScript that is off.
func TestWindow_RemembersNothing(t *testing.T) {
	s := start(t)
	var left *window
	t.Run("first", func(t *testing.T) {
		first := &site{t: t, base: s.base}
		b := first.open(false)
		left = b.window
		b.run(language("nl"))
		b.signIn("anna")
		b.run(viewport(320, 800),
			chromedp.Evaluate(`localStorage.left = "something"`, nil))
	})
	b := s.open(true)
	require.Same(t, left, b.window, "the same window")
	b.visit("/")
	require.Equal(t, "/login", b.path(), "the session is forgotten")
	var lang string
	var width, items int
	b.eval(`document.documentElement.lang`, &lang)
	b.eval(`innerWidth`, &width)
	b.eval(`localStorage.length`, &items)
	require.Equal(t, "en", lang)
	require.Greater(t, width, 320)
	require.Zero(t, items)
	b.run(chromedp.Evaluate(`(() => { const s = document.createElement("script");
		s.type = "module"; s.src = "/mfa/static/app.js";
		s.onload = () => { document.title = "ran" }; document.head.append(s) })()`, nil))
	b.becomes(`document.title === "ran"`, "scripts run")
}
