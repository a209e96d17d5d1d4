// Package clients_test generates clients of the JSON API from its OpenAPI document, compiles them
// and runs them against the example.
package clients_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	// The generated client imports it. It is compiled from a directory that go mod tidy does not
	// read.
	_ "github.com/oapi-codegen/runtime"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/secondgate/secondgate/internal/integration/programs"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

const finished = "signed in, enrolled, stepped up, recovered\n"

var example string

func TestMain(m *testing.M) {
	programs.Main(m, func(dir string) error {
		example = filepath.Join(dir, "nethttp")
		return programs.BuildCheap(example, "examples/nethttp")
	})
}

// serve starts the example and returns its address. On localhost there are passkeys, and on
// 127.0.0.1 there are none.
func serve(t *testing.T) string {
	t.Helper()
	return programs.Listen(t, example, "-addr", "localhost:0", "-data", t.TempDir())
}

// as are the arguments of a client: the address, and a user of the demonstration.
func as(base, user string) []string {
	return []string{base, user, user + "-demo-password", user + "@acme.example"}
}

// run runs a program in a directory, and returns what it prints.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true",
		"NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v:\n%s", program, args, out)
	return string(out)
}

// Redocly and Spectral find no error in the documents, nor a warning of Spectral's. The types of
// both compile.
func TestOpenAPI_PassesLinters(t *testing.T) {
	dir := workspace(t)
	files := []string{"api.json", "admin.json"}
	for name, document := range documents() {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), document, 0o600))
	}
	run(t, dir, "node", append([]string{bin("redocly"), "lint"}, files...)...)
	run(t, dir, "node", append([]string{bin("spectral"), "lint", "--fail-severity", "warn"},
		files...)...)
	run(t, dir, "node", bin("openapi-typescript"), "admin.json", "-o", "admin.ts")
	run(t, dir, "node", bin("tsc"), "--strict", "--noEmit", "--skipLibCheck", "admin.ts")
}

// A program with the types of openapi-typescript compiles under --strict, and does what a user
// does on the pages.
func TestTypeScriptClient_SignsInEnrolsAndRecovers(t *testing.T) {
	dir := workspace(t)
	run(t, dir, "node", bin("openapi-typescript"), "openapi.json", "-o", "api.ts")
	run(t, dir, "node", bin("tsc"), "--strict")
	require.Equal(t, finished, run(t, dir, "node", append([]string{"out/client.js"},
		as(serve(t), "anna")...)...))
}

// So does a program with the clients of oapi-codegen, which administers as well.
func TestGoClient_SignsInEnrolsRecoversAndAdministers(t *testing.T) {
	dir := t.TempDir()
	source, err := filepath.Abs("testdata/goclient")
	require.NoError(t, err)
	// The packages are generated for each run, so that they are never older than the documents.
	// The compiler sees them in the directory of the program, where no file of them is.
	replace := map[string]string{}
	for name, document := range documents() {
		generated := filepath.Join(dir, name+".go")
		generate(t, dir, name, document, generated)
		replace[filepath.Join(source, name, name+".go")] = generated
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	layers := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(layers, overlay, 0o600))
	program := filepath.Join(dir, "goclient")
	run(t, source, "go", "build", "-overlay", layers, "-o", program, ".")
	require.Equal(t, finished[:len(finished)-1]+", administered\n",
		run(t, dir, program, as(serve(t), "anna")...))
}

// documents are the OpenAPI documents, by the name of the package that is generated from them.
func documents() map[string][]byte {
	return map[string][]byte{"api": mfahttp.OpenAPI(), "admin": admin.OpenAPI()}
}

func generate(t *testing.T, dir, name string, document []byte, file string) {
	t.Helper()
	source := filepath.Join(dir, name+".json")
	require.NoError(t, os.WriteFile(source, document, 0o600))
	cmd := exec.Command("go", "tool", "oapi-codegen", "-package", name, "-generate",
		"types,client", "-o", file, source)
	cmd.Dir = "../../../tools"
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// bin is the path of a program of npm within a workspace.
func bin(name string) string {
	return map[string]string{
		"redocly":            "node_modules/@redocly/cli/bin/cli.js",
		"spectral":           "node_modules/@stoplight/spectral-cli/dist/index.js",
		"openapi-typescript": "node_modules/openapi-typescript/bin/cli.js",
		"tsc":                "node_modules/typescript/bin/tsc",
	}[name]
}

// workspace is a directory with the document, the TypeScript program and the installed packages.
func workspace(t *testing.T) string {
	t.Helper()
	modules := npm.Install(t, "testdata/ts")
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/ts")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "openapi.json"), mfahttp.OpenAPI(), 0o600))
	require.NoError(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	return dir
}
