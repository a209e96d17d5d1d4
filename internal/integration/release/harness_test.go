package release_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/release"
)

// The version is fixed, so that a repeated run finds its packages in the build cache.
const version = "v0.999.0-test.1"

const changelogEntry = "## [0.999.0-test.1] - 2026-01-02\n\n### Added\n\n- Everything.\n\n"

// checkout is a copy of this repository, as it is on disk, in a directory of its own.
type checkout struct {
	t   *testing.T
	dir string
}

// shared is the directory of the copy, and its commit. It is made once: to write all files again
// for each test took half of the time of all.
var shared struct{ dir, commit string }

// once is a clone of the copy after its release, and what the release wrote. It is made once, for
// all tests that need one.
var once struct{ dir, said string }

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		panic(err)
	}
	shared.dir, once.dir = filepath.Join(dir, "copy"), filepath.Join(dir, "released")
	if err := os.Mkdir(shared.dir, 0o700); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// newCheckout returns a copy of the repository, with its uncommitted changes, which are committed
// there. The copy's CHANGELOG has an entry for version and nothing under Unreleased. An earlier
// test leaves nothing in it.
func newCheckout(t *testing.T) checkout {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	c := checkout{t: t, dir: shared.dir}
	if shared.commit == "" {
		c.fill()
		shared.commit = strings.TrimSpace(c.git("rev-parse", "HEAD"))
	}
	c.git("reset", "-q", "--hard", shared.commit)
	c.git("clean", "-fdxq")
	if tags := strings.Fields(c.git("tag")); len(tags) > 0 {
		c.git(append([]string{"tag", "-d"}, tags...)...)
	}
	return c
}

// released returns a clone of the repository after the release of version, and what that wrote.
func released(t *testing.T) (c checkout, said string) {
	t.Helper()
	if once.said == "" {
		c := newCheckout(t)
		said, err := c.prepare(version, true)
		require.NoError(t, err)
		run(t, ".", nil, "git", "clone", "-q", c.dir, once.dir)
		once.said = said
	}
	c = checkout{t: t, dir: t.TempDir()}
	run(t, c.dir, nil, "git", "clone", "-q", once.dir, ".")
	c.configure()
	return c, once.said
}

// fill copies the repository.
func (c checkout) fill() {
	t := c.t
	t.Helper()
	const root = "../../.."
	names := run(t, root, nil, "git", "ls-files", "-z", "--cached", "--others",
		"--exclude-standard")
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == 0 }) {
		if text, err := os.ReadFile(filepath.Join(root, name)); !os.IsNotExist(err) {
			require.NoError(t, err)
			c.write(name, text)
		}
	}
	changelog := c.read("CHANGELOG.md")
	head, released, _ := strings.Cut(changelog, "## [Unreleased]")
	_, released, more := strings.Cut(released, "\n## ")
	if more {
		released = "## " + released
	}
	c.write("CHANGELOG.md", []byte(head+"## [Unreleased]\n\n"+changelogEntry+released))
	c.git("init", "-q", "-b", "main")
	c.configure()
	c.commit()
}

// configure names the author of commits.
func (c checkout) configure() {
	c.t.Helper()
	c.git("config", "user.name", "Test")
	c.git("config", "user.email", "test@example.com")
}

func (c checkout) write(name string, text []byte) {
	c.t.Helper()
	file := filepath.Join(c.dir, name)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(c.t, os.WriteFile(file, text, 0o644))
}

func (c checkout) read(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	require.NoError(c.t, err)
	return string(text)
}

func (c checkout) replace(name, old, replacement string) {
	c.t.Helper()
	text := c.read(name)
	require.Contains(c.t, text, old)
	c.write(name, []byte(strings.Replace(text, old, replacement, 1)))
}

func (c checkout) git(args ...string) string {
	c.t.Helper()
	return run(c.t, c.dir, nil, "git", args...)
}

func (c checkout) commit() {
	c.t.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "-m", "a commit")
}

func (c checkout) open() *release.Repository {
	c.t.Helper()
	r, err := release.Open(c.dir)
	require.NoError(c.t, err)
	return r
}

// prepare returns what a release writes.
func (c checkout) prepare(version string, tag bool) (string, error) {
	var out bytes.Buffer
	err := c.open().Prepare(version, tag, io.Writer(&out))
	return out.String(), err
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s: %s%s", name, strings.Join(args, " "), out, stderr.String())
	return string(out)
}
