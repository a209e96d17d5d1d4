package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The command signs users in to a real server, and its errors name a server that is not there.
func TestRun_ReportsSignIns(t *testing.T) {
	program := buildServer(t)
	server := exec.Command(program, "-addr", "127.0.0.1:0", "-people", "5", "-data", t.TempDir())
	server.Stderr = io.Discard
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	url := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))

	var report, progress bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-url", url, "-workers", "4", "-rounds", "2"},
		&report, &progress))
	require.Contains(t, report.String(), "19 users enrolled an authenticator app")
	require.Contains(t, report.String(), "38 sign-ins in ")
	require.Contains(t, report.String(), " a second")
	require.Contains(t, report.String(), "99 %")
	require.Contains(t, progress.String(), "round 2 of 2: 19 of 19 users")

	err = run(t.Context(), []string{"-url", url}, &report, &progress)
	require.ErrorContains(t, err, "is it a fresh demonstration?")
	err = run(t.Context(), []string{"-url", "http://127.0.0.1:1"}, &report, &progress)
	require.ErrorContains(t, err, "start the server first")
	require.ErrorContains(t, run(t.Context(), []string{"-workers", "0"}, &report, &progress),
		"-workers")
}

// cheap is a file that the server has besides its own, so that it hashes passwords cheaply. Package
// programs of the integration tests has the same one, so that Go links one program for all.
const cheap = `package main

import "github.com/secondgate/secondgate/internal/kdf/kdftest"

var _ = kdftest.Cheap()
`

// buildServer builds the server with that file, and returns where it is.
func buildServer(t *testing.T) (program string) {
	t.Helper()
	dir := t.TempDir()
	program = filepath.Join(dir, "nethttp")
	source, overlay := filepath.Join(dir, "cheap.go"), filepath.Join(dir, "overlay.json")
	there, err := filepath.Abs("../nethttp/zz_cheap.go")
	require.NoError(t, err)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{there: source}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(source, []byte(cheap), 0o600))
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	// Unlike what go build makes, Go keeps what go run makes for the next test that needs it.
	out, err := exec.Command("go", "run", "-exec", "cp", "-overlay", overlay, "../nethttp",
		program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}
