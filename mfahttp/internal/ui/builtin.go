package ui

import (
	"crypto/sha256"
	"html/template"
	"io/fs"
	"maps"
	"sync"
	"text/template/parse"

	"github.com/secondgate/secondgate/js"
)

// This file has what the built-in files are once they are read: that is the same for every
// Renderer of a process, and takes longer than all the rest of [New].

// builtinTrees are the parsed templates of each built-in file, by the name of the file and of the
// template. They are shared, so nobody executes them: html/template changes what it executes, and
// a Clone has copies.
var builtinTrees = sync.OnceValues(func() (map[string]map[string]*parse.Tree, error) {
	base, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(base, "*.html")
	if err != nil {
		return nil, err
	}
	funcs := (&Renderer{}).funcs(&catalog{}) // the parser asks for their names alone
	files := make(map[string]map[string]*parse.Tree, len(names))
	for _, name := range names {
		b, err := fs.ReadFile(base, name)
		if err != nil {
			return nil, err
		}
		set := template.New("").Funcs(funcs)
		if _, err := set.New(name).Parse(string(b)); err != nil {
			return nil, parseError(err, funcs)
		}
		files[name] = map[string]*parse.Tree{}
		for _, t := range set.Templates() {
			if t.Tree != nil {
				files[name][t.Name()] = t.Tree
			}
		}
	}
	return files, nil
})

// builtinStatic are the static files of this package and of package js.
var builtinStatic = sync.OnceValues(func() (staticFiles, error) {
	s := staticFiles{content: map[string][]byte{}, gzipped: map[string][]byte{},
		sums: map[string][sha256.Size]byte{}}
	base, err := fs.Sub(embedded, "files")
	if err == nil {
		err = s.read(base, "static", "")
	}
	if err == nil {
		err = s.read(js.Files(), ".", "js")
	}
	s.version = s.hash()
	return s, err
})

// clone returns a copy to which files can be added.
func (s staticFiles) clone() staticFiles {
	return staticFiles{content: maps.Clone(s.content), gzipped: maps.Clone(s.gzipped),
		sums: maps.Clone(s.sums)}
}
