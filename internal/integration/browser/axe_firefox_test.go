package browser_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// axeWalk is a page that shows each page of a list in a frame 320 pixels wide, looks at it and
// posts what it finds. Nothing drives Firefox. The page in a frame prefers the colour scheme that
// the frame has. The script of axe-core has an address, as Firefox then compiles it once.
const axeWalk = `<!doctype html><html lang="en"><title>walk</title><body><script type="module">
const { looks, layout, pages, chosen } = await (await fetch("/walk.json")).json();
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
		if (chosen.includes(page)) {
			await new Promise((done) => {
				const axe = frame.contentDocument.createElement("script");
				[axe.src, axe.onload, axe.onerror] = ["/axe.js", done, done];
				frame.contentDocument.head.append(axe);
				setTimeout(done, 5000);
			});
			// A page that goes on by itself stops what it loads at that moment, and reports nothing.
			if (!inside.axe) inside.eval(await (await fetch("/axe.js")).text());
		}
		for (const { name, options } of chosen.includes(page) ? looks : []) {
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
// layout, and computes names by itself. It measures pages that together have every kind of element.
// axe-core looks at the one of them with the most kinds, and at every page in Chromium. A long run
// has all pages here as well, and the dark colours, which Chromium checks in every run.
func TestPages_HaveNothingThatAxeFindsInFirefox(t *testing.T) {
	dir := gallery(t)
	pages := covering(t, dir, samplesOf(t, dir, longestWords+"/*"))
	chosen := pages
	if !atLength() {
		chosen = pages[:1]
	}
	mux := http.NewServeMux()
	mux.Handle("/", samplesIn(dir))
	serveAxe(t, mux)
	mux.HandleFunc("/walk", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, axeWalk)
	})
	mux.HandleFunc("/walk.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"pages": pages, "chosen": chosen,
			"looks": looksInFirefox(), "layout": []string{geometry, cut}})
	})
	require.Equal(t, len(pages), walkInFirefox(t, mux))
}

// looksInFirefox returns the looks as the page of the walk reads them.
func looksInFirefox() (list []map[string]any) {
	for _, l := range looks {
		if l.scheme == "light" || atLength() {
			list = append(list, map[string]any{"name": l.scheme, "options": l.options()})
		}
	}
	return list
}
