// Package mailaddr reads e-mail addresses, in one place for everything that sends to them or
// compares them. An address that it returns is made of printable characters without quotes,
// brackets, commas, colons and spaces, so that it cannot be anything but one address in a
// header or in a command to a mail server.
package mailaddr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

const (
	// maxAddress: a path is 256 bytes, two of them brackets (RFC 5321 section 4.5.3.1.3).
	maxAddress = 254
	maxLocal   = 64 // RFC 5321 section 4.5.3.1.1
	// maxInput bounds what is looked at. A domain may be longer as it is typed than in ASCII.
	maxInput = 1024
)

// Address is an address that a message can be sent to.
type Address struct {
	// Local is the part before the at sign, as it was typed, in Unicode normal form C (RFC 6532
	// section 3.1): only its own system knows what it means.
	Local string
	// Domain is in lower case, with internationalised labels in their ASCII form ("xn--").
	Domain string
}

// String returns the address in the form that is kept, compared and shown.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// Wire returns the address in the form that headers and mail servers take. Some carriers in Japan
// issued local parts such as "ann..b" and "ann.", which the standard permits in quotes alone
// (RFC 5321 section 4.1.2).
func (a Address) Wire() string {
	if strings.HasPrefix(a.Local, ".") || strings.HasSuffix(a.Local, ".") ||
		strings.Contains(a.Local, "..") {
		return `"` + a.Local + `"@` + a.Domain
	}
	return a.String()
}

// International reports whether only a server with SMTPUTF8 (RFC 6531) takes the address.
func (a Address) International() bool {
	return strings.ContainsFunc(a.Local, func(r rune) bool { return r > unicode.MaxASCII })
}

// Wire returns the form of an address that headers and mail servers take. An address that cannot
// be read is returned as it is, for the sender to refuse.
func Wire(address string) string {
	a, err := Parse(address, func(string) bool { return true })
	if err != nil {
		return address
	}
	return a.Wire()
}

// Error says why no message can be sent to an address. It holds nothing of the address.
type Error struct {
	// Reason is a stable code:
	//
	//	form           not one bare address
	//	length         longer than a mail server takes
	//	quoted         the part before the at sign is in quotes, and more than words and dots
	//	literal        an IP address in place of a domain
	//	single-label   a host without a domain
	//	domain         not a domain name
	Reason string
	// Detail is a sentence in English.
	Detail string
}

func (e *Error) Error() string { return "email address: " + e.Detail }

var (
	errForm    = &Error{"form", "this is not one bare e-mail address"}
	errLength  = &Error{"length", "the address is longer than mail servers take"}
	errQuoted  = &Error{"quoted", "a quoted part before the @ is not supported"}
	errLiteral = &Error{"literal", "an IP address in place of a domain is not supported"}
	errSingle  = &Error{"single-label", "the domain has no dot"}
	errDomain  = &Error{"domain", "the part after the @ is not a domain name"}
)

// Parse reads one bare address, with or without white space and invisible marks around it, and
// with or without "mailto:" before it. Full-width characters are read as those of ASCII. single,
// which may be nil, says whether mail can be sent to a host whose name, in lower case, has no dot.
func Parse(s string, single func(host string) bool) (Address, error) {
	if len(s) > maxInput {
		return Address{}, errLength
	}
	s = bare(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, unprintable) || strings.ContainsAny(s, "<>,;") {
		return Address{}, errForm
	}
	local, domain := norm.NFC.String(unquote(s[:at])), s[at+1:]
	if err := localForm(local); err != nil {
		return Address{}, err
	}
	domain, err := toASCII(domain)
	if err != nil {
		return Address{}, err
	}
	if !strings.Contains(domain, ".") && (single == nil || !single(domain)) {
		return Address{}, errSingle
	}
	if len(local)+1+len(domain) > maxAddress {
		return Address{}, errLength
	}
	return Address{local, domain}, nil
}

// bare returns what a user means who typed with an input method on, copied a link, or pasted marks
// that no page shows.
func bare(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	})
	s = strings.Map(func(r rune) rune {
		if r >= '\uff01' && r <= '\uff5e' {
			return r - '\uff01' + '!'
		}
		return r
	}, s)
	const scheme = "mailto:"
	if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		s = s[len(scheme):]
	}
	return s
}

