// Command benchratio compares the ratios that benchmarks print with those that the repository
// keeps. It reads the output of go test -bench, repeats it, and fails if a ratio is worse than the
// one kept by more than a fifth, or was not measured. Of several runs of a benchmark the best is
// compared. Each ratio is to a baseline of the same run, so that it means the same on every
// machine. A ratio that the documents promise is a limit, and has no fifth.
//
//	go test -run '^$' -bench . work | go run ./internal/benchratio
package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed ratios.txt
var kept string

// tolerance is the share by which a ratio may be worse.
const tolerance = 0.2

func main() {
	problems, err := compare(kept, io.TeeReader(os.Stdin, os.Stdout))
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, "benchratio:", p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// ratio names one: the package below the module, the benchmark and the unit.
type ratio struct{ pkg, benchmark, unit string }

// String is for messages.
func (r ratio) String() string { return r.pkg + " " + r.benchmark + " " + r.unit }

// compare returns what is worse in the output of benchmarks than in the list of ratios.
func compare(list string, output io.Reader) (problems []string, err error) {
	measured, failed, err := read(output)
	if err != nil {
		return nil, err
	}
	if failed {
		problems = append(problems, "a benchmark failed")
	}
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if len(f) != 5 || !slices.Contains([]string{"most", "least", "limit"}, f[3]) {
			return nil, fmt.Errorf(`%q is not a package, a benchmark, a unit, "most", "least" or `+
				`"limit", and a value`, line)
		}
		want, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			return nil, err
		}
		r := ratio{f[0], f[1], f[2]}
		values := measured[r]
		if len(values) == 0 {
			problems = append(problems, fmt.Sprintf("%v was not measured", r))
			continue
		}
		best, worse := slices.Max(values), slices.Max(values) < want*(1-tolerance)
		switch f[3] {
		case "most":
			best, worse = slices.Min(values), slices.Min(values) > want*(1+tolerance)
		case "limit":
			worse = best < want
		}
		if worse {
			problems = append(problems, fmt.Sprintf("%v is %.2f, and was %.2f", r, best, want))
		}
	}
	return problems, nil
}

// result matches the line of a benchmark: its name without the number of processors, and its
// values.
var result = regexp.MustCompile(`^(Benchmark\S*?)(?:-\d+)?\s+\d+\s+(.*)$`)

// read returns the values of every benchmark in each of its runs, and whether a package failed.
func read(output io.Reader) (values map[ratio][]float64, failed bool, err error) {
	values = map[ratio][]float64{}
	pkg := ""
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := lines.Text()
		if p, ok := strings.CutPrefix(line, "pkg: github.com/secondgate/secondgate/"); ok {
			pkg = p
		}
		failed = failed || strings.HasPrefix(line, "FAIL")
		m := result.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		f := strings.Fields(m[2])
		for i := 0; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, failed, fmt.Errorf("%s: %w", m[1], err)
			}
			r := ratio{pkg, m[1], f[i+1]}
			values[r] = append(values[r], v)
		}
	}
	return values, failed, lines.Err()
}
