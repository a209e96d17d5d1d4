package ui_test

import (
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// textsOf are the texts of a language on pages.
func textsOf(t testing.TB, lang string) map[string]string {
	t.Helper()
	l, m := texts.Get(lang), map[string]string{}
	for _, key := range l.Keys() {
		group, _, _ := strings.Cut(key, ".")
		if !slices.Contains([]string{"admin", "language", "mail", "sms", "suggestion"}, group) {
			m[key], _ = l.Lookup(key)
		}
	}
	return m
}

// No text is left over from a page that is gone. Families of texts are chosen by a value.
func TestCatalog_HasNoUnusedTexts(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"files/*.html", "*.go", "../../../internal/texts/*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			source.Write(b)
		}
	}
	families := []string{"about", "choose.have", "factors.change", "help.again", "help.text",
		"verify.lost", "enroll.button", "enroll.text",
		"enroll.title", "enrollment.text", "enrollment.title", "error.text",
		"error.title", "field", "hint.name", "kind", "lost.by", "notice", "problem", "remove.text",
		"response",
		"send.title", "strength", "verify.text", "verify.title", "verify.why"}
	for key := range textsOf(t, "en") {
		base := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if strings.Contains(source.String(), `"`+base+`"`) || strings.Contains(source.String(),
			`"`+key+`"`) {
			continue
		}
		if !slices.ContainsFunc(families, func(f string) bool {
			return strings.HasPrefix(key, f+".")
		}) {
			t.Errorf("%q is used nowhere", key)
		}
	}
}

// Every code that mfahttp answers, and every reason that our factors give, has a text of its
// own on the pages where it appears.
func TestCatalog_HasATextForEachProblem(t *testing.T) {
	r := newUI(t)
	fallback := textsOf(t, "en")["notice.unavailable"]
	for _, reason := range []string{"address_duplicate", "address_form", "address_unsupported",
		"code_form", "name_form", "number_at_risk", "number_country",
		"number_duplicate", "number_extension", "number_form", "number_international",
		"number_invalid", "number_length", "number_missing",
		"number_premium", "number_region", "pin_characters", "pin_common", "pin_mismatch",
		"pin_personal", "pin_repeated", "pin_too_long",
		"pin_too_short", "recovery_form", "secret_duplicate", "secret_form"} {
		require.NotEmpty(t, textsOf(t, "en")["problem."+reason], reason)
		kind, _, _ := strings.Cut(reason, "_")
		kind = map[string]string{"address": "email", "number": "sms"}[kind]
		if kind == "" {
			kind = "pin"
		}
		f := frame("en")
		f.Notice = &ui.Notice{Code: "malformed", Reason: reason, Kind: kind, Remaining: -1}
		page := html.UnescapeString(render(t, r, ui.Enroll{Frame: f, Kind: kind,
			Countries: []ui.Country{{Region: "NL"}}}))
		if reason != "name_form" { // shown where names are asked for
			require.Contains(t, page, textsOf(t, "en")["problem."+reason], reason)
		}
	}
	for _, code := range []string{"unauthorized", "forbidden", "step_up", "password", "incorrect",
		"expired", "locked", "stopped", "budget", "busy",
		"malformed", "not_available", "not_found", "kind_banned", "kind_not_configured",
		"last_factor", "on_hold", "reauthenticate",
		"undeliverable", "pending", "sent", "added", "removed", "cancelled", "renamed",
		"recovered", "renewal_due"} {
		f := frame("en")
		f.Notice = &ui.Notice{Code: code, Remaining: -1, Kind: "totp"}
		page := render(t, r, ui.Factors{Frame: f})
		require.NotContains(t, page, fallback, code)
		if code != "password" && code != "incorrect" { // those belong to fields
			require.Contains(t, page, "sg-notice", code)
		}
	}
	f := frame("en")
	f.Notice = &ui.Notice{Code: "a code to come", Remaining: -1}
	require.Contains(t, render(t, r, ui.Factors{Frame: f}), fallback)
	f.Notice = &ui.Notice{Code: "malformed", Reason: "a_reason_of_a_strangers_factor",
		Kind: "carrier-pigeon", Remaining: -1}
	require.Contains(t, render(t, r, ui.Enroll{Frame: f, Kind: "carrier-pigeon"}),
		textsOf(t, "en")["notice.malformed"])
}

