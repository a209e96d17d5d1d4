// Package textstest finds text that is in no file of texts, and values that are not isolated from
// the direction of the text around them. Only tests import it.
package textstest

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/secondgate/secondgate/internal/texts"
)

// Pseudo and Mirrored are languages for tests, under the names that other systems give to theirs.
// Every text is the English one between ⟦ and ⟧, with other letters; Mirrored is written from
// right to left.
const (
	Pseudo   = "qps-ploc"
	Mirrored = "qps-plocm"
)

// Overlay returns the texts of one of the two languages, as a file of an overlay has them: those of
// the pages and of the administration.
func Overlay(tag string) []byte {
	english, file := texts.Get(texts.English), map[string]string{}
	for _, key := range english.Keys() {
		group, _, _ := strings.Cut(key, ".")
		text, _ := english.Lookup(key)
		switch group {
		case "mail", "sms", "suggestion", "date":
		default:
			file[key] = Change(text, tag)
		}
	}
	file["language.direction"] = map[string]string{Pseudo: "ltr", Mirrored: "rtl"}[tag]
	file["date.months"] = strings.Repeat("⟦m⟧ ", 12)
	file["date.format"], file["date.time"] = "{day} {month} {year}", "{date} ⟦{time}⟧"
	file["recovery.file"] = "codes" // the name of a file
	b, err := json.Marshal(file)
	if err != nil {
		panic(err) // a map of strings
	}
	return b
}

// letters are what becomes of some letters: others of the same alphabet, or of another that is
// written from right to left.
var letters = map[string]*strings.Replacer{
	Pseudo: strings.NewReplacer("a", "ȧ", "e", "ḗ", "i", "ī", "o", "ǿ", "u", "ŭ", "n", "ƞ"),
	Mirrored: strings.NewReplacer("a", "א", "e", "ב", "i", "ג", "o", "ד", "u", "ה", "n", "ו",
		"t", "ז", "r", "ח", "s", "ט"),
}

// Change returns a text in one of the two languages, with its placeholders.
func Change(text, tag string) string {
	if strings.TrimSpace(text) == "" {
		return text
	}
	var b strings.Builder
	b.WriteString("⟦")
	for rest := text; rest != ""; {
		before, after, ok := strings.Cut(rest, "{")
		b.WriteString(letters[tag].Replace(before))
		if rest = after; !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		b.WriteString("{" + name + "}")
		rest = after
	}
	b.WriteString("⟧")
	return b.String()
}

// Foreign returns the visible texts of a page in a pseudo-language that are not in it. values are
// what users and the application have named; they are in no language.
func Foreign(page string, values ...string) (found []string) {
	remove := make([]string, 0, 2*len(values))
	for _, v := range values {
		remove = append(remove, v, " ")
	}
	replacer := strings.NewReplacer(remove...)
	depth := 0 // a text can have elements in it
	for _, s := range Visible(page) {
		alone := 0
		within := &depth
		if s.Attribute {
			within = &alone
		}
		if rest := outside(replacer.Replace(s.Text), within); strings.ContainsFunc(rest,
			unicode.IsLetter) {
			found = append(found, s.Where+": "+strings.TrimSpace(s.Text))
		}
	}
	return found
}

// outside returns what is not between ⟦ and ⟧, of which there are depth around it.
func outside(s string, depth *int) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '⟦':
			*depth++
		case r == '⟧':
			*depth--
		case *depth <= 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}
