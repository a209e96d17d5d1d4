package release_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/release"
)

func TestPrepare_SetsOneVersionEverywhere(t *testing.T) {
	c := newCheckout(t)
	// As go doc does, which would write what go.work.sum misses.
	run(t, c.dir, nil, "go", "list", "-m", "all")
	require.Empty(t, c.git("status", "--porcelain"), "run make tidy")

	head := c.git("rev-parse", "HEAD")
	said, err := c.prepare(version, false)
	require.NoError(t, err)
	require.Contains(t, said, "tag  "+version+"\n")
	require.Contains(t, said, "tag  sso/"+version+"\n")
	require.Contains(t, said, "set  go.work\n")
	require.Contains(t, said, "set  js/package.json\n")
	require.NotContains(t, said, "tag  examples")
	require.NotContains(t, said, "tag  internal")
	require.NotContains(t, said, "tag  tools")
	require.Equal(t, head, c.git("rev-parse", "HEAD"), "a dry run committed")
	require.Empty(t, c.git("status", "--porcelain")+c.git("tag"), "a dry run changed something")

	c, said = released(t)
	require.Contains(t, said, "git push --atomic origin HEAD "+version+" ")
	require.Contains(t, said, " passkey/"+version+" ")
	require.Contains(t, said, "\n  npm publish ./js\n")
	require.Contains(t, c.read("js/package.json"),
		"\n  \"version\": \""+strings.TrimPrefix(version, "v")+"\",\n")
	require.Empty(t, c.git("status", "--porcelain"))
	require.Equal(t, head, c.git("rev-parse", "HEAD~1"))
	for _, tag := range strings.Fields(c.git("tag")) {
		require.Equal(t, c.git("rev-parse", "HEAD"), c.git("rev-parse", tag+"^{commit}"), tag)
	}
	for _, name := range strings.Fields(c.git("ls-files", "*go.mod", "go.work")) {
		require.NotContains(t, c.read(name), "v0.0.0\n", name)
		require.NotContains(t, c.read(name), "v0.0.0 =>", name)
	}

	// The clone still builds without the network, stays tidy, and cannot be released again.
	run(t, c.dir, []string{"GOPROXY=off"}, "go", "list", "-deps", "-test", "work")
	_, err = c.prepare(version, true)
	require.ErrorContains(t, err, "is not later than "+version)
	changed, err := c.open().Tidy(false)
	require.NoError(t, err)
	require.Empty(t, changed)
}

func TestPrepare_NamesAllFaults(t *testing.T) {
	c := newCheckout(t)
	c.git("tag", "portal/"+version)
	c.replace("CHANGELOG.md", changelogEntry, "### Fixed\n\n- A change that has no version.\n\n")
	c.write("sso/go.mod", []byte(c.read("sso/go.mod")+"\nreplace example.com/a => ../\n"))
	c.replace("go.work", "=> ./passkey", "=> ./elsewhere")
	// Without a version the npm package would be published as another one.
	c.replace("js/package.json", `"version"`, `"v"`)
	first, rest, _ := strings.Cut(c.read("portal/go.sum"), "\n")
	c.write("portal/go.sum", []byte(rest))
	head := c.git("rev-parse", "HEAD")
	_, err := c.prepare(version, true)
	require.Error(t, err)
	for _, part := range []string{
		"the working tree has changes",
		"M sso/go.mod",
		"the tag portal/" + version + " exists",
		"CHANGELOG.md has changes under Unreleased",
		"CHANGELOG.md has no entry",
		"sso/go.mod replaces or excludes a module",
		"go.work does not replace " + rootPath + "/passkey",
		"js/package.json has 0 lines with its version",
		"not tidy (run make tidy): portal/go.sum",
	} {
		require.ErrorContains(t, err, part)
	}
	require.Equal(t, head, c.git("rev-parse", "HEAD"))
	require.Equal(t, "portal/"+version+"\n", c.git("tag"))

	changed, err := c.open().Tidy(true)
	require.NoError(t, err)
	require.Equal(t, []string{"portal/go.sum"}, changed)
	require.Contains(t, c.read("portal/go.sum"), first)
}

func TestPrepare_RefusesVersions(t *testing.T) {
	c := newCheckout(t)
	for _, v := range []string{"", "0.1.0", "v0.1", "v0.1.0+build", "v2.0.0", "v0.0.0", "latest"} {
		_, err := c.prepare(v, true)
		require.Error(t, err, v)
	}
	require.Empty(t, c.git("tag"))
}

func TestOpen_RefusesAModuleOfAnotherPath(t *testing.T) {
	c := newCheckout(t)
	c.replace("portal/go.mod", "module "+rootPath+"/portal", "module example.com/portal")
	_, err := release.Open(c.dir)
	require.ErrorContains(t, err, "portal/go.mod names the module example.com/portal")
}
