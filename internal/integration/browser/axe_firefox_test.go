package browser_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// axeWalk is a page that shows each page of a list in a frame 320 pixels wide, runs axe-core in it
// and posts what it finds. Nothing drives Firefox.
const axeWalk = `<!doctype html><html lang="en"><title>walk</title><body><script type="module">
const { axe, pages } = await (await fetch("/walk.json")).json();
const report = (r) => fetch("/report", { method: "POST", body: JSON.stringify(r) });
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
for (const page of pages) {
	const frame = document.createElement("iframe");
	frame.style = "width: 320px; height: 800px; border: 0";
	frame.src = page;
	document.body.append(frame);
	try {
		await new Promise((done) => { frame.onload = done; });
		const inside = frame.contentWindow;
		inside.eval(axe);
		const { violations } = await inside.axe.run({ runOnly: { type: "tag", values: tags } });
		const found = violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + v.help + ": " + n.html.slice(0, 120)));
		const wide = inside.document.documentElement.scrollWidth;
		if (wide > inside.innerWidth) found.push("as wide as " + wide);
		await report({ page, found });
	} catch (e) {
		await report({ page, found: [String(e)] });
	}
	frame.remove();
}
await report({ page: "" });
</script>`

// Firefox finds nothing wrong either: it has another layout, and computes names by itself.
func TestPages_HaveNothingThatAxeFindsInFirefox(t *testing.T) {
	script, dir := axe(t), gallery(t)
	files, err := filepath.Glob(filepath.Join(dir, "en", "*.html"))
	require.NoError(t, err)
	require.Greater(t, len(files), 40)
	pages := make([]string, 0, len(files))
	for _, f := range files {
		pages = append(pages, "/en/"+filepath.Base(f))
	}
	type report struct {
		Page  string
		Found []string
	}
	reports := make(chan report)
	mux := http.NewServeMux()
	mux.Handle("/", samplesIn(dir))
	mux.HandleFunc("/walk", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, axeWalk)
	})
	mux.HandleFunc("/walk.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"axe": script, "pages": pages})
	})
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
	startFirefox(t, server.URL+"/walk")
	for seen := 0; ; seen++ {
		select {
		case r := <-reports:
			if r.Page == "" {
				require.Equal(t, len(pages), seen)
				return
			}
			for _, f := range r.Found {
				t.Errorf("%s: %s", r.Page, f)
			}
		case <-time.After(patience):
			t.Fatal("Firefox reports nothing more")
		}
	}
}
