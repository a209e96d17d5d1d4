package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// An address that begins with a character of no direction is read from left to right, too.
func TestPages_ShowAddressesFromLeftToRight(t *testing.T) {
	b := openSamples(t)
	for page, selector := range map[string]string{"verify-totp": ".sg-way .sg-sub",
		"help-sms": ".sg-sub strong", "verify-send": ".sg-lead strong",
		"factors-off": ".sg-sub span[dir]"} {
		var at []float64
		b.run(navigate(b.base + "/ar/" + page + ".html"))
		b.eval(fmt.Sprintf(`((e) => {
			e.textContent = "•••@b.example";
			return [...e.textContent].map((_, i) => {
				const range = document.createRange();
				range.setStart(e.firstChild, i);
				range.setEnd(e.firstChild, i + 1);
				return range.getBoundingClientRect().left;
			});
		})(document.querySelector(%q))`, selector), &at)
		require.Len(t, at, 13)
		require.IsIncreasing(t, at, page)
	}
}

// In a language from the right, an address stands below the right edge of its name, although it is
// read from the left, and a PIN that is typed does not run under the button that shows it. Texts,
// cards and buttons keep a distance from each other.
func TestPages_PlaceWhatBelongsTogether(t *testing.T) {
	b := openSamples(t)
	for _, place := range []struct{ path, script string }{
		{"/ar/verify-totp.html", `[...document.querySelectorAll(".sg-way .sg-sub")].every((e) => {
			const text = document.createRange();
			text.selectNodeContents(e);
			return Math.abs(text.getBoundingClientRect().right -
				e.parentElement.getBoundingClientRect().right) < 2;
		})`},
		{"/en/verify-pin.html", besideItsButton},
		{"/ar/verify-pin.html", besideItsButton},
		{"/he/remove-password.html", besideItsButton},
		{"/en/enrollment-totp-ends.html", below("h1", ".sg-steps")},
		{"/en/enrollment-totp-ends.html", below("h1", "[data-ends]")},
		{"/en/choose-later.html", below(".sg-fine:last-of-type", ".sg-fine ~ .sg-button")},
		{"/en/choose-later.html", below(".sg-cards", ".sg-others")},
		{"/en/offer.html", below("[data-passkey-offer]", ".sg-others")},
		{"/en/help-sms.html", below("#others", ".sg-cards")},
		{"/en/continue.html", below("h1", ".sg-tools")},
		{"/en/choose.html", `document.documentElement.scrollHeight -
			document.querySelector("main").getBoundingClientRect().bottom - scrollY >= 12`},
		{"/de/factors.html", `[...document.querySelectorAll(".sg-list > li")].every((li) => {
			const text = li.querySelector(".sg-grow").getBoundingClientRect();
			const acts = li.querySelector(".sg-acts")?.getBoundingClientRect();
			return !acts || text.width > 350 && (acts.top >= text.bottom || acts.left >= text.right);
		})`},
	} {
		var placed bool
		b.run(navigate(b.base + place.path))
		b.eval(place.script, &placed)
		require.True(t, placed, place)
	}
}

// What is typed, or has a direction of its own, stands at the edge at which the page's texts do.
func TestPages_PlaceWhatHasItsOwnDirection(t *testing.T) {
	b := openSamples(t)
	b.findsNothing("ar/*", chromedp.Tasks{}, astray)
}

// astray are the fields and the second lines that stand at another edge than what they are in.
const astray = `(() => {
	const edge = (e) => {
		const { textAlign, direction } = getComputedStyle(e);
		return textAlign.replace("start", direction === "rtl" ? "right" : "left");
	};
	const own = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea, select, .sg-sub[dir], main p[dir]";
	return [...document.querySelectorAll(own)].filter((e) => e.checkVisibility() &&
		getComputedStyle(e).display !== "inline" && edge(e) !== edge(e.parentElement)
	).map((e) => edge(e) + ": " + e.outerHTML.slice(0, 120));
})()`

// besideItsButton says whether what is typed into each field with a button, which shows it, has the
// room beside the button, and no other gap.
const besideItsButton = `(() => {
	const buttons = [...document.querySelectorAll(".sg-show:not([hidden])")];
	return buttons.length > 0 && buttons.every((button) => {
		const input = button.parentElement.querySelector("input");
		const style = getComputedStyle(input);
		const at = button.getBoundingClientRect(), field = input.getBoundingClientRect();
		const left = parseFloat(style.paddingLeft), right = parseFloat(style.paddingRight);
		return at.left < (field.left + field.right) / 2 ?
			field.left + left >= at.right && right < 20 :
			field.right - right <= at.left && left < 20;
	});
})()`

