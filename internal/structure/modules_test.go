package structure_test

import (
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goMod is what "go mod edit -json" prints.
type goMod struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
	Replace []any
	Exclude []any
}

// goMods returns every go.mod of the repository by its directory.
func goMods(t *testing.T) map[string]goMod {
	t.Helper()
	return allGoMods.get(func() map[string]goMod { return readGoMods(t) })
}

var allGoMods shared[map[string]goMod]

func readGoMods(t *testing.T) map[string]goMod {
	t.Helper()
	mods := make(map[string]goMod)
	list := run(t, "../..", "git", "ls-files", "--cached", "--others", "--exclude-standard",
		"go.mod", "*/go.mod")
	for _, name := range strings.Fields(string(list)) {
		if strings.Contains(name, "testdata") {
			continue
		}
		var m goMod
		dir := path.Dir(name)
		require.NoError(t, json.Unmarshal(run(t, filepath.Join("../..", dir), "go", "mod", "edit",
			"-json"), &m))
		mods[dir] = m
	}
	require.Greater(t, len(mods), 5)
	return mods
}

// Modules that are built together must not be tested with different versions of a dependency:
// an application that imports two of them runs with one version only.
func TestModules_RequireOneVersionOfEach(t *testing.T) {
	versions := make(map[string]map[string][]string) // dependency, version, directories
	for dir, m := range goMods(t) {
		require.Equal(t, "1.26.0", m.Go, dir)
		for _, q := range m.Require {
			if versions[q.Path] == nil {
				versions[q.Path] = make(map[string][]string)
			}
			versions[q.Path][q.Version] = append(versions[q.Path][q.Version], dir)
		}
	}
	require.Greater(t, len(versions), 50)
	for path, required := range versions {
		if len(required) > 1 {
			t.Errorf("%s is required at several versions: %v", path, required)
		}
	}
}

// An importer does not inherit replace and exclude directives, and the go command refuses to
// install a program whose module has one. go.work stands in for them, in a clone only.
func TestModules_ReplaceNothing(t *testing.T) {
	var work struct {
		Use     []struct{ DiskPath string }
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	require.NoError(t, json.Unmarshal(run(t, "../..", "go", "work", "edit", "-json"), &work))
	joined := make(map[string]bool)
	for _, u := range work.Use {
		joined[filepath.ToSlash(filepath.Clean(u.DiskPath))] = true
	}
	replaced := make(map[string]string) // path and version, directory
	for _, r := range work.Replace {
		replaced[r.Old.Path+"@"+r.Old.Version] = filepath.ToSlash(filepath.Clean(r.New.Path))
	}

	mods := goMods(t)
	dirs := make(map[string]string) // path, directory
	for dir, m := range mods {
		dirs[m.Module.Path] = dir
	}
	for _, dir := range slices.Sorted(maps.Keys(mods)) {
		m := mods[dir]
		require.Empty(t, m.Replace, dir)
		require.Empty(t, m.Exclude, dir)
		tool := strings.HasPrefix(dir+"/", "tools/")
		require.Equal(t, !tool, joined[dir], "%s in go.work", dir)
		for _, q := range m.Require {
			if other, ours := dirs[q.Path]; ours {
				require.Equal(t, other, replaced[q.Path+"@"+q.Version],
					"%s requires %s %s, which go.work must replace", dir, q.Path, q.Version)
			}
		}
	}
}
