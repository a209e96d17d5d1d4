// Command protections takes out the library's protections one by one, each in a copy of all
// modules, and runs the test that must then fail. A protection whose test stays green is not
// tested. The list is in the files *.txt beside this one; docs/threat-model.md names the tests.
//
//	go run ./internal/protections [-run regexp] [-parallel n]
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("run", "", "take out only the protections that match this regexp")
	parallel := flag.Int("parallel", 2, "how many to take out at once, each in its own copy")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *parallel); err != nil {
		fmt.Fprintln(os.Stderr, "protections:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, parallel int) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	all, err := list()
	if err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	dirs, err := copies(root, parallel)
	defer func() {
		for _, dir := range dirs {
			_ = os.RemoveAll(dir)
		}
	}()
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(all, func(p protection) bool {
		return !match.MatchString(p.String())
	})
	if err := passes(ctx, dirs[0], chosen); err != nil {
		return err
	}
	todo, results := make(chan protection), make(chan result)
	var workers sync.WaitGroup
	for _, dir := range dirs {
		workers.Go(func() {
			for p := range todo {
				began := time.Now()
				err := takeOut(ctx, dir, p)
				results <- result{p, time.Since(began), err}
			}
		})
	}
	go func() {
		for _, p := range chosen {
			todo <- p
		}
		close(todo)
		workers.Wait()
		close(results)
	}()
	return report(results, len(chosen))
}

// report prints the results, and returns an error if a protection is not tested.
func report(results <-chan result, chosen int) error {
	bad := 0
	for r := range results {
		if r.err != nil {
			bad++
			fmt.Printf("NOT TESTED  %s: %v\n", r.p, r.err)
			continue
		}
		fmt.Printf("red %6s  %s\n", r.took.Round(100*time.Millisecond), r.p)
	}
	if bad > 0 || chosen == 0 {
		return fmt.Errorf("%d of %d protections are not tested", bad, chosen)
	}
	fmt.Printf("all %d protections are tested\n", chosen)
	return nil
}

// result is what taking out one protection led to; err is nil if its test failed.
type result struct {
	p    protection
	took time.Duration
	err  error
}

// copies makes temporary copies of the modules.
func copies(root string, n int) (dirs []string, err error) {
	for range max(1, n) {
		dir, err := os.MkdirTemp("", "protections-")
		if err != nil {
			return dirs, err
		}
		dirs = append(dirs, dir)
		if err := copyModules(root, dir); err != nil {
			return dirs, err
		}
	}
	return dirs, nil
}

// passes runs the tests with all protections in place. A test that fails by itself would say
// nothing about a protection.
func passes(ctx context.Context, dir string, list []protection) error {
	tests := make(map[string][]string)
	for _, p := range list {
		if !slices.Contains(tests[p.dir], p.test) {
			tests[p.dir] = append(tests[p.dir], p.test)
		}
	}
	for pkg, names := range tests {
		out, err := goTest(ctx, dir, pkg, names...)
		if err != nil {
			return fmt.Errorf("the tests of %s fail as things are: %w\n%s", pkg, err, tail(out))
		}
		for _, name := range names {
			if !bytes.Contains(out, []byte("\n--- PASS: "+name+" ")) {
				return fmt.Errorf("%s does not pass in %s as things are", name, pkg)
			}
		}
	}
	return nil
}

// takeOut takes out one protection, runs its test, and puts the protection back.
func takeOut(ctx context.Context, dir string, p protection) (err error) {
	name := filepath.Join(dir, filepath.FromSlash(p.file))
	code, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	without, err := p.without(string(code))
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, []byte(without), 0o600); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.WriteFile(name, code, 0o600)) }()
	out, failed := goTest(ctx, dir, p.dir, p.test)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failed == nil:
		all, _ := goTest(ctx, dir, p.dir, ".*")
		return fmt.Errorf("%s stays green without it; red in %s: %q", p.test, p.dir, failing(all))
	case bytes.Contains(out, []byte("panic: test timed out")):
		return fmt.Errorf("%s does not end without it", p.test)
	case bytes.Contains(out, []byte("--- FAIL: "+p.test)), bytes.Contains(out, []byte("panic: ")):
		return nil
	default:
		return fmt.Errorf("the code without it cannot be tested: %w\n%s", failed, tail(out))
	}
}

// goTest runs tests of a package in a copy. With -trimpath the copies share what they compile.
func goTest(ctx context.Context, dir, pkg string, tests ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-trimpath", "-ldflags=-w", "-count=1",
		"-vet=off", "-timeout=5m", "-v",
		"-run", "^("+strings.Join(tests, "|")+")$", "./"+pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"), "SECONDGATE_FULL=1")
	return cmd.CombinedOutput()
}

// failing lists the tests that failed.
func failing(out []byte) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^--- FAIL: (\S+)`).FindAllSubmatch(out, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

func tail(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fails := func(line string) bool { return strings.Contains(line, "--- FAIL: ") }
	if i := slices.IndexFunc(lines, fails); i >= 0 {
		return lines[i]
	}
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Root}}",
		"github.com/secondgate/secondgate/mfa").Output()
	return strings.TrimSpace(string(out)), err
}

// copyModules copies the files of all modules, and not the hidden directories.
func copyModules(root, dir string) error {
	return filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		switch {
		case path == root:
			return nil
		case d.IsDir() && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir():
			return os.Mkdir(to, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o600)
	})
}
