// Package proxy_test runs the configurations of docs/proxies.md in a real nginx.
package proxy_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage/memory"
)

// application has one user. Its paths begin with a prefix that the proxy does not remove, or with
// none.
type application struct {
	mu       sync.Mutex
	sessions map[string]time.Time
	hosts    map[string]bool
}

func (a *application) user(r *http.Request) (secondgate.User, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hosts[r.Host] = true
	c, err := r.Cookie("session")
	if err != nil || a.sessions[c.Value].IsZero() {
		return secondgate.User{}, nil
	}
	return secondgate.User{ID: "1", Email: "ann@example.com", SessionID: c.Value,
		SignedInAt: a.sessions[c.Value]}, nil
}

func (a *application) handler(prefix string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(prefix+"/login", func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		a.mu.Lock()
		a.sessions[id] = time.Now()
		a.mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/"})
		_, _ = io.WriteString(w, "signed in")
	})
	mux.HandleFunc(prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "welcome to "+r.URL.Path)
	})
	return mux
}

// nginxIn returns the blocks of docs/proxies.md, by their headings.
func nginxIn(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/proxies.md")
	require.NoError(t, err)
	blocks, heading, inside := map[string]string{}, "", false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = strings.HasPrefix(line, "```nginx")
		case inside:
			blocks[heading] += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return blocks
}

// nginx runs a block in front of an application, and returns its address and its log.
func nginx(t *testing.T, block string, application net.Addr) (address, log string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program = "/usr/sbin/nginx"; !exists(program) {
			if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
				t.Fatal("nginx is not installed; see scripts/tools.sh")
			}
			t.Skip("nginx is not installed")
		}
	}
	dir := t.TempDir()
	address = fmt.Sprintf("127.0.0.1:%d", freeport.Reserve(t))
	block = strings.ReplaceAll(block, "127.0.0.1:8080", application.String())
	var paths strings.Builder
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&paths, "%s_temp_path %s;\n", name, filepath.Join(dir, name))
	}
	log = filepath.Join(dir, "error.log")
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "daemon off; master_process off;\n"+
		"pid %s; error_log %s;\nevents {}\nhttp {\naccess_log off;\n%sserver {\n"+
		"listen %s; server_name example.com;\n%s}\n}\n", filepath.Join(dir, "pid"), log,
		paths.String(), address, block), 0o600))
	out, err := exec.Command(program, "-t", "-c", file, "-e", log).CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(program, "-c", file, "-e", log)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return address, log
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// arrangement is an application behind one block, and how it is configured.
type arrangement struct {
	heading string
	// prefix is the path at which browsers see the application.
	prefix string
	// kept is true if the application sees it, too.
	kept bool
	// bare takes Sec-Fetch-Site away, as browsers do on plain http.
	bare    bool
	origins []string
	// ownCookie is the length of a cookie that the application sets with each response, as one
	// does that keeps its sessions in cookies.
	ownCookie int
	// block changes the configuration of nginx.
	block func(string) string
}

// start returns a browser at https://example.com, where nginx is behind what ends TLS.
func (c arrangement) start(t *testing.T) (*mfatest.Client, *application, string) {
	t.Helper()
	a := &application{sessions: map[string]time.Time{}, hosts: map[string]bool{}}
	cfg := secondgate.Config{Store: memory.New(), Product: "Acme", Secure: true, User: a.user,
		Keys: secondgate.KeyFile(t.TempDir() + "/key"), AllowedOrigins: c.origins,
		Logger: slog.New(slog.DiscardHandler)}
	if !c.kept {
		cfg.ProxyPrefix = c.prefix
	}
	gate, err := secondgate.New(cfg)
	require.NoError(t, err)
	protected := gate.Require(a.handler(""))
	if c.kept {
		protected = c.withBasePath(t, gate, cfg, a)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.ownCookie > 0 {
			http.SetCookie(w, &http.Cookie{Name: "own", Path: "/",
				Value: strings.Repeat("x", c.ownCookie)})
		}
		protected.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	block := nginxIn(t)[c.heading]
	require.NotEmpty(t, block, c.heading)
	if c.block != nil {
		block = c.block(block)
	}
	address, log := nginx(t, block, l.Addr())
	tls := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host
		if c.bare {
			r.Out.Header.Del("Sec-Fetch-Site")
		}
	}}
	browser := mfatest.NewClient(t, tls)
	browser.BasePath = c.prefix + "/mfa/"
	return browser, a, log
}

