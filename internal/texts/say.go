package texts

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Categories are the categories of the plural rules of Unicode CLDR, as they end keys.
var categories = [...]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two",
	plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// category is the plural category of a whole number. Negative ones are as their amounts.
func (l *Language) category(n int) string {
	return categories[plural.Cardinal.MatchPlural(l.rules, max(n, -n), 0, 0, 0, 0)]
}

// Number writes a whole number with the separators of the language and European digits, which
// codes have too.
func (l *Language) Number(n int) string {
	tag := l.rules
	if latin, err := tag.SetTypeForKey("nu", "latn"); err == nil {
		tag = latin
	}
	return message.NewPrinter(tag).Sprint(number.Decimal(n))
}

// Text returns a text. args are pairs of a placeholder and its value. With the placeholder n the
// text is the one for that number, which is written as [Language.Number] does. The other values
// are isolated: none of them changes the order of the sentence. An unknown key is an error, so
// that one which is misspelt fails in the first test.
func (l *Language) Text(key string, args ...any) (string, error) {
	return l.text(key, true, args)
}

// Bare is [Language.Say] without the invisible characters that isolate values, for a text that is
// a value of another one.
func (l *Language) Bare(key string, args ...any) string {
	text, err := l.text(key, false, args)
	if err != nil {
		return key
	}
	return text
}

// Message writes a text message: [Language.Bare], since each invisible character takes up room,
// with spaces that break, since the alphabet of text messages has no other ones.
func (l *Language) Message(key string, args ...any) string {
	return strings.ReplaceAll(l.Bare(key, args...), "\u00a0", " ")
}

func (l *Language) text(key string, isolate bool, args []any) (string, error) {
	values, err := Values(args)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	n, counted := values["n"]
	for at := l; at != nil; at = at.fallback {
		text, ok := at.texts[key]
		if counted {
			if t, has := at.counted(key, n); has {
				text, ok = t, true
			}
		}
		if !ok {
			continue
		}
		for name, value := range values {
			if isolate && name != "n" {
				values[name] = at.Isolated(value)
			}
		}
		if i, err := strconv.Atoi(n); err == nil {
			values["n"] = at.Number(i)
		}
		return Fill(text, values), nil
	}
	return "", fmt.Errorf("texts/%s.json has no %q", l.tag, key)
}

// counted returns the form of a text for a number.
func (l *Language) counted(key, n string) (text string, ok bool) {
	if i, err := strconv.Atoi(n); err == nil {
		if text, ok = l.texts[key+"."+l.category(i)]; ok {
			return text, true
		}
	}
	text, ok = l.texts[key+".other"]
	return text, ok
}

// Say is Text for keys that every language has, as tests assert: the key in place of an error.
func (l *Language) Say(key string, args ...any) string {
	text, err := l.Text(key, args...)
	if err != nil {
		return key
	}
	return text
}

// Gap is what stands between two sentences: a space, and in Chinese and Japanese nothing, because
// the full stop of these languages has the room in itself.
func (l *Language) Gap() string {
	switch base, _ := l.rules.Base(); base.String() {
	case "ja", "zh":
		return ""
	}
	return " "
}

// Values reads pairs of a placeholder and its value.
func Values(args []any) (map[string]string, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("a text takes pairs of placeholder and value")
	}
	values := make(map[string]string, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = fmt.Sprint(args[i+1])
	}
	return values, nil
}

// Fill puts values for placeholders into a text. Values are never looked into, so that one which
// looks like a placeholder stays as it is. No space separates a value in Chinese characters from a
// text in Chinese characters: it is there for values such as 2:00.
func Fill(text string, values map[string]string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		v, known := values[name]
		if !ok || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		if strings.HasSuffix(before, " ") && han(lastRune(strings.TrimSuffix(before, " "))) &&
			han(firstRune(v)) {
			kept := strings.TrimSuffix(b.String(), " ")
			b.Reset()
			b.WriteString(kept)
		}
		b.WriteString(v)
		if rest := strings.TrimPrefix(after, " "); han(lastRune(v)) && han(firstRune(rest)) {
			after = rest
		}
		text = after
	}
}

func han(r rune) bool { return unicode.Is(unicode.Han, r) }

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// Placeholders returns the names of {placeholders} in order of appearance.
func Placeholders(text string) (names []string) {
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			return names
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		names, text = append(names, name), after
	}
}

// Counted returns the key without the category at its end, if English has a text about a number
// under it.
func (l *Language) Counted(key string) (base string, ok bool) {
	at := strings.LastIndexByte(key, '.')
	if at < 0 || !slices.Contains(categories[:], key[at+1:]) {
		return "", false
	}
	base = key[:at]
	return base, l.Has(base+".one") && l.Has(base+".other")
}

// Capital writes the first letter of a sentence as a capital. A sentence may begin with the value
// of a placeholder.
func (l *Language) Capital(sentence string) string {
	first, size := utf8.DecodeRuneInString(sentence)
	upper := unicode.ToUpper(first)
	if base, _ := l.rules.Base(); base.String() == "tr" || base.String() == "az" {
		upper = unicode.TurkishCase.ToUpper(first)
	}
	return string(upper) + sentence[size:]
}
