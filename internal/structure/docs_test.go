package structure_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// documents lists the repository's documents.
func documents(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/decisions/*.md"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		all = append(all, files...)
	}
	require.Greater(t, len(all), 10)
	return all
}

// Every page of docs is listed in the index.
func TestDocuments_AreIndexed(t *testing.T) {
	index, err := os.ReadFile("../../docs/README.md")
	require.NoError(t, err)
	for _, kind := range []string{"Tutorial", "How-to guides", "Reference", "Explanation"} {
		require.Contains(t, string(index), "\n## "+kind)
	}
	for _, doc := range documents(t) {
		if name := filepath.Base(doc); filepath.Dir(doc) == "../../docs" && name != "README.md" {
			require.Contains(t, string(index), "]("+name+")")
		}
	}
}

// Decisions are numbered without a gap, listed, and have the three parts.
func TestDecisions_AreNumberedAndListed(t *testing.T) {
	index, err := os.ReadFile("../../docs/decisions/README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("../../docs/decisions/[0-9]*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name := filepath.Base(file)
		require.Regexp(t, fmt.Sprintf(`^%04d-[a-z0-9-]+\.md$`, i+1), name)
		title, body, _ := strings.Cut(string(text), "\n")
		number, title, _ := strings.Cut(title, ". ")
		require.Equal(t, fmt.Sprintf("# %d", i+1), number, name)
		require.Contains(t, string(index), fmt.Sprintf("\n%d. [%s](%s)\n", i+1, title, name))
		require.Regexp(t, `(?s)## Context\n.+## Decision\n.+## Consequences\n.+`, body, name)
		require.Less(t, strings.Count(body, "\n"), 60, "%s is more than a page", name)
	}
}

// A document that says "cannot" names the test that says so; the test must be there.
func TestDocuments_NameRealTests(t *testing.T) {
	brief.SkipOneGoroutine(t)
	tests := map[string]bool{}
	for path, file := range syntax(t) {
		if strings.HasSuffix(path, "_test.go") {
			for _, name := range testNames(file) {
				tests[name] = true
			}
		}
	}
	named := regexp.MustCompile(`\bTest[A-Z]\w+`)
	found := 0
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, name := range named.FindAllString(string(text), -1) {
			found++
			if !tests[name] {
				t.Errorf("%s names %s, which is no test", doc, name)
			}
		}
	}
	require.Greater(t, found, 10)
}

// Links between the documents and pictures lead somewhere.
func TestDocuments_LinkToFiles(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	headings := map[string][]string{}
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		prose := goBlock.ReplaceAll(text, nil)
		for _, m := range link.FindAllStringSubmatch(string(prose), -1) {
			target := filepath.Join(filepath.Dir(doc), m[1])
			if m[1] == "" { // a heading of the same document
				target = doc
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
				continue
			}
			if m[2] != "" && headings[target] == nil {
				headings[target] = anchors(t, target)
			}
			if m[2] != "" && !slices.Contains(headings[target], m[2]) {
				t.Errorf("%s links to %s%s, which is no heading", doc, m[1], m[2])
			}
		}
	}
}

// anchors lists what the headings of a document can be linked by.
func anchors(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllSubmatch(text, -1) {
		anchor := strings.ReplaceAll(strings.ToLower(string(m[1])), " ", "-")
		all = append(all, "#"+regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(anchor, ""))
	}
	return all
}

// docs/standards.md has every row once, says who meets it, names a test where it says that we
// do, and marks the profiles that mfa/policy/rows.go has the row under.
func TestStandards_HasEachRowOnce(t *testing.T) {
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
		require.Contains(t, []string{"met", "partly", "application", "not met", "none"},
			r.state, id)
		require.NotEmpty(t, r.by, id)
		if r.state == "met" && !strings.HasPrefix(r.by, "as ") && !strings.Contains(r.by, "Test") {
			t.Errorf("%s is said to be met, by no test", id)
		}
	}
	for prefix, n := range map[string]int{"N": 48, "A": 32, "P": 6, "R": 20, "G": 12, "O": 11,
		"W": 12, "S": 5, "C": 3, "X": 11} {
		for i := range n {
			require.Contains(t, rows, fmt.Sprintf("%s-%d", prefix, i+1))
		}
	}

	code, err := os.ReadFile("../../mfa/policy/rows.go")
	require.NoError(t, err)
	judged := 0
	for _, m := range regexp.MustCompile(`rows\{"([^"]*)", "([^"]*)", "([^"]*)", "([^"]*)"\}`).
		FindAllStringSubmatch(string(code), -1) {
		for i, profile := range []string{"", "", "nist", "l2", "l3"} {
			if i == 0 || m[i] == "" {
				continue
			}
			judged++
			require.Contains(t, rows, m[i], "mfa/policy/rows.go")
			if !strings.Contains(rows[m[i]].profile, profile) {
				t.Errorf("%s is judged under %s, which docs/standards.md does not say", m[i],
					profile)
			}
		}
	}
	require.Greater(t, judged, 60)
	of := map[string]string{"NISTAAL3": "aal3", "PCIDSS4": "pci"}
	alone := regexp.MustCompile(`(?:find|advise)In\(Profile(\w+), "([^"]+)"`)
	for _, m := range alone.FindAllStringSubmatch(string(code), -1) {
		require.Contains(t, rows, m[2], "mfa/policy/rows.go")
		require.Contains(t, rows[m[2]].profile, of[m[1]], m[2])
	}
}

// What running the programs and tests leaves behind is no part of the repository: keys and
// databases least of all.
func TestRepository_KeepsNothingLeftBehind(t *testing.T) {
	files, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files").Output()
	if err != nil {
		t.Skip("not a checkout: ", err)
	}
	for file := range strings.Lines(string(files)) {
		file = strings.TrimSpace(file)
		switch ext := filepath.Ext(file); {
		case ext == ".key", ext == ".db", ext == ".test", ext == ".out",
			strings.Contains(file, "testdata/rapid/"), strings.HasPrefix(file, "data/"):
			t.Errorf("%s is kept", file)
		}
	}
}

// The README names every package of Debian and of npm that make test installs, and no other of npm.
func TestTools_AreNamedInTheREADME(t *testing.T) {
	tools, err := os.ReadFile("../../scripts/tools.sh")
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	list := regexp.MustCompile(`(?m)^.*On Debian and Ubuntu these are .*$`).FindString(string(readme))
	packages := regexp.MustCompile(`need \S+ ([a-z][a-z0-9-]+) '`).FindAllStringSubmatch(
		string(tools), -1)
	require.Greater(t, len(packages), 15)
	for _, p := range packages {
		require.Regexp(t, `[ ,]`+p[1]+`[ ,.]`, list)
	}
	list = regexp.MustCompile(`(?m)^From npm it installs .*$`).FindString(string(readme))
	files, err := filepath.Glob("../integration/*/testdata/*/package.json")
	require.NoError(t, err)
	more, err := filepath.Glob("../integration/*/testdata/package.json")
	require.NoError(t, err)
	files = append(files, more...)
	installed := map[string]bool{".cache": true}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var p struct {
			Dependencies, DevDependencies, OptionalDependencies map[string]string
		}
		require.NoError(t, json.Unmarshal(text, &p))
		maps.Copy(p.DevDependencies, p.Dependencies)
		maps.Copy(p.DevDependencies, p.OptionalDependencies)
		for name := range p.DevDependencies {
			installed[name] = true
			require.Contains(t, list, "`"+name+"`", file)
		}
	}
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1) {
		require.Contains(t, installed, m[1], "no test needs it")
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

// docs/where-to-change.md has one row for each task, with files and folders that exist.
func TestWhereToChange_NamesFilesThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/where-to-change.md")
	require.NoError(t, err)
	path := regexp.MustCompile("`([^`]+)`")
	rows, tasks := 0, make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		head := len(cells) == 2 && (cells[1] == "edit" || cells[1] == "where")
		if len(cells) != 2 || head || !strings.HasPrefix(line, "| ") {
			continue
		}
		rows++
		if tasks[cells[0]] {
			t.Errorf("the task has two rows: %s", cells[0])
		}
		tasks[cells[0]] = true
		named := path.FindAllStringSubmatch(cells[1], -1)
		if len(named) == 0 {
			t.Errorf("no file is named: %s", line)
		}
		for _, m := range named {
			if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
				t.Errorf("%s is not in the tree: %s", m[1], line)
			}
		}
	}
	require.GreaterOrEqual(t, rows, 20)
}

