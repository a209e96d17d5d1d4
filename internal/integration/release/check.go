package release

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// check returns an error that names everything that stands in the way of the version.
func (r *Repository) check(version string) error {
	if err := r.checkVersion(version); err != nil {
		return err
	}
	return errors.Join(
		r.checkClean(),
		r.checkTags(version),
		r.checkChangelog(version),
		r.checkModules(),
		r.checkWorkspace(),
		r.checkNpm(version),
		r.checkTidy(),
	)
}

func (r *Repository) checkVersion(version string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("release: %q is not a version such as v0.1.0", version)
	}
	if major := semver.Major(version); major != "v0" && major != "v1" {
		return fmt.Errorf("release: %s needs module paths that end with /%s", version, major)
	}
	for _, m := range r.modules {
		for _, q := range m.file.Require {
			if r.find(q.Mod.Path) != nil && semver.Compare(version, q.Mod.Version) <= 0 {
				return fmt.Errorf("release: %s is not later than %s, which %s/go.mod requires",
					version, q.Mod.Version, m.dir)
			}
		}
	}
	return nil
}

func (r *Repository) checkClean() error {
	status, err := r.git("status", "--porcelain")
	if err == nil && status != "" {
		err = fmt.Errorf("release: the working tree has changes:\n%s", status)
	}
	return err
}

func (r *Repository) checkTags(version string) error {
	out, err := r.git("tag")
	if err != nil {
		return err
	}
	existing := strings.Fields(out)
	for _, tag := range r.tags(version) {
		if slices.Contains(existing, tag) {
			err = errors.Join(err, fmt.Errorf("release: the tag %s exists", tag))
		}
	}
	return err
}

// tags lists the tags of a version, the root module's first.
func (r *Repository) tags(version string) (tags []string) {
	for _, m := range r.modules {
		if m.published() {
			tags = append(tags, m.tag(version))
		}
	}
	slices.SortFunc(tags, func(a, b string) int {
		if n := strings.Count(a, "/") - strings.Count(b, "/"); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return tags
}

var heading = regexp.MustCompile(`(?m)^## .*$`)

// checkChangelog requires an entry with a date and a change for the version, and nothing left
// under Unreleased.
func (r *Repository) checkChangelog(version string) error {
	text, err := os.ReadFile(filepath.Join(r.dir, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	number := strings.TrimPrefix(version, "v")
	wanted := regexp.MustCompile(`^## \[` + regexp.QuoteMeta(number) + `\] - \d{4}-\d\d-\d\d$`)
	found := false
	at := heading.FindAllIndex(text, -1)
	for i, pos := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		title, body := string(text[pos[0]:pos[1]]), string(text[pos[1]:end])
		changes := strings.Contains(body, "\n- ")
		if title == "## [Unreleased]" && changes {
			err = errors.Join(err, errors.New("release: CHANGELOG.md has changes under Unreleased"))
		}
		found = found || wanted.MatchString(title) && changes
	}
	if !found {
		err = errors.Join(err, fmt.Errorf(
			"release: CHANGELOG.md has no entry \"## [%s] - YYYY-MM-DD\" with a change", number))
	}
	return err
}

// checkModules refuses directives that an importer does not inherit.
func (r *Repository) checkModules() (err error) {
	for _, m := range r.modules {
		if len(m.file.Replace) > 0 || len(m.file.Exclude) > 0 {
			err = errors.Join(err, fmt.Errorf("release: %s/go.mod replaces or excludes a module",
				m.dir))
		}
	}
	return err
}

// checkWorkspace requires that go.work joins every published module, at one version.
func (r *Repository) checkWorkspace() error {
	text, err := os.ReadFile(filepath.Join(r.dir, "go.work"))
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return err
	}
	for _, m := range r.modules {
		if !m.published() {
			continue
		}
		replaced := slices.ContainsFunc(work.Replace, func(p *modfile.Replace) bool {
			return p.Old.Path == m.path && filepath.Clean(p.New.Path) == m.dir
		})
		if !replaced {
			err = errors.Join(err, fmt.Errorf("release: go.work does not replace %s by %s", m.path,
				m.dir))
		}
	}
	return err
}

// checkNpm requires that the npm package has a version to set.
func (r *Repository) checkNpm(version string) error {
	_, err := r.npmVersion(version)
	return err
}

func (r *Repository) checkTidy() error {
	changed, err := r.Tidy(false)
	if err == nil && len(changed) > 0 {
		err = fmt.Errorf("release: not tidy (run make tidy): %s", strings.Join(changed, ", "))
	}
	return err
}
