package release_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const rootPath = "github.com/secondgate/secondgate"

// TestRelease_ModulesCanBeFetched releases a copy of the repository, publishes its tags to a
// module proxy in the file system, and uses each module from an empty one.
func TestRelease_ModulesCanBeFetched(t *testing.T) {
	c, _ := released(t)
	modules := c.open().Published()
	require.Contains(t, modules, ".")
	require.Greater(t, len(modules), 3)
	proxy := publish(t, c, modules)
	env := importer(t, proxy)
	// These two require all modules but programs, and pkcs11, which needs cgo.
	sums := c.read("examples/go.sum") + c.read("internal/integration/go.sum")

	for _, dir := range modules {
		modulePath := path.Join(rootPath, dir)
		hash, err := os.ReadFile(filepath.Join(proxy, modulePath, "@v", version+".ziphash"))
		require.NoError(t, err)
		if !strings.HasPrefix(dir, "cmd/") && dir != "pkcs11" {
			require.Contains(t, sums, modulePath+" "+version+" "+strings.TrimSpace(string(hash))+
				"\n")
		}
		t.Run("complete go.sum of "+modulePath, func(t *testing.T) {
			run(t, filepath.Join(c.dir, dir), append(env, "GOFLAGS=-mod=readonly -modcacherw"),
				"go", "list", "-deps", "-test", "./...")
		})
		t.Run("go get "+modulePath, func(t *testing.T) {
			use(t, c, env, dir, modulePath)
		})
	}
}

// publish returns the directory of a module proxy with the modules' tagged versions. The go
// command itself makes it: it fetches each tag from the checkout in the way it would fetch it
// from the repository's host.
func publish(t *testing.T, c checkout, modules []string) string {
	t.Helper()
	cache := t.TempDir()
	env := []string{
		"GOWORK=off", "GOPROXY=direct", "GOSUMDB=off", "GOMODCACHE=" + cache,
		"GOFLAGS=-modcacherw", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + c.dir + ".insteadOf",
		"GIT_CONFIG_VALUE_0=https://" + rootPath,
	}
	empty := t.TempDir()
	for _, dir := range modules {
		run(t, empty, env, "go", "mod", "download", path.Join(rootPath, dir)+"@"+version)
	}
	return filepath.Join(cache, "cache", "download")
}

// importer returns the environment of a machine that has none of the modules. It finds them at
// the proxy, and other modules in this machine's module cache or wherever this machine does.
func importer(t *testing.T, proxy string) []string {
	t.Helper()
	configured := strings.Fields(run(t, ".", nil, "go", "env", "GOPROXY", "GOMODCACHE"))
	require.Len(t, configured, 2)
	return []string{
		"GOWORK=off", "GOSUMDB=off", "GOMODCACHE=" + t.TempDir(),
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(configured[1], "cache", "download") +
			"," + configured[0],
		"GOFLAGS=-modcacherw -trimpath", // as make test has it, for what is in the build cache
	}
}

// use gets the module into an empty one, and finds all that a program with it needs. It runs the
// program of the root module, and those of the others in a long run: their code is compiled and
// tested elsewhere.
func use(t *testing.T, c checkout, env []string, dir, modulePath string) {
	t.Helper()
	if strings.HasPrefix(dir, "cmd/") {
		run(t, t.TempDir(), append(env, "GOBIN="+t.TempDir()), "go", "install", modulePath+"@"+
			version)
		return
	}
	program := checkout{t: t, dir: t.TempDir()}
	source := filepath.Join("testdata", "importers", filepath.FromSlash(dir))
	if dir == "." {
		source = filepath.Join(c.dir, "examples", "quickstart")
	}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "%s has no program that uses it in %s", modulePath, source)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		program.write(filepath.Base(file), text)
	}
	run(t, program.dir, env, "go", "mod", "init", "example.com/importer")
	run(t, program.dir, env, "go", "get", modulePath+"@"+version)
	run(t, program.dir, env, "go", "get", "-t", ".")
	require.Contains(t, program.read("go.mod"), modulePath+" "+version)
	require.Contains(t, program.read("go.mod"), rootPath+" "+version)
	if dir == "." { // the quick start reads what its own test types
		ran := run(t, program.dir, env, "go", "test", "-run", "^TestQuickstart_SignsInWithACode$",
			".")
		require.NotContains(t, ran, "no tests to run")
		return
	}
	if os.Getenv("SECONDGATE_LONG") == "" {
		run(t, program.dir, env, "go", "list", "-deps", ".")
		return
	}
	require.Equal(t, "ok\n", run(t, program.dir, env, "go", "run", "."))
}
