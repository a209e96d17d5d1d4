package email

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Notify sends a user a mail about what happened to their second factor, and says what to do if it
// was not them.
func (f *Factor) Notify(ctx context.Context, in factor.Message) error {
	c := Content{To: string(in.State), Locale: in.User.Locale,
		ServiceName: in.Brand.ProductOr(f.cfg.ServiceName), Brand: in.Brand,
		Notice: in.Event, Factor: in.Kind, Name: plainname.ForQuotation(in.Label), Time: in.Time,
		Until: in.Until, Left: in.Remaining}
	if !in.Link.IsZero() {
		if f.cfg.SetupURL == nil {
			return quiet.New("email: Config.SetupURL is nil, so there is no link to send")
		}
		c.Link = secret.New(f.cfg.SetupURL(in.Link.Reveal()))
		if !linkForm(c.Link.Reveal()) {
			return quiet.New("email: Config.SetupURL does not make an absolute http or https URL")
		}
	}
	return f.cfg.send(ctx, c)
}

// noticeTexts returns the beginning of the keys of a notice. One about something without a name
// that can be shown may have texts of its own, and one that is not known has general ones.
func noticeTexts(w *texts.Language, notice string, named bool) string {
	key := "mail.notice." + notice
	if !named && w.Has(key+".unnamed.subject") {
		return key + ".unnamed"
	}
	if !w.Has(key + ".subject") {
		return "mail.notice.other"
	}
	return key
}

// kindName is the name of a kind within a sentence.
func kindName(w *texts.Language, kind string) string {
	if name, ok := w.Lookup("mail.kind." + kind); ok {
		return name
	}
	return kind
}

func composeNotice(c Content) (Message, error) {
	w := texts.For(c.Locale)
	until := ""
	if !c.Until.IsZero() {
		until = w.Time(c.Until.UTC())
	}
	// The texts have quotation marks around it. A name that is no plain one, as it may be in an
	// old record, is not shown.
	name := plainname.ForQuotation(c.Name)
	if !texts.Chosen(c.Factor, c.Name) {
		name = ""
	}
	key := noticeTexts(w, c.Notice, name != "")
	kind := kindName(w, c.Factor)
	say := func(key string) string {
		return w.Say(key, "service", c.ServiceName, "kind", kind, "name", cmp.Or(name, kind),
			"until", until, "n", c.Left)
	}
	v := mailView{Lang: w.Tag(), Dir: w.Direction(), Service: c.ServiceName,
		Lead: say(key + ".text"), Ignore: say("mail.not-you"), Colours: coloursOf(c)}
	if !c.Link.IsZero() {
		v.Link, v.Button, v.IfButtonFails, v.Ignore = c.Link.Reveal(), w.Say("mail.setup.button"),
			w.Say("mail.button-fails"), w.Say("mail.setup.ignore")
		v.Note = w.Say("mail.setup.terms")
	} else if !c.Time.IsZero() {
		v.Note = w.Say("mail.when", "time", w.Time(c.Time.UTC()))
	}
	var plain strings.Builder
	fmt.Fprintf(&plain, "%s\n\n", v.Lead)
	if v.Link != "" {
		fmt.Fprintf(&plain, "%s\n%s\n\n", w.Say("mail.open"), v.Link)
	}
	if v.Note != "" {
		fmt.Fprintf(&plain, "%s\n\n", v.Note)
	}
	fmt.Fprintf(&plain, "%s\n", v.Ignore)
	var html bytes.Buffer
	if err := mailTemplate.Execute(&html, v); err != nil {
		return Message{}, err
	}
	return Message{To: c.To, Subject: say(key + ".subject"), Text: secret.New(plain.String()),
		HTML: secret.New(html.String())}, nil
}