// unquote returns a local part without the quotes that a part of words and dots may have.
func unquote(local string) string {
	inner, quoted := strings.CutPrefix(local, `"`)
	if quoted && strings.HasSuffix(inner, `"`) &&
		localForm(strings.TrimSuffix(inner, `"`)) == nil {
		return strings.TrimSuffix(inner, `"`)
	}
	return local
}

// unprintable says whether a character would make two addresses look alike, or turn a line
// around. The two joiners are letters of some scripts; toASCII accepts them between those.
func unprintable(r rune) bool {
	return r != '\u200c' && r != '\u200d' && (!unicode.IsPrint(r) || r == utf8.RuneError)
}

// invisible says whether a character could stand in one local part and not in another that looks
// the same: the joiners, the selectors of variants, fillers, and what unprintable has.
func invisible(r rune) bool {
	const braillePatternBlank = '\u2800'
	return unprintable(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point) || r == braillePatternBlank
}

// atext are the characters of a dot-atom beside letters and digits (RFC 5322 section 3.2.3).
const atext = "!#$%&'*+-/=?^_`{|}~"

// localForm takes words of letters, digits and atext with dots between, before and after them. A
// letter is one of any script (RFC 6531 section 3.3).
func localForm(local string) error {
	if strings.HasPrefix(local, `"`) && strings.HasSuffix(local, `"`) && len(local) > 1 {
		return errQuoted
	}
	word := false
	for _, r := range local {
		switch {
		case r == '.':
		case r > unicode.MaxASCII && !invisible(r), r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z',
			r >= '0' && r <= '9', strings.ContainsRune(atext, r):
			word = true
		default:
			return errForm
		}
	}
	first, _ := utf8.DecodeRuneInString(local)
	switch {
	case !word || unicode.Is(unicode.M, first):
		return errForm
	case len(local) > maxLocal:
		return errLength
	}
	return nil
}

// lookup is the mapping of UTS #46 without transitional processing, with the checks of IDNA
// 2008 on joiners and on direction. It leaves hyphens to domainForm: "r3---a.example" exists.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.CheckHyphens(false))

// toASCII returns a domain in lower case and ASCII.
func toASCII(domain string) (string, error) {
	if strings.HasPrefix(domain, "[") && strings.HasSuffix(domain, "]") {
		return "", errLiteral
	}
	ascii, err := lookup.ToASCII(domain)
	if err != nil {
		return "", errDomain
	}
	ascii = strings.ToLower(ascii)
	if err := domainForm(ascii); err != nil {
		return "", err
	}
	return ascii, nil
}

// domainForm takes labels of letters, digits and hyphens (RFC 1123 section 2.1), of which the
// last is no number, as in an IP address.
func domainForm(d string) error {
	labels := strings.Split(d, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return errDomain
		}
		for _, c := range []byte(l) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return errDomain
			}
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		if len(labels) == 4 {
			return errLiteral
		}
		return errDomain
	}
	return nil
}

// Shown returns a domain in the form that users know: "bücher.example". A domain that has
// none is returned as it is.
func Shown(domain string) string {
	ascii, err := toASCII(domain)
	if err != nil {
		return domain
	}
	shown, err := lookup.ToUnicode(ascii)
	if err != nil {
		return domain
	}
	return shown
}

// Same reports whether two texts are spellings of one address. Domains are one in whatever case,
// as letters or in ASCII form ("xn--"), and in every Unicode normal form. Of the part before the
// at sign only its own system knows what it means. It is compared as it is, but for the case of
// ASCII letters, which no large system distinguishes, and the normal form, which depends on the
// keyboard. Texts that are no address are never the same.
func Same(a, b string) bool {
	localA, domainA, okA := split(a)
	localB, domainB, okB := split(b)
	return okA && okB && localA == localB && domainA == domainB
}

// split returns the two parts of an address in the form in which Same compares them.
func split(s string) (local, domain string, ok bool) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || len(s) > maxInput || !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return "", "", false
	}
	domain, err := toASCII(s[at+1:])
	return Lower(norm.NFC.String(unquote(s[:at]))), domain, err == nil
}

// Lower returns an address with ASCII letters in lower case. Letters of other scripts stay as they
// are: the case of some is that of another letter, and so of another mailbox.
func Lower(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, address)
}
