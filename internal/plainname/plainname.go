// Package plainname keeps a name that a user chose from speaking for the service. Names of
// factors and devices go into the service's own mails, where "URGENT https://evil.example"
// would be read as the service's words, and where mail programs make links of all that looks
// like one.
package plainname

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// links are the forms that mail programs make links of, and the forms of links, after
// compatibility mapping and in lower case:
//
//   - a scheme: "https:", "mailto:", and any "://";
//   - "www.";
//   - a dot between a letter or digit and two letters, as in "evil.example" and "evil.com/x";
//   - four numbers with dots, an IP address;
//   - an at sign between two characters, an e-mail address;
//   - markup: "<" and ">".
var links = regexp.MustCompile(`[:][/\\]|[/\\]{2}|` +
	`(^|[^\pL\pN])(https?|ftp|file|data|javascript|vbscript|mailto|tel|sms):|` +
	`(^|[^\pL\pN])www\.|` +
	`[\pL\pN]\.[\pL\pM]{2}|[\pL\pN]\.xn--|` +
	`\pN+\.\pN+\.\pN+\.\pN+|` +
	`[^\s]@[^\s]|[<>]`)

// Problem says why a name is refused, in a few words without the name, or returns "".
func Problem(name string) string {
	if name == "" {
		return ""
	}
	if !utf8.ValidString(name) {
		return "a name is UTF-8"
	}
	if strings.ContainsFunc(name, invisible) {
		return "a name has no control characters and no invisible ones"
	}
	if links.MatchString(dots.Replace(strings.ToLower(norm.NFKC.String(name)))) {
		return "a name is no link or address, and looks like none"
	}
	return ""
}

// dots are what reads as a dot in a domain (UTS #46), beside what NFKC maps to one.
var dots = strings.NewReplacer("。", ".", "｡", ".", "․", ".")

// invisible says whether a character shows nothing, or changes how others are shown: controls,
// line breaks, marks and overrides of direction, joiners, fillers. Spaces of any width, and what
// chooses the form of an emoji (U+FE0F), are visible enough.
func invisible(r rune) bool {
	switch {
	case r == utf8.RuneError, unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true
	case r == '\ufe0f', unicode.Is(unicode.Zs, r):
		return false
	default:
		return !unicode.IsPrint(r) || unicode.Is(unicode.Variation_Selector, r)
	}
}

// Same reports whether a reader takes two names for one: upper and lower case, spaces around them,
// invisible characters and compatible forms of letters do not distinguish them.
func Same(a, b string) bool { return strings.EqualFold(Visible(a), Visible(b)) }

// Visible returns what a reader sees of a name, without spaces around it.
func Visible(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, norm.NFKC.String(name)))
}

// quotes are turned into apostrophes, so that no name ends the quotation that it stands in.
var quotes = strings.NewReplacer(`"`, "'", "“", "'", "”", "'", "„", "'", "‟", "'", "‘", "'",
	"’", "'",
	"‚", "'", "‛", "'", "«", "'", "»", "'", "‹", "'", "›", "'", "「", "'", "」", "'", "＂", "'")

const isolate, endIsolate = "\u2068", "\u2069"

// ForQuotation returns a name as it may stand between quotation marks in a text of ours, or ""
// for one that Problem refuses: a name may be older than the rule. A name with right-to-left
// letters is isolated, so that it does not turn the sentence around. What ForQuotation returned it
// returns unchanged: a factor is given names as they may be quoted, and quotes them.
func ForQuotation(name string) string {
	if inner, ok := strings.CutPrefix(name, isolate); ok {
		if quotable(strings.TrimSuffix(inner, endIsolate)) != name {
			return ""
		}
		return name
	}
	return quotable(name)
}

func quotable(name string) string {
	if Problem(name) != "" {
		return ""
	}
	name = quotes.Replace(name)
	for _, r := range name {
		p, _ := bidi.LookupRune(r)
		if c := p.Class(); c == bidi.R || c == bidi.AL || c == bidi.AN {
			return isolate + name + endIsolate
		}
	}
	return name
}
