package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// A hanging test program is this package's own. It hangs where hangVar names a file for its
// process ID, and stubbornVar makes it ignore the signal that asks for its goroutines.
const (
	hangVar     = "TESTRUN_TEST_HANG"
	stubbornVar = "TESTRUN_TEST_STUBBORN"
)

func TestHelper_Hangs(t *testing.T) {
	file := os.Getenv(hangVar)
	if file == "" {
		return
	}
	if os.Getenv(stubbornVar) != "" {
		signal.Ignore(syscall.SIGQUIT)
	}
	require.NoError(t, os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o600))
	time.Sleep(10 * time.Minute)
}

// tests returns a step that runs the named tests of a package.
func tests(pkg, names string) step {
	args := []string{"test", "-json", "-vet=off", "-count=1", "-run", names, pkg}
	return step{name: pkg + " " + names, count: 1, args: args}
}

// self returns a step that runs a test of this package in this very program, without go test.
func self(name string, env ...string) step { return as("internal/testrun", name, env...) }

// as is self, and reports as a package of this name.
func as(pkg, name string, env ...string) step {
	args := []string{"tool", "test2json", "-t", "-p", module + "/" + pkg, os.Args[0],
		"-test.v=test2json", "-test.run", name}
	return step{name: "itself", count: 1, args: args, env: env}
}

// hangs sets a file for the step's process ID, and returns a function that returns that ID once
// the step hangs.
func hangs(t *testing.T, s step) (_ step, pid func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pid")
	s.env = append(s.env, hangVar+"="+file)
	return s, func() string {
		b, _ := os.ReadFile(file)
		return string(b)
	}
}

// planned returns a plan of these lanes.
func planned(lanes ...[]step) planner {
	return func(context.Context, config) ([][]step, error) { return lanes, nil }
}

// once calls f when all of the programs hang.
func once(t *testing.T, f func(), pids ...func() string) {
	t.Helper()
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	ctx := t.Context()
	wg.Go(func() {
		for _, pid := range pids {
			for pid() == "" {
				if ctx.Err() != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		f()
	})
}

// requireEnded waits for the ends of the programs.
func requireEnded(t *testing.T, pids ...func() string) {
	t.Helper()
	for _, pid := range pids {
		require.NotEmpty(t, pid())
		require.Eventually(t, func() bool {
			_, err := os.Stat("/proc/" + pid())
			return os.IsNotExist(err)
		}, time.Minute, 20*time.Millisecond, "the test program still runs")
	}
}

// passes counts the lines for a package that has passed.
func passes(out, pkg string) (n int) {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "ok ") && strings.HasSuffix(line, "s  "+pkg+"\n") {
			n++
		}
	}
	return n
}

// Every package of each lane has one line, also one that is in both, and the tests of all are
// counted.
func TestLanes_ReportEveryPackageOnce(t *testing.T) {
	var stdout bytes.Buffer
	r := newReporter(&stdout, io.Discard, "")
	require.NoError(t, config{limit: time.Hour}.runAll(r, planned(
		[]step{tests("../quiet", "."), self("^TestHelper_Hangs$")},
		[]step{as("internal/mailaddr", "^TestHelper_Hangs$"), self("^TestHelper_Hangs$")},
	)))
	require.False(t, r.failed(), stdout.String())
	for pkg, want := range map[string]int{"quiet": 1, "mailaddr": 1, "testrun": 2} {
		require.Equal(t, want, passes(stdout.String(), "internal/"+pkg), "%s in\n%s", pkg, &stdout)
	}
}

