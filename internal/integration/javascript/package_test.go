package javascript_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// manifest is the package.json of the npm package.
type manifest struct {
	Name, Version, License, Type string
	Exports                      map[string]struct{ Types, Default string }
	Files                        []string
	SideEffects                  bool
}

func readManifest(t *testing.T) (m manifest, all map[string]any) {
	t.Helper()
	text, err := os.ReadFile(modules + "/package.json")
	require.NoError(t, err)
	m.SideEffects = true
	require.NoError(t, json.Unmarshal(text, &m))
	require.NoError(t, json.Unmarshal(text, &all))
	return m, all
}

// The package asks nothing of an application: no dependency, no script that npm runs, no build.
func TestPackage_HasNoDependency(t *testing.T) {
	m, all := readManifest(t)
	require.Equal(t, "secondgate", m.Name)
	require.Equal(t, "module", m.Type)
	require.Equal(t, "Apache-2.0", m.License)
	require.False(t, m.SideEffects)
	for name := range all {
		require.NotContains(t, strings.ToLower(name), "dependencies")
		require.NotContains(t, []string{"scripts", "bin", "workspaces", "man"}, name)
	}
	imports := regexp.MustCompile(`(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*["']([^"']+)["']`)
	files, err := filepath.Glob(modules + "/*.*s")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(f string) bool { return !strings.HasSuffix(f, ".js") })
	declarations, err := filepath.Glob(modules + "/*.d.ts")
	require.NoError(t, err)
	require.Len(t, declarations, len(files))
	for _, file := range append(files, declarations...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range imports.FindAllSubmatch(text, -1) {
			require.Regexp(t, `^\./\w+\.js$`, string(m[1]), file)
		}
	}
}

// What npm would publish is the modules, their declarations, the readme and the licence.
func TestPackage_HoldsTheFilesMeant(t *testing.T) {
	cmd := exec.Command(need(t, "npm"), "pack", "--dry-run", "--json", "--offline")
	cmd.Dir = modules
	cmd.Env = append(os.Environ(), "npm_config_cache="+t.TempDir(),
		"npm_config_update_notifier=false")
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	var packed []struct{ Files []struct{ Path string } }
	require.NoError(t, json.Unmarshal(out, &packed))
	require.Len(t, packed, 1)
	var names []string
	for _, f := range packed[0].Files {
		names = append(names, f.Path)
	}
	slices.Sort(names)
	require.Equal(t, []string{"LICENSE", "README.md", "client.d.ts", "client.js",
		"codefield.d.ts", "codefield.js", "package.json", "passkey.d.ts", "passkey.js"}, names)
	ours, err := os.ReadFile(modules + "/LICENSE")
	require.NoError(t, err)
	root, err := os.ReadFile("../../../LICENSE")
	require.NoError(t, err)
	require.Equal(t, string(root), string(ours))
}

// Each module is exported with its declarations, and each of its exports is declared.
func TestPackage_DeclaresEachExport(t *testing.T) {
	m, _ := readManifest(t)
	require.Equal(t, []string{"./client", "./codefield", "./passkey"},
		slices.Sorted(maps.Keys(m.Exports)))
	for name, e := range m.Exports {
		require.Equal(t, name+".js", e.Default)
		require.Equal(t, name+".d.ts", e.Types)
		code, err := os.ReadFile(filepath.Join(modules, e.Default))
		require.NoError(t, err)
		declared, err := os.ReadFile(filepath.Join(modules, e.Types))
		require.NoError(t, err)
		value := regexp.MustCompile(
			`(?m)^export (?:declare )?(?:async )?(?:class|const|function) (\w+)`)
		require.Equal(t, found(value, code), found(value, declared), name)
		require.NotEmpty(t, found(value, code))
		require.NotRegexp(t, `(?m)^export (default|\{|\*)`, string(code), "the check reads these")
	}
	method := regexp.MustCompile(`(?m)^  (?:async )?(\w+)\(`)
	code, err := os.ReadFile(modules + "/client.js")
	require.NoError(t, err)
	declared, err := os.ReadFile(modules + "/client.d.ts")
	require.NoError(t, err)
	require.Equal(t, found(method, classBody(t, code)), found(method, classBody(t, declared)))
}

// classBody returns the class Client.
func classBody(t *testing.T, code []byte) []byte {
	t.Helper()
	_, body, ok := strings.Cut(string(code), "export class Client {\n")
	require.True(t, ok)
	body, _, ok = strings.Cut(body, "\n}\n")
	require.True(t, ok)
	return []byte(body)
}

// found returns the names that a pattern finds, in order and once each.
func found(pattern *regexp.Regexp, text []byte) (names []string) {
	for _, m := range pattern.FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// The package has the version of the modules: a release sets both.
func TestPackage_HasTheVersionOfTheModules(t *testing.T) {
	m, _ := readManifest(t)
	text, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	required := regexp.MustCompile(`github\.com/secondgate/secondgate v(\S+)`).FindSubmatch(text)
	require.NotNil(t, required)
	require.Equal(t, string(required[1]), m.Version)
}
