package email

import (
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/internal/letter"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/secret"
)

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
	v := letter.Letter{Lang: w.Tag(), Dir: w.Direction(), Service: c.ServiceName,
		Colour: c.Brand.Colours().Light,
		Code:   c.Code.Reveal(),
		Link:   c.Link.Reveal(), Button: w.Say("mail.confirm.button"),
		Ignore: w.Say("mail.code.ignore")}
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
		valid := w.Say("mail.code.valid", "time", w.Lifetime(c.TTL))
		v.Preview, v.Facts = first+w.Gap()+valid, []string{valid}
		v.Or = w.Say("mail.confirm.or-button")
		fmt.Fprintf(&text, "%s\n\n%s\n%s\n\n", first, v.Lead, valid)
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
		never := w.Say("mail.code.never-ask", "service", c.ServiceName)
		fmt.Fprintf(&text, "%s\n", never)
		v.Ignore += w.Gap() + never
	}
	html, err := v.HTML()
	if err != nil {
		return Message{}, err
	}
	return Message{To: c.To, Subject: w.Say(subject, "service", c.ServiceName),
		Text: secret.New(text.String()), HTML: secret.New(html)}, nil
}
