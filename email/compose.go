package email

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/secondgate/secondgate/secret"
)

// words are the texts of a mail in one language. In each, %s is the name of the service.
type words struct {
	subjectCode, subjectConfirm     string
	signIn, stepUp, manage, replace string // what the code is for
	confirm, confirmLink            string
	codeLabel, validFor             string // validFor: %s is a duration
	// the link: as a button, below a code, in text, below the button
	button, orButton, orOpen, ifFails string
	ignore, ignoreConfirm, neverAsk   string
	seconds, minutes, oneMinute       string
}

// languages is by the primary subtag of BCP 47; Norwegian is written as Bokmål.
var languages = map[string]*words{"en": &english, "nl": &dutch, "nb": &norwegian, "no": &norwegian,
	"nn": &norwegian, "de": &german}

var english = words{
	subjectCode: "Your %s code", subjectConfirm: "Confirm your e-mail address for %s",
	signIn:      "Use this code to finish signing in to %s.",
	stepUp:      "Use this code to confirm that it is you at %s.",
	manage:      "Use this code to change your sign-in settings at %s.",
	replace:     "Use this code to replace a lost factor at %s.",
	confirm:     "Use this code to confirm your e-mail address for %s.",
	confirmLink: "Confirm that this is your e-mail address for %s.",
	codeLabel:   "Your code", validFor: "It is valid for %s, and works once.",
	button: "Confirm address", orOpen: "Or open this link:",
	orButton: "Or confirm it here:", ifFails: "If the button does not work, open this link:",
	ignoreConfirm: "If you did not ask for this, you can ignore this mail.",
	ignore: "If this was not you, someone may know your password: change it, and do not " +
		"give this code to anyone.",
	neverAsk: "%s never asks for this code by phone or mail.",
	seconds:  "%d seconds", minutes: "%d minutes", oneMinute: "a minute",
}

var dutch = words{
	subjectCode: "Je code voor %s", subjectConfirm: "Bevestig je e-mailadres voor %s",
	signIn:      "Gebruik deze code om het inloggen bij %s af te ronden.",
	stepUp:      "Gebruik deze code om te bevestigen dat jij het bent bij %s.",
	manage:      "Gebruik deze code om je inloginstellingen bij %s te wijzigen.",
	replace:     "Gebruik deze code om een verloren factor bij %s te vervangen.",
	confirm:     "Gebruik deze code om je e-mailadres voor %s te bevestigen.",
	confirmLink: "Bevestig dat dit je e-mailadres is voor %s.",
	codeLabel:   "Je code", validFor: "Hij is %s geldig en werkt één keer.",
	button: "Adres bevestigen", orOpen: "Of open deze link:",
	orButton: "Of bevestig het hier:", ifFails: "Werkt de knop niet? Open dan deze link:",
	ignoreConfirm: "Heb je hier niet om gevraagd? Dan kun je deze mail negeren.",
	ignore: "Was jij dit niet? Dan kent iemand misschien je wachtwoord: wijzig het, en " +
		"geef deze code aan niemand.",
	neverAsk: "%s vraagt nooit per telefoon of mail om deze code.",
	seconds:  "%d seconden", minutes: "%d minuten", oneMinute: "een minuut",
}

var norwegian = words{
	subjectCode: "Koden din til %s", subjectConfirm: "Bekreft e-postadressen din for %s",
	signIn:      "Bruk denne koden for å fullføre innloggingen til %s.",
	stepUp:      "Bruk denne koden for å bekrefte at det er deg hos %s.",
	manage:      "Bruk denne koden for å endre innloggingsinnstillingene dine hos %s.",
	replace:     "Bruk denne koden for å erstatte en tapt faktor hos %s.",
	confirm:     "Bruk denne koden for å bekrefte e-postadressen din for %s.",
	confirmLink: "Bekreft at dette er e-postadressen din for %s.",
	codeLabel:   "Koden din", validFor: "Den er gyldig i %s og virker én gang.",
	button: "Bekreft adressen", orOpen: "Eller åpne denne lenken:",
	orButton: "Eller bekreft den her:", ifFails: "Hvis knappen ikke virker, åpner du denne lenken:",
	ignoreConfirm: "Har du ikke bedt om dette, kan du se bort fra denne e-posten.",
	ignore: "Var dette ikke deg, kan noen kjenne passordet ditt: bytt det, og gi ikke " +
		"denne koden til noen.",
	neverAsk: "%s ber aldri om denne koden på telefon eller e-post.",
	seconds:  "%d sekunder", minutes: "%d minutter", oneMinute: "ett minutt",
}

