package texts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// unbreakable is U+2011, the hyphen after which a line does not end.
const unbreakable = "\u2011"

// keepHyphens returns a text whose lines do not end at the hyphen of a word that begins or ends
// with at most three letters beside it, such as "e-mail", "sign-in" and "Authenticator-App".
// Placeholders, addresses and paths stay as they are.
func keepHyphens(text string) string {
	if !strings.Contains(text, "-") {
		return text
	}
	words := strings.Split(text, " ")
	for i, word := range words {
		if !strings.ContainsAny(word, "{@/") {
			words[i] = keepShortParts(word)
		}
	}
	return strings.Join(words, " ")
}

// keepShortParts replaces the first and the last hyphen of a word where what is before or after it
// is short.
func keepShortParts(word string) string {
	if before, after, ok := strings.Cut(word, "-"); ok && short(before, lastLetter) {
		word = before + unbreakable + after
	}
	if at := strings.LastIndexByte(word, '-'); at >= 0 && short(word[at+1:], firstLetter) {
		word = word[:at] + unbreakable + word[at+1:]
	}
	return word
}

// short says whether one to three letters are at the end of a part that next reads from.
func short(part string, next func(string) (r rune, rest string)) bool {
	letters := 0
	for part != "" {
		var r rune
		r, part = next(part)
		switch {
		case unicode.IsLetter(r):
			letters++
		case !unicode.IsMark(r):
			part = ""
		}
	}
	return letters > 0 && letters <= 3
}

func firstLetter(s string) (rune, string) {
	r, size := utf8.DecodeRuneInString(s)
	return r, s[size:]
}

func lastLetter(s string) (rune, string) {
	r, size := utf8.DecodeLastRuneInString(s)
	return r, s[:len(s)-size]
}
