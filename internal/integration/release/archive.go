package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	modules "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// sums is the file with the checksums, in the form of sha256sum.
const sums = "SHA256SUMS"

// Archive writes what a tagged version consists of into a directory: the archive of each published
// module, byte for byte as the go command makes it from the tag, their checksums, and where they
// come from. All of it depends on the tag alone, so that two machines write the same bytes.
func (r *Repository) Archive(version, dir string) error {
	var list bytes.Buffer
	var subjects []subject
	for _, m := range r.modules {
		if !m.published() {
			continue
		}
		name := strings.ReplaceAll(filepath.Join("secondgate", m.dir), string(filepath.Separator),
			"-") + "-" + version + ".zip"
		text, err := r.archive(m, version)
		if err != nil {
			return fmt.Errorf("release: archive of %s: %w", m.path, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		digest := hex.EncodeToString(sum[:])
		_, _ = fmt.Fprintf(&list, "%s  %s\n", digest, name)
		subjects = append(subjects, subject{name, map[string]string{"sha256": digest}})
	}
	if err := os.WriteFile(filepath.Join(dir, sums), list.Bytes(), 0o644); err != nil {
		return err
	}
	text, err := r.provenance(version, subjects)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "provenance.json"), text, 0o644)
}

// archive returns a module's archive, from its tag.
func (r *Repository) archive(m *module, version string) ([]byte, error) {
	var b bytes.Buffer
	subdir := m.dir
	if subdir == "." {
		subdir = ""
	}
	err := zip.CreateFromVCS(&b, modules.Version{Path: m.path, Version: version}, r.dir,
		m.tag(version), subdir)
	return b.Bytes(), err
}

// subject is an archive in a statement of provenance.
type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// provenance is a statement of in-toto with SLSA's provenance: which commit the archives are made
// of, and by what. It is not signed: a reader makes the archives again and compares them.
func (r *Repository) provenance(version string, subjects []subject) ([]byte, error) {
	commit, err := r.git("rev-list", "-n", "1", version)
	if err != nil {
		return nil, err
	}
	source := "git+https://" + r.root
	statement := map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       subjects,
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": map[string]any{
			"buildDefinition": map[string]any{
				"buildType":          "https://" + r.root + "/scripts/release.sh",
				"externalParameters": map[string]string{"version": version, "source": source},
				"resolvedDependencies": []map[string]any{{
					"uri":    source + "@refs/tags/" + version,
					"digest": map[string]string{"gitCommit": strings.TrimSpace(commit)},
				}},
			},
			"runDetails": map[string]any{
				"builder": map[string]string{"id": "https://" + r.root + "/scripts/release.sh"},
			},
		},
	}
	text, err := json.MarshalIndent(statement, "", "  ")
	return append(text, '\n'), err
}
