package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// suite is the test program of a package, compiled with all mutants of another.
type suite struct {
	pkg, program, dir, scratch string
	tests                      []test
	patience                   time.Duration
}

// test is one test of a suite, and the mutants that it reaches.
type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool
}

// build compiles the tests of a package and lists them. Tests that fail without a mutant are named
// and left out.
func build(ctx context.Context, pkg, overlay, scratch string) (*suite, error) {
	p, _, err := list(ctx, pkg)
	if err != nil {
		return nil, err
	}
	s := &suite{pkg: pkg, dir: p.Dir, scratch: scratch,
		program: filepath.Join(scratch, strings.ReplaceAll(pkg, "/", "-")+".test")}
	if _, err := command(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.program,
		module+pkg); err != nil {
		return nil, err
	}
	lister := exec.CommandContext(ctx, s.program, "-test.list", ".")
	lister.Dir = s.dir
	names, err := lister.Output()
	if err != nil {
		return nil, fmt.Errorf("%s -test.list: %w", pkg, err)
	}
	for _, name := range strings.Fields(string(names)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		t, err := s.reach(ctx, name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			fmt.Printf("%s %s is left out: it fails without a mutant\n", pkg, name)
			continue
		}
		s.tests = append(s.tests, t)
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return int(a.took - b.took) })
	return s, nil
}

// reach runs one test without a mutant and notes the mutants that it reaches.
func (s *suite) reach(ctx context.Context, name string) (test, error) {
	t := test{name: name, reaches: make(map[int]bool)}
	file := filepath.Join(s.scratch, "reach")
	defer func() { _ = os.Remove(file) }()
	began := time.Now()
	if _, err := s.run(ctx, 0, file, 10*time.Minute, name); err != nil {
		return t, err
	}
	t.took = time.Since(began)
	out, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return t, err
	}
	for _, field := range strings.Fields(string(out)) {
		if n, err := strconv.Atoi(field); err == nil {
			t.reaches[n] = true
		}
	}
	return t, nil
}

// errTime is returned for tests that take longer than their limit.
var errTime = errors.New("they do not end")

// run runs tests with a mutant. A mutant that takes all memory is stopped at 4 GB.
func (s *suite) run(
	ctx context.Context, number int, reach string, limit time.Duration, tests ...string,
) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args := []string{"-c", `ulimit -v 4000000; exec "$@"`, "sh", s.program, "-test.failfast",
		"-test.run", "^(" + strings.Join(tests, "|") + ")$"}
	cmd := exec.CommandContext(ctx, "sh", append(args, options[s.pkg]...)...)
	cmd.Dir = s.dir
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+s.scratch, "SECONDGATE_MUTANT="+strconv.Itoa(number),
		"SECONDGATE_MUTANT_REACH="+reach)
	out, err = cmd.CombinedOutput()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return out, errTime
	}
	return out, err
}

// kills runs the tests that reach a mutant, the quick ones first, until one fails.
func (s *suite) kills(ctx context.Context, m mutant) error {
	var quick, slow []string
	var total, all time.Duration
	for _, t := range s.tests {
		if !t.reaches[m.number] {
			continue
		}
		if all += t.took; all < time.Second {
			quick, total = append(quick, t.name), all
		} else {
			slow = append(slow, t.name)
		}
	}
	for _, batch := range []struct {
		tests []string
		took  time.Duration
	}{{quick, total}, {slow, all - total}} {
		if len(batch.tests) == 0 {
			continue
		}
		limit := s.patience + 10*batch.took
		if _, err := s.run(ctx, m.number, "", limit, batch.tests...); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) reached(m mutant) bool {
	return slices.ContainsFunc(s.tests, func(t test) bool { return t.reaches[m.number] })
}
