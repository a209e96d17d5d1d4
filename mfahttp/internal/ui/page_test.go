package ui_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

var langs = texts.Tags()

// element is a start tag.
type element struct {
	name  string
	attrs map[string]string
	in    []string // elements around it
	text  string   // up to the next start tag
}

func (e element) has(attr string) bool { _, ok := e.attrs[attr]; return ok }

var void = []string{"meta", "link", "input", "br", "hr", "img"}

// parse reads a page, and fails if its elements are not properly nested.
func parse(t *testing.T, page string) (list []element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.Entity = false, xml.HTMLEntity
	var open []string
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			require.Empty(t, open, "not closed")
			return list
		}
		require.NoError(t, err, page)
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}, in: slices.Clone(open)}
			for _, a := range token.Attr {
				require.NotContains(t, e.attrs, a.Name.Local, "twice in %s", e.name)
				e.attrs[a.Name.Local] = a.Value
			}
			list = append(list, e)
			if !slices.Contains(void, e.name) {
				open = append(open, e.name)
			}
		case xml.EndElement:
			if slices.Contains(void, token.Name.Local) {
				continue // <path/> and the like come as a pair
			}
			require.NotEmpty(t, open, "</%s>", token.Name.Local)
			require.Equal(t, open[len(open)-1], token.Name.Local, "nesting")
			open = open[:len(open)-1]
		case xml.CharData:
			if len(list) > 0 {
				list[len(list)-1].text += string(token)
			}
		}
	}
}

func find(list []element, name string) (found []element) {
	for _, e := range list {
		if e.name == name {
			found = append(found, e)
		}
	}
	return found
}

func newUI(t testing.TB) *ui.Renderer {
	t.Helper()
	r, err := ui.New(nil)
	require.NoError(t, err)
	return r
}

// render returns a page with the hyphens that the texts are written with.
func render(t testing.TB, r *ui.Renderer, p ui.Page) string {
	t.Helper()
	return strings.ReplaceAll(rendered(t, r, p), "\u2011", "-")
}

// rendered returns a page as a browser gets it.
func rendered(t testing.TB, r *ui.Renderer, p ui.Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.Render(&b, p))
	return b.String()
}

// Every page, in every state and language, keeps what all pages promise.
func TestPages_KeepTheirPromises(t *testing.T) {
	brief.SkipOneGoroutine(t)
	r := newUI(t)
	tags := langs
	if brief.Enabled() {
		tags = []string{"en", "de", "ar", "ja"}
	}
	for _, lang := range tags {
		for _, s := range samples() {
			t.Run(lang+"/"+s.name, func(t *testing.T) {
				page := render(t, r, s.make(frame(lang)))
				for _, wrong := range []string{"ZgotmplZ", "<no value>", "%!", "{time}", "{n}",
					"{to}"} {
					require.NotContains(t, page, wrong)
				}
				list := parse(t, page)
				require.Equal(t, lang, find(list, "html")[0].attrs["lang"])
				require.Len(t, find(list, "h1"), 1)
				require.Len(t, find(list, "main"), 1)
				title := strings.TrimSpace(find(list, "title")[0].text)
				title = strings.NewReplacer("\u2068", "", "\u2069", "").Replace(title)
				require.True(t, strings.HasSuffix(title, " – Acme"), title)
				checkCSP(t, list)
				checkLabels(t, list)
				checkReferences(t, list)
				checkForms(t, list)
			})
		}
	}
}

// checkReferences: ids are unique, and what refers to one finds it.
func checkReferences(t *testing.T, list []element) {
	t.Helper()
	ids := map[string]element{}
	focused := 0
	for _, e := range list {
		if id := e.attrs["id"]; id != "" {
			require.NotContains(t, ids, id)
			ids[id] = e
		}
		if e.has("autofocus") {
			focused++
		}
	}
	require.LessOrEqual(t, focused, 1)
	for _, e := range list {
		for _, name := range []string{"aria-describedby", "aria-labelledby", "for", "data-copy",
			"data-download", "data-show"} {
			for id := range strings.FieldsSeq(e.attrs[name]) {
				require.Contains(t, ids, id, "%s %s", e.name, name)
			}
		}
		if e.attrs["aria-invalid"] == "true" {
			first, _, _ := strings.Cut(e.attrs["aria-describedby"], " ")
			require.Equal(t, "alert", ids[first].attrs["role"], "the error is read first")
			require.True(t, e.has("autofocus"), "the mistake has the focus")
		}
	}
}