var german = words{
	subjectCode: "Ihr Code für %s", subjectConfirm: "Bestätigen Sie Ihre E-Mail-Adresse für %s",
	signIn:      "Schließen Sie mit diesem Code die Anmeldung bei %s ab.",
	stepUp:      "Bestätigen Sie mit diesem Code, dass Sie es sind, bei %s.",
	manage:      "Ändern Sie mit diesem Code Ihre Anmeldeeinstellungen bei %s.",
	replace:     "Ersetzen Sie mit diesem Code einen verlorenen Faktor bei %s.",
	confirm:     "Bestätigen Sie mit diesem Code Ihre E-Mail-Adresse für %s.",
	confirmLink: "Bestätigen Sie, dass dies Ihre E-Mail-Adresse für %s ist.",
	codeLabel:   "Ihr Code", validFor: "Er gilt %s und nur einmal.", button: "Adresse bestätigen",
	orOpen:   "Oder öffnen Sie diesen Link:",
	orButton: "Oder bestätigen Sie sie hier:", ifFails: "Wenn die Schaltfläche nicht " +
		"funktioniert, öffnen Sie diesen Link:",
	ignoreConfirm: "Haben Sie das nicht angefordert, können Sie diese E-Mail ignorieren.",
	ignore: "Waren Sie das nicht, kennt vielleicht jemand Ihr Passwort: Ändern Sie es, " +
		"und geben Sie diesen Code niemandem.",
	neverAsk: "%s fragt nie am Telefon oder per E-Mail nach diesem Code.",
	seconds:  "%d Sekunden", minutes: "%d Minuten", oneMinute: "eine Minute",
}

func language(locale string) (string, *words) {
	tag, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if w, ok := languages[tag]; ok {
		return tag, w
	}
	return "en", &english
}

func (w *words) duration(d time.Duration) string {
	switch {
	case d == time.Minute:
		return w.oneMinute
	case d%time.Minute == 0:
		return fmt.Sprintf(w.minutes, int(d/time.Minute))
	default:
		return fmt.Sprintf(w.seconds, int(d/time.Second))
	}
}

//go:embed mail.html
var mailHTML string

// mailView is what the mail shows.
type mailView struct {
	Lang, Service, Lead, CodeLabel, Code, ValidFor, Link, Button, OrButton, IfButtonFails, Note,
	Ignore, NeverAsk string
}

var mailTemplate = template.Must(template.New("mail").Parse(mailHTML))

// Compose writes the mail in English, Dutch, Norwegian or German, by the locale. The subject
// does not hold the code, which lock screens would show.
func Compose(c Content) (Message, error) {
	lang, w := language(c.Locale)
	if c.Notice != "" {
		return composeNotice(c)
	}
	v := mailView{Lang: lang, Service: c.ServiceName, CodeLabel: w.codeLabel, Code: c.Code.Reveal(),
		ValidFor: fmt.Sprintf(w.validFor, w.duration(c.TTL)),
		Link:     c.Link.Reveal(), Button: w.button, OrButton: w.orButton, IfButtonFails: w.ifFails,
		Ignore: w.ignore, NeverAsk: fmt.Sprintf(w.neverAsk, c.ServiceName)}
	subject, lead := w.subjectCode, w.signIn
	switch c.Purpose {
	case "step-up":
		lead = w.stepUp
	case "manage":
		lead = w.manage
	case "replace":
		lead = w.replace
	case "confirm":
		subject, lead, v.Ignore = w.subjectConfirm, w.confirm, w.ignoreConfirm
		if c.Code.IsZero() {
			lead = w.confirmLink
		}
	}
	v.Lead = fmt.Sprintf(lead, c.ServiceName)

	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", v.Lead)
	if v.Code != "" {
		fmt.Fprintf(&text, "%s: %s\n\n%s\n\n", v.CodeLabel, v.Code, v.ValidFor)
	}
	if v.Link != "" {
		if v.Code != "" {
			fmt.Fprintf(&text, "%s\n", w.orOpen)
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
	return Message{To: c.To, Subject: fmt.Sprintf(subject, c.ServiceName),
		Text: secret.New(text.String()), HTML: secret.New(html.String())}, nil
}
