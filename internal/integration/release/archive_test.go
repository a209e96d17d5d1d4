package release_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/secondgate/secondgate/internal/integration/release"
)

// TestArchive_IsTheSameTwice makes the archives of one tag in the repository and in a clone of it,
// after the repository has changed.
func TestArchive_IsTheSameTwice(t *testing.T) {
	c, _ := released(t)
	clone := checkout{t: t, dir: t.TempDir()}
	run(t, clone.dir, nil, "git", "clone", "-q", c.dir, ".")
	c.write("doc.txt", []byte("a later file"))
	c.commit()
	first, second := archives(t, c), archives(t, clone)
	require.Equal(t, first, second)

	modules := c.open().Published()
	require.Len(t, first, len(modules)+2)
	require.Len(t, strings.Split(strings.TrimSpace(first["SHA256SUMS"]), "\n"), len(modules))
	commit := strings.TrimSpace(clone.git("rev-parse", "HEAD"))
	require.Contains(t, first["provenance.json"], `"gitCommit": "`+commit+`"`)
	for _, line := range strings.Split(strings.TrimSpace(first["SHA256SUMS"]), "\n") {
		digest, name, _ := strings.Cut(line, "  ")
		require.NotEmpty(t, first[name])
		require.Contains(t, first["provenance.json"], digest)
	}

	// The archive is the one whose checksum importers have in go.sum.
	file := filepath.Join(t.TempDir(), "passkey.zip")
	archive := first["secondgate-passkey-"+version+".zip"]
	require.NoError(t, os.WriteFile(file, []byte(archive), 0o600))
	sum, err := dirhash.HashZip(file, dirhash.Hash1)
	require.NoError(t, err)
	require.Contains(t, clone.read("examples/go.sum"), rootPath+"/passkey "+version+" "+sum+"\n")
}

func TestArchive_RefusesAVersionWithoutATag(t *testing.T) {
	require.Error(t, newCheckout(t).open().Archive(version, t.TempDir()))
}

// archives returns the files of a release by their names.
func archives(t *testing.T, c checkout) map[string]string {
	t.Helper()
	r, err := release.Open(c.dir)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, r.Archive(version, dir))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	files := make(map[string]string)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		files[e.Name()] = string(text)
	}
	return files
}
