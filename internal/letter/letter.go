// Package letter writes the HTML of the mails. All mails have one form, which is held to what mail
// clients support.
package letter

import (
	"cmp"
	_ "embed"
	"html/template"
	"strings"
)

// Letter is what a mail shows.
type Letter struct {
	// Lang and Dir are the language and its direction, "ltr" or "rtl".
	Lang, Dir string
	// Service is the name of the service.
	Service string
	// Preview is what a list of mails shows beside the subject. It is not seen in the mail.
	Preview string
	// Code is the code, or empty.
	Code string
	// Lead says what the mail is about.
	Lead string
	// Facts are lines about it, before the button.
	Facts []string
	// Link is the address of the button, or empty. Or is the line before it, or empty.
	Link, Or, Button string
	// Colour is the colour of the button. Defaults to blue.
	Colour string
	// Note is a line after the button, or empty.
	Note string
	// Ignore says what to do with a mail that was not expected.
	Ignore string
}

//go:embed letter.html
var source string

var page = template.Must(template.New("letter").Parse(source))

// HTML returns the mail.
func (l Letter) HTML() (string, error) {
	l.Colour = cmp.Or(l.Colour, "#1d4ed8")
	var b strings.Builder
	err := page.Execute(&b, l)
	return b.String(), err
}
