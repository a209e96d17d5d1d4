package mailaddr_test

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/mailaddr"
)

var (
	long63 = strings.Repeat("b", 63)
	// longest is a domain of 189 bytes, which with a local part of 64 makes 254.
	longest = strings.Repeat(strings.Repeat("b", 62)+".", 2) + strings.Repeat("b", 60) + ".co"
)

func TestParse_CanonicalForm(t *testing.T) {
	for in, want := range map[string]string{
		"ann@example.com":                        "ann@example.com",
		" Ann@EXAMPLE.com\n":                     "Ann@example.com",
		"ann+tag@sub.example.co.uk":              "ann+tag@sub.example.co.uk",
		"o'neil@example.com":                     "o'neil@example.com",
		"a.b-c_d=e/f@example.com":                "a.b-c_d=e/f@example.com",
		"!#$%&'*+-/=?^_`{|}~@example.com":        "!#$%&'*+-/=?^_`{|}~@example.com",
		"ann@1and1.example":                      "ann@1and1.example",
		"ann@r3---sn.example":                    "ann@r3---sn.example",
		"ann@127.example":                        "ann@127.example",
		strings.Repeat("a", 64) + "@example.com": strings.Repeat("a", 64) + "@example.com",
		"a@" + long63 + ".example":               "a@" + long63 + ".example",
		strings.Repeat("a", 64) + "@" + longest:  strings.Repeat("a", 64) + "@" + longest,
		"ann@bücher.example":                     "ann@xn--bcher-kva.example",
		"ann@BÜCHER.Example":                     "ann@xn--bcher-kva.example",
		"ann@bu\u0308cher.example":               "ann@xn--bcher-kva.example", // decomposed
		"ann@xn--bcher-kva.example":              "ann@xn--bcher-kva.example",
		"ann@XN--BCHER-KVA.example":              "ann@xn--bcher-kva.example",
		"ann@straße.example":                     "ann@xn--strae-oqa.example", // not strasse
		"ann@βόλος.example":                      "ann@xn--nxasmm1c.example",
		"ann@例え.テスト":                             "ann@xn--r8jz45g.xn--zckzah",
		// an ideographic dot
		"ann@例え。テスト":      "ann@xn--r8jz45g.xn--zckzah",
		"ann@ｅｘａｍｐｌｅ.com": "ann@example.com", // full width
		"ann@мир.example": "ann@xn--h1ahn.example",
		"ann@مثال.إختبار": "ann@xn--mgbh0fb.xn--kgbechtv",
		// a joiner where there may be one
		"ann@नमस्\u200dते.example":                  "ann@xn--h2bhs4b8d8a2905a.example",
		"ann@" + strings.Repeat("ü", 20) + ".co.uk": "ann@xn--tdaaaaaaaaaaaaaaaaaaaa.co.uk",
		"é@example.com":                "é@example.com",
		"jose\u0301@example.com":       "jos\u00e9@example.com",
		"用户@例え.テスト":                    "用户@xn--r8jz45g.xn--zckzah",
		"ἄννα@example.com":             "ἄννα@example.com",
		"अन्ना@example.com":            "अन्ना@example.com",
		"ann.@example.com":             "ann.@example.com",
		".ann@example.com":             ".ann@example.com",
		"a..b@example.com":             "a..b@example.com",
		`"a..b"@example.com`:           "a..b@example.com",
		`"ann"@example.com`:            "ann@example.com",
		"ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ":              "ann@example.com",
		"mailto:ann@example.com":       "ann@example.com",
		"MAILTO:ann@example.com":       "ann@example.com",
		"\ufeffann@example.com":        "ann@example.com",
		"\u202aann@example.com\u202c":  "ann@example.com",
		"\u00a0ann@example.com\u200b ": "ann@example.com",
	} {
		got, err := mailaddr.Parse(in, nil)
		require.NoError(t, err, "%q", in)
		require.Equal(t, want, got.String(), "%q", in)
		again, err := mailaddr.Parse(got.String(), nil)
		require.NoError(t, err)
		require.Equal(t, got, again, "what it becomes stays as it is")
		shown, err := mailaddr.Parse(got.Local+"@"+mailaddr.Shown(got.Domain), nil)
		require.NoError(t, err)
		require.Equal(t, got, shown, "what is shown is the same address")
	}
}

