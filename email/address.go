package email

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/mfa/factor"
)

// address returns the form of an address that is kept and compared: the domain is in lower case and
// in ASCII, the part before it as it was typed. The error is a *factor.Problem.
func (cfg *Config) address(s string) (string, error) {
	local := func(host string) bool { return slices.Contains(cfg.LocalDomains, host) }
	a, err := mailaddr.Parse(s, local)
	if err == nil {
		return a.String(), nil
	}
	p := &factor.Problem{Reason: "address_form", Detail: "this is not an e-mail address"}
	var bad *mailaddr.Error
	if errors.As(err, &bad) && bad.Reason != "form" {
		p.Reason, p.Detail = "address_unsupported", "no mail can be sent to this address: "+
			bad.Detail
	}
	return "", p
}

// checkLocalDomains brings Config.LocalDomains into the form that addresses have.
func (cfg *Config) checkLocalDomains() error {
	cfg.LocalDomains = slices.Clone(cfg.LocalDomains)
	for i, host := range cfg.LocalDomains {
		a, err := mailaddr.Parse("postmaster@"+host, func(string) bool { return true })
		if err != nil || strings.Contains(a.Domain, ".") {
			return fmt.Errorf("LocalDomains[%d] is not a host name without a dot, such as intranet",
				i)
		}
		cfg.LocalDomains[i] = a.Domain
	}
	return nil
}

// Mask returns address as it may be shown: "a•••@example.com", the first letter or digit and
// the domain, with internationalised labels in the form that users know. It shows nothing of
// a local part of one character. It does not check address.
func Mask(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "•••"
	}
	first, n := utf8.DecodeRuneInString(address)
	if n >= at || !unicode.IsLetter(first) && !unicode.IsDigit(first) {
		n = 0
	}
	return address[:n] + "•••@" + mailaddr.Shown(address[at+1:])
}
