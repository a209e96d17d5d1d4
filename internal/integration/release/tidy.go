package release

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// Tidy runs "go mod tidy" for every module, against the other modules as they are in this
// checkout. The go command alone cannot: "go mod tidy" ignores go.work. Tidy returns the
// names of the files that were not tidy, and writes them if write is set.
func (r *Repository) Tidy(write bool) (changed []string, err error) {
	for _, m := range r.modules {
		files, err := r.tidied(m)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"go.mod", "go.sum"} {
			file := filepath.Join(r.dir, m.dir, name)
			before, err := os.ReadFile(file)
			if err != nil && !os.IsNotExist(err) {
				return nil, err
			}
			if bytes.Equal(before, files[name]) {
				continue
			}
			changed = append(changed, filepath.ToSlash(filepath.Join(m.dir, name)))
			if write {
				if err := os.WriteFile(file, files[name], 0o644); err != nil {
					return nil, err
				}
			}
		}
	}
	return changed, nil
}

// tidied returns the go.mod and go.sum that the module should have.
func (r *Repository) tidied(m *module) (map[string][]byte, error) {
	tmp, err := os.MkdirTemp("", "tidy")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()

	// A go.mod of its own, so that an interrupted run leaves no replace directive behind.
	sum, err := os.ReadFile(filepath.Join(r.dir, m.dir, "go.sum"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	modName, sumName := filepath.Join(tmp, "go.mod"), filepath.Join(tmp, "go.sum")
	if err := r.writeReplaced(m, modName); err != nil {
		return nil, err
	}
	if err := os.WriteFile(sumName, sum, 0o600); err != nil {
		return nil, err
	}
	_, err = output(filepath.Join(r.dir, m.dir), []string{"GOWORK=off"},
		"go", "mod", "tidy", "-modfile="+modName)
	if err != nil {
		return nil, fmt.Errorf("release: module %s: %w", m.path, err)
	}

	text, err := os.ReadFile(modName)
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(modName, text, nil)
	if err != nil {
		return nil, err
	}
	for _, other := range r.modules {
		if err := file.DropReplace(other.path, ""); err != nil {
			return nil, err
		}
	}
	file.Cleanup()
	text, err = file.Format()
	if err != nil {
		return nil, err
	}
	tidySum, err := os.ReadFile(sumName)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return map[string][]byte{"go.mod": text, "go.sum": joinSums(r.ownSums(file, sum), tidySum)}, nil
}

// writeReplaced writes the module's go.mod with the repository's other modules replaced by
// their directories.
func (r *Repository) writeReplaced(m *module, name string) error {
	file, err := r.parse(filepath.Join(m.dir, "go.mod"))
	if err != nil {
		return err
	}
	for _, other := range r.modules {
		if other == m {
			continue
		}
		dir, err := filepath.Abs(filepath.Join(r.dir, other.dir))
		if err != nil {
			return err
		}
		if err := file.AddReplace(other.path, "", dir, ""); err != nil {
			return err
		}
	}
	text, err := file.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o600)
}

// ownSums returns the lines of a go.sum for the repository's own modules at the versions that
// file requires. Tidy keeps them: with a replaced module the go command has no use for them.
func (r *Repository) ownSums(file *modfile.File, sum []byte) []byte {
	var own []byte
	for line := range bytes.Lines(sum) {
		modulePath, rest, _ := strings.Cut(string(line), " ")
		version, _, _ := strings.Cut(rest, " ")
		version = strings.TrimSuffix(version, "/go.mod")
		required := slices.ContainsFunc(file.Require, func(q *modfile.Require) bool {
			return q.Mod.Path == modulePath && q.Mod.Version == version
		})
		if required && r.find(modulePath) != nil {
			own = append(own, line...)
		}
	}
	return own
}

// withoutOwn returns a go.sum without the lines for the repository's own modules.
func (r *Repository) withoutOwn(sum []byte) []byte {
	var rest []byte
	for line := range bytes.Lines(sum) {
		modulePath, _, _ := strings.Cut(string(line), " ")
		if r.find(modulePath) == nil {
			rest = append(rest, line...)
		}
	}
	return rest
}

// joinSums joins lines of go.sum files in the go command's order.
func joinSums(sums ...[]byte) []byte {
	lines := slices.Collect(bytes.Lines(bytes.Join(sums, nil)))
	slices.SortFunc(lines, func(a, b []byte) int {
		x, y := strings.Fields(string(a)), strings.Fields(string(b))
		xVersion, xFile, _ := strings.Cut(x[1], "/")
		yVersion, yFile, _ := strings.Cut(y[1], "/")
		return cmp.Or(strings.Compare(x[0], y[0]),
			semver.Compare(xVersion, yVersion), strings.Compare(xFile, yFile))
	})
	return bytes.Join(slices.CompactFunc(lines, bytes.Equal), nil)
}
