package structure_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Package kdftest makes hashes cheap. Tests import it and nothing else does, in any module; and
// no other file reaches into a package by linkname, which is how it does so. Package programs adds
// such an import to the programs that tests drive, and tests alone import it.
func TestImports_OnlyTestsHashCheaply(t *testing.T) {
	const kdftest, programs = `"` + module + `/internal/kdf/kdftest"`,
		`"` + module + `/internal/integration/programs"`
	tests := 0
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		b, err := os.ReadFile(path)
		switch {
		case strings.HasSuffix(path, "_test.go"):
			tests += bytes.Count(b, []byte(kdftest))
		case bytes.Contains(b, []byte(programs)):
			t.Errorf("%s is no test and builds programs that hash cheaply", path)
		case bytes.Contains(b, []byte(kdftest)) &&
			filepath.ToSlash(path) != "../../internal/integration/programs/programs.go":
			t.Errorf("%s is no test and hashes cheaply", path)
		case bytes.Contains(b, []byte("//go:"+"linkname")) &&
			filepath.ToSlash(path) != "../../internal/kdf/kdftest/kdftest.go":
			t.Errorf("%s uses linkname", path)
		}
		return err
	}))
	require.Greater(t, tests, 3)
}