func (c arrangement) withBasePath(
	t *testing.T, gate *secondgate.Gate, cfg secondgate.Config, a *application,
) http.Handler {
	t.Helper()
	keys, err := cfg.Keys()
	require.NoError(t, err)
	h, err := mfahttp.New(mfahttp.Config{Manager: gate.Manager, Keys: keys, SecureCookies: true,
		LoginURL: c.prefix + "/login", HomeURL: c.prefix + "/", BasePath: c.prefix + "/mfa/",
		Identify: func(r *http.Request) (mfahttp.Identity, error) {
			u, err := a.user(r)
			return mfahttp.Identity{SessionID: u.SessionID, SignedInAt: u.SignedInAt,
				User: mfa.User{ID: u.ID, Email: u.Email}}, err
		}})
	require.NoError(t, err)
	return h.Require(a.handler(c.prefix))
}

// A user signs in, enrols an app and recovery codes, and sees the pages.
func TestNginx_ConfigurationsOfTheGuide(t *testing.T) {
	for name, c := range map[string]arrangement{
		"at the root":          {heading: "nginx"},
		"a path it removes":    {heading: "Under a path that nginx removes", prefix: "/app"},
		"a path it keeps":      {heading: "Under a path that stays", prefix: "/app", kept: true},
		"another Host":         {heading: "With another Host"},
		"another Host, no Sec": {heading: "With another Host", bare: true, origins: allowed},
	} {
		t.Run(name, func(t *testing.T) {
			browser, a, log := c.start(t)
			page := browser.Get(t, c.prefix+"/")
			require.Equal(t, c.prefix+"/login", page.Path, page.Text)
			page = browser.Get(t, c.prefix+"/")
			require.True(t, strings.HasPrefix(page.Path, c.prefix+"/mfa/enroll"), page.Path)
			browser.PassSecondFactor(t, new(mfatest.App))
			page = browser.Get(t, c.prefix+"/")
			require.Contains(t, page.Text, "welcome to ")
			page = browser.Get(t, c.prefix+"/mfa/factors")
			require.Contains(t, page.Text, "Authenticator app")
			sheet := regexp.MustCompile(`href="([^"]*/static/[0-9a-f]+/app.css)"`).FindStringSubmatch(
				page.Text)
			require.NotNil(t, sheet)
			require.Contains(t, browser.Get(t, sheet[1]).Text, "--sg-accent")
			page = browser.Post(t, c.prefix+"/mfa/recovery-codes", nil)
			require.Contains(t, page.Text, "Recovery codes", page.Path)
			require.Equal(t, strings.HasPrefix(name, "another"), !a.hosts["example.com"])
			text, err := os.ReadFile(log)
			require.NoError(t, err)
			require.Empty(t, string(text))
		})
	}
}

var allowed = []string{"https://example.com"}

// What the guide warns of does happen.
func TestNginx_OtherConfigurationsFail(t *testing.T) {
	t.Run("forms without Sec-Fetch-Site are refused", func(t *testing.T) {
		browser, _, _ := arrangement{heading: "With another Host", bare: true}.start(t)
		browser.Get(t, "/login")
		page := browser.Post(t, "/mfa/enroll/totp", nil)
		require.Equal(t, http.StatusForbidden, page.Status)
	})
	t.Run("without the buffer long headers are refused", func(t *testing.T) {
		for _, with := range []bool{true, false} {
			browser, _, log := arrangement{heading: "nginx", ownCookie: 1500,
				block: func(block string) string {
					if with {
						return block
					}
					return strings.ReplaceAll(block, "proxy_buffer_size 8k;", "")
				}}.start(t)
			browser.Get(t, "/login")
			page := browser.Get(t, "/")
			for range 3 { // in three tabs
				page = browser.Post(t, "/mfa/enroll/totp", nil)
			}
			if with {
				require.Equal(t, http.StatusOK, page.Status)
				continue
			}
			require.Equal(t, http.StatusBadGateway, page.Status)
			text, err := os.ReadFile(log)
			require.NoError(t, err)
			require.Contains(t, string(text), "upstream sent too big header")
		}
	})
}
