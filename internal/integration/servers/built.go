package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// built returns a program of the module in a directory. It is built if it is not there.
func built(t testing.TB, name, module string, args ...string) string {
	t.Helper()
	program, err := build(name, module, args)
	if err == nil {
		return program
	}
	if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not built: %v", name, err)
	}
	t.Skipf("%s is not built: %v", name, err)
	return ""
}

// build builds a program in one process at a time.
func build(name, module string, args []string) (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/secondgate/secondgate").Output()
	if err != nil {
		return "", err
	}
	dir := strings.TrimSpace(string(root))
	program := filepath.Join(dir, ".cache", name)
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(program + ".lock")
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	cmd := exec.Command("go", append([]string{"build", "-o", program}, args...)...)
	cmd.Dir = filepath.Join(dir, module)
	// One set of flags, or it is built anew for each set.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-trimpath")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}
