package release

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	modules "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// checksums returns the lines of go.sum for a version of the module: one for the archive that
// the go command will make from the tag, and one for its go.mod. The text in changed stands for
// the text on disk.
func (r *Repository) checksums(
	m *module, version string, changed map[string][]byte,
) ([]byte, error) {
	names, err := r.files()
	if err != nil {
		return nil, err
	}
	var files []zip.File
	license := false
	for _, name := range names {
		inside := name
		if m.dir != "." {
			var ok bool
			if inside, ok = strings.CutPrefix(name, m.dir+"/"); !ok {
				continue
			}
		}
		license = license || inside == "LICENSE"
		files = append(files, r.archived(inside, name, changed))
	}
	if !license { // The go command adds the repository's license.
		files = append(files, r.archived("LICENSE", "LICENSE", changed))
	}

	archive, err := os.CreateTemp("", "module")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(archive.Name()) }()
	err = zip.Create(archive, modules.Version{Path: m.path, Version: version}, files)
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("release: archive of %s: %w", m.path, err)
	}
	whole, err := dirhash.HashZip(archive.Name(), dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return r.archived("go.mod", path.Join(m.dir, "go.mod"), changed).Open()
	})
	return fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod %s\n",
		m.path, version, whole, m.path, version, mod), err
}

// archived returns a file of the repository under the name it has inside a module.
func (r *Repository) archived(inside, name string, changed map[string][]byte) archivedFile {
	f := archivedFile{path: inside, disk: filepath.Join(r.dir, name)}
	f.text, f.changed = changed[name]
	return f
}

// archivedFile is a zip.File, from disk or from memory.
type archivedFile struct {
	path, disk string
	text       []byte
	changed    bool
}

func (f archivedFile) Path() string { return f.path }

func (f archivedFile) Lstat() (os.FileInfo, error) {
	if f.changed {
		return changedInfo{name: path.Base(f.path), size: int64(len(f.text))}, nil
	}
	return os.Lstat(f.disk)
}

func (f archivedFile) Open() (io.ReadCloser, error) {
	if f.changed {
		return io.NopCloser(bytes.NewReader(f.text)), nil
	}
	return os.Open(f.disk)
}

// changedInfo describes a regular file in memory.
type changedInfo struct {
	name string
	size int64
}

func (i changedInfo) Name() string     { return i.name }
func (i changedInfo) Size() int64      { return i.size }
func (changedInfo) Mode() os.FileMode  { return 0o644 }
func (changedInfo) ModTime() time.Time { return time.Time{} }
func (changedInfo) IsDir() bool        { return false }
func (changedInfo) Sys() any           { return nil }
