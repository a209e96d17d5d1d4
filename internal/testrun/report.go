package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64
	Output      string
	ImportPath  string // of build-output
	FailedBuild string
}

// suite is one package while its tests run.
type suite struct {
	name    string
	failed  []string            // its tests that failed
	all     strings.Builder     // for the log
	output  map[string][]string // by test, until the test ends; "" is outside of any test
	running []string
	builds  []string  // what the compiler said
	heard   time.Time // of its last event
}

// result is one package that has ended.
type result struct {
	name    string
	seconds float64
}

// failure is one failing test, or one failing package without a failing test.
type failure struct {
	pkg, test string
	output    []string
}

// reporter counts tests, prints each package that ends, and keeps the output of failing tests
// for the end. Several streams report to it at the same time.
type reporter struct {
	logName string
	began   time.Time

	mu              sync.Mutex // guards the following, and the streams of this reporter
	out, log        io.Writer
	working         map[*suite]bool
	results         []result
	failures        []failure
	skips, counts   []string
	passed, skipped int
}

func newReporter(out, log io.Writer, logName string) *reporter {
	return &reporter{out: out, log: log, logName: logName, began: time.Now(),
		working: make(map[*suite]bool)}
}

// stream is the report of one go test. Two streams can have a package of the same name.
type stream struct {
	*reporter
	suites map[string]*suite
	builds map[string][]string
	bad    bool // something in this stream has failed
}

func (r *reporter) stream() *stream {
	return &stream{reporter: r, suites: make(map[string]*suite), builds: make(map[string][]string)}
}

// read reports events until the end of the stream. A suite that has not ended by then is a
// failure.
func (r *stream) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range sorted(r.suites) {
		s := r.suites[name]
		fmt.Fprintf(r.out, "FAIL     -    %s: did not end\n", short(name))
		r.ends(s, "the tests ended before the package did")
	}
	return nil
}

// line reports one line. A line that is no event is printed: go itself says something.
func (r *stream) line(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		fmt.Fprintf(r.out, "%s\n", bytes.TrimRight(line, "\n"))
		return
	}
	switch e.Action {
	case "build-output":
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
		return
	case "build-fail":
		return
	}
	s := r.suites[e.Package]
	if s == nil {
		s = &suite{name: e.Package, output: make(map[string][]string)}
		r.suites[e.Package] = s
		r.working[s] = true
	}
	s.heard = time.Now()
	switch {
	case e.Action == "output":
		s.all.WriteString(e.Output)
		s.output[e.Test] = append(s.output[e.Test], e.Output)
	case e.Test == "":
		r.pkg(s, e)
	default:
		r.test(s, e)
	}
}

// test reports an event of one test.
func (r *stream) test(s *suite, e event) {
	switch e.Action {
	case "run":
		s.running = append(s.running, e.Test)
		return
	case "pass":
		r.passed++
		for _, line := range s.output[e.Test] {
			if _, n, ok := strings.Cut(line, ": counted: "); ok {
				r.counts = append(r.counts, short(s.name)+" "+e.Test+": "+strings.TrimSpace(n))
			}
		}
	case "skip":
		r.skipped++
		r.skips = append(r.skips, short(s.name)+" "+e.Test+reason(s.output[e.Test]))
	case "fail":
		r.fail(s, e.Test)
	default: // pause, cont, bench
		return
	}
	delete(s.output, e.Test)
	s.running = slices.DeleteFunc(s.running, func(t string) bool { return t == e.Test })
}

func (r *stream) fail(s *suite, test string) {
	out := s.output[test]
	if s.hasFailed(test+"/") && len(ownLines(out)) == 0 {
		return // its subtests have said why
	}
	s.failed = append(s.failed, test)
	r.failure(failure{s.name, test, out})
}

// pkg reports an event of a whole package.
func (r *stream) pkg(s *suite, e event) {
	switch e.Action {
	case "pass", "skip":
		r.forget(s)
		if e.Action == "skip" {
			return // no test files
		}
		r.results = append(r.results, result{s.name, e.Elapsed})
		fmt.Fprintf(r.out, "ok   %6.1fs  %s\n", e.Elapsed, short(s.name))
	case "fail":
		r.results = append(r.results, result{s.name, e.Elapsed})
		fmt.Fprintf(r.out, "FAIL %6.1fs  %s\n", e.Elapsed, short(s.name))
		s.builds = r.builds[e.FailedBuild]
		r.ends(s, "the package failed outside of its tests")
	}
}

