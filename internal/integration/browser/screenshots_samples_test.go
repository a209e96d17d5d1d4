package browser_test

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A setting is what a user sets in the browser or the system that a page adapts to.
type setting struct {
	name     string
	width    int64
	height   int64
	text     int64 // the size of text in pixels
	features map[string]string
}

// settings are the ones in which a page is looked at.
var settings = []setting{
	{"light", 900, 720, 16, map[string]string{"prefers-color-scheme": "light"}},
	{"dark", 900, 720, 16, map[string]string{"prefers-color-scheme": "dark"}},
	{"360", 360, 720, 16, map[string]string{"prefers-color-scheme": "light"}},
	{"320-dark", 320, 720, 16, map[string]string{"prefers-color-scheme": "dark"}},
	{"forced", 360, 720, 16, map[string]string{"forced-colors": "active"}},
	{"768", 768, 720, 16, map[string]string{"prefers-color-scheme": "light"}},
	{"1280", 1280, 720, 16, map[string]string{"prefers-color-scheme": "light"}},
	{"twice", 640, 720, 32, map[string]string{"prefers-color-scheme": "light"}},
}

// usual is the setting in which the other tests look at pages.
var usual = setting{width: 1100, height: 900, text: 16}

// apply sets the browser.
func (s setting) apply() chromedp.Tasks {
	var features []*emulation.MediaFeature
	for name, value := range s.features {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	return chromedp.Tasks{emulation.SetEmulatedMedia().WithFeatures(features),
		viewport(s.width, s.height), textSize(s.text)}
}

// TestSamples_Screenshots saves a picture of every page in every state, in each setting, into the
// directory that SECONDGATE_SCREENSHOTS names; without it there is nothing to do. It does so in
// English. SECONDGATE_SCREENSHOTS_OF names others by patterns such as "360/*/verify-*".
func TestSamples_Screenshots(t *testing.T) {
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" {
		t.Skip("SECONDGATE_SCREENSHOTS is not set")
	}
	files, err := filepath.Glob(filepath.Join(gallery(t), "*", "*.html"))
	require.NoError(t, err)
	b := openSamples(t)
	defer b.run(usual.apply())
	for _, s := range settings {
		for _, file := range files {
			lang := filepath.Base(filepath.Dir(file))
			page := strings.TrimSuffix(filepath.Base(file), ".html")
			if wanted(t, path.Join(s.name, lang, page), "*/en/*") {
				b.run(navigate(b.base + "/" + lang + "/" + page + ".html"))
				b.shoot(s, filepath.Join(dir, s.name, lang, page+".png"))
			}
		}
	}
}

// wanted says whether a picture is wanted: whether its name matches one of the patterns that
// SECONDGATE_SCREENSHOTS_OF names, or one of the usual ones.
func wanted(t *testing.T, name, usual string) bool {
	t.Helper()
	for _, pattern := range strings.Fields(cmp.Or(os.Getenv("SECONDGATE_SCREENSHOTS_OF"), usual)) {
		found, err := path.Match(pattern, name)
		require.NoError(t, err)
		if found {
			return true
		}
	}
	return false
}

// shoot saves a picture of the whole page, in a window that is as high as the page: in a picture of
// what is beyond the window, Chromium has text of the usual size. A page can be higher in a high
// window, as one whose picture at the top is there only if there is room.
func (b *tab) shoot(s setting, file string) {
	var png []byte
	b.run(s.apply())
	for height := s.height; ; s.height = height {
		b.eval(`document.documentElement.scrollHeight`, &height)
		if height == s.height {
			break
		}
		b.run(viewport(s.width, height))
	}
	b.run(chromedp.Evaluate(`scrollTo(0, 0)`, nil), chromedp.CaptureScreenshot(&png))
	require.NoError(b.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(b.t, os.WriteFile(file, png, 0o600))
}

// shootAll saves pictures of the page in light and dark, in windows of some widths. file names a
// picture by the colour scheme and the key of the width.
func (b *tab) shootAll(widths map[string]int64, file func(scheme, size string) string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for size, width := range widths {
			b.shoot(setting{width: width, height: 720, text: 16,
				features: map[string]string{"prefers-color-scheme": scheme}}, file(scheme, size))
		}
	}
	b.run(usual.apply())
}
