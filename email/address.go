package email

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	// maxAddress: a path is 256 bytes, two of them brackets (RFC 5321 section 4.5.3.1.3).
	maxAddress = 254
	maxLocal   = 64 // RFC 5321 section 4.5.3.1.1
)

func addressProblem(detail string) error {
	return &factor.Problem{Reason: "address_form", Detail: detail}
}

const notAnAddress = "this is not an e-mail address that mail can be sent to"

// parseAddress returns the one bare address that s is, trimmed. The local part is kept as it
// was typed, as only its own system knows what it means; the domain is lower-cased. What does
// not print is refused, as it would make two addresses look alike, or turn a line around.
func parseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxAddress || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(" ,<>\"", r) }) {
		return "", addressProblem(notAnAddress)
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return "", addressProblem(notAnAddress)
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if strings.ContainsFunc(domain, func(r rune) bool { return r > unicode.MaxASCII }) {
		// Its ASCII form depends on tables of Unicode that every sender would have to share.
		return "", addressProblem("the domain has letters outside ASCII; give it in its xn-- form")
	}
	if len(local) > maxLocal || !domainForm(domain) {
		return "", addressProblem(notAnAddress)
	}
	return local + "@" + domain, nil
}

// domainForm: at least two labels of letters, digits and hyphens (RFC 1123 section 2.1), of
// which the last is no number, as in an IP address.
func domainForm(d string) bool {
	labels := strings.Split(d, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return len(labels) > 1 && strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// Mask returns address as it may be shown: "a•••@example.com", the first letter or digit and
// the domain. Of a local part of one character nothing is shown. It does not check address.
func Mask(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "•••"
	}
	first, n := utf8.DecodeRuneInString(address)
	if n >= at || !unicode.IsLetter(first) && !unicode.IsDigit(first) {
		n = 0
	}
	return address[:n] + "•••" + address[at:]
}
