package browser_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pane is a tab of Firefox with cookies and storage of its own, which other panes do not see.
type pane struct {
	f      *firefox
	handle string
	jar    int
}

// pane opens a pane with nothing remembered.
func (f *firefox) pane() (*pane, error) {
	var before, after []string
	if err := f.call("WebDriver:GetWindowHandles", nil, &before); err != nil {
		return nil, err
	}
	f.jars++
	p := &pane{f: f, jar: f.jars}
	err := f.privileged(`gBrowser.selectedTab = gBrowser.addTab("about:blank", {
		userContextId: arguments[0],
		triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() });`, nil, p.jar)
	if err != nil {
		return nil, err
	}
	if err := f.call("WebDriver:GetWindowHandles", nil, &after); err != nil {
		return nil, err
	}
	for _, handle := range after {
		if !slices.Contains(before, handle) {
			p.handle = handle
			return p, f.enter(handle)
		}
	}
	return nil, errors.New("Firefox has no other tab")
}

// openInFirefox opens a tab with nothing remembered. As in Chromium, the test fails for what a
// page of it logs as an error.
func (s *site) openInFirefox() *tab {
	s.t.Helper()
	p, err := s.firefox.pane()
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		wrong, err := s.firefox.logged()
		if err != nil || len(wrong) > 0 {
			s.t.Errorf("the browser's log: %q, %v", wrong, err)
		}
		if err := p.close(); err != nil {
			s.t.Errorf("the browser forgets: %v", err)
		}
	})
	return &tab{site: s, engine: p, script: true}
}

// letFirefoxWalk opens an address in Firefox until the test ends. The page there does what the test
// is about, and reports to the test's server. Nothing drives it, nor waits until it is loaded.
func letFirefoxWalk(t *testing.T, address string) {
	t.Helper()
	needFirefox(t)
	f, err := sharedFirefox()
	require.NoError(t, err)
	p, err := f.pane()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.close()) })
	require.NoError(t, p.evaluate(fmt.Sprintf(`void setTimeout(() => { location = %q; })`, address),
		nil))
}

func (p *pane) close() error {
	err := p.call("WebDriver:CloseWindow", nil, nil)
	return errors.Join(err, p.f.enter(p.f.home))
}

// call does a command in the pane.
func (p *pane) call(command string, params map[string]any, value any) error {
	if err := p.f.enter(p.handle); err != nil {
		return err
	}
	return p.f.call(command, params, value)
}

func (p *pane) load(url string) error {
	return p.call("WebDriver:Navigate", map[string]any{"url": url}, nil)
}

func (p *pane) evaluate(js string, into any) error {
	return p.call("WebDriver:ExecuteScript", map[string]any{"script": "return " + js,
		"args": []any{}}, into)
}

// on does a command on an element, once it is there and takes it.
func (p *pane) on(selector, command string, params map[string]any) error {
	if params == nil {
		params = map[string]any{}
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var element map[string]string
		err := p.call("WebDriver:FindElement", map[string]any{"using": "css selector",
			"value": selector}, &element)
		if err == nil {
			for _, id := range element { // its one member is named by a constant of WebDriver
				params["id"] = id
			}
			err = p.call(command, params, nil)
		}
		var no *refused
		if !errors.As(err, &no) || time.Since(began) > patience || !slices.Contains([]string{
			"no such element", "element not interactable", "stale element reference"}, no.Code) {
			return err
		}
	}
}

func (p *pane) click(selector string) error {
	return p.on(selector, "WebDriver:ElementClick", nil)
}

func (p *pane) leave(selector string) error {
	return p.away(func() error { return p.click(selector) })
}

func (p *pane) back() error {
	return p.away(func() error { return p.call("WebDriver:Back", nil, nil) })
}

// away does what leads to another page, and waits until that page is there: each has a time at
// which it began.
func (p *pane) away(do func() error) error {
	const origin = `performance.timeOrigin`
	var before, now float64
	if err := p.evaluate(origin, &before); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		// An error means that the page has gone while it was asked.
		if err := p.evaluate(origin, &now); err == nil && now != before {
			return nil
		}
	}
	return errors.New("no other page came")
}

// set types a value in place of what a field has, or chooses it in a drop-down.
func (p *pane) set(selector, value string) error {
	var is []string
	err := p.evaluate(fmt.Sprintf(`(e => e ? [e.localName, e.value] : ["", ""])(
		document.querySelector(%q))`, selector), &is)
	switch {
	case err != nil:
		return err
	case is[0] == "select":
		return p.click(fmt.Sprintf(`:is(%s) option[value=%q]`, selector, value))
	case is[1] != "":
		if err := p.on(selector, "WebDriver:ElementClear", nil); err != nil {
			return err
		}
	}
	return p.on(selector, "WebDriver:ElementSendKeys", map[string]any{"text": value})
}

func (p *pane) cookies(url string) (list []*http.Cookie, err error) {
	var pairs [][2]string
	err = p.f.privileged(`const [url, userContextId] = arguments;
		return Services.cookies.getCookiesFromHost(new URL(url).hostname, { userContextId })
			.map((c) => [c.name, c.value]);`, &pairs, url, p.jar)
	for _, pair := range pairs {
		list = append(list, &http.Cookie{Name: pair[0], Value: pair[1], Path: "/"})
	}
	return list, err
}

func (p *pane) setCookies(url string, list []*http.Cookie) error {
	for _, c := range list {
		err := p.f.privileged(`const [url, userContextId, gone, name, value, path, secure, http] =
			arguments;
			const host = new URL(url).hostname;
			if (gone) {
				Services.cookies.remove(host, name, path, { userContextId });
				return;
			}
			const kept = Services.cookies.add(host, path, name, value, secure, http, true,
				Date.now() + 86400000, { userContextId }, Ci.nsICookie.SAMESITE_LAX,
				Ci.nsICookie.SCHEME_HTTP);
			if (kept.result !== Ci.nsICookieValidation.eOK) throw new Error(kept.errorString);`, nil,
			strings.TrimSuffix(url, "/"), p.jar, c.MaxAge < 0, c.Name, c.Value, c.Path, c.Secure,
			c.HttpOnly)
		if err != nil {
			return err
		}
	}
	return nil
}
