package browser_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// heard is an element as a screen reader reads it.
type heard struct {
	Role, Name, Description string
	Properties              map[string]string
}

// tree returns the accessibility tree of the page as a list.
func (b *tab) tree() (list []heard) {
	b.t.Helper()
	value := func(v *accessibility.Value) (s string) {
		if v == nil || json.Unmarshal(v.Value, &s) == nil {
			return s
		}
		return string(v.Value)
	}
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		nodes, err := accessibility.GetFullAXTree().Do(ctx)
		for _, n := range nodes {
			if n.Ignored {
				continue
			}
			h := heard{value(n.Role), value(n.Name), value(n.Description), map[string]string{}}
			for _, p := range n.Properties {
				h.Properties[p.Name.String()] = value(p.Value)
			}
			list = append(list, h)
		}
		return err
	}))
	return list
}

// In the accessibility tree, the field that is wrong has the focus, is invalid, has a name, and is
// described by the error, on every page that has one.
func TestPages_TellAScreenReaderWhatIsWrong(t *testing.T) {
	b := openGallery(t)
	files, err := filepath.Glob(filepath.Join(gallery(t), "en", "*.html"))
	require.NoError(t, err)
	pages := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.Contains(string(text), `aria-invalid="true"`) {
			continue
		}
		pages++
		page := filepath.Base(file)
		b.run(navigate(b.base + "/en/" + page))
		b.becomes(`document.activeElement.getAttribute("aria-invalid") == "true"`,
			"the focus is in the field")
		want := b.text("main .sg-error")
		require.NotEmpty(t, want, page)
		found := 0
		for _, h := range b.tree() {
			if h.Properties["focused"] != "true" || h.Role != "textbox" {
				continue
			}
			found++
			require.NotEmpty(t, h.Name, page)
			require.Equal(t, "true", h.Properties["invalid"], page)
			require.Contains(t, strings.ReplaceAll(h.Description, "\u2011", "-"), want, page)
		}
		require.Equal(t, 1, found, page)
	}
	require.Greater(t, pages, 6)
}

// A screen reader announces what changes in a live region. The seconds that remain are in none, and
// the region for announcements is polite and has nothing to say yet. It says once that little time
// remains, and that it is over.
func TestPages_AnnounceLittleOfACountdown(t *testing.T) {
	b := openGallery(t)
	for _, page := range []string{"verify-sent", "enrollment-email"} {
		b.run(navigate(b.base + "/en/" + page + ".html"))
		b.becomes(`document.querySelector("[data-seconds]").textContent.includes(":")`,
			"the countdown runs")
		var live, said string
		b.eval(`document.querySelector("[data-seconds]").closest("[aria-live]:not([aria-live=off]), `+
			`[role=status], [role=alert]")?.outerHTML || ""`, &live)
		require.Empty(t, live, page)
		b.eval(`document.querySelector("[data-say]").textContent.trim()`, &said)
		require.Empty(t, said, page)
		b.eval(`(e => e.getAttribute("aria-live") || (e.role == "status" ? "polite" : ""))`+
			`(document.querySelector("[data-say]"))`, &live)
		require.Equal(t, "polite", live, page)
		for _, when := range []string{"soon", "over"} {
			b.run(chromedp.Evaluate(`(() => {
				const now = Date.now;
				Date.now = () => now() + 60_000;
			})()`, nil))
			b.becomes(`document.querySelector("[data-say]").textContent ===
				document.querySelector("[data-countdown]").dataset.`+when, "it is announced: "+when)
		}
	}
}

// openGallery opens a tab at a server of every page in every state.
func openGallery(t *testing.T) *tab {
	t.Helper()
	needChromium(t)
	server := httptest.NewServer(http.FileServer(http.Dir(gallery(t))))
	t.Cleanup(server.Close)
	return (&site{t: t, base: server.URL}).open(true)
}
