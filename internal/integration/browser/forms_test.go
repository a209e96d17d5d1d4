package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A user chooses a PIN: the page says beforehand how long it is, the fields are for digits, and a
// PIN that is typed with spaces is no mistake.
func TestEnroll_PINFieldsAreNumeric(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.signIn("anna")
		b.visit("/mfa/enroll/pin")
		require.Contains(t, b.text("#pin-hint"), "At least 6 digits.")
		for _, id := range []string{"pin", "pin2"} {
			b.numericPIN("#" + id)
		}
		var valid map[string]bool
		b.eval(`Object.fromEntries(["739 162", "739-162", "٧٣٩١٦٢", "letters", "739\u200b162",
			"\u200f739162", "\u2066739162\u2069", "739–162", "７３９１６２"].map(s => {
			const e = document.querySelector("#pin");
			e.value = s;
			return [s, e.checkValidity()];
		}))`, &valid)
		require.Len(t, valid, 9)
		for typed, ok := range valid {
			require.Equal(t, typed != "letters", ok, "%+q", typed)
		}
		b.fill("pin", "739 162")
		b.fill("pin2", "739 162")
		b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
		require.Equal(t, "/mfa/factors", b.path())
		b.signOut()
		b.firstFactor("anna")
		b.visit("/mfa/verify?kind=pin")
		b.numericPIN("#code")
		b.answer("739162")
		require.Equal(t, "/", b.path())
	})
}

// numericPIN checks a field for a PIN: one that phones show the number pad for, and that password
// managers pass over.
func (b *tab) numericPIN(selector string) {
	b.t.Helper()
	var is []string
	b.eval(`(e => [e.type, e.inputMode, e.getAttribute("autocomplete")])(document.querySelector("`+selector+`"))`,
		&is)
	want := []string{"password", "numeric", "one-time-code"}
	if b.firefox != nil || !b.script {
		want[0] = "text" // and masked
		require.True(b.t, b.has(selector+".sg-masked"))
	}
	require.Equal(b.t, want, is)
}

// A notice is one text. Bold words and times in it are no columns of their own.
func TestNotice_IsOneText(t *testing.T) {
	b := start(t).open(true)
	b.signIn("anna")
	b.run(chromedp.Evaluate(`document.querySelector("main").insertAdjacentHTML("afterbegin",
		'<p class="sg-notice sg-warn" id="probe">Set one up before <strong>1 May</strong>. '+
		'After that you cannot sign in without one, as your organisation has decided.</p>')`, nil))
	var lines int
	b.eval(`(() => {
		const range = document.createRange();
		range.selectNodeContents(document.querySelector("#probe"));
		return new Set([...range.getClientRects()].map(r => Math.round(r.bottom))).size;
	})()`, &lines)
	var first, bold float64
	b.eval(`document.querySelector("#probe strong").getBoundingClientRect().left`, &bold)
	b.eval(`(() => { const r = document.createRange();
		r.setStart(document.querySelector("#probe").firstChild, 0);
		r.setEnd(document.querySelector("#probe").firstChild, 17);
		return r.getBoundingClientRect().right })()`, &first)
	require.InDelta(t, first, bold, 12, "the bold words follow those before them")
	require.Positive(t, lines)
}

// A second click sends nothing. A user who stopped the browser sends the form again, after a time:
// the page is as it was, and no event says that the request ended.
func TestForm_IsSentAgainAfterAStop(t *testing.T) {
	b := openSamples(t)
	b.run(navigate(b.base + "/en/verify-totp.html"))
	var sent []int
	b.eval(`(() => {
		let count = 0, later;
		document.addEventListener("submit", (event) => {
			if (!event.defaultPrevented) count++;
			event.preventDefault();
		});
		window.setTimeout = (f, after, form) => { later = () => f(form); };
		const form = document.querySelector("form[data-once]");
		const submit = () => { form.requestSubmit(); return count; };
		document.querySelector("#code").value = "123456";
		const sent = [submit(), submit()];
		later();
		return [...sent, submit()];
	})()`, &sent)
	require.Equal(t, []int{1, 1, 2}, sent)
}
