package browser_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// lacks skips a test for want of a program, or fails it where the programs must be there.
func lacks(t *testing.T, program string) {
	t.Helper()
	if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
		t.Fatalf("no %s is installed; see scripts/tools.sh", program)
	}
	t.Skipf("no %s is installed", program)
}

func needChromium(t *testing.T) {
	t.Helper()
	if chromium == "" {
		lacks(t, "chromium")
	}
}

// startFirefox opens an address in Firefox until the test ends. Nothing drives it: the page that
// it opens does what the test is about, and reports to the test's server.
func startFirefox(t *testing.T, address string) {
	t.Helper()
	runFirefox(t, t.TempDir(), address)
}

// runFirefox runs Firefox with a profile until the test ends.
func runFirefox(t *testing.T, profile string, args ...string) {
	t.Helper()
	firefox, err := exec.LookPath("firefox-esr")
	if err != nil {
		lacks(t, "firefox-esr")
	}
	cmd := exec.Command(firefox, append([]string{"--headless", "--no-remote", "--profile", profile},
		args...)...)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
}
