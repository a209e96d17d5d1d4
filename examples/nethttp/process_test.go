package main

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStart_KeepsFactorsClockAndReplays(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	c := s.client(t)
	c.signIn("anna")
	secret, id := c.enrollTOTP()
	c.advance("10m")
	before := c.now()
	code := totpCode(secret, c.step())
	d := s.client(t)
	d.password("anna")
	d.verify(200, "totp", code)
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v\n%s", err, s.log)
	}

	s2 := start(t, data)
	c.s = s2
	if now := c.now(); now.Before(before) {
		t.Fatalf("the clock went back from %s to %s", before, now)
	}
	e := s2.client(t)
	e.password("anna")
	e.verify(401, "totp", code)
	c.advance("60s")
	e.verify(200, "totp", totpCode(secret, e.step()))
	if got := fmt.Sprint(e.get(200, "/mfa/api/factors").body); !strings.Contains(got, id) {
		t.Fatalf("the factor is gone: %s", got)
	}

	for _, name := range []string{databaseFile, keyFile} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
	// The log holds no codes and no secrets, and the database holds none unencrypted.
	for _, secret := range []string{secret, code, "anna-demo-password"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

func TestStart_WithoutDemonstration(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data, "-demo=false")
	c := s.client(t)
	for _, path := range []string{"/demo/people", "/demo/outbox", "/demo/clock", "/outbox",
		"/outbox/mail/1", "/tour/restart"} {
		c.get(404, path)
	}
	c.post(404, "/demo/clock", obj{"advance": "91s"})
	c.post(401, "/api/login", obj{"username": "olivia", "password": "olivia-demo-password"})
	if text := c.get(200, "/login").text; strings.Contains(text, "emonstration") {
		t.Error("the sign-in page speaks of a demonstration")
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}

	// The environment names the first owner. Without -smtp the program can send no code.
	s = start(t, data, "-demo=false", "-url=https://acme.example",
		"ACME_OWNER_EMAIL=boss@example.com", "ACME_OWNER_PASSWORD=correct horse battery staple")
	c = s.client(t)
	a := c.post(200, "/api/login", obj{"username": "boss@example.com",
		"password": "correct horse battery staple"})
	c.field(a, "next", "verify")
	if cookie := a.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-acme=") ||
		!strings.Contains(cookie, "Secure") {
		t.Errorf("Set-Cookie: %s", cookie)
	}
	if a.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
	// The jar does not send a Secure cookie over http.
	req, err := http.NewRequest("POST", s.base+"/mfa/api/send",
		strings.NewReader(`{"kind":"email"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", strings.Split(a.header.Get("Set-Cookie"), ";")[0])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("a code that cannot be sent: status %d", resp.StatusCode)
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}

	// Demonstration mode refuses to start with real users, whose codes it would show to anyone.
	if out := refused(t, "-addr", "127.0.0.1:0", "-data", data); !strings.Contains(out,
		"-demo=false") {
		t.Errorf("-demo with real users: %s", out)
	}
}

func TestStart_RefusesInvalidConfigurations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	key := hex.EncodeToString(make([]byte, 32))
	file := write("file", "", 0o600)
	write("short/"+keyFile, "0123456789abcdef\n", 0o600)
	write("empty/"+keyFile, "", 0o600)
	write("open/"+keyFile, key+"\n", 0o644)
	write("broken/"+databaseFile, strings.Repeat("this is no database ", 100), 0o600)
	lost := filepath.Join(dir, "lost")
	s := start(t, lost)
	s.client(t).signIn("anna")
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(lost, keyFile)); err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"data is a file":    {[]string{"-data", file}, "-data"},
		"data under a file": {[]string{"-data", filepath.Join(file, "x")}, "-data"},
		"no data":           {[]string{"-data", ""}, "-data"},
		"port in use":       {[]string{"-addr", taken.Addr().String()}, "-addr"},
		"no port":           {[]string{"-addr", "127.0.0.1"}, "localhost:8080"},
		"smtp scheme":       {[]string{"-smtp", "http://mail.example.com"}, "smtp://"},
		"smtp host":         {[]string{"-smtp", "smtp://"}, "smtp://"},
		"smtp port": {[]string{"-smtp",
			"smtp://mail.example.com:notaport?from=a@example.com"}, "smtp://"},
		"smtp from":          {[]string{"-smtp", "smtp://mail.example.com?from=nobody"}, "from"},
		"sms":                {[]string{"-sms", "pigeon"}, "twilio, http or outbox"},
		"twilio without key": {[]string{"-sms", "twilio"}, "TWILIO_ACCOUNT_SID"},
		"http without url":   {[]string{"-sms", "http"}, "SMS_URL"},
		"portal":             {[]string{"-portal", "x"}, "-portal \"x\" is not an address"},
		"url":                {[]string{"-url", "acme.example"}, "https://"},
		"argument":           {[]string{"now"}, "not an option"},
		"short key":          {[]string{"-data", filepath.Join(dir, "short")}, "32 bytes"},
		"empty key":          {[]string{"-data", filepath.Join(dir, "empty")}, "32 bytes"},
		"key others read":    {[]string{"-data", filepath.Join(dir, "open")}, "chmod 600"},
		"key lost":           {[]string{"-data", lost}, "backup"},
		"no drivers": {[]string{"-db", "postgres://u:secret@127.0.0.1:1/db"},
			"go run -tags databases ./examples/nethttp"},
		"no database": {[]string{"-data", filepath.Join(dir, "broken")}, "move it away"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-addr", "127.0.0.1:0", "-data", filepath.Join(dir, "fine")},
				tc.args...)
			out := refused(t, args...)
			if !strings.Contains(out, tc.want) || !strings.HasPrefix(out, "nethttp: ") ||
				strings.Contains(out, "panic") || strings.Contains(out, "secret@") {
				t.Errorf("said %q, want something with %q", out, tc.want)
			}
		})
	}
}

// The demonstration downloads and compiles no driver of a database server, and of SQLite the one
// that is small.
func TestProgram_LinksNoServerDriver(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, driver := range []string{"github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql",
		"github.com/redis/go-redis/v9", "modernc.org/sqlite"} {
		if slices.Contains(deps, driver) {
			t.Errorf("the demonstration links %s", driver)
		}
	}
	if !slices.Contains(deps, "github.com/ncruces/go-sqlite3/driver") {
		t.Error("its own driver is not found either")
	}
}

// TestKill_KeepsWhatWasAcknowledged kills the program under load, and checks that it kept what it
// had acknowledged.
func TestKill_KeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	type worker struct {
		username string
		secrets  []string
		factors  []string // acknowledged by the program
		codes    []string // accepted by the program
	}
	var workers []*worker
	for _, name := range []string{"anna", "ben", "carla", "david", "emma", "farid"} {
		workers = append(workers, &worker{username: name})
	}
	enrolled, replayed := 0, 0
	for round, promises := range []int{3, 9, 7} {
		s := start(t, data)
		driver := s.client(t)
		// Earlier rounds have not used the next time steps. A round starts at the beginning of
		// one, so that its codes stay valid.
		into := time.Duration(driver.now().UnixNano() % int64(30*time.Second))
		driver.advance((2*time.Minute + 30*time.Second - into).String())
		step := driver.step()
		done, promised := make(chan struct{}), make(chan struct{}, 100)
		for _, w := range workers {
			go func() {
				defer func() { done <- struct{}{} }()
				c := s.client(t)
				// An error ends the worker, because the server was killed.
				call := func(path string, body any) (*response, bool) {
					a, err := c.try("POST", path, body)
					return a, err == nil && a.status == 200
				}
				if _, ok := call("/api/login", obj{"username": w.username, "password": w.username +
					"-demo-password"}); !ok {
					return
				}
				if _, ok := call("/mfa/api/send", obj{"kind": "email"}); !ok {
					return
				}
				if _, ok := call("/mfa/api/verify",
					obj{"kind": "email", "code": c.mailed(w.username + "@acme.example")}); !ok {
					return
				}
				if len(w.secrets) == 0 {
					a, ok := call("/mfa/api/enroll", obj{"kind": "totp"})
					if !ok {
						return
					}
					secret := a.body["secret"].(string)
					a, ok = call("/mfa/api/confirm", obj{"enrollment": a.body["enrollment"],
						"code": totpCode(secret, step-1)})
					if !ok {
						return
					}
					w.secrets = append(w.secrets, secret)
					w.factors = append(w.factors, a.body["factor"].(map[string]any)["id"].(string))
					promised <- struct{}{}
				}
				for next := step; next <= step+1; next++ {
					d := s.client(t)
					c = d
					if _, ok := call("/api/login", obj{"username": w.username,
						"password": w.username + "-demo-password"}); !ok {
						return
					}
					code := totpCode(w.secrets[0], next)
					if _, ok := call("/mfa/api/verify", obj{"kind": "totp", "code": code}); !ok {
						return
					}
					w.codes = append(w.codes, code)
					promised <- struct{}{}
				}
			}()
		}
		for range promises {
			select {
			case <-promised:
			case <-time.After(patience):
				t.Fatalf("round %d: nothing happens any more\n%s", round, s.log)
			}
		}
		_ = s.end(syscall.SIGKILL)
		for range workers {
			<-done
		}

		s = start(t, data)
		for _, w := range workers {
			c := s.client(t)
			for _, code := range w.codes[max(0, len(w.codes)-2):] {
				c.password(w.username)
				a, err := c.try("POST", "/mfa/api/verify", obj{"kind": "totp", "code": code})
				if err != nil {
					t.Fatal(err)
				}
				if a.status == 200 {
					t.Errorf("round %d: %s: %s was accepted twice", round, w.username, code)
				}
				replayed++
			}
			w.codes = nil
			c = s.client(t)
			c.signIn(w.username)
			a := c.get(200, "/mfa/api/factors")
			for _, id := range w.factors {
				if !strings.Contains(a.text, id) {
					t.Errorf("round %d: %s: an acknowledged enrolment is lost", round, w.username)
				}
				enrolled++
			}
			if len(w.factors) == 0 && slices.Contains(c.kinds(), "totp") {
				// The removal took effect, and its response did not arrive: start again without it.
				o := s.client(t)
				o.signIn("olivia")
				o.post(200, "/api/admin/reset", obj{"username": w.username})
			}
		}
		if err := s.end(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	if enrolled == 0 || replayed == 0 {
		t.Errorf("%d enrolments and %d codes had been promised: the test shows nothing", enrolled,
			replayed)
	}
	t.Logf("%d enrolments were there, %d codes were refused", enrolled, replayed)
}
