package plainname

import (
	"unicode"
	"unicode/utf8"
)

// Cut returns at most max bytes of a name, and ends between two characters as users see them: no
// emoji, no letter with its marks, no flag and no syllable is taken apart. If the first of them is
// longer, it returns as many of its code points as fit.
func Cut(name string, max int) string {
	if len(name) <= max {
		return name
	}
	end, whole := 0, 0
	for at, r := range name {
		if at > max {
			break
		}
		if end = at; at > 0 && border(name[:at], r) {
			whole = at
		}
	}
	if whole > 0 {
		return name[:whole]
	}
	return name[:end]
}

// border reports whether the text before and next are two characters as users see them (UAX #29).
// Where a rule needs a table that package unicode does not have, it joins rather than divides.
func border(before string, next rune) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	switch {
	case unicode.In(next, unicode.M, unicode.Other_Grapheme_Extend), modifier(next), tag(next),
		next == zwj, next == '\u0e33', next == '\u0eb3':
		return false // GB9, GB9a; the last two are vowels of Thai and Lao
	case last == zwj:
		return false // GB11
	case unicode.Is(unicode.Prepended_Concatenation_Mark, last):
		return false // GB9b
	case unicode.Is(unicode.Regional_Indicator, next):
		return !unicode.Is(unicode.Regional_Indicator, last) || flags(before)%2 == 0 // GB12
	case unicode.Is(unicode.Hangul, next) && unicode.Is(unicode.Hangul, last):
		return !syllable(last, next) // GB6 to GB8
	case virama(last) && unicode.Is(unicode.Lo, next):
		return false // GB9c
	default:
		return last != '\r' || next != '\n'
	}
}

// zwj is the zero width joiner, which makes one character of the two beside it.
const zwj = '\u200d'

// modifier reports whether a character is the colour of the emoji before it.
func modifier(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// tag reports whether a character is a part of the flag before it, such as that of Scotland.
func tag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

// flags returns how many halves of flags a text ends with.
func flags(s string) (n int) {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		if !unicode.Is(unicode.Regional_Indicator, r) {
			break
		}
		n, s = n+1, s[:len(s)-size]
	}
	return n
}

// jamo are the parts of syllables of Hangul: those that begin one, its vowels, and its ends.
var jamo = [...]*unicode.RangeTable{
	{R16: []unicode.Range16{{Lo: 0x1100, Hi: 0x115f, Stride: 1},
		{Lo: 0xa960, Hi: 0xa97c, Stride: 1}}},
	{R16: []unicode.Range16{{Lo: 0x1160, Hi: 0x11a7, Stride: 1},
		{Lo: 0xd7b0, Hi: 0xd7c6, Stride: 1}}},
	{R16: []unicode.Range16{{Lo: 0x11a8, Hi: 0x11ff, Stride: 1},
		{Lo: 0xd7cb, Hi: 0xd7fb, Stride: 1}}},
}

// syllable reports whether two letters of Hangul belong to one syllable: a letter that begins one
// is followed by any but an end, one with a vowel by a vowel or an end, and an end by an end.
func syllable(last, next rune) bool {
	begins, vowel, ends := jamo[0], jamo[1], jamo[2]
	whole := func(r rune) bool { return r >= 0xac00 && r <= 0xd7a3 }
	open := whole(last) && (last-0xac00)%28 == 0 // ends with its vowel
	switch {
	case unicode.Is(begins, last):
		return whole(next) || unicode.In(next, begins, vowel)
	case open, unicode.Is(vowel, last):
		return unicode.In(next, vowel, ends)
	default:
		return unicode.Is(ends, next) && (whole(last) || unicode.Is(ends, last))
	}
}

// virama reports whether a character joins the consonants beside it, in the scripts of India in
// which they are one character.
func virama(r rune) bool {
	switch r {
	case 0x094d, 0x09cd, 0x0acd, 0x0b4d, 0x0c4d, 0x0d4d:
		return true
	}
	return false
}
