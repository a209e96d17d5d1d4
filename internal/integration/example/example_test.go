// Package example_test runs the example server over every store it can be given.
package example_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/internal/integration/programs"
	"github.com/secondgate/secondgate/internal/integration/servers"
)

var nethttp, load string

func TestMain(m *testing.M) {
	programs.Main(m, func(dir string) error {
		nethttp, load = filepath.Join(dir, "nethttp"), filepath.Join(dir, "load")
		return errors.Join(programs.BuildCheap(nethttp, "examples/nethttp", "-tags", "databases"),
			programs.Build(load, "examples/load"))
	})
}

// serve starts the example and returns its address.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	return programs.Listen(t, nethttp, append([]string{"-addr", "127.0.0.1:0", "-people", "3",
		"-data", t.TempDir()}, args...)...)
}

// becomes waits until a supervisor gets a response.
func becomes(t *testing.T, address string, status int, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		r, err := http.Get(address)
		if err != nil {
			return false
		}
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		return err == nil && r.StatusCode == status && string(body) == text+"\n"
	}, 2*time.Minute, 100*time.Millisecond, "%s: %d %s", address, status, text)
}

// Users enrol and sign in over every store, and an outage of it lets no user in, locks no user
// out, and is over when the server is back.
func TestProgram_OverEveryStore(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (where string, server *servers.Server){
		"SQLite file": func(t *testing.T) (string, *servers.Server) {
			return filepath.Join(t.TempDir(), "records.db"), nil
		},
		"PostgreSQL": func(t *testing.T) (string, *servers.Server) {
			s := servers.PostgreSQL(t)
			return servers.PostgreSQLDSN(s.Addr), s
		},
		"MariaDB": func(t *testing.T) (string, *servers.Server) {
			s := servers.MariaDB(t)
			return "mysql://root@" + s.Addr + "/secondgate", s
		},
		"Redis": func(t *testing.T) (string, *servers.Server) {
			s := servers.Redis(t)
			return "redis://" + s.Addr + "/0", s
		},
	} {
		t.Run(name, func(t *testing.T) {
			where, server := start(t)
			base := serve(t, "-db", where)
			out, err := exec.Command(load, "-url", base, "-workers", "3", "-rounds",
				"1").CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "17 sign-ins in ")
			if server == nil {
				return
			}
			becomes(t, base+"/readyz", http.StatusOK, `{"status":"ready","store":"ok"}`)
			server.Stop()
			becomes(t, base+"/readyz", http.StatusServiceUnavailable,
				`{"status":"unavailable","store":"failed"}`)
			becomes(t, base+"/livez", http.StatusOK, `{"status":"alive"}`)
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			client := &http.Client{Jar: jar, Timeout: 2 * time.Minute}
			signIn := func() (status int, text string) {
				r, err := client.PostForm(base+"/login", url.Values{"username": {"anna"},
					"password": {"anna-demo-password"}})
				require.NoError(t, err)
				defer func() { _ = r.Body.Close() }()
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				return r.StatusCode, string(body)
			}
			status, page := signIn()
			require.Equal(t, http.StatusServiceUnavailable, status)
			require.Contains(t, strings.ToLower(page), "try again")
			require.NotContains(t, page, server.Port(), "nothing of the inside")
			me, err := client.Get(base + "/api/me")
			require.NoError(t, err)
			_ = me.Body.Close()
			require.Equal(t, http.StatusUnauthorized, me.StatusCode)

			server.Start()
			becomes(t, base+"/readyz", http.StatusOK, `{"status":"ready","store":"ok"}`)
			require.Eventually(t, func() bool {
				status, page = signIn()
				return status == http.StatusOK
			}, 2*time.Minute, 200*time.Millisecond)
			require.Contains(t, page, `name="code"`, "the question for the code, and no lock")
		})
	}
}

// What cannot be used is said at the start, in time, and without the password.
func TestProgram_RefusesUnusableStores(t *testing.T) {
	free := fmt.Sprint(freeport.Reserve(t))
	evicting := servers.Redis(t, "--maxmemory-policy", "allkeys-lru")
	for where, want := range map[string]string{
		"ftp://x":                 "not a file, and not a",
		"/no/such/dir/records.db": "no such file or directory",
		"postgres://u:geheim@127.0.0.1:" + free + "/db?sslmode=disable": "connection refused",
		"mysql://u:geheim@127.0.0.1:" + free + "/db":                    "connection refused",
		"mysql://127.0.0.1":                        "give the database as mysql://",
		"redis://:geheim@127.0.0.1:" + free + "/0": "connection refused",
		"redis://" + evicting.Addr + "/0":          "noeviction",
	} {
		began := time.Now()
		out, err := exec.Command(nethttp, "-addr", "127.0.0.1:0", "-data", t.TempDir(), "-db",
			where).CombinedOutput()
		require.Error(t, err, where)
		require.Contains(t, string(out), want, where)
		require.NotContains(t, string(out), "geheim")
		require.Less(t, time.Since(began), time.Minute)
	}
}
