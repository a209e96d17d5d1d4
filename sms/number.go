package sms

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/internal/typed"
	"github.com/secondgate/secondgate/mfa/factor"
)

// maxInput bounds what is looked at of a typed number, in bytes.
const maxInput = 128

var (
	// e164 is ITU-T E.164: a calling code that never begins with 0, 15 digits at most. The
	// shortest numbers in use, of the Falkland Islands and Saint Helena, have eight.
	e164       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	prefixForm = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`)
	regionForm = regexp.MustCompile(`^[A-Za-z]{2}$`)
)

// nowhere are the calling codes that ITU-T assigned to networks and services instead of
// countries. AnyCountry does not stand for them.
var nowhere = [...]string{"+800", "+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979"}

func problem(reason, detail string) error { return &factor.Problem{Reason: reason, Detail: detail} }

// parse brings number into E.164 form.
func (cfg *Config) parse(number, region string) (string, error) {
	if len(number) > maxInput {
		return "", problem("number_form", "this is too long for a telephone number")
	}
	if typed.Clean(number) == "" {
		return "", problem("number_missing", "a telephone number is missing")
	}
	if region != "" && !regionForm.MatchString(region) {
		return "", problem("number_region", "the country is not a two-letter code")
	}
	if cfg.Parse == nil {
		return international(number)
	}
	parsed, err := cfg.Parse(number, Region(strings.ToUpper(region)))
	if err != nil {
		if p, ok := errors.AsType[*factor.Problem](err); ok {
			return "", p
		}
		// The text of another error may quote the number.
		return "", problem("number_form", "this is not a telephone number")
	}
	if !e164.MatchString(parsed) {
		return "", errors.New("sms: Config.Parse returned something else than an E.164 number")
	}
	return parsed, nil
}

// international takes a number with its plus sign, or a tel: URI, and drops what users write and
// paste between the digits. It knows no country, so whatever needs one is refused rather than
// guessed at.
func international(number string) (string, error) {
	if strings.ContainsAny(strings.TrimSpace(number), "\r\n") {
		return "", problem("number_form", "this is more than one line")
	}
	number = typed.Clean(typed.Tel(number))
	if strings.ContainsAny(strings.ToLower(number), "x#,;") {
		return "", problem("number_extension", "a number with an extension cannot receive messages")
	}
	// In "+44 (0)20" the zero is dialled inside the country only, and which countries do
	// without it takes a table to know.
	if strings.Contains(number, "(0)") {
		return "", problem("number_form", "the number must be written without (0)")
	}
	s := strings.NewReplacer("(", "", ")", "").Replace(number)
	if e164.MatchString(s) {
		return s, nil
	}
	if !strings.HasPrefix(s, "+") {
		return "", problem("number_international",
			"the number must begin with + and the country's code")
	}
	return "", problem("number_form", "this is not a telephone number in international form")
}

func checkPrefixes(allow, deny []string) error {
	if len(allow) == 0 {
		return invalid("Allow is empty, so that no message could be sent; list the calling " +
			"codes of the countries you serve, such as \"+31\", or AnyCountry")
	}
	for _, p := range slices.Concat(allow, deny) {
		if p != AnyCountry && !prefixForm.MatchString(p) {
			return invalid("Allow or Deny holds %q; write a calling code with its plus sign and "+
				"without spaces, such as \"+31\"", p)
		}
	}
	if slices.Contains(deny, AnyCountry) {
		return invalid("Deny holds AnyCountry, so that no message could be sent; leave it out")
	}
	return nil
}

// served says whether messages go to a number, by Allow and Deny.
func (cfg *Config) served(number string) bool {
	begins := func(prefix string) bool { return strings.HasPrefix(number, prefix) }
	if slices.ContainsFunc(cfg.Deny, begins) {
		return false
	}
	return slices.ContainsFunc(cfg.Allow, begins) ||
		slices.Contains(cfg.Allow, AnyCountry) && !slices.ContainsFunc(nowhere[:], begins)
}

func errNotServed() error {
	return problem("number_country", "messages are not sent to numbers of this country")
}

// mask shows of a number its calling code and its last four digits, but never more than
// half of what follows the calling code, and nothing of it where that is four digits or
// fewer.
func mask(number string) string {
	code := callingCode(number)
	rest := number[len(code):]
	show := min(4, len(rest)/2)
	if len(rest) <= 4 {
		show = 0
	}
	hidden := len(rest) - show
	return code + " " + strings.Repeat("•", hidden) + rest[hidden:]
}

// callingCode is the calling code of an E.164 number with its plus sign. ITU-T E.164
// assigns one digit to two zones, two digits to the countries listed, three to all others.
func callingCode(number string) string {
	const two = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 " +
		"60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "
	switch {
	case number[1] == '1' || number[1] == '7':
		return number[:2]
	case strings.Contains(two, " "+number[1:3]+" "):
		return number[:3]
	}
	return number[:4]
}