var refused = map[string][]string{
	"form": {"", " ", "ann", "ann@", "@example.com", "@", "Ann <ann@example.com>",
		"<ann@example.com>", "ann@example.com, bob@example.com",
		"ann@example.com;bob@example.com", "(Ann)ann@example.com",
		"a@b@example.com", ".@example.com", "...@example.com", "an n@example.com",
		"ann\t@example.com", "a\u00a0b@example.com",
		"ann\x00@example.com", "ann\x7f@example.com",
		"ann@example.com\r\nBcc: x@example.com", "ann@example.com\nRCPT TO:<eve@example.com>",
		"ann\r\n@example.com", "ann@exam\rple.com",
		"\xff@example.com", "ann@\xff.com", "a\u202enn@example.com", "a\u200bnn@example.com",
		"a\ufeffnn@example.com", "ann@exam\u00adple.com",
		"ann@exam\u200bple.com", "ann@\u202eexample.com", "ann@exa\u2028mple.com",
		"a:b@example.com",
		"a\\b@example.com", "a[b]@example.com",
		"mailto:mailto:ann@example.com", "mailto:", "a\"b@example.com",
		"ann\u200d@example.com\ufffd", "group: ann@example.com;",
		// what looks like another address
		"an\u200dn@example.com", "ann\ufe0f@example.com", "ann\u034f@example.com",
		"ann\u3164@example.com", "ann\u2800@example.com", "\u0301ann@example.com",
		"an\u3000n@example.com", "ann\ue000@example.com", "ann\u2028b@example.com"},
	"quoted": {`"ann b"@example.com`, `"ann\"b"@example.com`, `""@example.com`, `"."@example.com`,
		`"a@b"@example.com`, `""ann""@example.com`},
	"literal": {"ann@[192.0.2.1]", "ann@[IPv6:2001:db8::1]", "ann@192.0.2.1", "ann@[]",
		"ann@[intranet]", "ann@１９２.0.2.1"},
	"single-label": {"ann@intranet", "ann@localhost", "ann@INTRANET", "ann@bücher",
		"ann@xn--bcher-kva",
		"ann@com"},
	"domain": {"ann@example.com (Ann)", "ann@-example.com", "ann@example-.com", "ann@exa_mple.com",
		"ann@example.1",
		"ann@example..com", "ann@.example.com",
		"ann@1", "ann@example.com.", "ann@example.com。", "ann@exam ple.com", "ann@exa/mple.com",
		"ann@exam%ple.com", "ann@exa:mple.com", "ann@℀.example",
		"ann@a\u200db.example", "ann@xn--a.example", "ann@xn--.example",
		"ann@xn--bcher-kva-.example",
		"ann@xn--B\u00fccher.example",
		"a@" + long63 + "b.example", "a@" + strings.Repeat("ü", 70) + ".example",
		"ann@\u0300a.example",
		"ann@אa.example", "ann@fa\u00dfx\u3164.example"},
	"length": {strings.Repeat("a", 65) + "@example.com", strings.Repeat("a", 64) + "@b" + longest,
		"a@" + strings.Repeat("b.", 126) + "com",
		strings.Repeat("a", 1<<20), strings.Repeat("@", 1<<20), "ann@" + strings.Repeat("ü",
			1000) + ".example"},
}

func TestParse_Refusals(t *testing.T) {
	for reason, list := range refused {
		for _, in := range list {
			_, err := mailaddr.Parse(in, nil)
			var bad *mailaddr.Error
			require.ErrorAs(t, err, &bad, "%.60q", in)
			require.Equal(t, reason, bad.Reason, "%.60q", in)
			if len(in) > 3 && len(in) < 100 {
				require.NotContains(t, err.Error(), strings.TrimSpace(in))
			}
		}
	}
}

// Headers and servers get what the standard permits, and know what needs SMTPUTF8.
func TestAddress_OnTheWire(t *testing.T) {
	for in, want := range map[string]string{
		"ann@example.com": "ann@example.com", "a.b@example.com": "a.b@example.com",
		"a..b@example.com":    `"a..b"@example.com`,
		"ann.@bücher.example": `"ann."@xn--bcher-kva.example`,
		".ann@example.com":    `".ann"@example.com`, "é.@example.com": `"é."@example.com`,
		"é@example.com": "é@example.com", "nobody": "nobody",
	} {
		require.Equal(t, want, mailaddr.Wire(in))
		if a, err := mailaddr.Parse(in, nil); err == nil {
			require.Equal(t, strings.Contains(in, "é"), a.International())
		}
	}
}

