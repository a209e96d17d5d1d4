package structure_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A document that says "cannot" names the test that says so; the test must be there.
func TestDocumentsNameRealTests(t *testing.T) {
	var code strings.Builder
	require.NoError(t, filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			b, err := os.ReadFile(path)
			code.Write(b)
			return err
		}
		return err
	}))
	named := regexp.MustCompile(`\bTest[A-Z]\w+`)
	found := 0
	for _, doc := range []string{"threat-model.md", "performance.md", "architecture.md", "standards.md"} {
		text, err := os.ReadFile("../../docs/" + doc)
		require.NoError(t, err)
		for _, name := range named.FindAllString(string(text), -1) {
			found++
			if !strings.Contains(code.String(), "func "+name+"(") {
				t.Errorf("docs/%s names %s, which is no test", doc, name)
			}
		}
	}
	require.Greater(t, found, 10)
}

// Links between the documents and pictures lead somewhere.
func TestDocumentsLinkToFiles(t *testing.T) {
	docs, err := filepath.Glob("../../*.md")
	require.NoError(t, err)
	more, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	decisions, err := filepath.Glob("../../docs/decisions/*.md")
	require.NoError(t, err)
	more = append(more, decisions...)
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, doc := range append(docs, more...) {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		prose := goBlock.ReplaceAll(text, nil)
		for _, m := range link.FindAllStringSubmatch(string(prose), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}

// docs/standards.md has every row once, says who meets it, names a test where it says that we
// do, and marks the profiles that mfa/audit.go judges the row under.
func TestStandards(t *testing.T) {
	text, err := os.ReadFile("../../docs/standards.md")
	require.NoError(t, err)
	type row struct{ state, by, profile string }
	rows := make(map[string]row)
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !regexp.MustCompile(`^[A-Z]-[0-9]+$`).MatchString(cells[0]) {
			continue
		}
		id := cells[0]
		require.NotContains(t, rows, id)
		if strings.HasPrefix(id, "X-") {
			require.Len(t, cells, 4, id)
			require.Contains(t, cells[3], "Test", id)
			rows[id] = row{}
			continue
		}
		require.GreaterOrEqual(t, len(cells), 4, id)
		r := row{state: cells[2], by: cells[3]}
		if len(cells) > 4 {
			r.profile = cells[4]
		}
		rows[id] = r
		require.Contains(t, []string{"met", "partly", "application", "not met", "none"}, r.state, id)
		require.NotEmpty(t, r.by, id)
		if r.state == "met" && !strings.HasPrefix(r.by, "as ") && !strings.Contains(r.by, "Test") {
			t.Errorf("%s is said to be met, by no test", id)
		}
	}
	for prefix, n := range map[string]int{"N": 43, "A": 32, "R": 20, "G": 12, "O": 11, "W": 12, "S": 5, "C": 3, "X": 11} {
		for i := range n {
			require.Contains(t, rows, fmt.Sprintf("%s-%d", prefix, i+1))
		}
	}

	code, err := os.ReadFile("../../mfa/audit.go")
	require.NoError(t, err)
	judged := 0
	for _, m := range regexp.MustCompile(`rows\{"([^"]*)", "([^"]*)", "([^"]*)", "([^"]*)"\}`).FindAllStringSubmatch(string(code), -1) {
		for i, profile := range []string{"", "", "nist", "l2", "l3"} {
			if i == 0 || m[i] == "" {
				continue
			}
			judged++
			require.Contains(t, rows, m[i], "mfa/audit.go")
			if !strings.Contains(rows[m[i]].profile, profile) {
				t.Errorf("%s is judged under %s, which docs/standards.md does not say", m[i], profile)
			}
		}
	}
	require.Greater(t, judged, 60)
}

// What running the programs and tests leaves behind is no part of the repository: keys and
// databases least of all.
func TestNothingLeftBehindIsKept(t *testing.T) {
	files, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files").Output()
	if err != nil {
		t.Skip("not a checkout: ", err)
	}
	for file := range strings.Lines(string(files)) {
		file = strings.TrimSpace(file)
		switch ext := filepath.Ext(file); {
		case ext == ".key", ext == ".db", ext == ".test", ext == ".out", strings.Contains(file, "testdata/rapid/"), strings.HasPrefix(file, "data/"):
			t.Errorf("%s is kept", file)
		}
	}
}

// A machine that tests a change runs what a contributor runs.
func TestWorkflows_RunMakeTest(t *testing.T) {
	for _, name := range []string{".github/workflows/test.yml", ".ci/run"} {
		text, err := os.ReadFile("../../" + name)
		require.NoError(t, err)
		require.Regexp(t, `(?m)^\s*(- run: )?make test$`, string(text), name)
	}
}
