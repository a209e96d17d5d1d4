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
)

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// Every Go block of a document is a part of a Go file of the repository, comments aside. The
// file is compiled and tested; so is the block.
func TestDocuments_QuoteCodeThatCompiles(t *testing.T) {
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
		case strings.HasSuffix(path, ".go"):
			text, err := os.ReadFile(path)
			code.WriteString(tokens(text) + "\x00\n")
			return err
		}
		return nil
	}))
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
