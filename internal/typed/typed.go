// Package typed reads codes and numbers as users type, paste and scan them.
package typed

import (
	"strings"
	"unicode"
)

// maxInput bounds in bytes what is looked at. A code has 64 characters at most, each of which takes
// four bytes at most in another script, with a separator as long.
const maxInput = 512

// fullWidth is the distance of the full-width forms of ASCII, U+FF01 to U+FF5E, from ASCII.
const fullWidth = 0xFEE0

// Clean returns s without what users do not mean, and with the rest in ASCII where that is the same
// character. It drops
//
//   - white space of every width, and line breaks
//   - hyphens, dashes and the minus sign (the category Pd, U+2212, U+2043 and U+02D7)
//   - what nobody sees: zero-width and directional marks, soft hyphens and byte order marks
//     (the category Cf), and variation selectors
//
// It writes the decimal digits of every script (the category Nd) as 0 to 9, and the full-width
// forms of ASCII as ASCII. Everything else stays as it is.
//
// Clean returns its own results unchanged. So two codes that are written in ASCII letters and
// digits are equal after Clean only if they were equal before it.
//
// Clean returns "" for more than 512 bytes.
func Clean(s string) string {
	if len(s) > maxInput {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r > ' ' && r < unicode.MaxASCII && r != '-':
			return r
		case unicode.IsSpace(r), unicode.In(r, unicode.Pd, unicode.Cf, unicode.Variation_Selector),
			r == '\u2212', r == '\u2043', r == '\u02d7':
			return -1
		case unicode.Is(unicode.Nd, r):
			return '0' + digit(r)
		case r >= '!'+fullWidth && r <= '~'+fullWidth:
			return r - fullWidth
		}
		return r
	}, s)
}

// Digits returns the digits of a code, after Clean. It returns false if the code has none, or has
// something else.
func Digits(s string) (string, bool) {
	s = Clean(s)
	return s, s != "" && strings.Trim(s, "0123456789") == ""
}

// digit returns the value of a decimal digit. Unicode gives each script ten digits in a row, in
// order, and package unicode joins such rows to ranges (Unicode Standard, section 4.6).
func digit(r rune) rune {
	for _, row := range unicode.Nd.R16 {
		if r <= rune(row.Hi) {
			return (r - rune(row.Lo)) % 10
		}
	}
	for _, row := range unicode.Nd.R32 {
		if r <= rune(row.Hi) {
			return (r - rune(row.Lo)) % 10
		}
	}
	return 0
}
