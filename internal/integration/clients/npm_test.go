package clients_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/stretchr/testify/require"
)

// TypeScript accepts the declarations of the npm package under --strict, and a program that uses
// every export, however a project resolves modules.
func TestNpmPackage_CompilesUnderStrict(t *testing.T) {
	compiler := filepath.Join(filepath.Dir(npm.Install(t, "testdata/ts")), bin("tsc"))
	dir := t.TempDir()
	program, err := os.ReadFile("testdata/npm/every.ts")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "every.mts"), program, 0o600))
	source, err := filepath.Abs("../../../js")
	require.NoError(t, err)
	installed := filepath.Join(dir, "node_modules", "secondgate")
	require.NoError(t, os.CopyFS(installed, os.DirFS(source)))
	for _, modules := range [][]string{{"nodenext", "nodenext"}, {"esnext", "bundler"}} {
		run(t, dir, "node", compiler, "--noEmit", "--strict", "--exactOptionalPropertyTypes",
			"--noUncheckedIndexedAccess", "--noUnusedLocals", "--target", "es2022",
			"--lib", "es2022,dom", "--module", modules[0],
			"--moduleResolution", modules[1], "every.mts")
	}

	exported := regexp.MustCompile(`(?m)^export (?:class|function|interface|type) (\w+)`)
	method := regexp.MustCompile(`(?m)^  (\w+)\(.*Promise<`)
	names := 0
	for _, module := range []string{"client", "codefield", "passkey"} {
		declared, err := os.ReadFile(filepath.Join(source, module+".d.ts"))
		require.NoError(t, err)
		for _, m := range exported.FindAllSubmatch(declared, -1) {
			names++
			require.Regexp(t, `\b`+string(m[1])+`\b`, string(program), "%s is used", m[1])
		}
		for _, m := range method.FindAllSubmatch(declared, -1) {
			names++
			require.Contains(t, string(program), "client."+string(m[1])+"(")
		}
	}
	require.Greater(t, names, 70)
}
