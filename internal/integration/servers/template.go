package servers

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// prepare fills the data directory of a new server by running a program, which is told the
// directory by a flag such as "--pgdata=". It keeps a copy in the repository's .cache for the
// servers that other tests start. The copy belongs to one build of the program with one list of
// options.
func (s *Server) prepare(data, program, flag string, options ...string) {
	s.t.Helper()
	template := templateOf(program, options)
	if template == "" {
		s.run(program, append(slices.Clone(options), flag+data)...)
		return
	}
	if _, err := os.Stat(template); err != nil {
		s.run(program, append(slices.Clone(options), flag+data)...)
		s.keep(data, template)
		return
	}
	if err := copyTree(template, data); err != nil {
		s.t.Fatal(err)
	}
}

// keep copies data to template, in one step for those that look for it.
func (s *Server) keep(data, template string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(template), 0o755); err != nil {
		return // a clone that cannot be written to has no cache
	}
	part, err := os.MkdirTemp(filepath.Dir(template), "part")
	if err != nil {
		return
	}
	defer func() { _ = os.RemoveAll(part) }()
	copied := filepath.Join(part, "data")
	if err := copyTree(data, copied); err != nil {
		s.t.Fatal(err)
	}
	_ = os.Rename(copied, template) // another test may have been faster
}

// copyTree copies a directory with its owners and modes.
func copyTree(from, to string) error {
	out, err := exec.Command("cp", "-a", "--sparse=always", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	return nil
}

// templateOf returns where the data directory is kept that a program makes, or "" if there is no
// place for it.
func templateOf(program string, options []string) string {
	info, err := os.Stat(program)
	dir, err2 := os.Getwd()
	if err != nil || err2 != nil {
		return ""
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
	build := fnv.New64a()
	_, _ = fmt.Fprint(build, program, info.Size(), info.ModTime().UnixNano(), os.Getuid(), options)
	name := fmt.Sprintf("%s-%x", filepath.Base(program), build.Sum64())
	return filepath.Join(dir, ".cache", "servers", name)
}
