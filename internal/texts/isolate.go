package texts

import (
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// controls are the invisible characters that set a direction. A value keeps none: it could end its
// isolation.
var controls = strings.NewReplacer("\u200e", "", "\u200f", "", "\u061c", "", "\u202a", "",
	"\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "", "\u2066", "", "\u2067", "",
	"\u2068", "", "\u2069", "")

// Isolated returns a value as it stands in a sentence of the language. One that is written in the
// other direction, such as an Arabic name in an English sentence, is between U+2068 FIRST STRONG
// ISOLATE and U+2069 POP DIRECTIONAL ISOLATE, so that it does not reorder what is around it. So is
// a value without letters in a sentence from right to left, such as a phone number, which would
// take the direction of its neighbours.
func (l *Language) Isolated(value string) string {
	value = controls.Replace(value)
	if !l.foreign(value) {
		return value
	}
	return "\u2068" + value + "\u2069"
}

// foreign reports whether a value can reorder a sentence of the language, or be reordered by it.
func (l *Language) foreign(value string) bool {
	own := false
	for _, r := range value {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			if l.RightToLeft() {
				return true
			}
		case bidi.R, bidi.AL, bidi.AN:
			if !l.RightToLeft() {
				return true
			}
			own = true
		}
	}
	return l.RightToLeft() && !own && value != ""
}
