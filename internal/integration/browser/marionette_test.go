package browser_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// firefox is a window of Firefox that the test drives by Marionette, Firefox's own protocol. Each
// message is its length, a colon and JSON: [0, id, command, parameters] and [1, id, error, result].
type firefox struct {
	*site
	conn  net.Conn
	in    *bufio.Reader
	asked int
}

// firefox starts Firefox. It uses no authenticator but a virtual one.
func (s *site) firefox() *firefox {
	s.t.Helper()
	profile := s.t.TempDir()
	require.NoError(s.t, os.WriteFile(filepath.Join(profile, "user.js"), []byte(
		`user_pref("marionette.port", 0);
user_pref("security.webauth.webauthn_enable_softtoken", true);
user_pref("security.webauth.webauthn_enable_usbtoken", false);
`), 0o600))
	runFirefox(s.t, profile, "--marionette")
	f := &firefox{site: s}
	s.waitFor("Firefox listens", func() bool {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err == nil {
			f.conn, err = net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(string(port)))
		}
		return err == nil
	})
	s.t.Cleanup(func() { _ = f.conn.Close() })
	f.in = bufio.NewReader(f.conn)
	f.receive(nil) // how it greets
	f.call("WebDriver:NewSession", map[string]any{"strictFileInteractability": true}, nil)
	return f
}

// call has Firefox run a command, and reads the value of its result.
func (f *firefox) call(command string, params map[string]any, value any) {
	f.t.Helper()
	f.asked++
	b, err := json.Marshal([]any{0, f.asked, command, params})
	require.NoError(f.t, err)
	_, err = fmt.Fprintf(f.conn, "%d:%s", len(b), b)
	require.NoError(f.t, err)
	var problem *struct{ Error, Message string }
	var result struct{ Value json.RawMessage }
	f.receive(&[]any{new(int), new(int), &problem, &result})
	require.Nil(f.t, problem, "%s: %v", command, problem)
	if value != nil {
		require.NoError(f.t, json.Unmarshal(result.Value, value))
	}
}

func (f *firefox) receive(into any) {
	f.t.Helper()
	length, err := f.in.ReadString(':')
	require.NoError(f.t, err)
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	require.NoError(f.t, err)
	b := make([]byte, n)
	_, err = io.ReadFull(f.in, b)
	require.NoError(f.t, err)
	if into != nil {
		require.NoError(f.t, json.Unmarshal(b, into), "%s", b)
	}
}

func (f *firefox) eval(expression string, into any) {
	f.t.Helper()
	f.call("WebDriver:ExecuteScript", map[string]any{"script": "return " + expression,
		"args": []any{}}, into)
}

// becomes waits for what Firefox does in its own time.
func (f *firefox) becomes(expression, what string) {
	f.t.Helper()
	f.waitFor(what, func() (so bool) {
		f.eval("!!("+expression+")", &so)
		return so
	})
}

// arrives waits for a page whose path a regular expression matches, and for an element of it.
func (f *firefox) arrives(path, selector string) {
	f.t.Helper()
	f.becomes(fmt.Sprintf(`/^%s$/v.test(location.pathname) && document.readyState == "complete" &&
		document.querySelector(%q)?.checkVisibility()`, strings.ReplaceAll(path, "/", `\/`), selector),
		selector+" at "+path)
}

func (f *firefox) visit(path string) {
	f.t.Helper()
	f.call("WebDriver:Navigate", map[string]any{"url": f.base + path}, nil)
}

func (f *firefox) element(selector string) (id string) {
	f.t.Helper()
	var element map[string]string
	f.call("WebDriver:FindElement", map[string]any{"using": "css selector", "value": selector},
		&element)
	for _, id = range element { // its one member is named by a constant of WebDriver
	}
	return id
}

func (f *firefox) press(selector string) {
	f.t.Helper()
	f.call("WebDriver:ElementClick", map[string]any{"id": f.element(selector)}, nil)
}

func (f *firefox) fill(selector, text string) {
	f.t.Helper()
	f.call("WebDriver:ElementSendKeys", map[string]any{"id": f.element(selector), "text": text},
		nil)
}
