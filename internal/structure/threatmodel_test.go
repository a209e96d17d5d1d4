package structure_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every test that docs/threat-model.md names is in the package named before it, and every row of
// a table of what an attacker cannot do names one.
func TestThreatModel_NamesTestsOfEachPackage(t *testing.T) {
	text, err := os.ReadFile("../../docs/threat-model.md")
	require.NoError(t, err)
	problems, rows := threatModel(string(text), func(dir, name string) bool {
		return testsIn(t, dir)[name]
	}, func(dir string) bool { return testsIn(t, dir) != nil })
	require.Empty(t, problems)
	require.Greater(t, rows, 80)
}

// The check finds what it is for.
func TestThreatModel_RefusesRowsWithoutTests(t *testing.T) {
	const head = "| The attacker cannot | because | test |\n|---|---|---|\n"
	for table, wrong := range map[string]int{
		head + "| a | b | `mfa` TestA |":                      0,
		head + "| a | b | `mfa` TestA, TestB; `seal` TestC |": 1,
		head + "| a | b | `mfa` tests |":                      1,
		head + "| a | b | TestA |":                            1,
		head + "| a | b |":                                    1,
		head + "| a | b | `seal` TestA |":                     1,
		"Prose with `mfa` TestA.\n\nAnd TestA.":               1,
		"| other | table |\n|---|---|\n| a | b |":             0,
	} {
		problems, _ := threatModel(table, func(dir, name string) bool {
			return dir == "mfa" && name != "TestC"
		}, func(dir string) bool { return dir == "mfa" || dir == "seal" })
		require.Len(t, problems, wrong, table)
	}
}

var (
	// A package is named by its directory, before its tests.
	packageOrTest = regexp.MustCompile("`([a-z][a-z0-9/]*)`|\\b(Test[A-Z]\\w*)")
	cannotHead    = regexp.MustCompile(`^\| [^|]*\bcannot \|`)
)

// threatModel returns what is wrong with the text, and how many rows say "cannot".
func threatModel(text string, has func(dir, name string) bool, isPackage func(dir string) bool) (
	problems []string, rows int,
) {
	cannot, dir := false, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		row := strings.HasPrefix(line, "|")
		switch {
		case cannotHead.MatchString(line):
			cannot = true
			continue
		case !row:
			cannot = false
		}
		if row || line == "" {
			dir = "" // a package is named anew in each row and paragraph
		}
		named := 0
		for _, m := range packageOrTest.FindAllStringSubmatch(line, -1) {
			switch {
			case m[1] != "" && isPackage(m[1]):
				dir = m[1]
			case m[2] != "" && (dir == "" || !has(dir, m[2])):
				problems = append(problems, m[2]+" is no test of the package named before it: "+
					line)
				named++
			case m[2] != "":
				named++
			}
		}
		if cannot && !strings.HasPrefix(line, "|--") {
			rows++
			if named == 0 {
				problems = append(problems, "no test is named: "+line)
			}
		}
	}
	return problems, rows
}
