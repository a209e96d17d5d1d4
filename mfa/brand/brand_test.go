package brand_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/brand"
)

func acme() brand.Brand {
	return brand.Brand{Product: "Acme Bank", Issuer: "Acme", ShortName: "Acme",
		MailFrom: "Acme Bank <no-reply@acme.example>", Accent: "#7a1fa2", AccentDark: "#d9a6f0",
		Logo: "/assets/acme.svg?v=1", Texts: map[string]map[string]string{"en": {"back": "Back"}}}
}

func TestBrandCheck_AcceptsTheZeroBrand(t *testing.T) {
	require.NoError(t, brand.Brand{}.Check())
	require.NoError(t, acme().Check())
	b := acme()
	b.MailFrom, b.Product = "no-reply@acme.example", "Ærlig & Søn: Łódź"
	require.NoError(t, b.Check())
}

// What an attacker or a careless tenant puts into a field reaches no page and no header.
func TestBrandCheck_RefusesHostileBrands(t *testing.T) {
	for name, test := range map[string]struct {
		change func(b *brand.Brand)
		says   string
	}{
		"line break": {func(b *brand.Brand) {
			b.Product = "Acme\r\nBcc: x@y.example"
		}, "Product"},
		"bidi":          {func(b *brand.Brand) { b.Product = "Acme\u202egro" }, "Product"},
		"isolate":       {func(b *brand.Brand) { b.ShortName = "Acme\u2066" }, "ShortName"},
		"invisible":     {func(b *brand.Brand) { b.Issuer = "Ac\u200bme" }, "Issuer"},
		"NUL":           {func(b *brand.Brand) { b.Issuer = "Ac\x00me" }, "Issuer"},
		"colon":         {func(b *brand.Brand) { b.Issuer = "Acme:ann" }, "colon"},
		"colon of name": {func(b *brand.Brand) { b.Product, b.Issuer = "A:b", "" }, "colon"},
		"long":          {func(b *brand.Brand) { b.Product = strings.Repeat("x", 65) }, "64"},
		"spaces":        {func(b *brand.Brand) { b.Product = " Acme" }, "spaces"},
		"no UTF-8":      {func(b *brand.Brand) { b.Product = "Acme\xff" }, "Product"},
		"two senders": {func(b *brand.Brand) {
			b.MailFrom = "a@b.example, c@d.example"
		}, "MailFrom"},
		"header": {func(b *brand.Brand) {
			b.MailFrom = "A <a@b.example>\r\nBcc: x@y.z"
		}, "MailFrom"},
		"encoded header": {func(b *brand.Brand) {
			b.MailFrom = "=?utf-8?q?A=0ABcc:?= <a@b.example>"
		}, "MailFrom"},
		"other address": {func(b *brand.Brand) {
			b.MailFrom = `"bank@real.example" <a@b.example>`
		}, "MailFrom"},
		"bidi sender": {func(b *brand.Brand) { b.MailFrom = "A\u202e <a@b.example>" }, "MailFrom"},
		"CSS": {func(b *brand.Brand) {
			b.Accent = "red;}body{x"
		}, "Accent must be a colour"},
		"CSS function": {func(b *brand.Brand) { b.Accent = "url(x)" }, "Accent must be a colour"},
		"short colour": {func(b *brand.Brand) { b.Accent = "#fff" }, "Accent must be a colour"},
		"sign":         {func(b *brand.Brand) { b.Accent = "#+a+b+c" }, "Accent must be a colour"},
		"dark CSS":     {func(b *brand.Brand) { b.AccentDark = "#12345;" }, "AccentDark must be"},
		"dark alone":   {func(b *brand.Brand) { b.Accent = "" }, "needs an Accent"},
		"pale": {func(b *brand.Brand) { b.Accent = "#ff9900" },
			"Accent #ff9900 has a contrast of 2.14:1 to #ffffff, and needs 4.5:1"},
		"almost":       {func(b *brand.Brand) { b.Accent = "#777777" }, "has a contrast of 4.47:1"},
		"on the page":  {func(b *brand.Brand) { b.Accent = "#767676" }, "to #f4f5f8"},
		"dark on dark": {func(b *brand.Brand) { b.AccentDark = "#3454d1" }, "to #0f1115"},
		"other site":   {func(b *brand.Brand) { b.Logo = "https://evil.example/a.png" }, "Logo"},
		"network path": {func(b *brand.Brand) { b.Logo = "//evil.example/a.png" }, "Logo"},
		"backslash":    {func(b *brand.Brand) { b.Logo = `/\evil.example/a.png` }, "Logo"},
		"script":       {func(b *brand.Brand) { b.Logo = "javascript:alert(1)" }, "Logo"},
		"quote":        {func(b *brand.Brand) { b.Logo = `/a" onerror="x` }, "Logo"},
		"up":           {func(b *brand.Brand) { b.Logo = "/assets/../logout" }, "Logo"},
		"relative":     {func(b *brand.Brand) { b.Logo = "a.png" }, "Logo"},
	} {
		t.Run(name, func(t *testing.T) {
			b := acme()
			test.change(&b)
			err := b.Check()
			require.ErrorIs(t, err, brand.ErrInvalid)
			require.ErrorContains(t, err, test.says)
		})
	}
}

// A Brand without a dark colour has one that passes its own check, whatever the light one is.
func TestBrandColours_MakesADarkColour(t *testing.T) {
	require.Zero(t, brand.Brand{}.Colours())
	require.Equal(t, brand.Colours{Light: "#7a1fa2", Dark: "#d9a6f0"}, acme().Colours())
	for _, accent := range []string{"#000000", "#7a1fa2", "#0000ff", "#b00020", "#00695c",
		"#6b5900",
		"#ffffff", "#808080"} {
		b := brand.Brand{Accent: accent}
		c := b.Colours()
		if b.Check() != nil {
			b.Accent = "#000000"
		}
		b.AccentDark = c.Dark
		require.NoError(t, b.Check(), accent)
	}
}

func TestBrand_DefaultsToWhatIsConfigured(t *testing.T) {
	zero, b := brand.Brand{}, brand.Brand{Product: "Acme"}
	require.Equal(t, []string{"C", "C", "C"},
		[]string{zero.ProductOr("C"), zero.IssuerOr("C"), zero.ShortNameOr("C")})
	require.Equal(t, []string{"Acme", "Acme", "Acme"},
		[]string{b.ProductOr("C"), b.IssuerOr("C"), b.ShortNameOr("C")})
}
