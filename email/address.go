package email

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa/factor"
)

// maxAddress is the longest path there is room for (RFC 5321 section 4.5.3.1.3).
const maxAddress = 254

func addressProblem() error {
	return &factor.Problem{Reason: "address_form", Detail: "this is not an e-mail address that mail can be sent to"}
}

// parseAddress returns the one bare address that s is, trimmed. The local part is kept as it
// was typed, as only its own system knows what it means; the domain is lower-cased.
func parseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxAddress || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsControl(r) || unicode.IsSpace(r) || r == ',' || r == '<' || r == '>' || r == '"'
		}) {
		return "", addressProblem()
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return "", addressProblem()
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if len(local) > 64 || !domainForm(domain) {
		return "", addressProblem()
	}
	return local + "@" + domain, nil
}

// domainForm: labels of letters, digits and hyphens, at least two. An internationalised domain
// is given in its ASCII form (xn--); the sender would have to translate it otherwise.
func domainForm(d string) bool {
	labels := strings.Split(d, ".")
	if len(labels) < 2 {
		return false
	}
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
	return true
}

// Mask returns address as it is shown: "a•••@example.com". Of a local part of one character
// nothing is shown.
func Mask(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "•••"
	}
	_, n := utf8.DecodeRuneInString(address)
	if n >= at {
		n = 0
	}
	return address[:n] + "•••" + address[at:]
}
