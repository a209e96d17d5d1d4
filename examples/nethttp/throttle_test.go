package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/password/throttle"
)

// attacker guesses passwords with any number of connections, and without cookies.
type attacker struct {
	t        *testing.T
	s        *server
	http     http.Client
	verified atomic.Int64 // guesses that were verified, and incorrect
	refused  atomic.Int64
	dropped  atomic.Int64 // connections that the server closed, since their headers came late
}

// headerTimeout is what main gives a client for its headers.
const headerTimeout = 10 * time.Second

func newAttacker(t *testing.T, s *server) *attacker {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &attacker{t: t, s: s, http: http.Client{Transport: transport}}
}

// login posts a password from a network and returns the status.
func (a *attacker) login(
	ctx context.Context, from, name, typed string, cookies ...*http.Cookie,
) int {
	body, _ := json.Marshal(obj{"username": name, "password": typed})
	to := a.s.base + "/api/login"
	r, err := http.NewRequestWithContext(ctx, "POST", to, bytes.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", from)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	began := time.Now()
	resp, err := a.http.Do(r)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return 0
	case time.Since(began) > headerTimeout &&
		(errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		a.dropped.Add(1)
		return 0
	default:
		a.t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil && ctx.Err() == nil {
		a.t.Error(err)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		a.verified.Add(1)
	case http.StatusTooManyRequests:
		a.refused.Add(1)
		if resp.Header.Get("Retry-After") == "" ||
			!strings.Contains(string(text), `"error":"busy"`) {
			a.t.Errorf("%v: %s", resp.Header, text)
		}
	}
	return resp.StatusCode
}

// flood guesses with n connections until stop is called. It returns once the guesses without a
// wait are used up.
func (a *attacker) flood(n int, from, name string) (stop func()) {
	ctx, cancel := context.WithCancel(a.t.Context())
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil {
				a.login(ctx, from, name, "incorrect")
			}
		})
	}
	before := a.verified.Load()
	require.Eventually(a.t, func() bool { return a.verified.Load() >= before+12 },
		2*time.Minute, 10*time.Millisecond)
	return func() { cancel(); wg.Wait() }
}

// An attacker with 24 connections does not keep out a user who knows the password.
func TestPasswordAttack_KeepsNoUserOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"anna", "nobody"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The program runs behind a proxy, which reports the network of each client.
			s := start(t, t.TempDir(), "-url=https://acme.example")
			bad, home := newAttacker(t, s), newAttacker(t, s)
			defer bad.flood(24, "192.0.2.1", name)()
			correct, want := name+"-demo-password", http.StatusOK
			if name == "nobody" {
				want = http.StatusUnauthorized // after the same wait
			}
			comesIn := func(network string) {
				t.Helper()
				status := home.login(t.Context(), network, name, correct)
				// Under the race detector a hash may take longer than the longest wait.
				for i := 0; raced && status == http.StatusTooManyRequests && i < 3; i++ {
					status = home.login(t.Context(), network, name, correct)
				}
				require.Equal(t, want, status)
			}
			for range 12 {
				comesIn("198.51.100.7")
			}
			comesIn("192.0.2.1") // after the guesses that were waiting before it
		})
	}
}

// Guesses at once are verified no faster than guesses one after the other.
func TestPasswordAttack_ThousandsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	bad := newAttacker(t, s)
	guesses := 5000
	if raced { // the race detector is slow with so many
		guesses = 1000
	}
	var wg sync.WaitGroup
	ready := make(chan struct{})
	began := time.Now()
	for range guesses {
		wg.Go(func() {
			<-ready
			bad.login(t.Context(), "", "anna", "incorrect")
		})
	}
	close(ready)
	wg.Wait()
	most := 10 + int64(time.Since(began)/(500*time.Millisecond)) + 1
	require.LessOrEqual(t, bad.verified.Load(), most)
	require.Positive(t, bad.verified.Load())
	require.EqualValues(t, guesses, bad.verified.Load()+bad.refused.Load()+bad.dropped.Load())
	t.Logf("%d of %d were verified in %s", bad.verified.Load(), guesses, time.Since(began))
	s.client(t).signIn("anna")
}

