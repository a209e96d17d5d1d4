package phone

import (
	_ "embed"
	"strings"

	"github.com/secondgate/secondgate/internal/texts"
)

//go:generate sh -c "cd ../.. && go run ./internal/gencountries/main.go > sms/phone/countries.txt"

// The names are those of Unicode CLDR, under the Unicode License.
//
//go:embed countries.txt
var table string

// Country is one choice of a drop-down. It converts to mfahttp.Country.
type Country struct {
	// Region is the code to give to [Parse], ISO 3166-1 alpha-2 with the additions that
	// Unicode CLDR makes (AC, TA, XK).
	Region string
	// Name is in the language that was asked for.
	Name string
	// CallingCode has no plus sign. Countries may share one.
	CallingCode string
}

// Flag is the country's flag as an emoji, two regional indicator symbols; some systems
// show them as letters.
func (c Country) Flag() string {
	if len(c.Region) != 2 || c.Region[0] < 'A' || c.Region[0] > 'Z' || c.Region[1] < 'A' ||
		c.Region[1] > 'Z' {
		return ""
	}
	const a = '\U0001F1E6'
	return string([]rune{a + rune(c.Region[0]-'A'), a + rune(c.Region[1]-'A')})
}

// Countries returns every country that has telephone numbers, in the language of a BCP 47
// tag and in its alphabetical order, or in English if the library has none. The caller owns the
// slice.
func Countries(locale string) []Country {
	_, section, ok := strings.Cut(table, "["+texts.For(locale).Tag()+"]\n")
	if !ok {
		_, section, _ = strings.Cut(table, "["+texts.English+"]\n")
	}
	section, _, _ = strings.Cut(section, "[")
	list := make([]Country, 0, 256)
	for line := range strings.Lines(section) {
		region, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		code, name, _ := strings.Cut(rest, " ")
		list = append(list, Country{Region: region, Name: name, CallingCode: code})
	}
	return list
}
