package email

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/secret"
)

//go:embed mail.html
var mailHTML string

// mailView is what the mail shows.
type mailView struct {
	// Preview is what a list of mails shows beside the subject. It is not seen in the mail.
	Lang, Dir, Service, Preview, Lead, Code, ValidFor, Link, Button, OrButton,
	Ignore, NeverAsk string
	// Facts are lines about the circumstances.
	Facts   []string
	Colours brand.Colours
}

// coloursOf returns the colours of a mail's links and buttons.
func coloursOf(c Content) brand.Colours {
	return cmp.Or(c.Brand.Colours(), brand.Colours{Light: "#1d4ed8", Dark: "#8ab4ff"})
}

var mailTemplate = template.Must(template.New("mail").Parse(mailHTML))

// Compose writes the mail in the language of the locale, or in English if the library has none. The
// code comes first, in the text and in what a list of mails shows of it. The subject does not hold
// the code, which stays in lists and archives longer than the rest. Texts of the Brand replace the
// library's.
func Compose(c Content) (Message, error) {
	if c.Notice != "" {
		return composeNotice(c)
	}
	w, err := texts.ForBrand(c.Locale, c.Brand.Texts)
	if err != nil {
		return Message{}, err
	}
	v := mailView{Lang: w.Tag(), Dir: w.Direction(), Service: c.ServiceName,
		Colours:  coloursOf(c),
		Code:     c.Code.Reveal(),
		ValidFor: w.Say("mail.code.valid", "time", w.Lifetime(c.TTL)),
		Link:     c.Link.Reveal(), Button: w.Say("mail.confirm.button"),
		OrButton: w.Say("mail.confirm.or-button"), Ignore: w.Say("mail.code.ignore"),
		NeverAsk: w.Say("mail.code.never-ask", "service", c.ServiceName)}
	subject, lead := "mail.code.subject", "mail.code.sign-in"
	switch c.Purpose {
	case "step-up", "manage", "replace":
		lead = "mail.code." + c.Purpose
	case "confirm":
		subject, lead, v.Ignore = "mail.confirm.subject", "mail.code.confirm",
			w.Say("mail.confirm.ignore")
		if c.Code.IsZero() {
			lead = "mail.confirm.link"
		}
	}
	v.Lead = w.Say(lead, "service", c.ServiceName)
	v.Preview = v.Lead

	var text strings.Builder
	if v.Code != "" {
		first := w.Say("mail.code.first", "code", v.Code, "service", c.ServiceName)
		v.Preview = first + " " + v.ValidFor
		fmt.Fprintf(&text, "%s\n\n%s\n%s\n\n", first, v.Lead, v.ValidFor)
	} else {
		fmt.Fprintf(&text, "%s\n\n", v.Lead)
	}
	if v.Link != "" {
		if v.Code != "" {
			fmt.Fprintf(&text, "%s\n", w.Say("mail.confirm.or-open"))
		}
		fmt.Fprintf(&text, "%s\n\n", v.Link)
	}
	fmt.Fprintf(&text, "%s\n", v.Ignore)
	if v.Code != "" {
		fmt.Fprintf(&text, "%s\n", v.NeverAsk)
	}
	var html bytes.Buffer
	if err := mailTemplate.Execute(&html, v); err != nil {
		return Message{}, err
	}
	return Message{To: c.To, Subject: w.Say(subject, "service", c.ServiceName),
		Text: secret.New(text.String()), HTML: secret.New(html.String())}, nil
}
