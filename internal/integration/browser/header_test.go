package browser_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// headerWidths are the widths of the windows in which the header is looked at, and headerPages the
// pages: with and without the navigation, and in a language that is written from the right.
var (
	headerWidths = []int64{320, 400, 480, 640, 800, 1024}
	headerPages  = []string{"/en/page-wide.html", "/en/factors.html", "/fi/page-wide.html",
		"/ar/page-wide.html", "/he/factors.html"}
)

// enlarge makes all text of a page twice as large, as a stylesheet of the user does, and gives the
// header a name and an account that are as long as most.
const enlarge = `(() => {
	document.documentElement.style.fontSize = "200%";
	document.querySelector(".sg-brand > span:last-child").textContent = "Acme Insurance";
	document.querySelector(".sg-who").textContent = "anna.de.vries@acme.example";
	return [];
})()`

// cutInHeader are the texts of the header that are outside of the window, of what they stand in, or
// over one another.
const cutInHeader = `(() => {
	const bad = [], seen = [];
	const header = document.querySelector("header");
	const walk = document.createTreeWalker(header, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const text = walk.currentNode, e = text.parentElement;
		if (!text.data.trim() || !e.checkVisibility() || e.closest(".sg-unseen, script")) continue;
		const range = document.createRange();
		range.selectNodeContents(text);
		for (const r of range.getClientRects()) {
			if (r.width < 1) continue;
			const what = text.data.trim() + " " + JSON.stringify(r);
			for (let box = e; box != header.parentElement; box = box.parentElement) {
				const b = box.getBoundingClientRect();
				if (getComputedStyle(box).display == "inline") continue;
				if (r.left < b.left - 1 || r.right > b.right + 1) bad.push("outside of " + box.className + ": " + what);
			}
			if (r.left < -1 || r.right > innerWidth + 1) bad.push("outside of the window: " + what);
			for (const o of seen) {
				if (o.text != text && r.left < o.r.right - 1 && r.right > o.r.left + 1 &&
					r.top < o.r.bottom - 1 && r.bottom > o.r.top + 1) bad.push("over another text: " + what);
			}
			seen.push({ text, r });
		}
	}
	if (seen.length < 2) bad.push("no brand and button");
	if (innerWidth > 480 && !header.querySelector(".sg-who").checkVisibility()) bad.push("no account");
	return bad;
})()`

// Text of twice the size is whole in the header: the account stands below the brand where both do
// not fit.
func TestHeader_WithTextOfTwiceTheSize(t *testing.T) {
	b := openSamples(t)
	for _, path := range headerPages {
		b.run(navigate(b.base+path), chromedp.Evaluate(enlarge, nil))
		for _, width := range headerWidths {
			var found []string
			b.run(viewport(width, 800))
			b.eval(cutInHeader, &found)
			require.Empty(t, found, "%s, %d pixels", path, width)
		}
	}
}

// headerWalk is a page that looks at the header of each page in frames of all widths, and posts
// what it finds.
const headerWalk = `<!doctype html><html lang="en"><title>walk</title><body><script type="module">
const { pages, widths, scripts } = await (await fetch("/walk.json")).json();
const report = (one) => fetch("/report", { method: "POST", body: JSON.stringify(one) });
for (const page of pages) {
	const found = [];
	for (const width of widths) {
		const frame = document.createElement("iframe");
		frame.style = "width: " + width + "px; height: 800px; border: 0";
		frame.src = page;
		document.body.append(frame);
		try {
			await new Promise((done) => { frame.onload = done; });
			for (const script of scripts) {
				found.push(...frame.contentWindow.eval(script).map((s) => page + ", " + width + " pixels: " + s));
			}
		} catch (e) {
			found.push(page + ": " + e);
		}
		frame.remove();
	}
	await report({ page, found });
}
await report({ page: "" });
</script>`

func TestHeader_WithTextOfTwiceTheSizeInFirefox(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", samplesIn(gallery(t)))
	mux.HandleFunc("/walk", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, headerWalk)
	})
	mux.HandleFunc("/walk.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"pages": headerPages, "widths": headerWidths,
			"scripts": []string{enlarge, cutInHeader}})
	})
	require.Equal(t, len(headerPages), walkInFirefox(t, mux))
}

// walkInFirefox has Firefox open /walk, whose page posts a report of each page that it looks at,
// and one without a page at the end. It fails the test for what they found, and returns how many
// pages there were.
func walkInFirefox(t *testing.T, mux *http.ServeMux) (pages int) {
	t.Helper()
	type report struct {
		Page  string
		Found []string
	}
	reports := make(chan report)
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		var one report
		if json.NewDecoder(r.Body).Decode(&one) == nil {
			select {
			case reports <- one:
			case <-r.Context().Done():
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	letFirefoxWalk(t, server.URL+"/walk")
	last := "the start"
	for ; ; pages++ {
		select {
		case r := <-reports:
			last = r.Page
			if r.Page == "" {
				return pages
			}
			for _, f := range r.Found {
				t.Errorf("%s: %s", r.Page, f)
			}
		case <-time.After(patience):
			t.Fatalf("Firefox reports nothing after %s", last)
		}
	}
}
