// Package programs builds the programs of this repository and starts them, for tests.
package programs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Main is TestMain for tests of programs: it has build make them in a directory, runs the tests,
// and removes the directory.
func Main(m *testing.M, build func(dir string) error) {
	dir, err := os.MkdirTemp("", "programs")
	if err != nil {
		panic(err)
	}
	if err := build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Run()
	_ = os.RemoveAll(dir)
}

// Build writes the program of a package, such as examples/nethttp, to a file. flags are those of
// go build. Packages that need the same program link it once: Go keeps what go run makes, and does
// not keep what go build makes. The linker takes seconds.
func Build(file, pkg string, flags ...string) error {
	args := append([]string{"run", "-exec", "cp"}, flags...)
	args = append(args, "github.com/secondgate/secondgate/"+pkg, file)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go run %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// cheap is a file that a program has besides its own, so that it hashes passwords cheaply.
const cheap = `package main

import "github.com/secondgate/secondgate/internal/kdf/kdftest"

var _ = kdftest.Cheap()
`

// BuildCheap builds as Build does, and the program hashes passwords cheaply: the demonstration
// hashes those of all its users each time that it starts.
func BuildCheap(file, pkg string, flags ...string) error {
	where, err := exec.Command("go", "list", "-f", "{{.Dir}}",
		"github.com/secondgate/secondgate/"+pkg).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	source, overlay := file+".cheap.go", file+".overlay.json"
	replace, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(strings.TrimSpace(string(where)), "zz_cheap.go"): source}})
	if err == nil {
		err = os.WriteFile(source, []byte(cheap), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, replace, 0o600)
	}
	if err != nil {
		return err
	}
	return Build(file, pkg, append([]string{"-overlay", overlay}, flags...)...)
}

// Listen starts a program, and returns the URL at which it listens, which it prints first. The
// program ends with the test.
func Listen(t testing.TB, program string, args ...string) (base string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		t.Fatalf("%s printed %q and did not start: %s", program, line, &log)
	}
	return base
}