// Texts are replaced one by one, and a language is added by a file.
func TestOverride_ReplacesTextsOneByOne(t *testing.T) {
	r, err := ui.New(fstest.MapFS{
		"texts/nl.json": {Data: []byte(
			`{"verify.button": "Ga door", "kind.carrier-pigeon": "Postduif"}`)},
		"texts/sr.json": {Data: []byte(`{"verify.button": "Настави"}`)},
	})
	require.NoError(t, err)
	p := func(lang string) string {
		return render(t, r, ui.Verify{Frame: frame(lang), Option: ui.Option{Kind: "totp"},
			Others: []ui.Option{{Kind: "carrier-pigeon"}}})
	}
	require.Contains(t, p("nl"), "Ga door")
	require.Contains(t, p("nl"), "Vul de code uit je authenticator-app in")
	require.Contains(t, p("nl"), "Postduif")
	require.Equal(t, "sr", r.Locale("sr-RS, de;q=0.5", ""))
	require.Contains(t, p("sr"), `<html lang="sr"`)
	require.Contains(t, p("sr"), "Настави")
	require.Contains(t, p("sr"), "Enter the code from your authenticator app")
	require.NotContains(t, p("en"), "Настави", "a language laid over another must not change it")
}

func TestOverride_RefusesInvalidTexts(t *testing.T) {
	for name, test := range map[string]struct{ file, text, says string }{
		"no JSON":     {"texts/nl.json", `{`, "texts/nl.json"},
		"null":        {"texts/nl.json", `null`, "texts/nl.json"},
		"no strings":  {"texts/nl.json", `{"back": 1}`, "strings"},
		"placeholder": {"texts/nl.json", `{"send.to": "Naar {address}"}`, "{address}"},
		"no language": {"texts/x.json", `{}`, "texts/sr.json"},
		"too large": {"texts/nl.json", `{"x": "` + strings.Repeat("x", 1<<20) + `"}`,
			"too many"},
		"bad template": {"verify.html", `{{if}}`, "verify.html"},
		"no function":  {"frame.html", `{{shout .}}`, "frame.html"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ui.New(fstest.MapFS{test.file: {Data: []byte(test.text)}})
			require.ErrorContains(t, err, test.says)
		})
	}
}

// Texts are text, whichever author wrote them: markup in one is shown, not obeyed.
func TestOverride_TextsAreEscaped(t *testing.T) {
	r, err := ui.New(fstest.MapFS{"texts/en.json": {Data: []byte(
		`{"send.to": "<i>To</i> {to}", "verify.button": "<i>Go</i>", "code.left": "<i>Left</i> {time}", "time.seconds.other": "<i>{n}</i>"}`)}})
	require.NoError(t, err)
	option := ui.Option{Kind: "sms", MaskedDestination: "78", Sends: true}
	for _, p := range []ui.Page{
		ui.Verify{Frame: frame("en"), Option: option},
		ui.Verify{Frame: frame("en"), Option: option, Sent: true, SecondsRemaining: 9},
	} {
		page := render(t, r, p)
		require.NotContains(t, page, "<i>")
		require.Contains(t, page, "&lt;i&gt;")
	}
}

// FuzzTexts: a catalogue of an application's is refused or used, and never breaks a page out of
// its frame.
func FuzzTexts(f *testing.F) {
	f.Add(`{"verify.button": "Go"}`)
	f.Add(`{"verify.button": "<b>{", "send.to": "{to}{to}"}`)
	f.Add(`{"time.seconds.other": "{n}{", "code.left": "}{time}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ui.New(fstest.MapFS{"texts/nl.json": {Data: []byte(text)}})
		if err != nil {
			return
		}
		var b strings.Builder
		if r.Render(&b, ui.Verify{Frame: frame("nl"), Option: ui.Option{Kind: "sms", Sends: true},
			Sent: true, SentTo: "78", SecondsRemaining: 9}) == nil {
			require.Equal(t, 1, strings.Count(b.String(), "<script"))
		}
	})
}
