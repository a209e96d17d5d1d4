// Package npm installs packages of npm for the tests that run them.
package npm

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Install returns a node_modules directory with the packages of the package-lock.json in dir. They
// are installed once for each lock file, in .cache, which git ignores. Without npm it skips the
// test; with SECONDGATE_REQUIRE_TOOLS set it fails it.
func Install(t testing.TB, dir string) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, "%s is not installed; see scripts/tools.sh", program)
		}
	}
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	require.NoError(t, err)
	sum := sha256.Sum256(lock)
	cache, err := filepath.Abs("../../../.cache/npm")
	require.NoError(t, err)
	modules := filepath.Join(cache, hex.EncodeToString(sum[:8]), "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	require.NoError(t, os.MkdirAll(cache, 0o700))
	to, err := os.MkdirTemp(cache, "installing-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(to) })
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	// No script of a package runs.
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = to
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, "npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(to, filepath.Dir(modules)); err != nil {
		_, err = os.Stat(modules) // another process may have been faster
		require.NoError(t, err)
	}
	return modules
}

func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
