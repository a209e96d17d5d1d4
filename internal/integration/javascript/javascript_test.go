// Package javascript_test runs the modules of package js in Node.js, by themselves and against the
// example application, and looks at the npm package.
package javascript_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/programs"
)

// modules is the directory of the npm package.
const modules = "../../../js"

// need returns the path of a program, or skips the test where it may be missing.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
			t.Fatalf("no %s is installed; see scripts/tools.sh", name)
		}
		t.Skipf("no %s is installed", name)
	}
	return path
}

// node runs tests in Node.js, and returns what they print.
func node(t *testing.T, env []string, files ...string) string {
	t.Helper()
	scripts, err := filepath.Glob(modules + "/*.js")
	require.NoError(t, err)
	for _, file := range append(scripts, files...) { // a cached result is for these
		_, err := os.ReadFile(file)
		require.NoError(t, err)
	}
	cmd := exec.Command(need(t, "node"), append([]string{"--test", "--test-reporter=tap"},
		files...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "\n# fail 0\n")
	require.Contains(t, string(out), "\n# skipped 0\n")
	return string(out)
}

func TestModules_PassTheirTests(t *testing.T) {
	files, err := filepath.Glob(modules + "/test/*.test.js")
	require.NoError(t, err)
	require.Len(t, files, 3, "a file for each module")
	out := node(t, nil, files...)
	for _, name := range []string{"base64url encodes and decodes", "each method is one request",
		"countdown ticks"} {
		require.Contains(t, out, "# Subtest: "+name)
	}
}

// The client signs a user in, enrols, recovers and is refused by the real application.
func TestClient_AgainstTheExample(t *testing.T) {
	need(t, "node")
	out := node(t, []string{"BASE=" + startExample(t)}, "testdata/server.test.mjs")
	require.Contains(t, out, "# Subtest: a user manages factors")
}

// startExample starts the example application, and returns its URL.
func startExample(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nethttp")
	require.NoError(t, programs.BuildCheap(program, "examples/nethttp"))
	return programs.Listen(t, program, "-addr", "localhost:0", "-data", t.TempDir())
}
