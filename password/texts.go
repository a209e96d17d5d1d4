package password

import (
	"strings"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/internal/texts"
)

// lead greets a user by name, which distinguishes two accounts with one address. Users choose
// their names, and the name goes into mail: lead uses only a short line without anything that
// mail programs turn into a link.
func lead(w *texts.Language, person, sentence string) string {
	if person == "" || len(person) > 64 || strings.ContainsAny(person, "/:@<>") ||
		plainname.Problem(person) != "" || dotted(person) {
		return sentence
	}
	return w.Say("mail.password.greeting", "user", person) + w.Gap() + sentence
}

// dotted reports whether a word has a dot inside, as a domain has and "J. Berg" has not.
func dotted(s string) bool {
	for word := range strings.FieldsSeq(s) {
		if strings.Contains(strings.TrimRight(word, "."), ".") {
			return true
		}
	}
	return false
}
