package questions

import (
	"strconv"

	"github.com/secondgate/secondgate/internal/texts"
)

// Suggestions returns questions to choose from, in the language of a BCP 47 tag, or in English if
// the library has none. They ask for what stays the same, has many answers, and is in no public
// record. Writing one's own is as good.
func Suggestions(locale string) []string {
	w := texts.For(locale)
	var list []string
	for i := 1; ; i++ {
		text, ok := w.Lookup("suggestion." + strconv.Itoa(i))
		if !ok {
			return list
		}
		list = append(list, text)
	}
}