// checkForms: forms post to us, fields have labels, and nothing cuts what is pasted.
func checkForms(t *testing.T, list []element) {
	t.Helper()
	labels := map[string]bool{}
	for _, e := range find(list, "label") {
		require.NotEmpty(t, strings.TrimSpace(e.text))
		labels[e.attrs["for"]] = true
	}
	for _, e := range find(list, "form") {
		require.Equal(t, "post", e.attrs["method"])
		require.True(t, strings.HasPrefix(e.attrs["action"], "/mfa/"), e.attrs["action"])
		require.NotContains(t, e.in, "form")
	}
	for _, e := range find(list, "button") {
		require.Contains(t, []string{"submit", "button"}, e.attrs["type"])
		// What only the script can do is not there without it.
		require.Equal(t, e.attrs["type"] == "button", e.has("hidden"))
	}
	for _, e := range list {
		require.False(t, e.has("maxlength"), "it would cut a code pasted with spaces")
		require.False(t, e.has("onpaste"))
		if e.name == "select" || e.name == "input" && e.attrs["type"] != "hidden" {
			require.True(t, labels[e.attrs["id"]], "%s %s has no label", e.name, e.attrs["id"])
			require.NotEmpty(t, e.attrs["autocomplete"], e.attrs["id"])
		}
		if e.attrs["type"] == "password" {
			require.False(t, e.has("value"))
		}
	}
}

// The field for a response is one that phones and password managers can fill.
func TestVerify_FieldFitsTheKind(t *testing.T) {
	r := newUI(t)
	for _, test := range []struct {
		option                   ui.Option
		typ, mode, autocompletes string
	}{
		{ui.Option{Kind: "totp"}, "text", "numeric", "one-time-code"},
		{ui.Option{Kind: "email", Sends: true}, "text", "numeric", "one-time-code"},
		{ui.Option{Kind: "sms", Sends: true}, "text", "numeric", "one-time-code"},
		{ui.Option{Kind: "pin"}, "text", "", "one-time-code"},
		{ui.Option{Kind: "recovery", Recovery: true}, "text", "", "off"},
		{ui.Option{Kind: "carrier-pigeon"}, "text", "", "one-time-code"},
	} {
		page := render(t, r, ui.Verify{Frame: frame("en"), Option: test.option,
			Sent: test.option.Sends, SecondsRemaining: 87})
		var found []element
		for _, e := range find(parse(t, page), "input") {
			if e.attrs["name"] == "code" {
				found = append(found, e)
			}
		}
		require.Len(t, found, 1, "one field, not one for each digit")
		a := found[0].attrs
		require.Equal(t, []string{test.typ, test.mode, test.autocompletes},
			[]string{a["type"], a["inputmode"], a["autocomplete"]}, test.option.Kind)
		require.True(t, found[0].has("required"))
	}
}

