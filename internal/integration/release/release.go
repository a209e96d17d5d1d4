package release

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Prepare checks that the version can be released and writes to out what a release changes.
// It changes nothing unless tag is set: then it commits the files and tags the modules. It
// never pushes, and the last lines of its output are the commands that do.
func (r *Repository) Prepare(version string, tag bool, out io.Writer) error {
	if err := r.check(version); err != nil {
		return err
	}
	files, err := r.versioned(version)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	tags := r.tags(version)
	for _, name := range names {
		_, _ = fmt.Fprintln(out, "set ", name)
	}
	for _, name := range tags {
		_, _ = fmt.Fprintln(out, "tag ", name)
	}
	if !tag {
		_, _ = fmt.Fprintln(out, "Nothing was changed. Add -tag to commit and tag this.")
		return nil
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(r.dir, name), files[name], 0o644); err != nil {
			return err
		}
	}
	if _, err := r.git(append([]string{"add", "--"}, names...)...); err != nil {
		return err
	}
	if _, err := r.git("commit", "-q", "-m", "release: "+version); err != nil {
		return err
	}
	if err := r.tagAll(tags, version); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Publish it with:\n  git push --atomic origin HEAD %s\n"+
		"  npm publish ./js\n", strings.Join(tags, " "))
	return nil
}

// tagAll makes all tags, or none.
func (r *Repository) tagAll(tags []string, version string) error {
	for i, name := range tags {
		if _, err := r.git("tag", "-a", "-m", "secondgate "+version, name); err != nil {
			for _, made := range tags[:i] {
				_, _ = r.git("tag", "-d", made)
			}
			return err
		}
	}
	return nil
}
