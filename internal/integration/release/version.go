package release

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// versioned returns the files that change for a version, by name: each go.mod requires the
// repository's other modules at that version, go.work joins the modules at that version, the npm
// package has that version, and each go.sum has the checksums of what will be published.
func (r *Repository) versioned(version string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	for _, m := range r.modules {
		file, err := r.parse(path.Join(m.dir, "go.mod"))
		if err != nil {
			return nil, err
		}
		for _, required := range r.requirements(m) {
			if err := file.AddRequire(required.path, version); err != nil {
				return nil, err
			}
		}
		if files[path.Join(m.dir, "go.mod")], err = file.Format(); err != nil {
			return nil, err
		}
	}
	var err error
	if files["go.work"], err = r.workspace(version); err != nil {
		return nil, err
	}
	if files[npmManifest], err = r.npmVersion(version); err != nil {
		return nil, err
	}
	if err := r.addSums(version, files); err != nil {
		return nil, err
	}
	maps.DeleteFunc(files, func(name string, text []byte) bool {
		before, err := os.ReadFile(filepath.Join(r.dir, name))
		return err == nil && string(before) == string(text)
	})
	return files, nil
}

// npmManifest is the package.json of the npm package, which is a part of the root module.
const npmManifest = "js/package.json"

var npmVersionLine = regexp.MustCompile(`(?m)^  "version": "[^"]*",$`)

// npmVersion returns the manifest of the npm package with the version, which npm writes without
// the letter.
func (r *Repository) npmVersion(version string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, npmManifest))
	if err != nil {
		return nil, err
	}
	if n := len(npmVersionLine.FindAll(text, -1)); n != 1 {
		return nil, fmt.Errorf("release: %s has %d lines with its version", npmManifest, n)
	}
	line := fmt.Sprintf(`  "version": %q,`, strings.TrimPrefix(version, "v"))
	return npmVersionLine.ReplaceAllLiteral(text, []byte(line)), nil
}

// requirements lists the repository's modules that m requires.
func (r *Repository) requirements(m *module) (required []*module) {
	for _, q := range m.file.Require {
		if other := r.find(q.Mod.Path); other != nil {
			required = append(required, other)
		}
	}
	return required
}

// workspace returns go.work with the modules replaced at the version.
func (r *Repository) workspace(version string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, "go.work"))
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil, err
	}
	for _, old := range slices.Clone(work.Replace) {
		m := r.find(old.Old.Path)
		if m == nil {
			return nil, fmt.Errorf("release: go.work replaces %s, which is not here", old.Old.Path)
		}
		dir := old.New.Path
		if err := work.DropReplace(old.Old.Path, old.Old.Version); err != nil {
			return nil, err
		}
		if err := work.AddReplace(m.path, version, dir, ""); err != nil {
			return nil, err
		}
	}
	work.Cleanup()
	return modfile.Format(work.Syntax), nil
}

// addSums adds each go.sum to files. A module's own go.sum is a part of what its checksum is
// for, so that the modules it requires come first.
func (r *Repository) addSums(version string, files map[string][]byte) error {
	sums := make(map[*module][]byte)
	var visit func(m *module) error
	visit = func(m *module) error {
		if _, ok := sums[m]; ok {
			return nil
		}
		var own []byte
		for _, required := range r.requirements(m) {
			if !required.published() {
				return fmt.Errorf("release: %s requires %s, which is not published", m.path,
					required.path)
			}
			if err := visit(required); err != nil {
				return err
			}
			own = append(own, sums[required]...)
		}
		name := path.Join(m.dir, "go.sum")
		text, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if joined := joinSums(own, r.withoutOwn(text)); len(joined) > 0 {
			files[name] = joined
		}
		sums[m], err = r.checksums(m, version, files)
		return err
	}
	for _, m := range r.modules {
		if err := visit(m); err != nil {
			return err
		}
	}
	return nil
}
