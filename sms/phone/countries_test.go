package phone_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/sms/phone"
)

// Every language of the library has names of its own: go generate ./sms/phone adds them.
func TestCountries_HaveNamesInEveryLanguage(t *testing.T) {
	english := map[string]string{}
	for _, c := range phone.Countries("en") {
		english[c.Region] = c.Name
	}
	for _, tag := range texts.Tags()[1:] {
		list, same := phone.Countries(tag), 0
		if len(list) != len(english) {
			t.Errorf("%s: %d countries", tag, len(list))
		}
		for _, c := range list {
			if c.Name == english[c.Region] {
				same++
			}
		}
		if same > len(english)*2/3 {
			t.Errorf("%s: the names of %d countries are English", tag, same)
		}
	}
}

func TestCountries_AreSortedInEachLanguage(t *testing.T) {
	for locale, want := range map[string]struct{ netherlands, first, last string }{
		"en":      {"Netherlands", "Afghanistan", "Zimbabwe"},
		"":        {"Netherlands", "Afghanistan", "Zimbabwe"},
		"tlh":     {"Netherlands", "Afghanistan", "Zimbabwe"},
		"en]\nAF": {"Netherlands", "Afghanistan", "Zimbabwe"},
		"nl":      {"Nederland", "Afghanistan", "Zwitserland"},
		"nl-BE":   {"Nederland", "Afghanistan", "Zwitserland"},
		"nb":      {"Nederland", "Afghanistan", "Åland"}, // å is the last letter
		"no_NO":   {"Nederland", "Afghanistan", "Åland"},
		"DE":      {"Niederlande", "Afghanistan", "Zypern"},
	} {
		list := phone.Countries(locale)
		if list[0].Name != want.first || list[len(list)-1].Name != want.last {
			t.Errorf("%q: from %q to %q, want %q to %q", locale, list[0].Name,
				list[len(list)-1].Name, want.first, want.last)
		}
		seen := make(map[string]bool)
		for _, c := range list {
			if c.Name == "" || !utf8.ValidString(c.Name) || seen[c.Region] {
				t.Errorf("%q: %+v is nameless or there twice", locale, c)
			}
			seen[c.Region] = true
			if c.Region == "NL" && c.Name != want.netherlands {
				t.Errorf("%q: NL is %q, want %q", locale, c.Name, want.netherlands)
			}
			if code := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(c.Region)); code != c.
				CallingCode {
				t.Errorf("%s has calling code %s, the library says %s; go generate", c.Region,
					c.CallingCode, code)
			}
			if len(c.Flag()) != 8 {
				t.Errorf("%s has flag %q", c.Region, c.Flag())
			}
		}
		for region := range phonenumbers.GetSupportedRegions() {
			if !seen[region] {
				t.Errorf("%q: %s is missing; go generate", locale, region)
			}
		}
		if len(seen) != len(phonenumbers.GetSupportedRegions()) {
			t.Errorf("%q: %d countries, the library knows %d; go generate", locale, len(seen),
				len(phonenumbers.GetSupportedRegions()))
		}
	}
}

// The table is what the generator writes.
func TestTable_IsWhatTheGeneratorWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	cmd := exec.Command("go", "run", "./internal/gencountries/main.go")
	cmd.Dir = "../.."
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("the generator failed: %v", err)
	}
	want, err := os.ReadFile("countries.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("countries.txt is not what the generator writes; go generate ./sms/phone")
	}
}

func TestFlag_OfAnUnknownRegionIsEmpty(t *testing.T) {
	for _, region := range []string{"", "N", "NLD", "nl", "1é"} {
		if f := (phone.Country{Region: region}).Flag(); f != "" {
			t.Errorf("region %q has flag %q", region, f)
		}
	}
}

func BenchmarkCountries(b *testing.B) {
	for b.Loop() {
		phone.Countries("nl")
	}
}

func ExampleCountries() {
	for _, c := range phone.Countries("nl-NL")[:3] {
		fmt.Printf("%s +%s %s\n", c.Region, c.CallingCode, c.Name)
	}
	// Output:
	// AF +93 Afghanistan
	// AX +358 Åland
	// AL +355 Albanië
}
