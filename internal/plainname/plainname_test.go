package plainname_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/plainname"
)

var plain = []string{
	"", "Phone", "My phone", "Ann's iPhone 15", "Ann’s iPhone", "Firefox, Windows",
	"Samsung Internet, Android", "E-mail",
	"Authenticator app", "YubiKey 5C (blue)", "Work: phone", "J. Berg", "J.R. phone", "No. 2",
	"v2.0", "Version 1.2.3", "100% mine",
	"a/b", "home/work", "and/or", "@home", "@ann", "phone @ home", "me & you", "#1", "C++", "AT&T",
	"12:30", "Éva", "Øyvinds telefon",
	"Größe", "電話", "الهاتف", "הטלפון שלי", "Телефон", "🔑", "✈️ travel", "iPhone\u00a0de Ann",
	"Key “blue”", "wait...", "Phone.",
	"http phone", "www phone", "javascript phone", "50 mm", "ann's phone; old one", "Nr.2",
	"Ann (2)", "1.5", "Phone – old",
}

var links = []string{
	"URGENT https://evil.example", "http://x", "HTTPS://X", "hTTps:evil", "ftp://a", "mailto:eve",
	"see mailto:eve", "tel:+3112345678",
	"javascript:alert(1)", "data:text/html,x", "app://open", "://", `https:\\evil`, "//evil",
	`\\evil\share`, "x //evil",
	"www.", "www.evil", "go to WWW.evil", "evil.com", "evil.example/x", "go to evil.co.uk now",
	"EVIL.COM", "evil.xn--p1ai",
	"пример.рф", "例え.テスト", "evil。com", "evil｡com", "evil．com", "evil․com", "ｅｖｉｌ．ｃｏｍ", "ⓔⓥⓘⓛ.ⓒⓞⓜ",
	"ｈｔｔｐｓ：／／evil",
	"a.bc", "1.ab", "x(evil.com)", "evil.com.", "192.0.2.1", "192.0.2.1/x", "call 10.0.0.1 now",
	"eve@evil.example", "eve@evil",
	"write to eve@x", "eve＠evil", `Ann <a href="https://evil.example">x</a>`, "<b>", "a > b",
	"＜script＞", "&lt;a.bc",
	"ftp:x", "sms:12345", "file:x", "vbscript:x", "e.fx", "a.b\u0301c",
}

var invisibles = []string{
	// lines and controls
	"a\nb", "a\rb", "\x00", "a\x7f", "a\u0085b", "a\tb", "a\u2028b", "a\u2029b",
	"\u202egnihsihp", "\u202a", "\u202b", "\u202c", "\u202d", "\u2066", "\u2067", "\u2068",
	"\u2069",
	"\u200e", "\u200f", "\u061c", // direction
	"a\u200bb", "a\u200cb", "a\u200db", "\ufeffx", "a\u00adb", "\u2060", "a\u180eb", // of no width
	"\u115f", "\u1160", "\u3164", "\uffa0", "a\u034fb", "\u17b4", "\U000e0041", "\ufe00", "\ufffd",
	"\ue000", "\ufff9",
}

func TestProblem_NamesWhatANameMayNotHold(t *testing.T) {
	for _, name := range plain {
		require.Empty(t, plainname.Problem(name), "%q", name)
	}
	for _, name := range links {
		require.Contains(t, plainname.Problem(name), "link", "%q", name)
		require.Contains(t, plainname.Problem("Ann "+name), "link", "%q", name)
	}
	for _, name := range invisibles {
		require.Contains(t, plainname.Problem(name), "invisible", "%q", name)
		require.Contains(t, plainname.Problem("Ann"+name+"Berg"), "invisible", "%q", name)
	}
	require.NotEmpty(t, plainname.Problem("\xff"))
}

func TestForQuotation_ReplacesQuotationMarks(t *testing.T) {
	for in, want := range map[string]string{
		"Phone": "Phone", "Ann’s": "Ann's", "a“b”c„d‟e": "a'b'c'd'e", "«»‹›": "''''", `"`: "'",
		"‘x’": "'x'", "evil.example": "", "a\nb": "",
		"\u202ex": "", "הטלפון": "\u2068הטלפון\u2069", "الهاتف 2": "\u2068الهاتف 2\u2069",
	} {
		require.Equal(t, want, plainname.ForQuotation(in), "%q", in)
	}
}

// A factor quotes names that the Manager has quoted. Names in Hebrew and Arabic were refused then,
// since they are isolated, and the users' mails did not say what had changed.
func TestForQuotation_KeepsWhatItReturned(t *testing.T) {
	for _, list := range [][]string{plain, links, invisibles} {
		for _, name := range list {
			quoted := plainname.ForQuotation(name)
			require.Equal(t, quoted, plainname.ForQuotation(quoted), "%q", name)
		}
	}
	for _, name := range []string{"\u2068Ann\u2069", "\u2068הטלפון", "\u2068הט\u2069לפון\u2069",
		"\u2068\u2068הטלפון\u2069\u2069", "\u2068הטלפון\u2069 Ann",
		"\u2068evil.example\u2069", "\u2068\u2069"} {
		require.Empty(t, plainname.ForQuotation(name), "%q", name)
	}
}

// What is accepted holds nothing of what links and bidirectional tricks are made of, in any
// spelling.
func FuzzProblem(f *testing.F) {
	for _, list := range [][]string{plain, links, invisibles} {
		for _, name := range list {
			f.Add(name)
			f.Add("\u2068" + name + "\u2069")
		}
	}
	bad := regexp.MustCompile(
		`(?i)[a-z]://|www\.|[a-z0-9]\.[a-z]{2}|[\x00-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}]|[<>]`)
	f.Fuzz(func(t *testing.T, name string) {
		if plainname.Problem(name) != "" {
			q := plainname.ForQuotation(name)
			inner := strings.TrimSuffix(strings.TrimPrefix(name, "\u2068"), "\u2069")
			if q != "" && (q != name || plainname.Problem(inner) != "") {
				t.Fatalf("%q is quoted as %q", name, q)
			}
			return
		}
		if q := plainname.ForQuotation(name); plainname.ForQuotation(q) != q {
			t.Fatalf("%q is quoted twice", name)
		}
		if bad.MatchString(name) {
			t.Fatalf("accepted %q", name)
		}
		if q := plainname.ForQuotation(name); strings.ContainsAny(q, `"“”„«»‘’`) {
			t.Fatalf("%q ends its quotation", q)
		}
	})
}

// A name that reads as another one is that one.
func TestSame_IsWhatAReaderSees(t *testing.T) {
	for _, other := range []string{"boss", " Boss\t", "BO\u200bSS", "ｂｏｓｓ", "bo\u00adss\u202e"} {
		require.True(t, plainname.Same("boss", other), "%q", other)
	}
	for _, other := range []string{"", "bo ss", "bosses", "bóss"} {
		require.False(t, plainname.Same("boss", other), "%q", other)
	}
	require.Empty(t, plainname.Visible(" \u200b\u2060 "))
}
