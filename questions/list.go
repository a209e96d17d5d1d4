package questions

import "strings"

// Suggestions returns questions to choose from, in the language of a BCP 47 tag: English, Dutch,
// Norwegian or German. They ask for what stays the same, has many answers, and is in no public
// record. Writing one's own is as good.
func Suggestions(locale string) []string {
	tag, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if tag == "no" || tag == "nn" {
		tag = "nb"
	}
	list, ok := suggestions[tag]
	if !ok {
		list = suggestions["en"]
	}
	return append([]string(nil), list...)
}

var suggestions = map[string][]string{
	"en": {"What was the name of your first teacher?",
		"Which book did you read more often than any other?",
		"Where did you go on your first holiday without your parents?",
		"What was the first dish that you learned to cook?",
		"What was the nickname of your best friend at school?",
		"Which sound did you dislike most as a child?",
		"What did you want to become when you were ten?",
		"Which street did your grandparents live in?"},
	"nl": {"Hoe heette je eerste meester of juf?", "Welk boek heb je vaker gelezen dan elk ander?",
		"Waar ging je op je eerste vakantie zonder je ouders heen?",
		"Wat was het eerste gerecht dat je leerde koken?",
		"Wat was de bijnaam van je beste vriend of vriendin op school?",
		"Aan welk geluid had je als kind de grootste hekel?",
		"Wat wilde je worden toen je tien was?", "In welke straat woonden je grootouders?"},
	"nb": {"Hva het din første lærer?", "Hvilken bok har du lest flere ganger enn noen annen?",
		"Hvor reiste du på din første ferie uten foreldrene dine?",
		"Hva var den første retten du lærte å lage?",
		"Hva var kallenavnet til din beste venn på skolen?",
		"Hvilken lyd mislikte du mest som barn?",
		"Hva ville du bli da du var ti år?", "Hvilken gate bodde besteforeldrene dine i?"},
	"de": {"Wie hieß Ihre erste Lehrerin oder Ihr erster Lehrer?",
		"Welches Buch haben Sie öfter gelesen als jedes andere?",
		"Wohin ging Ihre erste Reise ohne Ihre Eltern?",
		"Welches Gericht haben Sie als erstes kochen gelernt?", "Wie war der Spitzname Ihrer " +
			"besten Freundin oder Ihres besten Freundes in der Schule?",
		"Welches Geräusch mochten Sie als Kind am wenigsten?",
		"Was wollten Sie mit zehn Jahren werden?", "In welcher Straße wohnten Ihre Großeltern?"},
}
