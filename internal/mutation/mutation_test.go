package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample is a package whose tests leave some changes unnoticed.
var sample = target{"internal/mutation/testdata/sample",
	[]string{"internal/mutation/testdata/sample"}}

// It waits for a change with which a loop does not end. So make test runs it, and go test alone
// does not.
func TestTarget_FindsWhatNoTestNotices(t *testing.T) {
	if os.Getenv("SECONDGATE_FULL") == "" {
		t.Skip("part of make test")
	}
	results, err := sample.try(t.Context(), settings{files: "*", parallel: 2,
		patience: 5 * time.Second, tests: regexp.MustCompile("")})
	require.NoError(t, err)
	const file = "internal/mutation/testdata/sample/sample.go "
	survivors := map[string]bool{} // reached or not
	for _, r := range results {
		if r.killer == "" {
			survivors[r.String()] = r.reached
		} else {
			require.Equal(t, sample.pkg, r.killer, r)
		}
		require.Equal(t, r.change == "without `n--`", r.byTime, "%s is killed by time", r)
	}
	require.Equal(t, map[string]bool{
		file + "Within: `n <= most` with <":  false,
		file + "Sum: `n < 0` with <=":        false,
		file + "Twice: `n * two(n)` with /":  false,
		file + "Twice: `n * two(n)` is zero": false,
	}, survivors)
}

func TestReport_CountsWhatHasNoReason(t *testing.T) {
	m := func(change string) mutant { return mutant{file: "f.go", function: "F", change: change} }
	results := []result{{mutant: m("a"), killer: "p"}, {mutant: m("b"), reached: true},
		{mutant: m("c")}}
	require.Equal(t, 2, report("p", results, nil))
	require.Equal(t, 1, report("p", results, map[string]string{"f.go F: b": "it cannot matter"}))
}

func TestExplained_RefusesWhatHasNoReason(t *testing.T) {
	for _, list := range []string{"f.go F: a", "# reason\nf.go F: a\n\nf.go F: b",
		"# one\nf.go F: a\n\n# two\nf.go F: a"} {
		_, err := explained(list)
		require.Error(t, err, list)
	}
	known, err := explained("# why it\n# cannot\nf.go F: a\nf.go F: b\n\n# other\nf.go F: c\n")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"f.go F: a": "why it cannot",
		"f.go F: b": "why it cannot", "f.go F: c": "other"}, known)
}

// A survivor whose code has changed since is to be looked at again.
func TestSurvivors_AreInTheCode(t *testing.T) {
	known, err := explained(survivors)
	require.NoError(t, err)
	var names []string
	for _, target := range targets {
		names = append(names, target.pkg)
	}
	deps, err := listAll(t.Context(), names...)
	require.NoError(t, err)
	check := newChecker(deps)
	for _, target := range targets {
		p := deps[module+target.pkg]
		files, err := check.files(p, target.pkg)
		require.NoError(t, err)
		var mutants []mutant
		for _, f := range files {
			f.instrument()
			mutants = append(mutants, f.mutants...)
		}
		distinguish(mutants)
		for _, m := range mutants {
			delete(known, m.String())
		}
	}
	require.Empty(t, slices.Collect(maps.Keys(known)), "they are not in the code")
}
