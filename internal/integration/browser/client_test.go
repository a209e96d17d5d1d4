package browser_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// client is a program that speaks to the application over its API, with the cookies and the
// name of a browser.
type client struct {
	*site
	http  http.Client
	agent string
}

// client returns a program that has the cookies of the tab. It does what a test needs but is not
// about; loading its pages is most of the work of a browser.
func (b *tab) client() *client {
	b.t.Helper()
	c := &client{site: b.site}
	b.eval(`navigator.userAgent`, &c.agent)
	jar, err := cookiejar.New(nil)
	require.NoError(b.t, err)
	u, err := url.Parse(b.base)
	require.NoError(b.t, err)
	list, err := b.engine.cookies(b.base + "/")
	require.NoError(b.t, err)
	jar.SetCookies(u, list)
	c.http.Jar = &keeper{Jar: jar, set: make(map[string]*http.Cookie)}
	return c
}

// keeper is a cookie jar that also keeps what servers set, with all attributes.
type keeper struct {
	*cookiejar.Jar
	set map[string]*http.Cookie
}

func (k *keeper) SetCookies(u *url.URL, cookies []*http.Cookie) {
	k.Jar.SetCookies(u, cookies)
	for _, c := range cookies {
		k.set[c.Name] = c
	}
}

// post sends a request and returns the status of the response.
func (c *client) post(path string, body any) int {
	c.t.Helper()
	resp := c.send(path, body)
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// posts sends a request that succeeds, and reads the response.
func (c *client) posts(path string, body, into any) {
	c.t.Helper()
	resp := c.send(path, body)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, resp.StatusCode, "%s: %s", path, text)
	if into != nil {
		require.NoError(c.t, json.Unmarshal(text, into))
	}
}

func (c *client) send(path string, body any) *http.Response {
	c.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(c.t, err)
	r, err := http.NewRequest("POST", c.base+path, bytes.NewReader(data))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", c.agent)
	resp, err := c.http.Do(r)
	require.NoError(c.t, err)
	return resp
}

// login passes the first factor.
func (c *client) login(username string) {
	c.t.Helper()
	require.Equal(c.t, 200, c.post("/api/login", map[string]string{"username": username,
		"password": strings.Split(username, ".")[0] + "-demo-password"}))
}

// verify responds for a factor and returns the status.
func (c *client) verify(kind, code string) int {
	c.t.Helper()
	return c.post("/mfa/api/verify", map[string]string{"kind": kind, "code": code})
}

// hand gives the cookies that the application has set to the tab.
func (c *client) hand(b *tab) {
	b.t.Helper()
	set := c.http.Jar.(*keeper).set
	require.NoError(b.t, b.engine.setCookies(b.base, slices.Collect(maps.Values(set))))
}