// A field for a PIN has the number pad unless letters are allowed, says how long a PIN is before
// the user types one, and is one that no password is filled into, or saved from.
func TestEnroll_PINFieldSaysWhatItTakes(t *testing.T) {
	for name, test := range map[string]struct {
		set           ui.Settings
		mode, pattern string
		says          string
	}{
		"digits": {ui.Settings{MinLength: 6, MaxLength: 64, Digits: true}, "numeric",
			digits, "At least 6 digits. "},
		"six digits": {ui.Settings{MinLength: 6, MaxLength: 6, Digits: true}, "numeric",
			digits, "Exactly 6 digits. "},
		"letters": {ui.Settings{MinLength: 8, MaxLength: 64}, "", "",
			"At least 8 characters: letters, digits and signs. "},
		"eight": {ui.Settings{MinLength: 8, MaxLength: 8}, "", "",
			"Exactly 8 characters: letters, digits and signs. "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newUI(t)
			test.set.Kind = "pin"
			r.Configure(test.set)
			fresh := newUI(t)
			enroll := render(t, r, ui.Enroll{Frame: frame("en"), Kind: "pin"})
			require.Contains(t, enroll, test.says)
			require.NotContains(t, render(t, fresh, ui.Enroll{Frame: frame("en"), Kind: "pin"}),
				test.says, "another Renderer is as it was")
			verify := render(t, r, ui.Verify{Frame: frame("en"), Option: ui.Option{Kind: "pin"}})
			fields := append(find(parse(t, enroll), "input"), find(parse(t, verify), "input")...)
			n := 0
			for _, e := range fields {
				if e.attrs["class"] != "sg-masked" {
					continue
				}
				n++
				require.Equal(t, test.mode, e.attrs["inputmode"])
				require.Equal(t, test.pattern, e.attrs["pattern"])
				require.Equal(t, "one-time-code", e.attrs["autocomplete"])
				require.NotContains(t, e.attrs["name"]+e.attrs["id"], "pass")
				for _, ignore := range []string{"data-1p-ignore", "data-bwignore",
					"data-lpignore", "data-form-type"} {
					require.True(t, e.has(ignore), ignore)
				}
			}
			require.Equal(t, 3, n, "the PIN twice, and the response")
		})
	}
}

