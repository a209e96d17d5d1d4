package typed_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"

	"github.com/secondgate/secondgate/internal/typed"
)

// The same six digits as phones, mails, chats and spreadsheets hand them over.
func TestDigits_ReadsWhatUsersPaste(t *testing.T) {
	for pasted, from := range map[string]string{
		"287549":                   "a keyboard",
		" 287549 ":                 "a double click with the space beside it",
		"287 549":                  "an authenticator app",
		"287\u00a0549":             "a mail in HTML",
		"287\u202f549":             "a mail in French",
		"287\u2009549":             "a mail with thin spaces",
		"287\u3000549":             "a Japanese keyboard",
		"287-549":                  "a message with a hyphen",
		"287\u2010549":             "a typesetter's hyphen",
		"287\u2011549":             "a hyphen that does not break",
		"287–549\r\n":              "a word processor",
		"287—549":                  "a phone that makes dashes long",
		"287\u2212549":             "a spreadsheet that takes it for a sum",
		"2 8 7 5 4 9":              "a screen reader's spelling",
		"\u200e287549":             "a chat in Hebrew, which marks the direction",
		"\u200f287549":             "a chat in Arabic",
		"\u202a287549\u202c":       "a contact list on Windows",
		"\u2066287549\u2069":       "a web page that isolates",
		"\ufeff287549":             "a text file",
		"287\u200b549":             "a web page that lets the code break",
		"287\u00ad549":             "a page with soft hyphens",
		"287\u2060549":             "a page with word joiners",
		"287549\n":                 "a terminal",
		"\t287549\t":               "a table",
		"２８７５４９":                   "a Japanese keyboard",
		"٢٨٧٥٤٩":                   "an Arabic keyboard",
		"۲۸۷۵۴۹":                   "a Persian keyboard",
		"२८७५४९":                   "a keyboard in Hindi",
		"২৮৭৫৪৯":                   "a keyboard in Bengali",
		"๒๘๗๕๔๙":                   "a keyboard in Thai",
		"\U0001D7D0\U0001D7D67549": "a post with fancy letters",
		"2\ufe0f87549":             "an emoji keyboard",
	} {
		got, ok := typed.Digits(pasted)
		require.True(t, ok, "from %s: %q", from, pasted)
		require.Equal(t, "287549", got, "from %s: %q", from, pasted)
	}
}

// What is not a digit does not disappear: a code with a letter or a sign in it is refused, and not
// read as another code.
func TestDigits_RefusesEverythingElse(t *testing.T) {
	for _, s := range []string{"", " ", "-", "\u200b", "28754x", "28754O", "l23456", "287.549",
		"287,549", "287/549", "287_549", "287'549", "+287549", "287549²", "²87549", "①②③④⑤⑥",
		"Ⅵ87549", "½87549", "零二三四五六", "G-287549", "287\x00549", "287\x1b549", "287\u0301549",
		strings.Repeat("1 ", 300), "\xff287549"} {
		got, ok := typed.Digits(s)
		require.False(t, ok, "%q gave %q", s, got)
	}
}

// Each decimal digit of Unicode has the value that its name says.
func TestClean_KnowsTheDigitsOfEveryScript(t *testing.T) {
	names := []string{"ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT",
		"NINE"}
	n := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.Is(unicode.Nd, r) {
			continue
		}
		n++
		got := typed.Clean(string(r))
		require.Len(t, got, 1, "%U", r)
		if folded := norm.NFKC.String(string(r)); len(folded) == 1 {
			require.Equal(t, folded, got, "%U", r)
		}
		if words := strings.Fields(runenames.Name(r)); len(words) > 1 { // older tables lack a few
			require.Equal(t, names[got[0]-'0'], words[len(words)-1], "%U", r)
		}
	}
	require.Greater(t, n, 650)
}

// Nothing that a user sees is dropped but separators, and nothing becomes an ASCII letter or digit
// but what Unicode itself calls the same character.
func TestClean_FoldsNothingElse(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r <= 0xdfff {
			continue
		}
		got := typed.Clean(string(r))
		switch {
		case got == "":
			require.False(t, unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) &&
				r != '\u2212' && r != '\u02d7', "%U is gone", r)
		case got != string(r) && !unicode.Is(unicode.Nd, r):
			require.Equal(t, norm.NFKC.String(string(r)), got, "%U", r)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("287\u202f549", "287549")
	f.Add("ABCD-1234", "ABCD\u20131234")
	for _, pasted := range []string{"\u200f287549", "\u2066287549\u2069", "\ufeff287549\r\n",
		"287\u00ad549", "2\u200b8\u200b7\u200b549", "２８７５４９", "٢٨٧٥٤٩", "۲۸۷۵۴۹", "२८७५४९",
		"287\u2212549",
		"287\u3000549", "ＡＢＣＤ１２３４", "287²549", "①"} {
		f.Add(pasted, "287549")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := typed.Clean(a), typed.Clean(b)
		require.Equal(t, x, typed.Clean(x), "%q", a)
		if plain(a) && plain(b) {
			require.Equal(t, a == b, x == y, "%q and %q", a, b)
		}
	})
}

// plain reports whether s is written in ASCII letters and digits, as codes are made.
func plain(s string) bool {
	return len(s) <= 512 && strings.Trim(s,
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}
