package browser_test

import (
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// torn are the words that go on in another line. A word can do so at a hyphen between two parts of
// more than three letters, and where its language has hyphens: Chromium has the dictionaries for
// that only after a download, so that the style is what counts. An address, a name or a code can do
// so anywhere. In Japanese, which has no spaces, the words are those of short texts.
const torn = `(() => {
	const bad = new Set(), range = document.createRange();
	const lang = document.documentElement.lang, japanese = lang == "ja";
	const segments = new Intl.Segmenter(lang, { granularity: "word" });
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; node = walk.nextNode();) {
		const e = node.parentElement, text = node.data;
		if (!text.trim() || !e.checkVisibility({ visibilityProperty: true })) continue;
		if (e.closest("code, option, script, svg, .sg-key, .sg-unseen, [dir]:not(html)")) continue;
		if (japanese && !e.closest("h1, h2, label, .sg-button, .sg-name")) continue;
		const words = japanese ? [...segments.segment(text)].map((s) => [s.index, s.segment]) :
			[...text.matchAll(/\S+/g)].map((m) => [m.index, m[0]]);
		for (const [start, word] of words) {
			let line;
			for (let i = 0; i < word.length; i++) {
				range.setStart(node, start + i);
				range.setEnd(node, start + i + 1);
				const at = range.getBoundingClientRect();
				if (!at.width) continue;
				const lines = word.slice(0, i) + "|" + word.slice(i);
				if (line !== undefined && at.top > line + 4 && !/[\p{L}\p{M}]{4}-\|[\p{L}\p{M}]{4}/u.test(lines) &&
					(japanese || word[i - 1] == "-" || getComputedStyle(e).hyphens != "auto")) bad.add("torn: " + lines);
				line = at.top;
			}
		}
	}
	return [...bad];
})()`

// hyphenated are addresses, accounts and codes that a hyphen of the browser may break: it would
// seem to be a part of them.
const hyphenated = `(() => {
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; node = walk.nextNode();) {
		const e = node.parentElement;
		if (e.closest("script") || !(node.data.includes("@") || e.closest("code, .sg-key"))) continue;
		if (getComputedStyle(e).hyphens == "auto") bad.push("may get a hyphen: " + node.data);
	}
	return bad;
})()`

// In text of twice the size, lines end between words, or at a hyphen.
func TestPages_EndLinesBetweenWords(t *testing.T) {
	b := openSamples(t)
	defer b.run(usual.apply())
	b.run(viewport(640, 800), textSize(32))
	for _, path := range []string{"de/choose", "de/enroll-totp", "de/enrollment-totp",
		"de/lost-sent", "de/verify-remember", "en/factors", "en/error-expired", "fr/verify-sent",
		"ja/verify-totp", "ja/lost-locked", "ja/factors-locked", "pl/lost-sent",
		"fi/choose-forced"} {
		var found []string
		b.run(navigate(b.base + "/" + path + ".html"))
		b.eval(torn, &found)
		if len(found) > 0 {
			t.Errorf("%s: %q", path, found)
		}
	}
}

// The ring that turns is beside the first word of its text, also where the text has two lines.
func TestPages_KeepTheRingBesideItsText(t *testing.T) {
	b := openSamples(t)
	defer b.run(usual.apply())
	b.run(viewport(640, 800), textSize(32))
	for _, path := range []string{"pl/verify-waits", "he/verify-waits", "fr/enrollment-waits"} {
		var gap float64
		b.run(navigate(b.base + "/" + path + ".html"))
		b.eval(`(() => {
			const range = document.createRange(), ring = document.querySelector(".sg-spin");
			range.selectNodeContents(document.querySelector("[data-wait-says]"));
			const at = ring.getBoundingClientRect(), [text] = range.getClientRects();
			return Math.max(text.left - at.right, at.left - text.right);
		})()`, &gap)
		require.Positive(t, gap, path)
		require.Less(t, gap, 32.0, path)
	}
}

// What a user types or copies is not broken with a hyphen, which would seem to be a part of it. A
// short text in Japanese breaks between phrases, whatever the fonts are.
func TestPages_BreakTextsAsTheyAreUsed(t *testing.T) {
	b := openSamples(t)
	for _, text := range []struct{ path, selector, style, want string }{
		{"de/recovery-codes", ".sg-codes code", "hyphens", "manual"},
		{"de/verify-sent", ".sg-lead strong[dir]", "hyphens", "manual"},
		{"de/verify-totp", ".sg-way .sg-sub", "hyphens", "manual"},
		{"de/verify-totp", ".sg-way .sg-grow", "hyphens", "auto"},
		{"de/factors", ".sg-button, .sg-small", "hyphens", "auto"},
		{"ja/lost-locked", "h2", "wordBreak", "auto-phrase"},
		{"ja/factors-locked", ".sg-name", "wordBreak", "auto-phrase"},
		{"ja/factors-locked", ".sg-notice p", "wordBreak", "auto-phrase"},
		{"ja/factors-locked", ".sg-sub", "lineBreak", "strict"},
		{"zh-Hant/factors", ".sg-sub", "lineBreak", "strict"},
		{"ko/factors", ".sg-sub", "wordBreak", "keep-all"},
	} {
		var style string
		b.run(navigate(b.base + "/" + text.path + ".html"))
		b.eval(`getComputedStyle(document.querySelector("`+text.selector+`")).`+text.style, &style)
		require.Equal(t, text.want, style, text)
	}
}

// Recovery codes, in one column or in several, are each in one line.
func TestPages_KeepARecoveryCodeInOneLine(t *testing.T) {
	b := openSamples(t)
	defer b.run(usual.apply())
	b.run(navigate(b.base + "/de/recovery-codes.html"))
	for width := int64(300); width < 700; width += 20 {
		var found []string
		b.run(viewport(width, 800))
		b.eval(broken+".concat("+geometry+")", &found)
		require.Empty(t, found, width)
	}
}

// A picture of a short page in a language from the right has everything where the window has it.
func TestShoot_PlacesWhatIsOnThePage(t *testing.T) {
	b := openSamples(t)
	file := filepath.Join(t.TempDir(), "page.png")
	b.run(navigate(b.base + "/ar/confirmed.html"))
	b.shoot(settings[2], file)
	defer b.run(usual.apply())
	var logo struct{ Left, Top float64 }
	b.eval(`document.querySelector(".sg-logo").getBoundingClientRect().toJSON()`, &logo)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	picture, err := png.Decode(f)
	require.NoError(t, err)
	require.Equal(t, 360, picture.Bounds().Dx())
	require.Equal(t, color.NRGBA{0x34, 0x54, 0xd1, 0xff},
		color.NRGBAModel.Convert(picture.At(int(logo.Left)+2, int(logo.Top)+16)))
}
