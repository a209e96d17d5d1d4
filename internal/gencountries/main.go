//go:build ignore

// Gencountries writes the table of country names of package sms/phone: for each language
// a line "REGION CODE Name" for each region that libphonenumber knows, in the order of that
// language. The names and the order are those of Unicode CLDR as golang.org/x/text has
// them. It is left out of ordinary builds, which would compile all of those names.
//
//	go run ./internal/gencountries/main.go > sms/phone/countries.txt
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/secondgate/secondgate/internal/texts"
)

// elsewhere is where x/text has a language that it does not have under its tag. It keeps Norwegian
// names under "no" and, asked for "nb", gives Danish ones; of the Scandinavian orders (æ, ø, å
// last) it has the Danish.
var elsewhere = map[string]struct{ names, order string }{"nb": {"no", "da"}}

// later are the names that changed after CLDR 32, which is what x/text has, taken from CLDR 48;
// and Hong Kong and Macao under the names that users look for. The columns are HK, MO, MK and SZ.
const later = `
en|Hong Kong|Macao|North Macedonia|Eswatini
nl|Hongkong|Macau|Noord-Macedonië|Eswatini
nb|Hongkong|Macao|Nord-Makedonia|Eswatini
de|Hongkong|Macau|Nordmazedonien|Eswatini
es|Hong Kong|Macao|Macedonia del Norte|Esuatini
fr|Hong Kong|Macao|Macédoine du Nord|Eswatini
it|Hong Kong|Macao|Macedonia del Nord|Eswatini
pt-BR|Hong Kong|Macau|Macedônia do Norte|Essuatíni
pl|Hongkong|Makau|Macedonia Północna|Eswatini
sv|Hongkong|Macao|Nordmakedonien|Eswatini
da|Hongkong|Macao|Nordmakedonien|Eswatini
fi|Hongkong|Macao|Pohjois-Makedonia|Eswatini
cs|Hongkong|Macao|Severní Makedonie|Svazijsko
uk|Гонконг|Макао|Північна Македонія|Есватіні
tr|Hong Kong|Makao|Kuzey Makedonya|Esvatini
ar|هونغ كونغ|ماكاو|مقدونيا الشمالية|إسواتيني
he|הונג קונג|מקאו|מקדוניה הצפונית|אסוואטיני
hi|हाँग काँग|मकाऊ|उत्तरी मकदूनिया|एस्वातिनी
ja|香港|マカオ|北マケドニア|エスワティニ
ko|홍콩|마카오|북마케도니아|에스와티니
zh-Hans|香港|澳门|北马其顿|斯威士兰
zh-Hant|香港|澳門|北馬其頓|史瓦帝尼
`

// others are further names that changed.
var others = map[string]string{"en TR": "Türkiye", "nb BY": "Belarus",
	"de BQ": "Karibische Niederlande"}

// changed returns the names of a language that changed, by "LANG REGION".
func changed() map[string]string {
	all := maps.Clone(others)
	for line := range strings.Lines(later) {
		names := strings.Split(strings.TrimSpace(line), "|")
		if len(names) != 5 {
			continue
		}
		for i, region := range []string{"HK", "MO", "MK", "SZ"} {
			all[names[0]+" "+region] = names[i+1]
		}
	}
	return all
}

func main() {
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	names48 := changed()
	out := bufio.NewWriter(os.Stdout)
	for _, tag := range texts.Tags() {
		at := elsewhere[tag]
		namer, order := display.Regions(language.MustParse(cmp.Or(at.names, tag))),
			collate.New(language.MustParse(cmp.Or(at.order, tag)))
		names := make(map[string]string)
		for _, r := range regions {
			if names[r] = names48[tag+" "+r]; names[r] == "" {
				names[r] = namer.Name(language.MustParseRegion(r))
			}
			if names[r] == "" {
				log.Fatalf("region %s has no name in %q", r, tag)
			}
		}
		slices.SortFunc(regions, func(a, b string) int {
			return order.CompareString(names[a], names[b])
		})
		fmt.Fprintf(out, "[%s]\n", tag)
		for _, r := range regions {
			fmt.Fprintf(out, "%s %d %s\n", r, phonenumbers.GetCountryCodeForRegion(r), names[r])
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