// Streams that report at the same time mix neither lines nor tests, also where both have a package
// of the same name, which passes in one and does not build, hangs or fails in the other.
func TestStreams_ReportAtTheSameTime(t *testing.T) {
	brief.SkipPrograms(t)
	const streams = 20
	var stdout, log bytes.Buffer
	r := newReporter(&stdout, &log, "")
	var wg sync.WaitGroup
	for range streams {
		for _, name := range []string{"passes", "fails", "builds", "hangs"} {
			events := recorded(t, name)
			if name != "fails" {
				events = strings.ReplaceAll(events, "example.com/rec/"+name, "example.com/rec/one")
			}
			wg.Go(func() {
				if err := r.stream().read(strings.NewReader(events)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	r.summary()
	lines := strings.Split(strings.TrimRight(stdout.String(), "\n"), "\n")
	// What the four recordings count alone.
	require.Equal(t, "120 passed, 80 failed, 0 skipped", lines[len(lines)-1])
	require.Equal(t, streams, passes(stdout.String(), "example.com/rec/one"))
	require.Equal(t, streams, strings.Count(stdout.String(), "undefined: undefined"))
	require.Equal(t, 4*streams, strings.Count(log.String(), "== example.com/rec/"))
}

// A go test that fails without a failing test ends the run, whatever has failed in another lane.
func TestLanes_EndTogetherIfGoTestFails(t *testing.T) {
	brief.SkipPrograms(t)
	var stdout bytes.Buffer
	r := newReporter(&stdout, io.Discard, "")
	require.NoError(t, r.stream().read(strings.NewReader(recorded(t, "fails"))))
	hang, pid := hangs(t, self("^TestHelper_Hangs$"))
	broken := step{args: []string{"no-such-command"}}
	err := config{limit: time.Hour}.runAll(r, planned([]step{hang}, []step{broken, hang}))
	require.ErrorContains(t, err, "go test: exit status")
	require.Contains(t, stdout.String(), "unknown command")
	if pid() != "" { // it may have been ended before it began
		requireEnded(t, pid)
	}
}

// The limit of the whole run ends go test and the test programs of every lane, and the run has
// failed. What other packages said until then is reported.
func TestRun_LimitEndsEveryLane(t *testing.T) {
	brief.SkipPrograms(t)
	for name, env := range map[string][]string{"asked": nil, "ignored": {stubbornVar + "=1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireEnds(t, env, func(r *reporter, passing, hang step, limit time.Duration) {
				err := config{limit: limit}.runAll(r, planned([]step{passing}, []step{hang}))
				require.ErrorContains(t, err, "reached its limit of "+limit.String())
			})
		})
	}
}

// A package that prints nothing for too long ends the run long before the limit, and the report
// says which one it was.
func TestRun_SilenceEndsEveryLane(t *testing.T) {
	brief.SkipPrograms(t)
	requireEnds(t, nil, func(r *reporter, passing, hang step, limit time.Duration) {
		c := config{limit: time.Hour, silence: limit}
		err := c.runAll(r, planned([]step{passing, hang}))
		require.ErrorContains(t, err, "internal/testrun printed nothing for "+limit.String())
	})
}

// requireEnds has run end a program that hangs by a limit, which grows until the program hangs and
// the other one has passed before it.
func requireEnds(
	t *testing.T, env []string, run func(r *reporter, passing, hang step, limit time.Duration),
) {
	t.Helper()
	passing := self("^TestRead_CountsAndNamesWhatFailed$")
	for limit := 500 * time.Millisecond; ; limit *= 2 {
		hang, pid := hangs(t, self("^TestHelper_Hangs$", env...))
		hang.grace = time.Second
		var stdout bytes.Buffer
		r := newReporter(&stdout, io.Discard, "")
		run(r, passing, hang, limit)
		r.summary()
		if pid() == "" || passes(stdout.String(), "internal/testrun") == 0 {
			continue
		}
		require.True(t, r.failed())
		require.Contains(t, stdout.String(), "FAIL: internal/testrun TestHelper_Hangs\n")
		requireEnded(t, pid)
		return
	}
}

// An interrupt ends what runs in every lane, and starts no further step.
func TestRun_InterruptEndsEveryLane(t *testing.T) {
	brief.SkipPrograms(t)
	one, onePID := hangs(t, tests(".", "^TestHelper_Hangs$"))
	two, twoPID := hangs(t, self("^TestHelper_Hangs$"))
	later, laterPID := hangs(t, self("^TestHelper_Hangs$"))
	once(t, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) }, onePID, twoPID)
	var stdout bytes.Buffer
	r := newReporter(&stdout, io.Discard, "")
	err := config{limit: time.Hour}.runAll(r, planned([]step{one, later}, []step{two}))
	require.ErrorContains(t, err, "was interrupted")
	r.summary()
	require.True(t, r.failed())
	require.Equal(t, 2, strings.Count(stdout.String(), "FAIL: internal/testrun TestHelper_Hangs\n"),
		stdout.String())
	require.Empty(t, laterPID())
	requireEnded(t, onePID, twoPID)
}
