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
	Lang, Dir, Service, Lead, CodeLabel, Code, ValidFor, Link, Button, OrButton,
	IfButtonFails, Note,
	Ignore, NeverAsk string
	Colours brand.Colours
}

// coloursOf returns the colours of a mail's links and buttons.
func coloursOf(c Content) brand.Colours {
	return cmp.Or(c.Brand.Colours(), brand.Colours{Light: "#1d4ed8", Dark: "#8ab4ff"})
}

var mailTemplate = template.Must(template.New("mail").Parse(mailHTML))

// Compose writes the mail in the language of the locale, or in English if the library has none. The
// subject does not hold the code, which lock screens would show.
func Compose(c Content) (Message, error) {
	if c.Notice != "" {
		return composeNotice(c)
	}
	w := texts.For(c.Locale)
	v := mailView{Lang: w.Tag(), Dir: w.Direction(), Service: c.ServiceName,
		Colours:   coloursOf(c),
		CodeLabel: w.Say("mail.code.label"), Code: c.Code.Reveal(),
		ValidFor: w.Say("mail.code.valid", "time", w.Lifetime(c.TTL)),
		Link:     c.Link.Reveal(), Button: w.Say("mail.confirm.button"),
		OrButton:      w.Say("mail.confirm.or-button"),
		IfButtonFails: w.Say("mail.button-fails"), Ignore: w.Say("mail.code.ignore"),
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

	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", v.Lead)
	if v.Code != "" {
		fmt.Fprintf(&text, "%s: %s\n\n%s\n\n", v.CodeLabel, v.Code, v.ValidFor)
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
