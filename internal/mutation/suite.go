package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// suite is the test program of a package, compiled with all mutants of another.
type suite struct {
	pkg, program, dir, scratch string
	tests                      []test
	patience                   time.Duration
}

// test is one test of a suite: how long it took, how much processor time, and the mutants that it
// reaches.
type test struct {
	name      string
	took      time.Duration
	processor time.Duration
	reaches   map[int]bool
}

// build compiles the tests of a package and lists those whose names match, the quick ones first.
// Tests that fail without a mutant are named and left out.
func build(
	ctx context.Context, pkg string, all *instrumented, match *regexp.Regexp,
) (*suite, error) {
	p, _, err := list(ctx, pkg)
	if err != nil {
		return nil, err
	}
	if err := all.main(p); err != nil {
		return nil, err
	}
	overlay, err := all.overlay()
	if err != nil {
		return nil, err
	}
	s := &suite{pkg: pkg, dir: p.Dir, scratch: all.dir,
		program: filepath.Join(all.dir, strings.ReplaceAll(pkg, "/", "-")+".test")}
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
	if err := s.reach(ctx, match, strings.Fields(string(names))); err != nil {
		return nil, err
	}
	slices.SortStableFunc(s.tests, func(a, b test) int {
		return cmp.Compare(a.processor, b.processor)
	})
	return s, nil
}

// reach runs each test that matches without a mutant, and notes the mutants that it reaches.
func (s *suite) reach(ctx context.Context, match *regexp.Regexp, names []string) error {
	var plan []string
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return strings.HasPrefix(name, "Benchmark") || !match.MatchString(name)
	})
	for _, name := range names {
		plan = append(plan, fmt.Sprintf("0 %d %s", (10*time.Minute).Milliseconds(), name))
	}
	verdicts, err := s.verdicts(ctx, plan)
	if err != nil {
		return err
	}
	for i, verdict := range verdicts {
		fields := strings.Fields(verdict)
		if fields[0] != "reaches" {
			fmt.Printf("%s %s is left out: it fails without a mutant\n", s.pkg, names[i])
			continue
		}
		t := test{name: names[i], reaches: make(map[int]bool)}
		took, _ := strconv.Atoi(fields[1])
		processor, _ := strconv.Atoi(fields[2])
		t.took = time.Duration(took) * time.Microsecond
		t.processor = time.Duration(processor) * time.Microsecond
		for _, field := range fields[3:] {
			n, _ := strconv.Atoi(field)
			t.reaches[n] = true
		}
		s.tests = append(s.tests, t)
	}
	return nil
}

// portion is how many mutants one process tries.
const portion = 20

// try tries mutants, several processes at once, and notes which of them a test notices.
func (s *suite) try(ctx context.Context, todo []*result, parallel int) error {
	portions := slices.Collect(slices.Chunk(todo, portion))
	next := make(chan []*result)
	failed := make([]error, max(1, parallel))
	var workers sync.WaitGroup
	for i := range failed {
		workers.Go(func() {
			for p := range next {
				failed[i] = errors.Join(failed[i], s.tryPortion(ctx, p))
			}
		})
	}
	for _, p := range portions {
		next <- p
	}
	close(next)
	workers.Wait()
	return errors.Join(failed...)
}

func (s *suite) tryPortion(ctx context.Context, todo []*result) error {
	var plan []string
	for _, r := range todo {
		plan = append(plan, s.plan(r.mutant))
	}
	verdicts, err := s.verdicts(ctx, plan)
	if err != nil {
		return err
	}
	for i, verdict := range verdicts {
		if verdict != "survived" {
			todo[i].killer, todo[i].byTime = s.pkg, verdict == "time"
		}
	}
	return nil
}

// plan is the line for a mutant: the tests that reach it, and how long they may take.
func (s *suite) plan(m mutant) string {
	var names []string
	limit := s.patience
	for _, t := range s.tests {
		if t.reaches[m.number] {
			names, limit = append(names, t.name), limit+10*t.took
		}
	}
	return fmt.Sprintf("%d %d %s", m.number, limit.Milliseconds(), strings.Join(names, " "))
}

// verdicts runs the lines of a plan and returns what became of each. What ends a process in the
// midst of a plan may come from a mutant before, so that a line is tried again in a process of its
// own before it counts as killed.
func (s *suite) verdicts(ctx context.Context, plan []string) (all []string, err error) {
	for len(all) < len(plan) {
		some, err := s.run(ctx, plan[len(all):])
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			some = []string{"killed"}
		}
		all = append(all, some...)
	}
	return all, nil
}

// run runs the lines of a plan in one process, as far as it gets. A mutant that takes all memory is
// stopped at 4 GB.
func (s *suite) run(ctx context.Context, plan []string) (verdicts []string, err error) {
	dir, err := os.MkdirTemp(s.scratch, "run-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	lines, out := filepath.Join(dir, "plan"), filepath.Join(dir, "verdicts")
	if err := os.WriteFile(lines, []byte(strings.Join(plan, "\n")), 0o600); err != nil {
		return nil, err
	}
	args := []string{"-c", `ulimit -v 4000000; exec "$@"`, "sh", s.program}
	cmd := exec.CommandContext(ctx, "sh", append(args, options[s.pkg]...)...)
	cmd.Dir = s.dir
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "SECONDGATE_MUTANT_PLAN="+lines,
		"SECONDGATE_MUTANT_VERDICTS="+out, "SECONDGATE_FULL=1")
	ended := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	text, err := os.ReadFile(out)
	verdicts = strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || verdicts[0] != "ready" {
		return nil, errors.Join(fmt.Errorf("the tests of %s do not begin: %v", s.pkg, ended), err)
	}
	return verdicts[1:], nil
}

func (s *suite) reached(m mutant) bool {
	return slices.ContainsFunc(s.tests, func(t test) bool { return t.reaches[m.number] })
}
