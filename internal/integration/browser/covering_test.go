package browser_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// covering returns pages of the gallery that together have every kind of element that the pages
// with these paths have. make test-long has all of them.
func covering(t *testing.T, dir string, paths []string) (chosen []string) {
	t.Helper()
	if atLength() {
		return paths
	}
	kinds := make(map[string]map[string]bool)
	unseen := make(map[string]bool)
	for _, path := range paths {
		page, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		require.NoError(t, err)
		kinds[path] = kindsOf(string(page))
		for kind := range kinds[path] {
			unseen[kind] = true
		}
	}
	fresh := func(path string) (n int) {
		for kind := range kinds[path] {
			if unseen[kind] {
				n++
			}
		}
		return n
	}
	for len(unseen) > 0 {
		next := slices.MaxFunc(paths, func(a, b string) int { return fresh(a) - fresh(b) })
		require.NotZero(t, fresh(next))
		for kind := range kinds[next] {
			delete(unseen, kind)
		}
		chosen = append(chosen, next)
	}
	return chosen
}

var (
	startTag  = regexp.MustCompile(`<([a-z0-9]+)((?:\s[^<>]*)?)>`)
	attribute = regexp.MustCompile(`\s([a-z-]+)(?:="([^"]*)")?`)
)

// kindsOf returns the kinds of the elements of a page. Elements of one kind have the same name,
// attributes and classes, and the same values of what changes their role.
func kindsOf(page string) map[string]bool {
	kinds := make(map[string]bool)
	for _, tag := range startTag.FindAllStringSubmatch(page, -1) {
		var list []string
		for _, a := range attribute.FindAllStringSubmatch(tag[2], -1) {
			switch a[1] {
			case "class", "type", "role", "autocomplete", "inputmode":
				list = append(list, a[1]+"="+a[2])
			default:
				list = append(list, a[1])
			}
		}
		slices.Sort(list)
		kinds[tag[1]+" "+strings.Join(list, " ")] = true
	}
	return kinds
}

// The chosen pages have what the others have, and are fewer.
func TestCovering_LeavesNoKindOfElementOut(t *testing.T) {
	dir := t.TempDir()
	pages := map[string]string{
		"/a.html": `<p><a href="x">one</a></p>`,
		"/b.html": `<p class="sg-lead"><a href="y">two</a><input type="text" name="a"></p>`,
		"/c.html": `<p><a href="x">three</a><input type="password" name="a"></p>`,
		"/d.html": `<p>four</p>`,
	}
	for path, page := range pages {
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(page), 0o600))
	}
	t.Setenv("SECONDGATE_LONG", "")
	paths := []string{"/a.html", "/b.html", "/c.html", "/d.html"}
	require.ElementsMatch(t, []string{"/b.html", "/c.html"}, covering(t, dir, paths))
	t.Setenv("SECONDGATE_LONG", "1")
	require.Equal(t, paths, covering(t, dir, paths))
}
