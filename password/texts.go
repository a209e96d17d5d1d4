package password

import (
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/plainname"
)

// words are the texts of mails in one language. In texts (subject and sentence, by the mail's
// name), notYou and ignore, %s is the service.
type words struct {
	texts                 map[string][2]string
	greeting              string // %s is the user's name
	button, ifFails, open string
	terms                 string // %s is a duration
	minutes, hours        string
	oneHour               string
	when                  string // %s is a time
	notYou, ignore        string
}

// languages is by the primary subtag of BCP 47; Norwegian is written as Bokmål.
var languages = map[string]*words{"en": &english, "nl": &dutch, "nb": &norwegian, "no": &norwegian,
	"nn": &norwegian, "de": &german}

var english = words{
	texts: map[string][2]string{
		mailLink: {"Choose a new password for %s",
			"We received a request for a new password for your account at %s. Choose it here."},
		mailReset: {"Your password at %s was reset", "The password of your account at %s was " +
			"reset with a link that we sent to this address. You are signed out everywhere."},
		mailChanged: {"Your password at %s was changed",
			"The password of your account at %s was changed. You are signed out everywhere else."},
		mailAdminSet: {"Your password at %s was set by an administrator", "An administrator set " +
			"a password for your account at %s and will give it to you. You choose your own " +
			"when you sign in."},
	},
	greeting: "Hello %s.", button: "Choose a password",
	ifFails: "If the button does not work, open this link:", open: "Open this link:",
	terms: "The link is valid for %s and works once.", minutes: "%d minutes", hours: "%d hours",
	oneHour: "an hour",
	when:    "This happened at %s.",
	notYou: "If this was not you, someone else may have access to your account. Contact the " +
		"support of %s at once, and change the password of this mailbox.",
	ignore: "If you did not ask for this, ignore this mail. Your password at %s does not change.",
}

var dutch = words{
	texts: map[string][2]string{
		mailLink: {"Kies een nieuw wachtwoord voor %s", "We hebben een verzoek gekregen om " +
			"een nieuw wachtwoord voor je account bij %s. Kies het hier."},
		mailReset: {"Je wachtwoord bij %s is opnieuw ingesteld", "Het wachtwoord van je " +
			"account bij %s is opnieuw ingesteld met een link die we naar dit adres hebben " +
			"gestuurd. Je bent overal uitgelogd."},
		mailChanged: {"Je wachtwoord bij %s is gewijzigd",
			"Het wachtwoord van je account bij %s is gewijzigd. Je bent overal elders uitgelogd."},
		mailAdminSet: {"Een beheerder heeft je wachtwoord bij %s ingesteld",
			"Een beheerder heeft een wachtwoord ingesteld voor je account bij %s en geeft het " +
				"aan je door. Bij het inloggen kies je je eigen wachtwoord."},
	},
	greeting: "Hallo %s.", button: "Wachtwoord kiezen",
	ifFails: "Werkt de knop niet? Open dan deze link:", open: "Open deze link:",
	terms: "De link is %s geldig en werkt één keer.", minutes: "%d minuten", hours: "%d uur",
	oneHour: "een uur",
	when:    "Dit gebeurde op %s.",
	notYou: "Was jij dit niet? Dan heeft iemand anders misschien toegang tot je account. Neem " +
		"meteen contact op met de support van %s en wijzig het wachtwoord van deze mailbox.",
	ignore: "Heb je hier niet om gevraagd? Negeer dan deze mail. Je wachtwoord bij %s verandert " +
		"niet.",
}