// below says whether an element is at least 12 pixels below another.
func below(upper, lower string) string {
	return fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().top -
		document.querySelector(%q).getBoundingClientRect().bottom >= 12`, lower, upper)
}

// A phone number, masked or as an example, is read from left to right in a language from the right
// and in one with long words, and stands in one line of a window that is 360 pixels wide. In
// make test-long it does so in more languages.
func TestPages_ShowPhoneNumbersFromLeftToRight(t *testing.T) {
	b := openSamples(t)
	defer b.run(viewport(1100, 900))
	b.run(viewport(360, 800))
	languages := []string{"ar", longestWords}
	if atLength() {
		languages = append(languages, "da", "en", "he", "ja", "uk")
	}
	for _, lang := range languages {
		for page, selector := range map[string]string{
			"verify-sent": ".sg-lead strong", "verify-totp": ".sg-sub[dir=ltr]",
			"lost-sms": ".sg-sub strong", "factors": ".sg-sub [dir=ltr]",
			"remove-password": ".sg-sub[dir=ltr]", "enroll-sms-international": "#number-hint",
		} {
			var wrong string
			b.run(navigate(b.base + "/" + lang + "/" + page + ".html"))
			b.eval(fmt.Sprintf(phoneNumber, selector), &wrong)
			require.Empty(t, wrong, "%s, %s", lang, page)
		}
	}
}

// phoneNumber says what is wrong with the place of the characters of a phone number: each is to the
// right of the one before it, and in its line.
const phoneNumber = `(() => {
	const nodes = document.createTreeWalker(document.querySelector(%q), NodeFilter.SHOW_TEXT);
	for (let node; node = nodes.nextNode();) {
		const number = node.data.match(/[+•][+•\d\s]+\d/);
		if (!number) continue;
		let before;
		for (let i = number.index; i < number.index + number[0].length; i++) {
			const range = document.createRange();
			range.setStart(node, i);
			range.setEnd(node, i + 1);
			const at = range.getBoundingClientRect();
			if (before && Math.abs(at.top - before.top) > 5) return "another line: " + node.data;
			if (before && at.left < before.left) return "from the right: " + node.data;
			before = at;
		}
		return "";
	}
	return "no number";
})()`

// The script writes the day where the user is, and has the form of the first of a month from the
// page: browsers have none.
func TestPages_NameTheFirstOfAMonth(t *testing.T) {
	b := openSamples(t)
	for lang, want := range map[string]string{"fr": "1er\u00a0mars 2026",
		"it": "1º\u00a0marzo 2026", "en": "March\u00a01, 2026", "de": "1.\u00a0März 2026",
		"es": "1\u00a0de\u00a0marzo de 2026"} {
		b.run(navigate(b.base + "/" + lang + "/factors.html"))
		b.becomes(fmt.Sprintf(`[...document.querySelectorAll("time[data-day]")]
			.some((time) => time.title && time.textContent === %q)`, want), want)
	}
	b.run(navigate(b.base + "/uk/factors-history.html"))
	b.becomes(`[...document.querySelectorAll("time[data-moment]")].some((time) => time.title) &&
		[...document.querySelectorAll("time[data-moment]")]
			.every((time) => /2026\u00a0р\. о\u00a0\d\d:\d\d\u00a0UTC/.test(time.textContent))`,
		"a word stays in the line of its time")
	b.run(navigate(b.base + "/it/factors-history.html"))
	b.becomes(`[...document.querySelectorAll("time[data-moment]")].some((time) =>
		/ alle\u00a0ore\u00a0\d\d:\d\d\u00a0UTC/.test(time.textContent))`, "two words do")
	b.run(navigate(b.base + "/zh-Hant/factors-history.html"))
	b.becomes(`[...document.querySelectorAll("time[data-moment]")].some((time) =>
		/ [上下]午\u00a0?\d\d?:\d\d/.test(time.textContent))`, "half a day does")
	for lang, time := range map[string]string{"ar": `12:00\u00a0م\u00a0UTC`,
		"hi": `pm\u00a0UTC\u00a0बजे`} {
		b.run(navigate(b.base + "/" + lang + "/factors-history.html"))
		b.becomes(`[...document.querySelectorAll("time[data-moment]")].some((time) =>
			/`+time+`/.test(time.textContent))`, "half a day and a word after the zone do")
	}
	b.run(viewport(320, 800),
		navigate(b.base+"/ja/factors-history.html"))
	defer b.run(usual.apply())
	b.becomes(`[...document.querySelectorAll("time[data-moment]")].some((time) => time.title) &&
		[...document.querySelectorAll("time[data-moment]")].every((time) => {
			const day = new Range();
			day.setStart(time.firstChild, 0);
			day.setEnd(time.firstChild, time.textContent.indexOf("日") + 1);
			return day.getClientRects().length === 1 && /日 \d\d:\d\d/.test(time.textContent);
		})`, "no line ends within a day")
}
