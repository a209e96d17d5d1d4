package structure_test

import (
	"bytes"
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
	for path, b := range goFiles(t) {
		switch {
		case strings.HasSuffix(path, "_test.go"):
			tests += bytes.Count(b, []byte(kdftest))
		case bytes.Contains(b, []byte(programs)):
			t.Errorf("%s is no test and builds programs that hash cheaply", path)
		case bytes.Contains(b, []byte(kdftest)) &&
			path != "internal/integration/programs/programs.go":
			t.Errorf("%s is no test and hashes cheaply", path)
		case bytes.Contains(b, []byte("//go:"+"linkname")) &&
			path != "internal/kdf/kdftest/kdftest.go":
			t.Errorf("%s uses linkname", path)
		}
	}
	require.Greater(t, tests, 3)
}
