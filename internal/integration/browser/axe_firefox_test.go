package browser_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// axeWalk is a page that shows each page of a list in a frame 320 pixels wide, looks at it and
// posts what it finds. Nothing drives Firefox. The page in a frame prefers the colour scheme that
// the frame has.
const axeWalk = `<!doctype html><html lang="en"><title>walk</title><body><script type="module">
const { axe, looks, layout, pages } = await (await fetch("/walk.json")).json();
const report = (r) => fetch("/report", { method: "POST", body: JSON.stringify(r) });
for (const page of pages) {
	const frame = document.createElement("iframe");
	frame.style = "width: 320px; height: 800px; border: 0";
	frame.src = page;
	document.body.append(frame);
	const found = [];
	try {
		await new Promise((done) => { frame.onload = done; });
		const inside = frame.contentWindow;
		for (const script of layout) found.push(...inside.eval(script));
		inside.eval(axe);
		for (const { name, options } of looks) {
			frame.style.colorScheme = name;
			await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
			if (!inside.matchMedia("(prefers-color-scheme: " + name + ")").matches) found.push("not " + name);
			const { violations } = await inside.axe.run(options);
			for (const v of violations) {
				found.push(...v.nodes.map((n) => name + ": " + v.id + ": " + v.help + ": " + n.html.slice(0, 120)));
			}
		}
	} catch (e) {
		found.push(String(e));
	}
	await report({ page, found });
	frame.remove();
}
await report({ page: "" });
</script>`

// Firefox finds nothing wrong either, in the language with the longest words: it has another
// layout, and computes names by itself. A long run looks at the dark colours, too, which Chromium
// checks in every run.
func TestPages_HaveNothingThatAxeFindsInFirefox(t *testing.T) {
	script, dir := axe(t), gallery(t)
	pages := samplesOf(t, dir, longestWords+"/*")
	mux := http.NewServeMux()
	mux.Handle("/", samplesIn(dir))
	mux.HandleFunc("/walk", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, axeWalk)
	})
	mux.HandleFunc("/walk.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"axe": script, "pages": pages,
			"looks": looksInFirefox(), "layout": []string{geometry, cut}})
	})
	require.Equal(t, len(pages), walkInFirefox(t, mux))
}

// looksInFirefox returns the looks as the page of the walk reads them.
func looksInFirefox() (list []map[string]any) {
	shown := looks[:1]
	if os.Getenv("SECONDGATE_LONG") != "" {
		shown = looks
	}
	for _, l := range shown {
		list = append(list, map[string]any{"name": l.name, "options": l.options()})
	}
	return list
}
