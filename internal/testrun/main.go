package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// grace is the time that go test and its programs have to print where they are when a run is
// ended.
const grace = 10 * time.Second

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// config is the command line.
type config struct {
	read, long     bool
	limit, silence time.Duration
	log            string
	packages       []string
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c config
	flags := flag.NewFlagSet("testrun", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&c.read, "read", false, "report the events of go test -json from standard input")
	flags.BoolVar(&c.long, "long", false, "run many more rounds: sets SECONDGATE_LONG")
	flags.DurationVar(&c.limit, "limit", 2*time.Hour,
		"stop the whole run after this `time`, which only a hang reaches")
	flags.DurationVar(&c.silence, "silence", 25*time.Minute,
		"stop the whole run if a package prints nothing for this `time`")
	flags.StringVar(&c.log, "log", "", "`file` for the whole output of all tests")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	c.packages = flags.Args()
	code, err := report(c, stdin, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "testrun:", err)
		return max(code, 1)
	}
	return code
}

// report runs the tests, or reads their events, and returns the exit code.
func report(c config, stdin io.Reader, stdout io.Writer) (code int, err error) {
	log := io.Discard
	if c.log != "" {
		if err := os.MkdirAll(filepath.Dir(c.log), 0o755); err != nil {
			return 2, err
		}
		f, err := os.Create(c.log)
		if err != nil {
			return 2, err
		}
		defer func() { _ = f.Close() }()
		log = f
	}
	r := newReporter(stdout, log, c.log)
	if c.read {
		err = r.stream().read(stdin)
	} else {
		err = c.runAll(r, plan)
	}
	if err != nil {
		// What the tests had said until then is still worth reading.
		r.fault(err.Error())
	}
	r.summary()
	if r.failed() {
		return 1, nil
	}
	return 0, nil
}

// runAll runs what plan returns until it ends, the limit is reached, or the user interrupts it.
func (c config) runAll(r *reporter, plan planner) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	lanes, err := plan(ctx, c)
	if err != nil {
		return err
	}
	err = c.runLanes(ctx, r, lanes)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New("the run was interrupted")
	case ctx.Err() != nil:
		return fmt.Errorf("the run reached its limit of %s and was ended; a test hangs", c.limit)
	}
	return err
}

// runLanes runs the lanes side by side, and the steps of each one after the other. If go test
// itself fails in one, or a package hangs, all of them end. Failing tests end nothing.
func (c config) runLanes(ctx context.Context, r *reporter, lanes [][]step) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching.Go(func() { c.watch(ctx, r, cancel) })
	var wg sync.WaitGroup
	for _, lane := range lanes {
		wg.Go(func() {
			for _, s := range lane {
				if ctx.Err() != nil {
					return
				}
				noun := "packages"
				if s.count == 1 {
					noun = "package"
				}
				fmt.Fprintf(r, "== %s: %d %s\n", s.name, s.count, noun)
				if err := s.run(ctx, r); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// watch ends the run with a cause if a package hangs.
func (c config) watch(ctx context.Context, r *reporter, cancel context.CancelCauseFunc) {
	silence := cmp.Or(c.silence, c.limit)
	ticks := time.NewTicker(max(silence/50, time.Millisecond))
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			if pkg := r.silent(silence); pkg != "" {
				cancel(fmt.Errorf("%s printed nothing for %s and was ended; a test hangs",
					pkg, silence))
				return
			}
		}
	}
}

// run runs one go test and feeds its events to the report. An exit code that failing tests
// explain is no error.
func (s step) run(ctx context.Context, r *reporter) error {
	cmd := exec.CommandContext(ctx, "go", s.args...)
	cmd.Env = append(os.Environ(), s.env...)
	events, out := io.Pipe()
	cmd.Stdout, cmd.Stderr = out, r
	cmd.WaitDelay = cmp.Or(s.grace, grace)
	kill := grouped(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	report := r.stream()
	var readErr error
	var reading sync.WaitGroup
	reading.Go(func() { readErr = report.read(events) })
	err := cmd.Wait()
	if ctx.Err() != nil {
		kill()
	}
	_ = out.Close()
	reading.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && report.bad {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	return readErr
}
