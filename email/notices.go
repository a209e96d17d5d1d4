package email

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Notify sends a user a mail about what happened to their second factor, and says what to do if it
// was not them.
func (f *Factor) Notify(ctx context.Context, in factor.Message) error {
	c := Content{To: string(in.State), ServiceName: f.cfg.ServiceName, Locale: in.User.Locale,
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

// noticeWords are the texts of notices in one language.
type noticeWords struct {
	// texts by the name of the notice: the subject, where %[1]s is the service, and the
	// sentence, where %[1]s is the service, %[2]s the kind and %[3]s the name of what it is
	// about, %[4]s the end of a lock or of a hold, and %[5]d how many are left. A name with a
	// slash at its end is for when what it is about has no name that can be shown.
	texts map[string][2]string
	other [2]string // for what has no text of its own
	kinds map[string]string
	when  string // %s is a time
	// notYou, and linkIgnore for a mail with a link that was requested.
	notYou, linkIgnore, linkButton, linkOpen, linkTerms string
}

func (w *noticeWords) text(notice string, named bool) [2]string {
	if text, ok := w.texts[notice+"/"]; ok && !named {
		return text
	}
	if text, ok := w.texts[notice]; ok {
		return text
	}
	return w.other
}

func (w *noticeWords) kind(kind string) string {
	if name, ok := w.kinds[kind]; ok {
		return name
	}
	return kind
}

// printed is fmt.Sprintf without a complaint about arguments that a text does not use.
func printed(text string, args ...any) string {
	s := fmt.Sprintf(text+"%[6]s", append(args, "")...)
	return s
}

const noticeTime = "2006-01-02 15:04 MST"

func composeNotice(c Content) (Message, error) {
	lang, w := language(c.Locale)
	n := notices[w]
	until := ""
	if !c.Until.IsZero() {
		until = c.Until.UTC().Format(noticeTime)
	}
	// The texts have quotation marks around it. A name that is no plain one, as it may be in an
	// old record, is not shown.
	name := plainname.ForQuotation(c.Name)
	text := n.text(c.Notice, name != "")
	if name == "" {
		name = n.kind(c.Factor)
	}
	fill := func(s string) string {
		return printed(s, c.ServiceName, n.kind(c.Factor), name, until, c.Left)
	}
	v := mailView{Lang: lang, Service: c.ServiceName, Lead: fill(text[1]), Ignore: fill(n.notYou)}
	if !c.Link.IsZero() {
		v.Link, v.Button, v.IfButtonFails, v.Ignore = c.Link.Reveal(), n.linkButton, w.ifFails,
			n.linkIgnore
		v.Note = n.linkTerms
	} else if !c.Time.IsZero() {
		v.Note = fmt.Sprintf(n.when, c.Time.UTC().Format(noticeTime))
	}
	var plain strings.Builder
	fmt.Fprintf(&plain, "%s\n\n", v.Lead)
	if v.Link != "" {
		fmt.Fprintf(&plain, "%s\n%s\n\n", n.linkOpen, v.Link)
	}
	if v.Note != "" {
		fmt.Fprintf(&plain, "%s\n\n", v.Note)
	}
	fmt.Fprintf(&plain, "%s\n", v.Ignore)
	var html bytes.Buffer
	if err := mailTemplate.Execute(&html, v); err != nil {
		return Message{}, err
	}
	return Message{To: c.To, Subject: fill(text[0]), Text: secret.New(plain.String()),
		HTML: secret.New(html.String())}, nil
}
