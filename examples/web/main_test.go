package main

import (
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/freeport"
)

// The README shows the program as it stands.
func TestProgram_IsShort(t *testing.T) {
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	code := 0
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) != "" {
			code++
		}
	}
	require.LessOrEqual(t, code, 40)
}

// start builds the program for a free port, runs it in a directory of its own and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	addr := "localhost:" + strconv.Itoa(freeport.Reserve(t))
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.Contains(t, string(text), `"localhost:8080"`)
	moved := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(moved,
		[]byte(strings.ReplaceAll(string(text), "localhost:8080", addr)), 0o600))
	source, err := filepath.Abs("main.go")
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: moved}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	bin := filepath.Join(dir, "web")
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o",
		bin, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(bin)
	cmd.Dir = dir
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return "http://" + addr
}

// goesOn is the head of a page that goes on by itself.
var goesOn = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

// TestProgram_SignsIn runs the program, gives the password, and sets up an authenticator app.
func TestProgram_SignsIn(t *testing.T) {
	site := start(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	var do func(path string, form url.Values) (at, page string)
	do = func(path string, form url.Values) (at, page string) {
		t.Helper()
		method, body := "GET", ""
		if form != nil {
			method, body = "POST", form.Encode()
		}
		r, err := http.NewRequest(method, site+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a, err := browser.Do(r)
		require.NoError(t, err)
		defer func() { _ = a.Body.Close() }()
		text, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		require.Equal(t, 200, a.StatusCode, string(text))
		require.Contains(t, a.Header.Get("Content-Type"), "text/html", "a browser shows a page")
		if next := goesOn.FindStringSubmatch(string(text)); next != nil {
			return do(html.UnescapeString(next[1]), nil)
		}
		return a.Request.URL.Path, string(text)
	}
	at, page := do("/", nil)
	require.Equal(t, "/login", at)
	require.Contains(t, page, "Password")
	at, _ = do("/login", url.Values{"password": {"secret"}})
	require.Equal(t, "/mfa/enroll", at)
	at, page = do("/mfa/enroll/totp", url.Values{})
	require.Contains(t, at, "/mfa/enrollments/")
	key := regexp.MustCompile(`secret=([A-Z2-7]+)`).FindStringSubmatch(page)
	require.NotNil(t, key, page)
	code, err := totp.GenerateCode(key[1], time.Now())
	require.NoError(t, err)
	at, page = do(at, url.Values{"code": {code}})
	require.Equal(t, "/mfa/recovery-codes", at, "which are part of the set-up")
	set := regexp.MustCompile(`name="set" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, set, page)
	at, page = do("/mfa/recovery-codes/saved", url.Values{"set": {set[1]}, "saved": {"yes"}})
	require.Equal(t, "/mfa/factors", at)
	require.Contains(t, page, "Authenticator app")
	at, _ = do("/login", url.Values{"password": {"secret"}})
	require.Equal(t, "/mfa/verify", at, "the next sign-in needs the second factor again")
}
