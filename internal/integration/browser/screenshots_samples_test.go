package browser_test

import (
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
	text     int64 // the size of text in pixels
	features map[string]string
}

// settings are the ones in which a page is looked at.
var settings = []setting{
	{"light", 900, 16, map[string]string{"prefers-color-scheme": "light"}},
	{"dark", 900, 16, map[string]string{"prefers-color-scheme": "dark"}},
	{"360", 360, 16, map[string]string{"prefers-color-scheme": "light"}},
	{"320-dark", 320, 16, map[string]string{"prefers-color-scheme": "dark"}},
	{"forced", 360, 16, map[string]string{"forced-colors": "active"}},
	{"twice", 640, 32, map[string]string{"prefers-color-scheme": "light"}},
}

// apply sets the browser.
func (s setting) apply() chromedp.Tasks {
	var features []*emulation.MediaFeature
	for name, value := range s.features {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	return chromedp.Tasks{emulation.SetEmulatedMedia().WithFeatures(features),
		chromedp.EmulateViewport(s.width, 720), textSize(s.text)}
}

// TestSamples_Screenshots saves a picture of every page in every state, in each setting, into the
// directory that SECONDGATE_SCREENSHOTS names; without it there is nothing to do. It does so in
// English. SECONDGATE_SCREENSHOTS_OF names others by patterns such as "360/*/verify-*".
func TestSamples_Screenshots(t *testing.T) {
	dir, patterns := os.Getenv("SECONDGATE_SCREENSHOTS"), os.Getenv("SECONDGATE_SCREENSHOTS_OF")
	if dir == "" {
		t.Skip("SECONDGATE_SCREENSHOTS is not set")
	}
	if patterns == "" {
		patterns = "*/en/*"
	}
	files, err := filepath.Glob(filepath.Join(gallery(t), "*", "*.html"))
	require.NoError(t, err)
	b := openSamples(t)
	defer b.run(setting{width: 1100, text: 16}.apply())
	for _, s := range settings {
		for _, file := range files {
			lang := filepath.Base(filepath.Dir(file))
			page := strings.TrimSuffix(filepath.Base(file), ".html")
			if matches(t, patterns, path.Join(s.name, lang, page)) {
				b.run(chromedp.Navigate(b.base+"/"+lang+"/"+page+".html"), s.apply())
				b.shoot(filepath.Join(dir, s.name, lang, page+".png"))
			}
		}
	}
}

// matches says whether a name matches one of the patterns.
func matches(t *testing.T, patterns, name string) bool {
	for _, pattern := range strings.Fields(patterns) {
		found, err := path.Match(pattern, name)
		require.NoError(t, err)
		if found {
			return true
		}
	}
	return false
}

// shoot saves a picture of the whole page.
func (b *tab) shoot(file string) {
	var png []byte
	b.run(chromedp.FullScreenshot(&png, 100))
	require.NoError(b.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(b.t, os.WriteFile(file, png, 0o600))
}
