package phone_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
)

func reason(err error) string {
	if err == nil {
		return ""
	}
	if p, ok := errors.AsType[*factor.Problem](err); ok {
		return p.Reason
	}
	return "not a problem: " + err.Error()
}

func TestParse_ReadsNationalAndInternationalNumbers(t *testing.T) {
	for _, c := range []struct{ in, region, want, reason string }{
		{"+31612345678", "", "+31612345678", ""},
		{"+31 6 1234-5678", "US", "+31612345678", ""},
		{"+31 (0)6 1234 5678", "", "+31612345678", ""}, // the trunk zero of national dialling
		{"(+31) 6 12345678", "", "+31612345678", ""},
		{"+31/6.12345678", "", "+31612345678", ""},
		{"06 12345678", "NL", "+31612345678", ""},
		{"06 12345678", "nl", "+31612345678", ""},
		{"\u00a006\u20091234\u20115678 ", "NL", "+31612345678", ""},
		{"\u202a+31 6 12345678\u202c", "", "+31612345678", ""},
		{"(201) 555-0123", "US", "+12015550123", ""},
		{"40 61 23 45", "NO", "+4740612345", ""},
		{"0170 1234567", "DE", "+491701234567", ""},
		{"+39 06 1234 5678", "", "+390612345678", ""}, // Italy keeps the zero
		{"+447700900123", "", "+447700900123", ""},    // set aside for films: possible, not valid
		{"+290 22222", "", "+29022222", ""},
		{"011 15-2345-6789", "AR", "+5491123456789", ""},
		{"0031612345678", "NL", "+31612345678", ""},
		{"011447700900123", "US", "+447700900123", ""},
		{"٠٦١٢٣٤٥٦٧٨", "NL", "+31612345678", ""},
		{"＋３１６１２３４５６７８", "", "+31612345678", ""},
		{"𝟎𝟔𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "NL", "+31612345678", ""},

		{"tel:+31-6-1234-5678", "", "+31612345678", ""},
		{"TEL:6-12345678;phone-context=+31", "", "+31612345678", ""},
		{"tel:0612345678", "NL", "+31612345678", ""},
		{" tel:%2B31612345678", "", "+31612345678", ""},
		{"tel://+31612345678", "", "+31612345678", ""},
		{"\u200b+31\u200b612345678\ufeff", "", "+31612345678", ""},
		{"\u2068+31 6 12345678\u2069", "", "+31612345678", ""},
		{"+31\u00ad612345678", "", "+31612345678", ""},
		{"06\ufe6312345678", "NL", "+31612345678", ""},

		{"00447700900123", "US", "", "number_international"},
		{"0077712345", "JP", "", "number_international"},
		{"0031612345678", "", "", "number_international"},
		{"0612345678", "", "", "number_international"},
		{"", "NL", "", "number_missing"},
		{" \u00a0", "NL", "", "number_missing"},
		{"()", "NL", "", "number_form"},
		{"+", "", "", "number_form"},
		{"++31612345678", "", "", "number_form"},
		{"+31+612345678", "", "", "number_form"},
		{"0612+345678", "NL", "", "number_form"},
		{"+31612345678\x00", "", "", "number_form"},
		{"+31612345678\n+31612345679", "", "", "number_form"},
		{"+31612\xff345678", "", "", "number_form"},
		{"tel:+31612345678;ext=5", "", "", "number_extension"},
		{"tel:", "", "", "number_missing"},
		{"sip:+31612345678", "", "", "number_form"},
		{"+31612345678\u2028", "", "+31612345678", ""},
		{"call 0612345678", "NL", "", "number_form"},
		{"1-800-FLOWERS", "US", "", "number_form"},
		{"+99912345678", "", "", "number_form"},
		{"+0612345678", "", "", "number_form"},
		{"06" + strings.Repeat(" ", 150) + "12345678", "NL", "", "number_form"},
		{strings.Repeat("1", 1<<20), "NL", "", "number_form"},
		{"+31612345678x5", "", "", "number_extension"},
		{"+31612345678 ext. 5", "", "", "number_extension"},
		{"+31612345678;ext=5", "", "", "number_extension"},
		{"+31612345678#5", "", "", "number_extension"},
		{"+31612345678,,5", "", "", "number_extension"},
		{"0612345678", "XX", "", "number_region"},
		{"0612345678", "Nederland", "", "number_region"},
		{"+31612345678", "001", "", "number_region"},
		{"112", "NL", "", "number_length"},
		{"555-0123", "US", "", "number_length"},
		{"+316123456789012", "", "", "number_length"},
		{"0900 1234567", "NL", "", "number_premium"},
		{"+1 900 555 1234", "", "", "number_premium"},
		{"+979123456789", "", "", "number_premium"},
	} {
		got, err := phone.Parse(c.in, sms.Region(c.region))
		if got != c.want || reason(err) != c.reason {
			t.Errorf("Parse(%.40q, %q) = %q, reason %q; want %q, %q", c.in, c.region, got,
				reason(err), c.want, c.reason)
		}
		if err != nil && len(c.in) > 4 && strings.Contains(err.Error(), c.in) {
			t.Errorf("the error quotes %q", c.in)
		}
	}
}

func TestParser_ServesItsRegionsOnly(t *testing.T) {
	p := phone.Parser{Regions: []string{"US", "CA"}}
	for in, want := range map[string]string{
		"+12015550123":  "",               // New Jersey
		"+15062345678":  "",               // New Brunswick
		"+18765550123":  "number_country", // Jamaica has +1 too
		"+15550000000":  "number_country", // no country at all has this area
		"+31612345678":  "number_country",
		"+882123456789": "number_country",
	} {
		if _, err := p.Parse(in, ""); reason(err) != want {
			t.Errorf("%s: reason %q, want %q", in, reason(err), want)
		}
	}
}

func TestParser_ValidRefusesUnassignedNumbers(t *testing.T) {
	strict := phone.Parser{Valid: true}
	if _, err := strict.Parse("+447700900123", ""); reason(err) != "number_invalid" {
		t.Errorf("a number for films: reason %q", reason(err))
	}
	if got, err := strict.Parse("+31612345678", ""); err != nil || got != "+31612345678" {
		t.Errorf("a valid number: %q, %v", got, err)
	}
}

// What the library gives as an example of a mobile number of each
// country is taken in each way of writing it.
func TestParse_ReadsTheExampleOfEachCountry(t *testing.T) {
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		n := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if n == nil {
			continue
		}
		want := phonenumbers.Format(n, phonenumbers.E164)
		for _, form := range []phonenumbers.PhoneNumberFormat{phonenumbers.E164,
			phonenumbers.INTERNATIONAL, phonenumbers.NATIONAL} {
			if region == "AR" && form == phonenumbers.NATIONAL {
				continue // the library writes 09 15-2345-6789 for 011 15-2345-6789
			}
			in := phonenumbers.Format(n, form)
			if got, err := phone.Parse(in, sms.Region(region)); got != want || err != nil {
				t.Errorf("%s: Parse(%q) = %q, %v; want %q", region, in, got, err, want)
			}
		}
		tried++
	}
	if tried < 200 {
		t.Errorf("only %d regions were tried", tried)
	}
}

