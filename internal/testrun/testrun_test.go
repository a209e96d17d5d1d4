package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded returns the output of real go test -json runs, one after the other.
func recorded(t *testing.T, names ...string) string {
	t.Helper()
	var all []byte
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		require.NoError(t, err)
		all = append(all, b...)
	}
	return string(all)
}

// read runs the program with -read and returns what it printed, line by line.
func read(t *testing.T, events string, args ...string) (code int, out string, lines []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(append([]string{"-read"}, args...), strings.NewReader(events), &stdout, &stderr)
	require.Empty(t, stderr.String())
	out = stdout.String()
	return code, out, strings.Split(strings.TrimRight(out, "\n"), "\n")
}

func TestRead_CountsAndNamesWhatFailed(t *testing.T) {
	for name, tc := range map[string]struct {
		events         []string
		code           int
		last           string
		want, unwanted []string
	}{
		"all pass": {[]string{"passes", "skips"}, 0, "4 passed, 0 failed, 1 skipped",
			[]string{"ok      0.1s  example.com/rec/passes",
				"example.com/rec/skips TestSkips: p_test.go:5: no browser is installed"},
			[]string{"a line nobody needs", "FAIL"}},
		"assertion": {[]string{"passes", "fails"}, 1, "6 passed, 2 failed, 0 skipped",
			[]string{"FAIL    0.0s  example.com/rec/fails",
				"--- FAIL: example.com/rec/fails TestFails/bad\n",
				"want 1, got 2", "printed on standard output", "line 0 of many",
				"the reason is last", "382 lines left out"},
			[]string{"line 250 of many", "=== RUN", "a line nobody needs",
				"--- FAIL: example.com/rec/fails TestFails\n"}},
		"build failure": {[]string{"builds", "passes"}, 1, "4 passed, 1 failed, 0 skipped",
			[]string{"FAIL    0.0s  example.com/rec/builds",
				"builds/p_test.go:5:33: undefined: undefined"}, nil},
		"panic": {[]string{"panics", "passes"}, 1, "5 passed, 1 failed, 0 skipped",
			[]string{"own output before the panic", "panic: assignment to entry in nil map",
				"/src/panics/p_test.go:16"}, nil},
		"hang": {[]string{"hangs"}, 1, "0 passed, 1 failed, 0 skipped",
			[]string{"own output before the hang", "test timed out after 2s",
				"the test did not end",
				"/src/hangs/p_test.go:14", "... and 33 more goroutines"},
			[]string{"startAlarm", "FAIL: example.com/rec/hangs TestHangs\n"}},
		"data race": {[]string{"races"}, 1, "0 passed, 1 failed, 0 skipped",
			[]string{"WARNING: DATA RACE", "/src/races/p_test.go:8",
				"race detected during execution"}, nil},
		"exit before the tests": {[]string{"exits", "passes"}, 1, "4 passed, 1 failed, 0 skipped",
			[]string{"go build: exit status 1", "outside of its tests"}, nil},
		"nothing to run": {[]string{"empty"}, 1, "0 passed, 0 failed, 0 skipped",
			[]string{"no test passed"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, lines := read(t, recorded(t, tc.events...))
			require.Equal(t, tc.code, code)
			require.Equal(t, tc.last, lines[len(lines)-1], "counts alone on the last line")
			require.True(t, strings.HasPrefix(lines[len(lines)-2], "total ") ||
				strings.HasPrefix(tc.last, "0 passed"), out)
			for _, want := range tc.want {
				require.Contains(t, out, want)
			}
			for _, unwanted := range tc.unwanted {
				require.NotContains(t, out, unwanted)
			}
		})
	}
}

