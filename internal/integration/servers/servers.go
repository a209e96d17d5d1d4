// Package servers starts throw-away database servers for the tests: the real programs, from
// the packages that scripts/tools.sh installs, on free ports and in temporary directories.
// They end with the test.
package servers

import (
	"bytes"
	"cmp"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/freeport"
)

// Server is a running server with data of its own.
type Server struct {
	t testing.TB
	// Addr is 127.0.0.1 and the port. It stays the same when the server is started again.
	Addr string
	// Dir holds the data.
	Dir string

	start func(s *Server) *exec.Cmd
	ready func(s *Server) error
	stop  syscall.Signal

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	log  *os.File
}

// Program returns the path of a program that a test runs itself, and skips the test or fails as the
// servers do if it is missing.
func Program(t testing.TB, name string) string {
	t.Helper()
	return need(t, name)
}

// need returns the path of a program, or skips the test; with SECONDGATE_REQUIRE_TOOLS set it
// fails instead.
func need(t testing.TB, name string, dirs ...string) string {
	t.Helper()
	for _, pattern := range dirs {
		if found, _ := filepath.Glob(filepath.Join(pattern, name)); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed; see scripts/tools.sh", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// unprivileged is whom servers run as when the tests run as root, which most of them refuse.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	who, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(who.Uid, 10, 32)
	gid, _ := strconv.ParseUint(who.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// newServer makes a directory that the server may write to, and a name for it.
func newServer(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "secondgate")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(freeport.Reserve(t))
	s := &Server{t: t, Dir: dir, Addr: net.JoinHostPort("127.0.0.1", port), stop: syscall.SIGTERM}
	t.Cleanup(func() {
		s.reportEnd()
		s.Kill()
		_ = os.RemoveAll(dir)
	})
	if who := unprivileged(t); who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Port is the port of Addr.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// command makes a command that runs as nobody does, and dies with the test.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: unprivileged(s.t),
		Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Env = append(os.Environ(), "HOME="+s.Dir, "LC_ALL=C", "TMPDIR="+s.Dir)
	return cmd
}

// run runs a command that prepares the server.
func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Start starts the server, again on the same data and port if it was down, and waits until
// it replies.
func (s *Server) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return
	}
	s.boot()
	s.await()
}

// boot starts the server, and waits for nothing.
func (s *Server) boot() {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.Dir, "log.txt"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.log = log
	s.launch()
}

// await waits until a server that was started replies.
func (s *Server) await() {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := s.ready(s)
		if err == nil {
			return
		}
		gone := false
		select {
		case <-s.done:
			gone = true
		default:
		}
		if gone && time.Since(began) < time.Minute {
			// What a killed server leaves behind (PostgreSQL's children, a lock file, a port)
			// takes a moment to go away.
			time.Sleep(100 * time.Millisecond)
			s.launch()
			continue
		}
		if gone || time.Since(began) > 3*time.Minute {
			text, _ := os.ReadFile(s.log.Name())
			s.t.Fatalf("%s does not come up: %v\n%s", s.cmd.Path, err, bytes.TrimSpace(text))
		}
	}
}

// launch runs the program once.
func (s *Server) launch() {
	s.t.Helper()
	cmd := s.start(s)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	started := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		// Pdeathsig goes by the thread that starts the process, so that thread stays. The
		// test ends the server; this is for a test that was killed.
		runtime.LockOSThread()
		started <- cmd.Start()
		_ = cmd.Wait()
		close(done)
	}()
	if err := <-started; err != nil {
		s.t.Fatal(err)
	}
	s.cmd, s.done = cmd, done
}

// reportEnd shows what a server said that ended by itself, if the test failed.
func (s *Server) reportEnd() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.t.Failed() || s.cmd == nil {
		return
	}
	select {
	case <-s.done:
		text, _ := os.ReadFile(s.log.Name())
		s.t.Logf("%s ended by itself:\n%s", s.cmd.Path, bytes.TrimSpace(text))
	default:
	}
}

// Stop ends the server in order; Kill ends it at once, as a power cut does.
func (s *Server) Stop() { s.end(s.stop) }

// Kill ends the server at once.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	if signal == syscall.SIGKILL {
		s.killAll()
	} else {
		_ = syscall.Kill(s.cmd.Process.Pid, signal)
	}
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		s.killAll()
		<-s.done
	}
	_ = s.log.Close()
	s.cmd = nil
}

// Suspend stops the server's processes where they are: connections stay open and nothing
// replies. Resume lets them go on. If they do not all stop, it ends them and the test fails.
func (s *Server) Suspend() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil || freeze(s.cmd.Process.Pid) {
		return
	}
	s.killAll()
	s.t.Fatal("the server does not stop")
}

// Resume ends Suspend.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	parent := s.cmd.Process.Pid
	for _, pid := range append(children(parent), parent) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// FileLimit lets no file of the server's grow beyond so many bytes, which is as near to a full
// disk as one comes without a disk to fill. Connections made before may not notice. 0 ends it.
func (s *Server) FileLimit(bytes int64) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := "unlimited"
	if bytes > 0 {
		limit = strconv.FormatInt(bytes, 10)
	}
	program, parent := need(s.t, "prlimit"), s.cmd.Process.Pid
	for _, pid := range append(children(parent), parent) {
		// Only the soft limit, which may be raised again. A child may have ended meanwhile.
		out, err := s.command(program, "--pid="+strconv.Itoa(pid), "--fsize="+limit+
			":").CombinedOutput()
		if err != nil && pid == parent {
			s.t.Fatalf("prlimit: %v\n%s", err, out)
		}
	}
}

// killAll kills the server and its children. The process group would not do: each process of
// PostgreSQL that serves a connection makes itself one of its own.
func (s *Server) killAll() {
	parent := s.cmd.Process.Pid
	freeze(parent)
	for _, pid := range append(children(parent), parent) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// freeze stops a process and its children, and says whether they all stopped. The signal takes
// hold of a thread when that is next scheduled: until then the parent may start a child, which
// nobody has signaled, and a child may reply to a query. So the children are looked for again
// once the parent has stopped.
func freeze(parent int) bool {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		alone := stopped(parent)
		family := append(children(parent), parent)
		if alone && stopped(family...) {
			return true
		}
		for _, pid := range family {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// stopped says whether no thread of the processes runs.
func stopped(pids ...int) bool {
	for _, pid := range pids {
		files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/[0-9]*/stat")
		for _, file := range files {
			// running, or would be
			if state, _ := status(file); strings.Contains("RSD", cmp.Or(state, "Z")) {
				return false
			}
		}
	}
	return true
}

// status reads the state and the parent of a process or thread, which are empty if it has ended.
func status(file string) (state, parent string) {
	stat, err := os.ReadFile(file)
	if err != nil {
		return "", ""
	}
	// "pid (name) state ppid …", where the name may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return "", ""
	}
	return fields[0], fields[1]
}

// children reads the processes that parent started from /proc.
func children(parent int) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		if _, of := status(file); of != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// ProcessorTime returns the processor time of the threads of the server's processes that run.
func (s *Server) ProcessorTime() (all time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pid := range append(children(s.cmd.Process.Pid), s.cmd.Process.Pid) {
		threads, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/schedstat")
		for _, path := range threads {
			text, _ := os.ReadFile(path)
			nanoseconds, _, _ := strings.Cut(string(text), " ")
			n, _ := strconv.ParseInt(nanoseconds, 10, 64)
			all += time.Duration(n)
		}
	}
	return all
}