// Every decimal digit of Unicode is taken for its value.
func TestParse_ReadsEveryUnicodeDigit(t *testing.T) {
	scripts := 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !unicode.Is(unicode.Nd, r) || unicode.Is(unicode.Nd, r-1) && (r < 0x1D7CE ||
			r > 0x1D7FF || (r-0x1D7CE)%10 != 0) {
			continue
		}
		scripts++
		zero := r
		in := strings.Map(func(d rune) rune { return zero + d - '0' }, "0612345678")
		if got, err := phone.Parse(in, "NL"); got != "+31612345678" || err != nil {
			t.Errorf("digits from %U: %q, %v", zero, got, err)
		}
	}
	if scripts < 60 {
		t.Errorf("only %d scripts were tried", scripts)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"+31612345678", "0612345678", "+1 (201) 555-0123",
		"tel:+1;phone-context=+1", ";phone-context=", "+00000000",
		"٠٦١٢", "00447700900123", "+390612345678", "0\u202a1", "+999", ")(((", "1;ext=",
		"+1 900 555 1234", "tel:+31612345678", "\u202a+31612345678\u202c", "+52 1 55 1234 5678",
		"044 55 1234 5678", "０６１２３４５６７８"} {
		f.Add(s, "MX")
		f.Add(s, "NL")
		f.Add(s, "")
		f.Add(s, "US")
	}
	form := regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	f.Fuzz(func(t *testing.T, number, region string) {
		got, err := phone.Parse(number, sms.Region(region))
		if err != nil {
			if got != "" || !errors.Is(err, factor.ErrMalformed) ||
				strings.HasPrefix(reason(err), "not a problem") {
				t.Fatalf("Parse(%q, %q) = %q, %v", number, region, got, err)
			}
			return
		}
		if !form.MatchString(got) {
			t.Fatalf("Parse(%q, %q) = %q, which is not E.164", number, region, got)
		}
		// A number in E.164 form stays as it is: else one number could be enrolled twice. An
		// exception are those of which a part reads as a prefix for national dialling, which
		// the library takes off again each time; it ends.
		again, err := phone.Parse(got, "")
		if err == nil && len(again) > len(got) {
			t.Fatalf("%q becomes %q", got, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	if _, err := phone.Parse("+31612345678", ""); err != nil {
		b.Fatal(err)
	}
	const runs = 5000
	start := time.Now()
	for range runs {
		if _, err := phonenumbers.Parse("06 12345678", "NL"); err != nil {
			b.Fatal(err)
		}
	}
	bare := time.Since(start) / runs
	for b.Loop() {
		if _, err := phone.Parse("06 12345678", "NL"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(bare), "x-bare-parse")
}

func ExampleParse() {
	number, err := phone.Parse("06 1234 5678", "NL")
	fmt.Println(number, err)

	_, err = phone.Parse("0900 1234567", "NL")
	var p *factor.Problem
	fmt.Println(errors.As(err, &p), p.Reason)
	// Output:
	// +31612345678 <nil>
	// true number_premium
}

func ExampleParser() {
	// A service for the United States and Canada alone, although "+1" is shared by 25 countries.
	cfg := sms.Config{
		Allow: []string{"+1"},
		Parse: phone.Parser{Regions: []string{"US", "CA"}}.Parse,
	}
	_, err := cfg.Parse("+1 876 555 0123", "") // Jamaica
	fmt.Println(err)
	// Output: factor: messages are not sent to numbers of this country
}
