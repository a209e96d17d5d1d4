package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/kdf/kdftest"
)

// programVar makes the test binary run the program, so that the program is not built again.
const programVar = "NETHTTP_TEST_PROGRAM"

// program is the path of this test binary, which start runs with programVar.
var program string

// patience bounds one step of a test. Even on a busy machine, only a step that hangs takes so
// long.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	kdftest.Cheap() // its cost is tested in internal/kdf and password
	if os.Getenv(programVar) != "" {
		main()
		os.Exit(0)
	}
	var err error
	if program, err = os.Executable(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// environment returns the environment of the program.
func environment() []string { return append(os.Environ(), programVar+"=1") }

// server is a running program.
type server struct {
	t    testing.TB
	base string
	cmd  *exec.Cmd
	log  *logBuffer
	once sync.Once
	err  error
}

// logBuffer is a buffer that a test can read while the program writes to it.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the program on a free port and waits until it listens. It adds arguments like
// NAME=value to its environment.
func start(t testing.TB, data string, args ...string) *server {
	t.Helper()
	s := &server{t: t, log: new(logBuffer)}
	s.cmd = exec.Command(program, "-addr", "127.0.0.1:0", "-data", data)
	s.cmd.Env = environment()
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			s.cmd.Args = append(s.cmd.Args, arg)
		} else {
			s.cmd.Env = append(s.cmd.Env, arg)
		}
	}
	s.cmd.Stderr = s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.end(syscall.SIGKILL)
		if strings.Contains(s.log.String(), "DATA RACE") ||
			strings.Contains(s.log.String(), "panic") {
			t.Errorf("the program logged:\n%s", s.log)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		_ = s.end(syscall.SIGKILL)
		t.Fatalf("the program printed %q: %v\n%s", line, err, s.log)
	}
	s.base = base
	return s
}

// end sends a signal, waits, and returns the error of the process.
func (s *server) end(sig os.Signal) error {
	s.once.Do(func() {
		_ = s.cmd.Process.Signal(sig)
		s.err = s.cmd.Wait()
	})
	return s.err
}

// client is one browser.
type client struct {
	t testing.TB
	s *server
	http.Client
}

func (s *server) client(t testing.TB) *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, s: s, Client: http.Client{Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}}
}

// response is a response of the server.
type response struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// try makes a request. The body is sent as JSON, or as a form if it is url.Values.
func (c *client) try(method, path string, body any) (*response, error) {
	var r io.Reader
	contentType := ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		r, contentType = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case string:
		r, contentType = strings.NewReader(b), "application/json"
	default:
		j, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		r, contentType = bytes.NewReader(j), "application/json"
	}
	req, err := http.NewRequest(method, c.s.base+path, r)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if _, form := body.(url.Values); form || !strings.Contains(path, "api/") {
		req.Header.Set("Accept", "text/html")
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	a := &response{status: resp.StatusCode, header: resp.Header,
		text: strings.ReplaceAll(string(text), "\u2011", "-")}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") &&
		bytes.HasPrefix(text, []byte("{")) {
		if err := json.Unmarshal(text, &a.body); err != nil {
			return nil, fmt.Errorf("%s %s: %w: %s", method, path, err, text)
		}
	}
	return a, nil
}

// do makes a request, and fails unless the response has the status.
func (c *client) do(status int, method, path string, body any) *response {
	c.t.Helper()
	a, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if a.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %.400s\n%s", method, path, a.status, status, a.text,
			c.s.log)
	}
	return a
}

func (c *client) post(status int, path string, body any) *response {
	c.t.Helper()
	return c.do(status, "POST", path, body)
}

func (c *client) get(status int, path string) *response {
	c.t.Helper()
	return c.do(status, "GET", path, nil)
}

// field fails unless the response has the value.
func (c *client) field(a *response, name string, want any) {
	c.t.Helper()
	if got := a.body[name]; fmt.Sprint(got) != fmt.Sprint(want) {
		c.t.Fatalf("%s is %v, want %v: %s", name, got, want, a.text)
	}
}

type obj = map[string]any

// seeded returns the demonstration users.
func (s *server) seeded(t testing.TB) (list []listedUser) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.client(t).get(200, "/demo/people").text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// refused runs the program with arguments that it must refuse, and returns its output. It adds
// arguments like ACME_NAME=value to its environment.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = environment()
	for _, arg := range args {
		if strings.HasPrefix(arg, "ACME_") {
			cmd.Env = append(cmd.Env, arg)
		} else {
			cmd.Args = append(cmd.Args, arg)
		}
	}
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Fatalf("started with %q: %v\n%s", args, err, out)
	}
	return string(out)
}
