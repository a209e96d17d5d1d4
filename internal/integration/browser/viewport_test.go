package browser_test

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// viewport gives the page a size in pixels, and waits until it has it: Chromium lays the page out
// a moment after it has confirmed the size, and a click meanwhile lands where the element was.
func viewport(width, height int64, options ...chromedp.EmulateViewportOption) chromedp.Tasks {
	measure := "innerWidth"
	if len(options) > 0 {
		measure = "screen.width" // of a phone; a page that does not know phones is wider
	}
	return chromedp.Tasks{chromedp.EmulateViewport(width, height, options...),
		waitUntil(fmt.Sprintf("%s == %d", measure, width))}
}

// wholeWindow gives the page the size of its window again, and waits as viewport does.
func wholeWindow() chromedp.Tasks {
	return chromedp.Tasks{emulation.ClearDeviceMetricsOverride(),
		waitUntil(fmt.Sprintf("innerWidth == %d", usual.width))}
}

// textSize is the size of text in pixels that a user sets in the browser. It waits until the page
// has it, as viewport does.
func textSize(pixels int64) chromedp.Action {
	return chromedp.Tasks{page.SetFontSizes(&page.FontSizes{Standard: pixels, Fixed: pixels}),
		waitUntil(fmt.Sprintf(`getComputedStyle(document.documentElement).fontSize == "%dpx"`,
			pixels))}
}

// waitUntil waits in steps from outside: in a page without JavaScript nothing can wait.
func waitUntil(js string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for so := false; !so; time.Sleep(time.Millisecond) {
			if err := chromedp.Evaluate(js, &so).Do(ctx); err != nil {
				return fmt.Errorf("waiting until %s: %w", js, err)
			}
		}
		return nil
	})
}