// ends ends a package that failed: tests that have not ended failed with it, and a package
// without a failing test is a failure itself.
func (r *stream) ends(s *suite, why string) {
	r.forget(s)
	for _, test := range slices.Backward(s.running) { // subtests before their parents
		if !s.hasFailed(test + "/") {
			s.output[test] = append(s.output[test], "    the test did not end\n")
		}
		r.fail(s, test)
	}
	if !s.hasFailed("") {
		out := slices.Concat([]string{"    " + why + "\n"}, s.builds, s.output[""])
		r.failure(failure{pkg: s.name, output: out})
	}
}

func (r *stream) failure(f failure) {
	r.bad = true
	r.failures = append(r.failures, f)
}

// hasFailed says whether a test with such a name has failed.
func (s *suite) hasFailed(prefix string) bool {
	return slices.ContainsFunc(s.failed, func(test string) bool {
		return strings.HasPrefix(test, prefix)
	})
}

// forget writes the output of a package that has ended to the log.
func (r *stream) forget(s *suite) {
	delete(r.suites, s.name)
	delete(r.working, s)
	fmt.Fprintf(r.log, "== %s\n%s%s\n", short(s.name), strings.Join(s.builds, ""), &s.all)
}

// silent returns the name of a package whose tests have begun and have printed nothing for this
// time, or "".
func (r *reporter) silent(limit time.Duration) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.working {
		if time.Since(s.heard) > limit {
			return short(s.name)
		}
	}
	return ""
}

// fault reports a failure of the run itself.
func (r *reporter) fault(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, failure{pkg: "the run", output: []string{"    " + text + "\n"}})
}

func (r *reporter) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures) > 0 || r.passed == 0
}

// Write is for what go itself says, such as that it downloads a module.
func (r *reporter) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return io.MultiWriter(r.out, r.log).Write(b)
}

// summary prints what failed and why, the time, and the counts on a line of their own.
func (r *reporter) summary() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.skips) > 0 {
		fmt.Fprintf(r.out, "\nskipped:\n")
		for _, s := range r.skips {
			fmt.Fprintf(r.out, "  %s\n", s)
		}
	}
	if len(r.counts) > 0 {
		fmt.Fprintf(r.out, "\ncounted:\n")
		for _, c := range r.counts {
			fmt.Fprintf(r.out, "  %s\n", c)
		}
	}
	for _, f := range r.failures {
		fmt.Fprintf(r.out, "\n--- FAIL: %s\n", strings.TrimSpace(short(f.pkg)+" "+f.test))
		for _, line := range trim(f.test, f.output) {
			fmt.Fprintf(r.out, "%s\n", line)
		}
	}
	if len(r.failures) > 0 {
		fmt.Fprintln(r.out, "\nfailed:")
		for _, f := range r.failures {
			fmt.Fprintf(r.out, "  %s\n", strings.TrimSpace(short(f.pkg)+" "+f.test))
		}
		if r.logName != "" {
			fmt.Fprintf(r.out, "the whole output of all tests: %s\n", r.logName)
		}
	}
	slices.SortStableFunc(r.results, func(a, b result) int {
		return cmp.Compare(b.seconds, a.seconds)
	})
	var slowest []string
	for _, p := range r.results[:min(5, len(r.results))] {
		slowest = append(slowest, fmt.Sprintf("%s %.1fs", short(p.name), p.seconds))
	}
	fmt.Fprintf(r.out, "\ntotal %s; slowest: %s\n", time.Since(r.began).Round(time.Second),
		strings.Join(slowest, ", "))
	if r.passed == 0 {
		fmt.Fprintln(r.out, "no test passed")
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, len(r.failures), r.skipped)
}

// short is the path of a package in the repository.
func short(pkg string) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), ".")
}

// reason is what a skipped test said.
func reason(output []string) string {
	for _, line := range slices.Backward(ownLines(output)) {
		return ": " + strings.TrimSpace(line)
	}
	return ""
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