// What a page says and offers in its states.
func TestPages_ShowEachState(t *testing.T) {
	r := newUI(t)
	pages := map[string]string{}
	for _, s := range samples() {
		pages[s.name] = render(t, r, s.make(frame("en")))
	}
	for _, test := range []struct{ page, has, hasNot string }{
		{"verify-totp-wrong", "Wrong code. You have 4 attempts left.", ""},
		{"verify-totp-wrong", "<title>Error: ", ""},
		{"verify-pin-wrong", "You have one attempt left.", ""},
		{"verify-send", `action="/mfa/send"`, `name="code"`},
		{"verify-send", `return=%2fhome%3fx%3d1%26y%3d2`, ""},
		{"verify-sent", "<title>Check your phone – Acme</title>", "Error"},
		{"verify-sent", `data-seconds="87">1 minute 27 seconds<`, ""},
		{"verify-sent", `name="factor" value="s2"`, ""}, // the other number
		{"verify-expired", "That code has expired.", "attempts left"},
		{"verify-expired", "That code has expired.", `name="code"`},
		{"verify-waits", "We sent a new request.", "new code"},
		{"enrollment-waits-again", "We sent a new request.", "new code"},
		{"verify-waits", "Waiting for your approval", `name="code"`},
		{"verify-waits", `data-wait="87"`, "Error"},
		{"verify-waits", `data-seconds="87">1 minute 27 seconds<`, ""},
		{"verify-waits", `action="/mfa/send"`, ""},
		{"verify-waits-pending", "Not approved yet.", "Error"},
		{"verify-denied", "The request was denied. You have 4 attempts left.", "Wrong code"},
		{"verify-denied", "<title>Error: ", ""},
		{"verify-request-expired", "The request has expired. Send a new one.", "data-wait"},
		{"enrollment-waits", `data-wait="290"`, `name="code"`},
		{"enrollment-waits", `action="/mfa/enrollments/E1/resend"`, `name="name"`},
		{"enrollment-waits-over", "This request has expired.", "wait.js"},
		{"verify-budget", "Too many codes sent. Try again in 17 minutes.", ""},
		{"verify-locked", `data-seconds="180">3 minutes<`, `name="code"`},
		{"verify-locked", `<noscript><meta http-equiv="refresh" content="181"></noscript>`,
			"Other ways"},
		{"verify-stopped", "was disabled after too many failed attempts", `name="code"`},
		{"verify-stepup", "You are about to do something that needs extra security.", ""},
		{"verify-questions", "to recover your account", ""},
		{"verify-stepup", `href="/home"`, "Use another account"},
		{"verify-totp", "Use another account", "http-equiv"},
		{"verify-totp", "Use another account", "sg-why"},
		{"verify-sent", "We sent you a new code.", ""},
		{"verify-sent", "Code expires in", ""},
		{"choose-forced", "Your account needs a second step", "Cancel"},
		{"enroll-email-wrong", `value="ann@"`, ""},
		{"enroll-sms-wrong", `<option value="NL" selected>`, ""},
		{"enroll-pin-wrong", `id="pin2-error"`, `id="pin-error"`},
		{"enrollment-totp", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21"`, ""},
		{"enrollment-totp", "<span>JBSW</span><span>Y3DP</span>", ""},
		{"enrollment-totp",
			`href="otpauth://totp/Acme:ann%40example.com?secret=JBSWY3DPEHPK3PXP&amp;issuer=Acme"`,
			""},
		{"enrollment-totp-gone", "Start again", "<svg xmlns"},
		{"enrollment-email", "or open the link in the e-mail", ""},
		{"enrollment-email", `role="timer"`, "This code has expired. Send a new one.</p>"},
		{"enrollment-locked", "This code has expired. Send a new one.</p>", `role="timer"`},
		{"enrollment-locked", "Try again in 2 minutes 30 seconds.", ""},
		{"factors", "You have 8 recovery codes left.", "Few left"},
		{"factors-locked", "Few left", ""},
		{"factors-none", "You have no recovery codes.", ""},
		{"factors-none", `<time datetime="2026-03-15T12:00:00Z" data-day>15 March 2026</time>`, ""},
		{"recovery-codes", "7KQ2-M9XD-4TRV-W8HP", `action="/mfa/recovery-codes"`},
		{"link", `name="token" value="sealed.token"`, "Use another account"},
		{"confirmed", "Your e-mail address is verified", "<form"},
		{"error-expired", `href="/login"`, ""},
		{"error-budget", "Try again in", ""},
		{"page", "sg-narrow", "sg-wide"},
		{"page-wide", "sg-wide", "sg-narrow"},
	} {
		require.Contains(t, pages[test.page], test.has, test.page)
		if test.hasNot != "" {
			require.NotContains(t, pages[test.page], test.hasNot, test.page)
		}
	}
}

// A response is verified against all factors of its kind, so a second one of a kind is another way
// only where the code goes elsewhere.
func TestPages_OfferOtherWays(t *testing.T) {
	r := newUI(t)
	mail := ui.Option{Kind: "email", Sends: true, FactorID: "m1"}
	apps := []ui.Option{{Kind: "totp", FactorID: "a1"}, {Kind: "totp", FactorID: "a2"}}
	page := render(t, r, ui.Verify{Frame: frame("en"), Option: mail,
		Others: append(apps, ui.Option{Kind: "email", Sends: true, FactorID: "m2"})})
	require.Equal(t, 1, strings.Count(page, "verify?kind=totp"))
	require.Contains(t, page, `name="factor" value="m2"`)
	page = render(t, r, ui.Verify{Frame: frame("en"), Option: apps[0], Others: apps[1:]})
	require.NotContains(t, page, "Other ways")
}

// An implicit factor cannot be changed, and so offers no change.
func TestPages_OfferNoChangeOfAnImplicitFactor(t *testing.T) {
	page := render(t, newUI(t), ui.Factors{Frame: frame("en"),
		Factors: []ui.Factor{{Kind: "email", MaskedDestination: "a•••@example.com"}}})
	require.NotContains(t, page, "/rename")
	require.NotContains(t, page, "/remove")
	require.Contains(t, page, "From your account")
}

// A factor that has the name of its kind is shown with one name.
func TestFactors_DoNotRepeatTheName(t *testing.T) {
	factor := ui.Factor{ID: "s1", Kind: "sms", Name: "Text message", MaskedDestination: "••• 78"}
	page := render(t, newUI(t), ui.Factors{Frame: frame("en"), Factors: []ui.Factor{factor}})
	require.NotContains(t, page, "Text message&nbsp;· ")
	factor.Name = "Work"
	page = render(t, newUI(t), ui.Factors{Frame: frame("en"), Factors: []ui.Factor{factor}})
	require.Contains(t, page, "Text message&nbsp;· ")
}
