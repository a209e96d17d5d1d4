package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of package mfa lists a user's tasks; an example that is run shows each.
func TestTasks_HaveExamples(t *testing.T) {
	doc, err := os.ReadFile("../../mfa/doc.go")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(doc), "//\ttask ")
	table, _, _ = strings.Cut(table, "\n//\n")
	var examples strings.Builder
	files, err := filepath.Glob("../../mfa/example*_test.go")
	require.NoError(t, err)
	for _, file := range files {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		examples.Write(code)
	}
	row := regexp.MustCompile(`(?m)^//\t(\w[\w ]*?)  +(?:(?:Manager|Session)\.)?(\w+)`)
	tasks := row.FindAllStringSubmatch(table, -1)
	require.Greater(t, len(tasks), 7, "the table is read")
	for _, task := range tasks {
		require.Contains(t, examples.String(), "."+task[2]+"(", "no example of how to %s", task[1])
	}
}
