package texts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// keepWords returns a text whose lines end where lines of the language do. A number is in the line
// of what it counts, and in Czech, Polish and Ukrainian a word of one letter, such as "z", in that
// of the next word. In Korean a line can end between a value and its particle in brackets, which
// otherwise is torn after the bracket. English keeps its spaces, because tests of applications
// compare its texts; Chinese and Japanese end lines anywhere.
func (l *Language) keepWords(text string) string {
	switch base, _ := l.rules.Base(); base.String() {
	case "cs", "pl", "uk":
		return bind(text, func(word string) bool { return isNumber(word) || isLetter(word) })
	case "ko":
		return strings.ReplaceAll(text, "}(", "}\u200b(")
	case "en", "ja", "zh":
		return text
	}
	return bind(text, isNumber)
}

// bind puts a space that does not break after the words that stays is true for. It gets a word
// without the brackets and quotation marks before it, and without what a space that does not break
// binds to it.
func bind(text string, stays func(word string) bool) string {
	words := strings.Split(text, " ")
	var b strings.Builder
	for i, word := range words {
		b.WriteString(word)
		if i == len(words)-1 {
			break
		}
		if at := strings.LastIndex(word, "\u00a0"); at >= 0 {
			word = word[at+len("\u00a0"):]
		}
		if words[i+1] != "" && stays(strings.TrimLeft(word, "(„«")) {
			b.WriteString("\u00a0")
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// isNumber says whether a word is a number.
func isNumber(word string) bool {
	return word == "{n}" || word != "" && strings.Trim(word, "0123456789") == ""
}

// isLetter says whether a word is one letter.
func isLetter(word string) bool {
	r, size := utf8.DecodeRuneInString(word)
	return size > 0 && size == len(word) && unicode.IsLetter(r)
}