// A browser that was signed in before signs in without a wait. Its pass does not help for another
// login, and ten incorrect passwords use it up.
func TestPasswordAttack_PassOfAnEarlierSignIn(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, ben, bad := s.client(t), s.client(t), newAttacker(t, s)
	c.signIn("anna")
	ben.signIn("ben")
	c.post(200, "/api/logout", obj{})
	passOf := func(c *client) *http.Cookie {
		base, err := url.Parse(s.base)
		require.NoError(t, err)
		for _, cookie := range c.Jar.Cookies(base) {
			if strings.HasPrefix(cookie.Name, passPrefix) {
				return cookie
			}
		}
		t.Fatal("no pass")
		return nil
	}
	annas := passOf(c)
	c.do(401, "GET", "/api/me", nil) // the pass alone does not sign in
	defer bad.flood(60, "", "anna")()
	home := newAttacker(t, s)
	try := func(ctx context.Context, typed string, pass *http.Cookie) int {
		return home.login(ctx, "", "anna", typed, pass)
	}
	// refused checks that the correct password waits with the attacker's 60 connections: it is
	// refused, or gets the last place in a queue of 20 seconds.
	refused := func(pass *http.Cookie) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.NotEqual(t, 200, try(ctx, "anna-demo-password", pass))
	}
	for range 5 {
		require.Equal(t, 200, try(t.Context(), "anna-demo-password", annas))
	}
	refused(&http.Cookie{Name: "x", Value: "x"})
	refused(passOf(ben))
	refused(&http.Cookie{Name: annas.Name, Value: passOf(ben).Value})
	for range 10 {
		require.Equal(t, 401, try(t.Context(), "incorrect", annas))
	}
	refused(annas) // it is used up
}

// A pass cookie is sent to this server only, hidden from scripts, and does not name its user.
func TestPass_Cookie(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.field(c.password("anna"), "next", "verify")
	code := c.send("email", "anna@acme.example")
	base, err := url.Parse(s.base)
	require.NoError(t, err)
	for _, cookie := range c.Jar.Cookies(base) {
		require.NotContains(t, cookie.Name, passPrefix, "before the second factor")
	}
	for _, set := range c.verify(200, "email", code).header.Values("Set-Cookie") {
		if strings.HasPrefix(set, passPrefix) {
			require.Contains(t, set, "HttpOnly")
			require.Contains(t, set, "SameSite=Lax")
			require.Contains(t, set, "Max-Age=77")
			require.NotContains(t, set, "anna")
			return
		}
	}
	t.Fatal("no pass after the sign-in")
}

// A name counts as it was typed, so that a wait does not reveal that two names belong to one login,
// or that one exists.
func TestNameAttempt_KnowsNoLogin(t *testing.T) {
	t.Parallel()
	public, err := url.Parse("http://127.0.0.1")
	require.NoError(t, err)
	a := &app{cfg: config{public: public}}
	r := &http.Request{RemoteAddr: "[2001:db8:1:2:3:4:5:6]:99", Header: http.Header{}}
	exists, not := a.nameAttempt(r, "Anna", 7), a.nameAttempt(r, "anna", 0)
	require.Equal(t, exists.Name, not.Name)
	require.NotEqual(t, exists.Name, a.nameAttempt(r, "anna@acme.example", 7).Name)
	require.NotEqual(t, exists.Name, a.loginAttempt(r, 7).Name)
	require.Equal(t, throttle.Attempt{Name: "name anna", Client: "2001:db8:1:2::/64"}, not)
}

// Only functions that slowed calls verify or hash a password, on every page.
func TestThrottle_AppliesToEveryPassword(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		var path []ast.Node
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				path = path[:len(path)-1]
				return true
			}
			path = append(path, n)
			if call, ok := n.(*ast.CallExpr); ok && takesPassword(call) {
				found++
				if !withinSlowed(path) {
					t.Errorf("%s is not throttled", fset.Position(call.Pos()))
				}
			}
			return true
		})
	}
	require.Equal(t, 4, found, "verify, change, reset and set")
}

// takesPassword reports whether a call verifies a password, or hashes one for a user.
func takesPassword(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := f.X.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch of.Sel.Name + "." + f.Sel.Name {
	case "passwords.Verify", "resets.Change", "resets.Reset", "resets.AdminSet":
		return true
	}
	return false
}

func withinSlowed(path []ast.Node) bool {
	for i, n := range path {
		call, ok := n.(*ast.CallExpr)
		if !ok || i+1 >= len(path) {
			continue
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if _, literal := path[i+1].(*ast.FuncLit); ok && literal && f.Sel.Name == "slowed" {
			return true
		}
	}
	return false
}
