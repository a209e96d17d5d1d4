package textstest

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/texts"
)

// Strange returns a function that finds what a message has which is neither in the texts of a
// language nor among values, or "". It is for mails, which have no overlay.
func Strange(tag string, values ...string) func(message string) string {
	l := texts.Get(tag)
	parts := make([]string, 0, len(values))
	for _, v := range values {
		parts = append(parts, breaking.Replace(v))
	}
	for _, key := range l.Keys() {
		text, _ := l.Lookup(key)
		text = breaking.Replace(text)
		if key == "date.months" {
			parts = append(parts, strings.Fields(text)...)
			continue
		}
		for piece := range strings.SplitSeq(text, "{") {
			if _, after, ok := strings.Cut(piece, "}"); ok {
				piece = after
			}
			if unit := piece; len(strings.TrimSpace(unit)) == 1 && strings.HasPrefix(unit, " ") {
				parts = append(parts, unit) // such as " s" after a number
			}
			piece = strings.TrimSpace(piece)
			if utf8.RuneCountInString(piece) > 1 || !isASCII(piece) {
				parts = append(parts, piece)
			}
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	parts = slices.DeleteFunc(slices.Compact(parts), func(p string) bool { return p == "" })
	return func(message string) string {
		message = breaking.Replace(message)
		for _, p := range parts {
			message = strings.ReplaceAll(message, p, " ")
		}
		return strings.Join(strings.FieldsFunc(message, func(r rune) bool {
			return !unicode.IsLetter(r)
		}), " ")
	}
}

// breaking writes spaces that break, as a text message has them.
var breaking = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
