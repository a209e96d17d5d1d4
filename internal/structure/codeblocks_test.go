package structure_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// Every Go block of a document is a part of a Go file of the repository, comments aside. The
// file is compiled and tested; so is the block.
func TestDocuments_QuoteCodeThatCompiles(t *testing.T) {
	brief.SkipOneGoroutine(t)
	var documents []string
	var code strings.Builder
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() != ".." && strings.HasPrefix(d.Name(), ".") && path != "../..":
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			documents = append(documents, path)
		}
		return nil
	}))
	for _, text := range goFiles(t) {
		code.WriteString(tokens(text) + "\x00\n")
	}
	all, blocks := code.String(), 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, block := range goBlock.FindAllSubmatch(text, -1) {
			blocks++
			if !strings.Contains(all, tokens(block[1])) {
				t.Errorf("%s shows code that is in no Go file:\n%s", document, block[1])
			}
		}
	}
	require.Greater(t, blocks, 15)
}

// tokens returns the tokens of Go code, each on a line, without comments and line ends.
func tokens(code []byte) string {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(code)), code, func(token.Position, string) {}, 0)
	var all strings.Builder
	for {
		_, tok, literal := s.Scan()
		switch {
		case tok == token.EOF:
			return all.String()
		case tok == token.SEMICOLON && literal == "\n":
		case literal == "":
			all.WriteString(tok.String() + "\n")
		default:
			all.WriteString(literal + "\n")
		}
	}
}

var scriptBlock = regexp.MustCompile("(?ms)^```(?:js|ts)\n(.*?)^```$")

// Every block of JavaScript in a document is a part of a file that a browser or Node.js runs in a
// test. The sample of the npm package is a whole file.
func TestDocuments_QuoteScriptsThatRun(t *testing.T) {
	list := func(patterns ...string) []string {
		return strings.Fields(string(run(t, "../..", "git", append([]string{"ls-files", "--cached",
			"--others", "--exclude-standard"}, patterns...)...)))
	}
	var code strings.Builder
	for _, file := range list("*.js", "*.mjs", "*.ts") {
		text, err := os.ReadFile(filepath.Join("../..", file))
		require.NoError(t, err)
		code.WriteString(unindented(text) + "\x00\n")
	}
	blocks := 0
	for _, document := range list("*.md") {
		text, err := os.ReadFile(filepath.Join("../..", document))
		require.NoError(t, err)
		for _, block := range scriptBlock.FindAllSubmatch(text, -1) {
			blocks++
			if !strings.Contains(code.String(), unindented(block[1])) {
				t.Errorf("%s shows a script that is in no file:\n%s", document, block[1])
			}
		}
	}
	require.Greater(t, blocks, 3)

	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		require.NoError(t, err)
		return string(text)
	}
	readme := read("js/README.md")
	require.Contains(t, readme, "```js\n"+read("examples/spa/page/signin.js")+"```\n")
	_, page, found := strings.Cut(readme, "```html\n")
	require.True(t, found)
	page, _, _ = strings.Cut(page, "```\n")
	require.Contains(t, read("examples/spa/page/index.html"), page)
}

// unindented returns the lines of a text without the spaces before them.
func unindented(text []byte) string {
	var lines strings.Builder
	for line := range strings.Lines(string(text)) {
		lines.WriteString(strings.TrimLeft(line, " \t"))
	}
	return lines.String()
}
