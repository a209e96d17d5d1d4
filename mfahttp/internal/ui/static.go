package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// versionLen is the length of the version in hexadecimal digits.
const versionLen = 16

// scripts is the directory under static/ with the scripts of described kinds.
const scripts = "kinds/"

// staticFiles are the files of static/, by name. New reads them once, so that what a version
// names never changes. The version is a hash of all of them together: a script refers to its
// modules by relative URLs, which stay in the directory of the version.
type staticFiles struct {
	content map[string][]byte
	gzipped map[string][]byte            // of the content that it makes smaller
	sums    map[string][sha256.Size]byte // of the content
	version string
}

// readStatic returns the built-in files with those of overrides, which take the place of files of
// the same name, and the scripts of described kinds.
func readStatic(overrides fs.FS, looks map[string]*look) (staticFiles, error) {
	ours, err := builtinStatic()
	if err != nil {
		return ours, err
	}
	s := ours.clone()
	if overrides != nil {
		if err := s.read(overrides, "static", ""); err != nil {
			return s, err
		}
	}
	for _, l := range looks {
		if l.script != "" {
			b, _, err := l.file("script.js")
			if err != nil {
				return s, err
			}
			s.add(l.script, b)
		}
	}
	s.version = s.hash()
	return s, nil
}

func (s staticFiles) add(name string, content []byte) {
	s.content[name], s.sums[name] = content, sha256.Sum256(content)
	delete(s.gzipped, name)
	if b := gzipped(content); len(b) < len(content) {
		s.gzipped[name] = b
	}
}

// gzipped returns content compressed as far as gzip can. It writes to memory, which cannot fail.
func gzipped(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

// hash returns the version of the files.
func (s staticFiles) hash() string {
	all := sha256.New()
	_, _ = fmt.Fprintf(all, "%q\n", coloursCSS)
	for _, name := range slices.Sorted(maps.Keys(s.content)) {
		_, _ = fmt.Fprintf(all, "%q %x\n", name, s.sums[name])
	}
	return hex.EncodeToString(all.Sum(nil))[:versionLen]
}

// read adds the files below root under the names that they have below put.
func (s staticFiles) read(files fs.FS, root, put string) error {
	err := fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
		hidden := name != root && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden, d.IsDir():
			return nil
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		s.add(path.Join(put, strings.TrimPrefix(name, root+"/")), b)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // an overlay need not have the directory
		return fmt.Errorf("ui: %w", err)
	}
	return nil
}

// Asset is a static file.
type Asset struct {
	Name    string // below static/, without a version
	Content []byte
	// Gzipped is the content compressed, or nil if that is not smaller.
	Gzipped []byte
	// Sum is a hash of the content in hexadecimal digits.
	Sum string
	// Current is true if the path has the version of these files. A response for it may be cached
	// for ever, and for no other path.
	Current bool
	// Stale is true if the path has the version of other files: those of a server before or after
	// an upgrade.
	Stale bool
}

// Static returns the file for a path under Base+"static/". There are no directories.
func (r *Renderer) Static(name string) (Asset, bool) {
	if file, ok := r.static.file(name); ok {
		return file, true
	}
	version, name, _ := strings.Cut(name, "/")
	file, ok := r.static.file(name)
	if !ok || !isVersion(version) {
		return Asset{}, false
	}
	file.Current = version == r.static.version
	file.Stale = !file.Current
	return file, true
}

// file returns a file, or the stylesheet that a name describes.
func (s staticFiles) file(name string) (Asset, bool) {
	b, ok := s.content[name]
	sum := s.sums[name]
	if !ok {
		b, ok = stylesheet(name)
		sum = sha256.Sum256(b)
	}
	return Asset{Name: name, Content: b, Gzipped: s.gzipped[name],
		Sum: hex.EncodeToString(sum[:])}, ok
}

func isVersion(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == versionLen
}

// AssetPath returns the path of a static file under Base+"static/", with the version in it. A name
// without a file is returned as it is.
func (r *Renderer) AssetPath(name string) string {
	if _, ok := r.static.content[name]; !ok {
		return name
	}
	return r.static.version + "/" + name
}
