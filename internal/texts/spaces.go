package texts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// keepWords returns a text whose lines end where lines of the language do. In Czech, Polish and
// Ukrainian a word of one letter, such as the preposition "z", is in the line of the word after it,
// and a number in that of what it counts. In Korean a line can end between a value and its particle
// in brackets, which otherwise is torn after the bracket.
func (l *Language) keepWords(text string) string {
	switch base, _ := l.rules.Base(); base.String() {
	case "cs", "pl", "uk":
		return bindShortWords(text)
	case "ko":
		return strings.ReplaceAll(text, "}(", "}\u200b(")
	}
	return text
}

// bindShortWords puts a space that does not break after words of one letter and after numbers.
func bindShortWords(text string) string {
	words := strings.Split(text, " ")
	var b strings.Builder
	for i, word := range words {
		b.WriteString(word)
		switch {
		case i == len(words)-1:
		case word != "" && words[i+1] != "" && binds(word):
			b.WriteString("\u00a0")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// binds says whether a word is a number or one letter, maybe after a bracket or a quotation mark.
// What stands before a space that does not break is a part of it.
func binds(word string) bool {
	if at := strings.LastIndex(word, "\u00a0"); at >= 0 {
		word = word[at+len("\u00a0"):]
	}
	word = strings.TrimLeft(word, "(„«")
	if word == "{n}" {
		return true
	}
	r, size := utf8.DecodeRuneInString(word)
	return size == len(word) && unicode.IsLetter(r) ||
		word != "" && strings.Trim(word, "0123456789") == ""
}