// A host without a dot is for the configuration to know; nothing else is.
func TestParse_SingleLabel(t *testing.T) {
	intranet := func(host string) bool { return host == "intranet" }
	a, err := mailaddr.Parse("ann@Intranet", intranet)
	require.NoError(t, err)
	require.Equal(t, "ann@intranet", a.String())
	any := func(string) bool { return true }
	for _, in := range []string{"ann@127", "ann@[intranet]", "ann@intra net", "ann@-intranet",
		"ann@intranet."} {
		_, err := mailaddr.Parse(in, any)
		require.Error(t, err, in)
	}
	_, err = mailaddr.Parse("ann@other", intranet)
	require.Error(t, err)
}

func TestShown_DecodesInternationalDomains(t *testing.T) {
	for in, want := range map[string]string{"xn--bcher-kva.example": "bücher.example",
		"example.com": "example.com", "EXAMPLE.com": "example.com",
		"bücher.example": "bücher.example", "xn--a.example": "xn--a.example", "": "",
		"a b": "a b"} {
		require.Equal(t, want, mailaddr.Shown(in), "%q", in)
	}
}

// Whatever is accepted is one bare address, and stays what it is.
func FuzzParse(f *testing.F) {
	for _, list := range refused {
		for _, in := range list {
			if len(in) < 300 {
				f.Add(in)
			}
		}
	}
	for _, in := range []string{"ann@example.com", "ann@bücher.example", "ann@例え。テスト",
		"a@xn--bcher-kva.de", "a..b@example.com", "jose\u0301@example.com",
		"mailto:ann@example.com", "\u202aann@example.com\u202c", "ann@example.com\u00a0",
		"ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", `"ann..b"@example.com`, "ann.@example.com", "用户@example.com"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := mailaddr.Parse(in, func(string) bool { return true })
		if err != nil {
			var bad *mailaddr.Error
			if !errors.As(err, &bad) {
				t.Fatalf("%q gives %T", in, err)
			}
			return
		}
		s := a.String()
		if len(s) > 254 || strings.ContainsAny(s, `<>()[]\,;:"`) ||
			strings.ContainsFunc(s, func(r rune) bool {
				return r <= ' ' || !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r)
			}) || strings.ContainsFunc(a.Domain, func(r rune) bool { return r > '~' }) {
			t.Fatalf("accepted %q as %q", in, s)
		}
		if m, err := mail.ParseAddress(a.Wire()); err != nil || m.Address != s {
			t.Fatalf("accepted %q, which is not one bare address", in)
		}
		if !mailaddr.Same(s, a.Wire()) || mailaddr.Wire(a.Wire()) != a.Wire() {
			t.Fatalf("%q on the wire is another address", s)
		}
		if again, err := mailaddr.Parse(s, func(string) bool {
			return true
		}); err != nil || again != a {
			t.Fatalf("%q is not what it becomes", s)
		}
	})
}

func TestSame_ComparesDomainsInEitherForm(t *testing.T) {
	const ann = "ann@bücher.example"
	for other, same := range map[string]bool{
		ann: true, "ann@BÜCHER.example": true, "ann@xn--bcher-kva.example": true,
		"ann@XN--BCHER-KVA.Example": true, "ann@bu\u0308cher.example": true,
		" Ann@bücher.example ":    true,
		"ann@bücher\u3002example": true, // the ideographic full stop
		"ann+1@bücher.example":    false, "a.nn@bücher.example": false, "ann@bucher.example": false,
		"ann@mail.bücher.example": false, "ann": false, "": false, "ann@": false,
		"ann@bücher.example@evil.example": false, "ann\u200b@bücher.example": false,
		"\u0430nn@bücher.example": false, // a Cyrillic letter
	} {
		require.Equal(t, same, mailaddr.Same(ann, other), "%q", other)
		require.Equal(t, same, mailaddr.Same(other, ann), "%q", other)
	}
	require.True(t, mailaddr.Same("jose\u0301@a.example", "jos\u00e9@a.example"))
	require.False(t, mailaddr.Same("jos\u00c9@a.example", "jos\u00e9@a.example"),
		"the case of ASCII alone")
	require.False(t, mailaddr.Same("", ""), "no address")
	require.False(t, mailaddr.Same("ann@[192.0.2.1]", "ann@[192.0.2.1]"), "no domain")
	require.True(t, mailaddr.Same("ann@intranet", "ann@INTRANET"))
}