// The languages of the library are those that there are files of. No code lists them, so that one
// who adds a language writes one file. The rules of style are for tests alone.
func TestLanguages_AreListedNowhere(t *testing.T) {
	language := regexp.MustCompile(`\bnorwegian\b|\b[nN]orwegian[A-Z]`)
	about := []string{"internal/texts/match.go", "internal/gencountries/main.go",
		"internal/texts/textstest/style.go"}
	for name, code := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(about, name) {
			continue
		}
		if bytes.Contains(code, []byte(`"nb"`)) ||
			bytes.Contains(code, []byte("orwegian")) && language.Match(code) {
			t.Errorf("%s knows languages of the library", name)
		}
	}
}

// docs/field-cases.md says of each case whether it applies, and names tests that exist.
func TestFieldCases_NameTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/field-cases.md")
	require.NoError(t, err)
	named := regexp.MustCompile("`([a-z0-9/]+)` (Test[A-Za-z0-9_]+(?:, Test[A-Za-z0-9_]+)*)")
	sources := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != 4 || cells[0] == "source" {
			continue
		}
		sources[cells[0]]++
		require.NotEmpty(t, cells[2], line)
		found := named.FindAllStringSubmatch(cells[3], -1)
		require.NotEmpty(t, found, "%s: %s names no test", cells[0], cells[1])
		for _, m := range found {
			for name := range strings.SplitSeq(m[2], ", ") {
				require.True(t, testsIn(t, m[1])[name], "%s %s: %s", m[1], name, cells[1])
			}
		}
	}
	for _, source := range []string{"better-auth", "rodauth", "allauth", "privacyIDEA",
		"authentik", "caddy-security", "Vault"} {
		require.GreaterOrEqual(t, sources[source], 6, source)
	}
}
