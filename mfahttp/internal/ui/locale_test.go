package ui_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLocale_FollowsTheRequest(t *testing.T) {
	r := newUI(t)
	for _, test := range []struct{ accept, user, want string }{
		{"", "", "en"},
		{"nl", "", "nl"},
		{"nl-BE,nl;q=0.9,en;q=0.8", "", "nl"},
		{"is, de;q=0.5, nl;q=0.7", "", "nl"},
		{"NO", "", "nb"},
		{"nn-NO, nb;q=0.5", "", "nb"},
		{"de-DE", "nl", "nl"}, // what the application knows goes first
		{"de-DE", "is", "de"}, // unless there are no pages in it
		{"de-DE", "nb_NO", "nb"},
		{"*", "", "en"},
		{"is, *;q=0.1", "", "en"},
		{"nl;q=0", "", "en"},
		{"nl;q=2", "", "en"},
		{"nl;q=NaN", "", "en"},
		{"nl;q=x, de;q=0.1", "", "de"},
		{"is-Latn-IS", "", "en"},
		{"nlx", "", "en"},
		{"-", "-", "en"},
		{strings.Repeat("is,", 40) + "nl", "", "en"},   // more than is looked at
		{"nl," + strings.Repeat("x", 1<<20), "", "nl"}, // an oversized header
		{"", strings.Repeat("nl-", 1<<18), "en"},       // an oversized tag
		{"de; q=0.4, nl ;q=0.3 ,nb;Q=0.9", "", "nb"},   // spaces and case
		// what cannot be read counts for nothing
		{"de;q=0.5;level=1, nl;q=0.4", "", "nl"},
		{"en-GB,en-US;q=0.9,en;q=0.8,nl;q=0.7", "x\x00", "en"}, // as browsers send it
	} {
		if got := r.Locale(test.accept, test.user); got != test.want {
			t.Errorf("Locale(%.40q, %.20q) = %s, want %s", test.accept, test.user, got, test.want)
		}
	}
}

func FuzzLocale(f *testing.F) {
	r := newUI(f)
	f.Add("nl-BE,nl;q=0.9", "de")
	f.Add("*;q=0.1,no;Q=1", "")
	f.Fuzz(func(t *testing.T, accept, user string) {
		if !slices.Contains(langs, r.Locale(accept, user)) {
			t.Fatal("not a language we have")
		}
	})
}

// A sentence in Chinese or Japanese ends with the full stop of its script, also behind a day.
func TestPages_EndSentencesInTheirScript(t *testing.T) {
	r, tag := newUI(t), regexp.MustCompile(`<[^>]*>`)
	western := regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}]\.(\s|$)`)
	for _, lang := range []string{"ja", "zh-Hans", "zh-Hant"} {
		for _, s := range samples() {
			text := tag.ReplaceAllString(render(t, r, s.make(frame(lang))), "")
			require.Empty(t, western.FindString(text), "%s, %s", lang, s.name)
		}
	}
}

// apart is a space between a sentence in Chinese or Japanese and what follows it in its line.
var apart = regexp.MustCompile(`[。？！、：](?:</?(?:span|strong|time|a|b)[^>]*>)* ` +
	`(?:<(?:span|strong|time|a|b|button)[^>]*>)*[^\s<–].{0,20}`)

// beside are what stands beside a text and is none of its sentences.
var beside = regexp.MustCompile(` (<span class="sg-(?:chip|sub))`)

// Sentences follow each other as the language wants it: in Chinese and Japanese without a space.
func TestPages_JoinSentencesAsTheLanguageDoes(t *testing.T) {
	r, pages := newUI(t), map[string]string{}
	for _, s := range samples() {
		for _, lang := range []string{"ja", "zh-Hans", "zh-Hant"} {
			page := beside.ReplaceAllString(render(t, r, s.make(frame(lang))), "$1")
			require.Empty(t, apart.FindString(page), "%s, %s", lang, s.name)
		}
		pages[s.name] = render(t, r, s.make(frame("ko")))
	}
	require.Contains(t, pages["verify-totp-wrong"], "입니다. ", "Korean has spaces")
}

// No space stands between two Chinese characters, also where a value ends with one, as "2 分钟" does.
func TestPages_PutNoSpaceBetweenChineseCharacters(t *testing.T) {
	r, tag := newUI(t), regexp.MustCompile(`<[^>]*>`)
	apart := regexp.MustCompile(`\p{Han} \p{Han}`)
	for _, lang := range []string{"ja", "zh-Hans", "zh-Hant"} {
		for _, s := range samples() {
			text := tag.ReplaceAllString(render(t, r, s.make(frame(lang))), "|")
			require.Empty(t, apart.FindString(text), "%s, %s", lang, s.name)
		}
	}
}

// The first day of a month has a form of its own in some languages, which the script of the page
// has from the page.
func TestPages_NameTheFirstOfAMonth(t *testing.T) {
	r := newUI(t)
	for lang, want := range map[string]string{"fr": "1er\u00a0mars 2026",
		"it": "1º\u00a0marzo 2026", "pt-BR": "1º\u00a0de\u00a0março de 2026",
		"es": "1\u00a0de\u00a0marzo de 2026"} {
		var pages strings.Builder
		for _, s := range samples() {
			pages.WriteString(render(t, r, s.make(frame(lang))))
		}
		require.Contains(t, pages.String(), " data-day>"+want+"</time>")
		first, _, _ := strings.Cut(want, "\u00a0")
		require.Equal(t, first != "1", strings.Contains(pages.String(),
			`<html lang="`+lang+`" dir="ltr" data-first="`+first+`">`), lang)
	}
}
