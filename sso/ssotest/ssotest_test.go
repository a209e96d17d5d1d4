package ssotest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/sso/ssotest"
)

func kari() ssotest.User {
	return ssotest.User{Provider: "oidc", Name: "Dave <b>", Email: "dave@example.org", ID: "d"}
}

// A provider that signs every user in must not be reachable.
func TestNew_ServesTheLoopbackInterfaceOnly(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1:9000", "http://localhost:9000",
		"http://[::1]:9000"} {
		_, err := ssotest.New(ssotest.Config{URL: good})
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"", "http://0.0.0.0:9000", "http://app.example",
		"http://127.0.0.1.example", "https://127.0.0.1:9000", "http://127.0.0.1:9000/x"} {
		_, err := ssotest.New(ssotest.Config{URL: bad})
		require.Error(t, err, bad)
	}
	for _, bad := range []ssotest.User{{Provider: "other", Name: "x", ID: "x"},
		{Provider: "oidc", ID: "x"}, {Provider: "oidc", Name: "x"}} {
		_, err := ssotest.New(ssotest.Config{URL: "http://127.0.0.1:9000",
			Users: []ssotest.User{bad}})
		require.Error(t, err)
	}
}

func start(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	idp, err := ssotest.New(ssotest.Config{URL: server.URL, Users: []ssotest.User{kari()}})
	require.NoError(t, err)
	mux.Handle("/", idp)
	return server
}

func request() url.Values {
	return url.Values{"client_id": {"secondgate-demo"}, "response_type": {"code"},
		"redirect_uri": {"http://localhost:8080/callback"},
		"state":        {"s"}, "nonce": {"n"}, "code_challenge_method": {"S256"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}} // RFC 7636 appendix B
}

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B

func TestAuthorize_ShowsThePage(t *testing.T) {
	server := start(t)
	get := func(q url.Values) (int, string) {
		resp, err := http.Get(server.URL + "/oidc/authorize?" + q.Encode())
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, string(body)
	}
	status, page := get(request())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `value="0">Dave &lt;b&gt;`)
	for name, value := range map[string]string{"client_id": "other", "response_type": "token",
		"redirect_uri": "https://evil.example/", "state": "",
		"nonce": "", "code_challenge": "", "code_challenge_method": "plain"} {
		q := request()
		q.Set(name, value)
		status, _ := get(q)
		require.Equal(t, http.StatusBadRequest, status, name)
	}
}

func TestToken_VerifiesTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		change func(form url.Values)
		want   int
	}{
		"right": {func(url.Values) {}, http.StatusOK},
		"another verifier": {func(f url.Values) {
			f.Set("code_verifier", strings.Repeat("a", 43))
		}, http.StatusBadRequest},
		"no verifier": {func(f url.Values) {
			f.Del("code_verifier")
		}, http.StatusBadRequest},
		"another redirect URI": {func(f url.Values) {
			f.Set("redirect_uri", "http://localhost:8080/other")
		}, http.StatusBadRequest},
		"another code": {func(f url.Values) { f.Set("code", "x") }, http.StatusBadRequest},
		"another secret": {func(f url.Values) {
			f.Set("client_secret", "x")
		}, http.StatusUnauthorized},
		"another grant": {func(f url.Values) {
			f.Set("grant_type", "password")
		}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			}}
			resp, err := client.PostForm(server.URL+"/oidc/authorize?"+request().Encode(),
				url.Values{"user": {"0"}})
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			back, err := resp.Location()
			require.NoError(t, err)
			require.Equal(t, "s", back.Query().Get("state"))
			form := url.Values{"client_id": {"secondgate-demo"},
				"client_secret": {"ssotest-client-secret"}, "grant_type": {"authorization_code"},
				"code":         {back.Query().Get("code")},
				"redirect_uri": {"http://localhost:8080/callback"}, "code_verifier": {verifier}}
			c.change(form)
			// a code is valid once
			for i, want := range []int{c.want, max(c.want, http.StatusBadRequest)} {
				resp, err := client.PostForm(server.URL+"/oidc/token", form)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, want, resp.StatusCode, i)
			}
		})
	}
}
