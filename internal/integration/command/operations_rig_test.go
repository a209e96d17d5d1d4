package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const operationsPage = "../../../docs/operations.md"

// recipe is a section of docs/operations.md: the commands that an operator copies, in their order.
type recipe struct {
	*operator
	t     *testing.T
	dir   string
	lines []string
}

var (
	heading = regexp.MustCompile(`(?m)^## (.+)$`)
	block   = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
)

// recipesOf returns the command lines of each section of a document.
func recipesOf(text string) map[string][]string {
	all := make(map[string][]string)
	for _, section := range regexp.MustCompile(`(?m)^## `).Split(text, -1)[1:] {
		name, body, _ := strings.Cut(section, "\n")
		for _, b := range block.FindAllStringSubmatch(body, -1) {
			for line := range strings.Lines(b[1]) {
				if line = strings.TrimSpace(line); !strings.HasPrefix(line, "export ") {
					all[name] = append(all[name], line)
				}
			}
		}
	}
	return all
}

// recipe reads a section. The commands run in a directory of their own, with an audit trail.
func (o *operator) recipe(t *testing.T, name string) *recipe {
	t.Helper()
	text, err := os.ReadFile(operationsPage)
	require.NoError(t, err)
	r := &recipe{operator: o, t: t, dir: t.TempDir(), lines: recipesOf(string(text))[name]}
	require.NotEmpty(t, r.lines, "%s has no recipe %q", operationsPage, name)
	t.Setenv("SECONDGATE_TRAIL", filepath.Join(r.dir, "trail.jsonl"))
	t.Setenv("SECONDGATE_TRAIL_KEY", filepath.Join(r.dir, "trail.key"))
	t.Setenv("SECONDGATE_TRAIL_ORIGIN", "acme.example/trail")
	if name != "Deploy" {
		public := o.does("trail", "init").out
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, "trail.pub"), []byte(public), 0o600))
	}
	t.Cleanup(func() {
		if !t.Failed() {
			require.Empty(t, r.lines, "these lines of %q were not run", name)
		}
	})
	return r
}

// next takes the next line of the recipe, which begins with some words.
func (r *recipe) next(begins string) string {
	r.t.Helper()
	require.NotEmpty(r.t, r.lines)
	line := r.lines[0]
	require.True(r.t, strings.HasPrefix(line, begins), "the next line is %q", line)
	r.lines = r.lines[1:]
	return line
}

// runs runs the next line as a shell does, and expects an exit code.
func (r *recipe) runs(code int, begins string) result {
	r.t.Helper()
	line := r.next("secondgate " + begins)
	cmd := exec.Command("sh", "-c", `secondgate() { `+program+` "$@"; }; `+line)
	cmd.Dir = r.dir
	done := r.finish(cmd)
	require.Equal(r.t, code, done.code, "%s\n%s%s", line, done.out, done.messages)
	return done
}

// says runs the next line, which succeeds.
func (r *recipe) says(begins string) string {
	r.t.Helper()
	return r.runs(0, begins).out
}

// firstLine returns the code that access-code wrote.
func firstLine(out string) string {
	line, _, _ := strings.Cut(out, "\n")
	return line
}

// The tests of this package run every recipe. A recipe fails its test if a line of it was not run.
func TestOperations_RunsEveryRecipe(t *testing.T) {
	text, err := os.ReadFile(operationsPage)
	require.NoError(t, err)
	files, err := filepath.Glob("operations*_test.go")
	require.NoError(t, err)
	var code strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		code.Write(b)
	}
	commands := 0
	for name, lines := range recipesOf(string(text)) {
		require.Contains(t, code.String(), `.recipe(t, "`+name+`")`)
		for _, line := range lines {
			if strings.HasPrefix(line, "secondgate ") {
				commands++
			}
		}
	}
	require.Greater(t, commands, 20)
	for _, name := range heading.FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, name[1], `"`)
	}

	// What the prose calls a command is one, and no recipe hides one in another kind of block.
	o := &operator{t: t}
	names := o.names()
	for _, m := range regexp.MustCompile("secondgate ([a-z-]+)( [a-z]+)?").
		FindAllStringSubmatch(code.String()+string(text), -1) {
		if slices.Contains(names, m[1]+m[2]) || slices.Contains(names, m[1]) {
			continue
		}
		require.NotContains(t, string(text), "`"+m[0], "%s is no command", m[0])
	}
	require.Equal(t, strings.Count(string(text), "\nsecondgate "), commands,
		"a command outside of a block of sh")
}
