package email

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/letter"
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
		Until: in.Until, Left: in.Remaining, Cause: in.Cause, Browser: in.Browser,
		Place: in.Place, TimeZone: in.User.TimeZone, SettingsURL: f.cfg.SettingsURL}
	if f.cfg.KindName != nil {
		c.FactorName = f.cfg.KindName(c)
	}
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

// noticeTexts returns the keys of a notice's subject and text. One about something without a name
// that can be shown may have texts of its own; it has the general text if its own would put
// quotation marks around nothing. A notice that is not known has general ones.
func noticeTexts(w *texts.Language, notice string, named bool) (subject, text string) {
	const general = "mail.notice.other"
	key := "mail.notice." + notice
	if !named && w.Has(key+".unnamed.subject") {
		key += ".unnamed"
	}
	if !w.Has(key + ".subject") {
		key = general
	}
	said, _ := w.Lookup(key + ".text")
	if !named && strings.Contains(said, "{name}") {
		return key + ".subject", general + ".text"
	}
	return key + ".subject", key + ".text"
}

// kindName is the name of a kind within a sentence. The raw name of a third-party kind is nothing
// that a user knows.
func kindName(w *texts.Language, c Content) string {
	if name, ok := w.Lookup("mail.kind." + c.Factor); ok {
		return name
	}
	return cmp.Or(c.FactorName, w.Say("mail.kind.other"))
}

func composeNotice(c Content) (Message, error) {
	w, err := texts.ForBrand(c.Locale, c.Brand.Texts)
	if err != nil {
		return Message{}, err
	}
	until := ""
	if !c.Until.IsZero() {
		until = w.Time(c.local(c.Until))
	}
	name := plainname.ForQuotation(c.Name)
	kind := kindName(w, c)
	if !texts.Chosen(c.Factor, c.Name) || repeats(name, c.Factor, kind) {
		name = "" // it says no more than the kind
	}
	subject, text := noticeTexts(w, c.Notice, name != "")
	what := kind
	if name != "" {
		what = w.Say("mail.named", "name", name, "kind", kind)
	}
	say := func(key string) string {
		// What is a text of the language, and its parts are isolated already.
		const mark = "\x00"
		return strings.ReplaceAll(w.Say(key, "service", c.ServiceName, "kind", kind,
			"name", name, "what", mark, "until", until, "n", c.Left), mark, what)
	}
	v := letter.Letter{Lang: w.Tag(), Dir: w.Direction(), Service: c.ServiceName,
		Lead: w.Capital(say(text)), Ignore: say("mail.not-you"),
		Colour: c.Brand.Colours().Light}
	v.Preview = v.Lead
	if cause := "mail.cause." + c.Cause; causal[c.Notice] && w.Has(cause) {
		v.Lead += w.Gap() + w.Say(cause)
	}
	open := w.Say("mail.open")
	switch {
	case !c.Link.IsZero():
		v.Link, v.Button, v.Ignore = c.Link.Reveal(), w.Say("mail.setup.button"),
			w.Say("mail.setup.ignore")
		v.Facts = []string{w.Say("mail.setup.terms")}
	default:
		v.Facts = circumstances(w, c)
		if c.SettingsURL != "" {
			v.Link, v.Button = c.SettingsURL, w.Say("mail.settings.button")
			open = v.Button + ":"
		}
	}
	html, err := v.HTML()
	if err != nil {
		return Message{}, err
	}
	return Message{To: c.To, Subject: say(subject), Text: secret.New(plain(v, open)),
		HTML: secret.New(html)}, nil
}

// plain is the notice as plain text. open stands before the link.
func plain(v letter.Letter, open string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", v.Lead)
	if len(v.Facts) > 0 {
		fmt.Fprintf(&b, "%s\n\n", strings.Join(v.Facts, "\n"))
	}
	if v.Link != "" {
		fmt.Fprintf(&b, "%s\n%s\n\n", open, v.Link)
	}
	fmt.Fprintf(&b, "%s\n", v.Ignore)
	return b.String()
}

// causal are the notices that say what came before. The other events follow from the user's own
// act in a session, or from an administrator's.
var causal = map[string]bool{"challenge.abandoned": true, "lockout.locked": true,
	"recovery.used": true, "support.requested": true,
	"verify.failure": true}

// circumstances are when and from where something was done.
func circumstances(w *texts.Language, c Content) (facts []string) {
	if !c.Time.IsZero() {
		facts = append(facts, w.Say("mail.when", "time", w.Time(c.local(c.Time))))
	}
	// A User-Agent header and a place are quoted like a name: an attacker may have chosen them.
	if s := plainname.ForQuotation(c.Browser); s != "" {
		facts = append(facts, w.Say("mail.browser", "browser", s))
	}
	if s := plainname.ForQuotation(c.Place); s != "" {
		facts = append(facts, w.Say("mail.place", "place", s))
	}
	return facts
}

// local returns t in the user's time zone, or in UTC if that is not known here.
func (c Content) local(t time.Time) time.Time {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "Local" {
		return t.UTC()
	}
	return t.In(zone)
}

// repeats reports whether a name says no more than the kind does, as the name that a factor gives
// by itself: it is English in every language.
func repeats(name, kind, kindName string) bool {
	same := func(other string) bool {
		other = plainname.ForQuotation(other) // as the name is
		return strings.EqualFold(strings.TrimSuffix(name, "s"), strings.TrimSuffix(other, "s"))
	}
	english, _ := texts.For(texts.English).Lookup("mail.kind." + kind)
	return same(kindName) || same(english)
}
