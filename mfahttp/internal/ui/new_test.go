package ui_test

import (
	"bytes"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
	"github.com/stretchr/testify/require"
)

// overlays have what applications change, from the least on.
func overlays(t testing.TB) map[string]fstest.MapFS {
	t.Helper()
	page := func(name string) *fstest.MapFile {
		text, err := os.ReadFile(filepath.Join("files", name))
		require.NoError(t, err)
		return &fstest.MapFile{Data: text}
	}
	all := fstest.MapFS{}
	names, err := fs.Glob(os.DirFS("files"), "*.html")
	require.NoError(t, err)
	for _, name := range names {
		all[name] = page(name)
	}
	return map[string]fstest.MapFS{
		"none":   {},
		"colour": {"static/theme.css": {Data: []byte(":root { --sg-accent: #7a1fa2 }")}},
		"text":   {"texts/en.json": {Data: []byte(`{"verify.button": "Go"}`)}},
		"brand":  {"brand.html": {Data: []byte("<b>{{.Product}}</b>")}},
		"link":   {"link.html": page("link.html")},
		"verify": {"verify.html": page("verify.html")},
		"all":    all,
	}
}

// New parses the built-in files once in a process, and executes what an overlay changes and
// nothing else. It allocates as it works, so the limits hold on every machine; parsing the
// built-in templates alone takes more than 15000.
func TestNew_DoesOnlyWhatAnOverlayChanges(t *testing.T) {
	limits := map[string]float64{"none": 1500, "colour": 1500, "link": 25000, "brand": 90000}
	for name, files := range overlays(t) {
		limit, ok := limits[name]
		if !ok {
			continue
		}
		require.Less(t, testing.AllocsPerRun(3, func() {
			_, err := ui.New(files)
			require.NoError(t, err)
		}), limit, name)
	}
}

// A page that New has not executed is as good as one that it has: what Renderers share is not
// changed by what one of them shows.
func TestNew_SharesNothingThatPagesChange(t *testing.T) {
	show := func(r *ui.Renderer) string {
		var b bytes.Buffer
		require.NoError(t, r.Render(&b, ui.Link{Frame: frame("en"), Token: "T"}))
		return b.String()
	}
	first, err := ui.New(nil)
	require.NoError(t, err)
	before := show(first)
	own, err := ui.New(fstest.MapFS{"static/theme.css": {Data: []byte("a{}")},
		"brand.html": {Data: []byte("<b>mine</b>")}})
	require.NoError(t, err)
	require.Contains(t, show(own), "<b>mine</b>")
	again, err := ui.New(nil)
	require.NoError(t, err)
	require.Equal(t, before, show(again))
	require.Equal(t, before, show(first))
	theme, ok := again.Static("theme.css")
	require.True(t, ok)
	require.NotEqual(t, "a{}", string(theme.Content))
}

// BenchmarkNew prints how long New takes with each overlay, as a multiple of the time that it
// takes to parse the built-in templates.
func BenchmarkNew(b *testing.B) {
	all := overlays(b)
	r, err := ui.New(nil)
	require.NoError(b, err)
	funcs := r.Funcs()
	start := time.Now()
	const rounds = 20
	for range rounds {
		set := template.New("").Funcs(funcs)
		for name, file := range all["all"] {
			_, err := set.New(name).Parse(string(file.Data))
			require.NoError(b, err)
		}
	}
	parsing := time.Since(start) / rounds
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := ui.New(all[name])
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(parsing), "x-parsing")
		})
	}
}
