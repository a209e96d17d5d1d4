package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const module = "github.com/secondgate/secondgate"

// step is one go test.
type step struct {
	name  string
	count int
	args  []string
	env   []string
	grace time.Duration // instead of the constant
}

// planner returns the lanes of a run.
type planner func(context.Context, config) (lanes [][]step, err error)

// beside is the package with a lane of its own. It drives one browser step by step, which takes
// one core from its beginning to its end.
const beside = "internal/integration/browser"

// plan returns the runs of go test for the packages, in lanes that run side by side. One lane has
// the browser. The other lane has the packages under the race detector, then those tests of the
// others that have several goroutines, with it, and then the others without it, the quickest last,
// so that no core waits for the end. A long run has each package that gains from it under the race
// detector.
func plan(ctx context.Context, c config) (lanes [][]step, err error) {
	patterns := c.packages
	if len(patterns) == 0 {
		patterns = []string{"work"}
	}
	packages, err := list(ctx, patterns)
	if err != nil {
		return nil, err
	}
	return planOf(packages, c), nil
}

// planOf returns the lanes for these packages, the slowest first.
func planOf(packages []string, c config) (lanes [][]step) {
	var race, plain, browser, again, tests []string
	for _, p := range packages {
		names, listed := withRace[short(p)]
		whole := listed && names == nil
		_, without := withoutRace[short(p)]
		switch {
		case whole || c.long && !without:
			race = append(race, p)
		case listed:
			again, tests = append(again, p), append(tests, names...)
		}
		switch {
		case short(p) == beside:
			browser = append(browser, p)
		case !whole:
			plain = append(plain, p)
		}
	}
	base := []string{"test", "-json", "-vet=off", "-count=1", "-timeout", c.limit.String()}
	env := append(quicker(), "SECONDGATE_FULL=1")
	if c.long {
		env = append(env, "SECONDGATE_LONG=1")
	}
	var steps []step
	add := func(name string, packages []string, flags ...string) {
		if len(packages) > 0 {
			args := slices.Concat(base, flags, packages)
			steps = append(steps, step{name: name, count: len(packages), args: args, env: env})
		}
	}
	add("the browser, without the race detector", browser)
	lanes, steps = append(lanes, steps), nil
	detector := append([]string{"-race"}, uninstrumented...)
	add("with the race detector", race, detector...)
	slices.Sort(tests)
	tests = slices.Compact(tests)
	once := slices.DeleteFunc(slices.Clone(tests), func(n string) bool {
		return alsoPlain[n] != ""
	})
	add("tests with several goroutines, of other packages, with the race detector", again,
		slices.Concat(detector, []string{"-run", only(tests)})...)
	if len(once) > 0 {
		add("without the race detector", plain, "-skip", only(once))
	} else {
		add("without the race detector", plain)
	}
	return append(lanes, steps)
}

// uninstrumented leaves the race detector out of SQLite, which is C that was translated to Go, for
// two drivers. A connection has memory of its own there, which one goroutine uses at a time, and
// the detector took most of the time. The drivers themselves are instrumented.
var uninstrumented = []string{"-gcflags=modernc.org/sqlite/lib=-race=false",
	"-gcflags=github.com/ncruces/go-sqlite3-wasm/v6=-race=false"}

// quicker returns settings with which the tests and the programs that they build take less time.
// The garbage collector runs less often: heaps are small, and it takes a tenth of the time of many
// packages. The race detector does not sleep for a second at the end of each program, as no
// goroutine outlives the tests. The linker leaves out what debuggers alone read, and takes half as
// long. What the environment says is kept.
func quicker() []string {
	return []string{"GOGC=" + cmp.Or(os.Getenv("GOGC"), "400"),
		"GORACE=atexit_sleep_ms=0 " + os.Getenv("GORACE"),
		"GOFLAGS=-ldflags=-w " + os.Getenv("GOFLAGS")}
}

// only returns the pattern that matches these tests.
func only(tests []string) string { return "^(" + strings.Join(tests, "|") + ")$" }

// list returns the packages with tests, the slowest first, so that none of them is alone at the
// end.
func list(ctx context.Context, patterns []string) ([]string, error) {
	const form = `{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}`
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-f", form}, patterns...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	packages := strings.Fields(string(out))
	if len(packages) == 0 {
		return nil, fmt.Errorf("no package of %v has tests", patterns)
	}
	slices.SortStableFunc(packages, func(a, b string) int { return rank(a) - rank(b) })
	return packages, nil
}

// rank is a package's place among the slow ones.
func rank(pkg string) int {
	if i := slices.Index(slow, short(pkg)); i >= 0 {
		return i
	}
	return len(slow)
}
