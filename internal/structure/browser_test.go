package structure_test

import (
	"bytes"
	"strings"
	"testing"
)

// Chromium lays a page out a moment after it has confirmed a size, of the page or of its text, and
// chromedp waits for another page than the one asked for if the page before goes on by itself. So
// one file of the tests in browsers changes a size for all, and one opens a page.
func TestTests_WaitForAPage(t *testing.T) {
	for path, code := range goFiles(t) {
		for call, in := range map[string]string{"EmulateViewport(": "/viewport_test.go",
			"ClearDeviceMetricsOverride(": "/viewport_test.go",
			"SetDeviceMetricsOverride(":   "/viewport_test.go",
			"SetFontSizes(":               "/viewport_test.go",
			"Navigate(":                   "/navigate_test.go"} {
			if bytes.Contains(code, []byte("."+call)) && !strings.HasSuffix(path, in) {
				t.Errorf("%s calls %s) itself", path, call)
			}
		}
	}
}
