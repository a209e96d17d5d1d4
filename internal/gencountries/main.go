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
// and Hong Kong and Macao under the names that users look for.
var later = map[string]string{
	"en HK": "Hong Kong", "nl HK": "Hongkong", "nb HK": "Hongkong", "de HK": "Hongkong",
	"en MO": "Macao", "nl MO": "Macau", "nb MO": "Macao", "de MO": "Macau",
	"en MK": "North Macedonia", "nl MK": "Noord-Macedonië", "nb MK": "Nord-Makedonia",
	"de MK": "Nordmazedonien",
	"en SZ": "Eswatini", "nl SZ": "Eswatini", "nb SZ": "Eswatini", "de SZ": "Eswatini",
	"en TR": "Türkiye",
	"nb BY": "Belarus",
	"de BQ": "Karibische Niederlande",
}

func main() {
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	out := bufio.NewWriter(os.Stdout)
	for _, tag := range texts.Tags() {
		at := elsewhere[tag]
		namer, order := display.Regions(language.MustParse(cmp.Or(at.names, tag))),
			collate.New(language.MustParse(cmp.Or(at.order, tag)))
		names := make(map[string]string)
		for _, r := range regions {
			if names[r] = later[tag+" "+r]; names[r] == "" {
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
