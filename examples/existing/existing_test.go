// Package existing_test counts what a small application changes for a second factor. Package
// internal/integration/browser signs in through the result.
package existing_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// added returns the lines of after that a longest common subsequence with before does not have,
// and how many of before's are gone.
func added(before, after []string) (fresh []string, gone int) {
	length := make([][]int, len(before)+1)
	for i := range length {
		length[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i] == after[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for j < len(after) {
		switch {
		case i < len(before) && before[i] == after[j]:
			i, j = i+1, j+1
		case i < len(before) && length[i+1][j] >= length[i][j+1]:
			i, gone = i+1, gone+1
		default:
			fresh, j = append(fresh, after[j]), j+1
		}
	}
	return fresh, gone + len(before) - i
}

// lines returns the lines of a program without the comment of its package.
func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	_, program, ok := strings.Cut(string(text), "package main\n")
	require.True(t, ok)
	return strings.Split(program, "\n")
}

func TestExisting_ChangesAtMostFifteenLines(t *testing.T) {
	fresh, gone := added(lines(t, "before/main.go"), lines(t, "after/main.go"))
	require.NotEmpty(t, fresh)
	require.LessOrEqual(t, len(fresh), 15, strings.Join(fresh, "\n"))
	require.Equal(t, 1, gone, "one line is another one now; the others stay")
}

// The test of the application's second factor is short, and the documentation shows it.
func TestExisting_IsTestedInTenLines(t *testing.T) {
	text, err := os.ReadFile("after/main_test.go")
	require.NoError(t, err)
	_, test, ok := strings.Cut(string(text), "\nfunc TestHome_NeedsTheSecondFactor")
	require.True(t, ok)
	_, body, _ := strings.Cut(test, "{\n")
	body, _, ok = strings.Cut(body, "\n}\n")
	require.True(t, ok)
	require.LessOrEqual(t, strings.Count(body, "\n")+1, 10, body)
	page, err := os.ReadFile("../../docs/testing.md")
	require.NoError(t, err)
	require.Contains(t, string(page), body)
}
