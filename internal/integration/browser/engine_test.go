package browser_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/programs"
)

// engine is what shows a tab: a window of Chromium or a pane of Firefox. A test that keeps to what
// every engine does is walked in each of them.
type engine interface {
	// load opens an address.
	load(url string) error
	// evaluate reads the value of a JavaScript expression.
	evaluate(js string, into any) error
	// click clicks an element once it is visible.
	click(selector string) error
	// leave clicks what leads to another page, and waits until that page is there.
	leave(selector string) error
	// back presses the back button, and waits as leave does.
	back() error
	// set gives a field or a drop-down a value.
	set(selector, value string) error
	// cookies are those that the browser sends to an address.
	cookies(url string) ([]*http.Cookie, error)
	// setCookies keeps cookies of an address, and deletes those with a negative MaxAge.
	setCookies(url string, list []*http.Cookie) error
}

// browsing is how a test is walked: in which browser, and whether scripts run there.
type browsing struct {
	firefox bool
	script  bool
}

// start runs the application for tabs of the browser.
func (in browsing) start(t *testing.T, args ...string) *site {
	t.Helper()
	s := in.at(t, "")
	s.base = programs.Listen(t, program, append([]string{"-addr", "127.0.0.1:0", "-data",
		t.TempDir()}, args...)...)
	return s
}

// at is an application that runs already, for tabs of the browser.
func (in browsing) at(t *testing.T, base string) *site {
	t.Helper()
	s := &site{t: t, base: base}
	if !in.firefox {
		needChromium(t)
		return s
	}
	needFirefox(t)
	f, err := sharedFirefox()
	require.NoError(t, err)
	s.firefox = f
	return s
}

// name is what the application calls the browser.
func (in browsing) name() string {
	if in.firefox {
		return "Firefox, Linux"
	}
	return "Chrome, Linux"
}

// atLength reports whether this is a run of make test-long.
func atLength() bool { return os.Getenv("SECONDGATE_LONG") != "" }

// both runs a test in Chromium with JavaScript and without.
func both(t *testing.T, do func(t *testing.T, script bool)) {
	t.Run("with JavaScript", func(t *testing.T) { do(t, true) })
	t.Run("without JavaScript", func(t *testing.T) { do(t, false) })
}

// bothAtLength runs a test in Chromium with JavaScript, and in a long run also without. In every
// run a test of another package sends the same forms over HTTP.
func bothAtLength(t *testing.T, do func(t *testing.T, script bool)) {
	if atLength() {
		both(t, do)
		return
	}
	t.Run("with JavaScript", func(t *testing.T) { do(t, true) })
}

// everywhere runs a test as both does, and in Firefox.
func everywhere(t *testing.T, do func(t *testing.T, in browsing)) {
	both(t, func(t *testing.T, script bool) { do(t, browsing{script: script}) })
	t.Run("in Firefox", func(t *testing.T) { do(t, browsing{firefox: true, script: true}) })
}

// everywhereAtLength runs a test as bothAtLength does, and in Firefox in a long run. In every run
// TestPasskey_SignsInWithFirefox and TestSetUp_EndsWithSavedRecoveryCodes are walked in Firefox.
func everywhereAtLength(t *testing.T, do func(t *testing.T, in browsing)) {
	if atLength() {
		everywhere(t, do)
		return
	}
	bothAtLength(t, func(t *testing.T, script bool) { do(t, browsing{script: script}) })
}
