package phone

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/secondgate/secondgate/internal/typed"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/sms"
)

// maxInput bounds what is parsed, in bytes. The longest number written with a space after
// each digit of a script with four-byte digits takes less than 128.
const maxInput = 128

// Parser brings numbers into E.164 form. The zero value serves every country and is what
// [Parse] uses. It is safe for concurrent use.
type Parser struct {
	// Regions are the countries whose numbers are taken, as ISO 3166-1 alpha-2 codes in
	// capitals. A code that does not exist allows no number. Empty means all.
	Regions []string
	// Valid also asks that the number belongs to a range that its numbering plan has given
	// out. That refuses the numbers set aside for films and tests, and, until the plan here
	// is updated, those of new ranges; a code sent to a number shows better whether it exists.
	// False asks for a possible length only.
	Valid bool
}

// Parse is Parse of the zero [Parser].
func Parse(number string, region sms.Region) (string, error) {
	return Parser{}.Parse(number, region)
}

// Parse returns number in E.164 form ("+31612345678"). region is where a number in national
// form belongs to, as an ISO 3166-1 alpha-2 code, or "" if that is not known; a number with
// its plus sign or with the region's prefix for calls abroad keeps its own country.
//
// Digits may be those of any script, such as ٣ or ３, and the number may be a tel: URI (RFC 3966).
// A number in a former form, such as "+52 1 55 1234 5678" in Mexico, gets the
// present form. Letters are refused ("1-800-FLOWERS"), and numbers of premium rate and of shared
// cost.
//
// Every error is a *factor.Problem. Its reason is one of
//
//	number_missing        nothing was typed
//	number_form           not a telephone number
//	number_extension      it has an extension
//	number_international  it must be written with + and the calling code
//	number_region         the region is not one
//	number_length         too short or too long for its country
//	number_invalid        Valid is set, and its plan does not have the number
//	number_premium        messages to it cost more than others
//	number_country        its country is not one of Regions
func (p Parser) Parse(number string, region sms.Region) (string, error) {
	s, err := clean(typed.Tel(number))
	if err != nil {
		return "", err
	}
	n, err := read(s, strings.ToUpper(string(region)))
	if err != nil {
		return "", err
	}
	n = present(n)
	if err := p.serves(n); err != nil {
		return "", err
	}
	out := phonenumbers.Format(n, phonenumbers.E164)
	if !e164.MatchString(out) {
		return "", errLength()
	}
	return out, nil
}

// read decides which number a cleaned text means to a user in region.
func read(s, region string) (*phonenumbers.PhoneNumber, error) {
	if region != "" && !phonenumbers.GetSupportedRegions()[region] {
		return nil, problem("number_region", "the country is not one that has telephone numbers")
	}
	if region == "" && s[0] != '+' {
		return nil, errNational()
	}
	n, ok := parse(s, region)
	switch {
	case !ok:
		return nil, problem("number_form", "this is not a telephone number")
	case n.GetExtension() != "":
		return nil, errExtension()
	// "00" begins an international number in most countries, but not in all: the plan of the
	// United States makes an incorrect national number from it.
	case s[0] != '+' && strings.HasPrefix(digits(s), "00") &&
		n.GetCountryCodeSource() != phonenumbers.PhoneNumber_FROM_NUMBER_WITH_IDD:
		return nil, errNational()
	}
	return n, nil
}

// serves decides whether messages can and may be sent to n.
func (p Parser) serves(n *phonenumbers.PhoneNumber) error {
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.INVALID_COUNTRY_CODE:
		return problem("number_form", "no country has this calling code")
	default:
		return errLength()
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
		return problem("number_premium", "messages are not sent to premium-rate numbers")
	}
	if p.Valid && !phonenumbers.IsValidNumber(n) {
		return problem("number_invalid", "no such number has been given out")
	}
	region := phonenumbers.GetRegionCodeForNumber(n)
	if len(p.Regions) > 0 && !slices.Contains(p.Regions, region) {
		return problem("number_country", "messages are not sent to numbers of this country")
	}
	return nil
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func problem(reason, detail string) error { return &factor.Problem{Reason: reason, Detail: detail} }

func errNational() error {
	return problem("number_international", "the number must begin with + and the country's code")
}

func errLength() error {
	return problem("number_length", "the number is too short or too long for its country")
}

func errExtension() error {
	return problem("number_extension", "a number with an extension cannot receive messages")
}

// parse asks the library, which has panicked on malformed input before (GO-2025-3987).
func parse(number, region string) (n *phonenumbers.PhoneNumber, ok bool) {
	defer func() {
		if recover() != nil {
			n, ok = nil, false
		}
	}()
	n, err := phonenumbers.ParseAndKeepRawInput(number, region)
	return n, err == nil
}

// clean makes every digit ASCII and every separator one the library knows, and refuses
// what has no place in a number. The library itself looks for a number anywhere in a text
// and drops the rest, which here would be guessing.
func clean(number string) (string, error) {
	if len(number) > maxInput || !utf8.ValidString(number) {
		return "", problem("number_form", "this is not a telephone number")
	}
	var b strings.Builder
	for _, r := range strings.TrimSpace(number) {
		c, known := plain(r)
		switch {
		case c == '+':
			if strings.ContainsAny(b.String(), "+0123456789") {
				return "", problem("number_form", "a number has no + inside")
			}
			b.Reset() // of an opening parenthesis, as in "(+31) 6"
			b.WriteByte(c)
		case known:
			b.WriteByte(c)
		// Marks that nobody sees surround numbers copied from texts in Arabic or Hebrew, from pages
		// and from the contacts of some telephones.
		case r != '\n' && r != '\r' && typed.Clean(string(r)) == "":
		case strings.ContainsRune("xX#;,*~", r), strings.Contains(strings.ToLower(number), "ext"):
			return "", errExtension()
		default:
			return "", problem("number_form", "a number has no letters")
		}
	}
	if digits(b.String()) == "" {
		if strings.TrimSpace(number) == "" {
			return "", problem("number_missing", "a telephone number is missing")
		}
		return "", problem("number_form", "this is not a telephone number")
	}
	return b.String(), nil
}

// plain returns the ASCII character that r stands for in a number, if there is one.
func plain(r rune) (byte, bool) {
	switch {
	case unicode.Is(unicode.Zs, r): // a plain space is one
		return ' ', true
	case unicode.Is(unicode.Pd, r), r == '\u2212':
		return '-', true
	}
	c := typed.Clean(string(r))
	if len(c) == 1 && strings.Contains("+./()0123456789", c) {
		return c[0], true
	}
	return 0, false
}

// digits is s without all that is not an ASCII digit.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
