package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A page that a server has sent before an upgrade runs the scripts that are there after it, and all
// of them are from one version: the modules are not looked for under the old one.
func TestStatic_OlderPageRunsOneVersion(t *testing.T) {
	s := start(t)
	b := s.open(true)
	b.visit("/login")
	b.run(chromedp.Evaluate(`(() => { const s = document.createElement("script");
		s.type = "module"; s.src = "/mfa/static/0123456789abcdef/app.js";
		s.onload = () => { document.title = "ran" }; document.head.append(s) })()`, nil))
	b.becomes(`document.title === "ran"`, "the script runs")
	var loaded []string
	b.eval(`performance.getEntriesByType("resource").map(e => new URL(e.name).pathname)`, &loaded)
	var current string
	b.eval(`new URL(document.querySelector("script[src$='/app.js']").src).pathname`, &current)
	require.Regexp(t, `^/mfa/static/[0-9a-f]{16}/app\.js$`, current)
	require.Contains(t, loaded, current[:len(current)-len("app.js")]+"js/codefield.js")
	for _, path := range loaded {
		require.NotRegexp(t, `/static/(0123456789abcdef/)?js/`, path)
	}
}