// What a test counts, such as its random histories, is in the report if the test passes.
func TestRead_NamesWhatWasCounted(t *testing.T) {
	events := ""
	for _, e := range [][2]string{{"run", ""}, {"output", "    p_test.go:9: counted: 9 rounds\n"},
		{"pass", ""}} {
		line, err := json.Marshal(event{Action: e[0], Package: "example.com/p", Test: "TestP",
			Output: e[1]})
		require.NoError(t, err)
		events += string(line) + "\n"
	}
	_, out, _ := read(t, events+`{"Action":"pass","Package":"example.com/p"}`+"\n")
	require.Contains(t, out, "\ncounted:\n  example.com/p TestP: 9 rounds\n")
	_, out, _ = read(t, strings.ReplaceAll(events, `"pass"`, `"fail"`))
	require.NotContains(t, out, "\ncounted:")
}

// A failing test's output comes after the last package's line, its own lines before the stacks.
func TestRead_PrintsFailuresAtTheEnd(t *testing.T) {
	_, out, _ := read(t, recorded(t, "hangs", "fails", "passes"))
	at := -1
	for _, text := range []string{"ok      0.1s  example.com/rec/passes",
		"own output before the hang",
		"more goroutines", "want 1, got 2", "\nfailed:\n", "\ntotal "} {
		next := strings.Index(out, text)
		require.Greater(t, next, at, "%q in\n%s", text, out)
		at = next
	}
}

// The whole output of all tests is kept, one package after the other.
func TestRead_LogHasEverything(t *testing.T) {
	log := filepath.Join(t.TempDir(), "made", "log")
	_, out, _ := read(t, recorded(t, "fails", "hangs", "builds"), "-log", log)
	require.Contains(t, out, log)
	b, err := os.ReadFile(log)
	require.NoError(t, err)
	for _, want := range []string{"== example.com/rec/fails\n", "line 250 of many", "startAlarm",
		"undefined: undefined"} {
		require.Contains(t, string(b), want)
	}
}

// A stream that ends in the middle, as when the run is ended, is a failure.
func TestRead_CutOffIsAFailure(t *testing.T) {
	events := recorded(t, "passes")
	code, out, lines := read(t, events[:strings.Index(events, `"Action":"pass"`)])
	require.Equal(t, 1, code)
	require.Contains(t, out, "did not end")
	require.NotContains(t, lines[len(lines)-1], " 0 failed")
}

// What go itself prints between the events is passed on.
func TestRead_PassesOnWhatIsNoEvent(t *testing.T) {
	code, out, _ := read(t, "go: downloading example.com/x v1.0.0\n"+recorded(t, "passes"))
	require.Zero(t, code)
	require.Contains(t, out, "go: downloading example.com/x v1.0.0\n")
}

func TestRun_UnknownPackageIsAFailure(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run([]string{"./no/such/directory"}, strings.NewReader(""), &stdout, &stderr)
	require.Equal(t, 1, code)
	require.Contains(t, stdout.String(), "no/such/directory")
	require.True(t, strings.HasSuffix(stdout.String(), "\n0 passed, 1 failed, 0 skipped\n"),
		stdout.String())
}

func TestRun_LimitIsAFailure(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run([]string{"-limit", "1ms", "../keyed"}, strings.NewReader(""), &stdout, &stderr)
	require.Equal(t, 1, code)
	require.NotContains(t, stdout.String(), " 0 failed")
}

// CONTRIBUTING.md has one row for each package with tests, which says whether the race detector
// looks at it.
func TestPlan_IsTheTableOfCONTRIBUTING(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	require.NoError(t, err)
	rows := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) == 6 && strings.Contains(cells[1], "`") {
			name := strings.Trim(cells[1], " `")
			require.NotContains(t, rows, name)
			rows[name] = strings.TrimSpace(cells[3])
		}
	}
	all := listed(t)
	for _, p := range all {
		require.Contains(t, rows, short(p))
		want := "^–$"
		if names, race := withRace[short(p)]; race {
			want = `^\d+(\.\d)?$`
			if names != nil {
				want = fmt.Sprintf(`^\d+(\.\d)? \(%d tests?\)$`, len(names))
			}
		}
		require.Regexp(t, want, rows[short(p)], short(p))
	}
	require.Len(t, rows, len(all))
}
