package structure_test

import (
	"bytes"
	"strings"
	"testing"
)

// Chromium lays a page out a moment after it has confirmed a size, of the page or of its text. So a
// test that changes one waits until the page has it, which one file of the tests in browsers does
// for all.
func TestTests_WaitForTheSizeOfAPage(t *testing.T) {
	for path, code := range goFiles(t) {
		if strings.HasSuffix(path, "/viewport_test.go") {
			continue
		}
		for _, call := range []string{"EmulateViewport(", "ClearDeviceMetricsOverride(",
			"SetDeviceMetricsOverride(", "SetFontSizes("} {
			if bytes.Contains(code, []byte("."+call)) {
				t.Errorf("%s calls %s) itself", path, call)
			}
		}
	}
}