var norwegian = words{
	texts: map[string][2]string{
		mailLink: {"Velg et nytt passord for %s",
			"Vi har fått en forespørsel om et nytt passord for kontoen din hos %s. Velg det her."},
		mailReset: {"Passordet ditt hos %s er tilbakestilt", "Passordet til kontoen din hos " +
			"%s er tilbakestilt med en lenke som vi sendte til denne adressen. Du er logget ut " +
			"overalt."},
		mailChanged: {"Passordet ditt hos %s er endret",
			"Passordet til kontoen din hos %s er endret. Du er logget ut alle andre steder."},
		mailAdminSet: {"En administrator har satt passordet ditt hos %s", "En administrator har " +
			"satt et passord for kontoen din hos %s og gir det til deg. Du velger ditt eget når " +
			"du logger inn."},
	},
	greeting: "Hei %s.", button: "Velg passord", ifFails: "Hvis knappen ikke virker, åpner du " +
		"denne lenken:", open: "Åpne denne lenken:",
	terms: "Lenken er gyldig i %s og virker én gang.", minutes: "%d minutter", hours: "%d timer",
	oneHour: "en time",
	when:    "Dette skjedde %s.",
	notYou: "Var det ikke deg, kan noen andre ha tilgang til kontoen din. Kontakt " +
		"brukerstøtten hos %s med en gang, og bytt passordet til denne postkassen.",
	ignore: "Har du ikke bedt om dette, kan du se bort fra denne e-posten. Passordet ditt hos " +
		"%s endres ikke.",
}

var german = words{
	texts: map[string][2]string{
		mailLink: {"Wählen Sie ein neues Passwort für %s", "Wir haben eine Anfrage nach " +
			"einem neuen Passwort für Ihr Konto bei %s erhalten. Wählen Sie es hier."},
		mailReset: {"Ihr Passwort bei %s wurde zurückgesetzt", "Das Passwort Ihres Kontos " +
			"bei %s wurde mit einem Link zurückgesetzt, den wir an diese Adresse gesendet " +
			"haben. Sie sind überall abgemeldet."},
		mailChanged: {"Ihr Passwort bei %s wurde geändert",
			"Das Passwort Ihres Kontos bei %s wurde geändert. Sie sind überall sonst abgemeldet."},
		mailAdminSet: {"Ein Administrator hat Ihr Passwort bei %s gesetzt", "Ein Administrator " +
			"hat ein Passwort für Ihr Konto bei %s gesetzt und teilt es Ihnen mit. Bei der " +
			"Anmeldung wählen Sie Ihr eigenes."},
	},
	greeting: "Guten Tag, %s.", button: "Passwort wählen",
	ifFails: "Wenn die Schaltfläche nicht funktioniert, öffnen Sie diesen Link:",
	open:    "Öffnen Sie diesen Link:",
	terms:   "Der Link gilt %s und nur einmal.", minutes: "%d Minuten", hours: "%d Stunden",
	oneHour: "eine Stunde",
	when:    "Das geschah am %s.",
	notYou: "Waren Sie das nicht, hat vielleicht jemand anderes Zugang zu Ihrem Konto. Wenden " +
		"Sie sich sofort an den Support von %s, und ändern Sie das Passwort dieses Postfachs.",
	ignore: "Haben Sie das nicht angefordert, ignorieren Sie diese E-Mail. Ihr Passwort bei %s " +
		"ändert sich nicht.",
}

func language(locale string) (string, *words) {
	tag, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if w, ok := languages[tag]; ok {
		return tag, w
	}
	return "en", &english
}

// lead greets a user by name, which distinguishes two accounts with one address. Users choose
// their names, and the name goes into mail: lead uses only a short line without anything that
// mail programs turn into a link.
func (w *words) lead(person, sentence string) string {
	if person == "" || len(person) > 64 || strings.ContainsAny(person, "/:@<>") ||
		plainname.Problem(person) != "" || dotted(person) {
		return sentence
	}
	return fmt.Sprintf(w.greeting, person) + " " + sentence
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

func (w *words) duration(d time.Duration) string {
	switch {
	case d == time.Hour:
		return w.oneHour
	case d%time.Hour == 0:
		return fmt.Sprintf(w.hours, int(d/time.Hour))
	default:
		return fmt.Sprintf(w.minutes, int(d/time.Minute))
	}
}
