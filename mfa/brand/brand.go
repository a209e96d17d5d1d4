// Package brand describes how users of one tenant see the application: its name, the label in
// authenticator apps, the sender of mails, colours, logo and texts.
//
//	cfg.Brand = func(ctx context.Context, tenant string) (brand.Brand, error) {
//		return brands[tenant], nil
//	}
//
// [Brand] goes from mfa.Config.Brand to factors and pages. Each field that is zero means what is
// configured there, such as totp.Config.Issuer. The Manager checks each Brand before it is used,
// so that factors and pages can rely on [Brand.Check].
package brand

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrInvalid is the error of a Brand that cannot be used.
var ErrInvalid = errors.New("brand: invalid")

// maxName is what fits into a label and the subject of a mail, in bytes.
const maxName = 64

// maxTexts bounds the texts of one language.
const maxTexts = 1000

// Brand is how users of one tenant see the application. The zero Brand is the configured one.
type Brand struct {
	// Product is the name of the application on pages, in mails and in text messages; 1 to 64
	// bytes on one line.
	Product string
	// Issuer is the name in authenticator apps; 1 to 64 bytes without a colon. Defaults to
	// Product.
	Issuer string
	// ShortName is the name in text messages, in characters of the GSM 7-bit alphabet. Defaults
	// to Product.
	ShortName string
	// MailFrom is the sender of mails, such as "Acme <no-reply@acme.example>". The mail server
	// must be permitted to send for its domain (SPF, DKIM).
	MailFrom string
	// Accent is the colour of buttons and links in light mode, as "#7a1fa2". White text must be
	// legible on it, and it must be legible on the pages: each contrast is at least 4.5:1 (WCAG
	// 2.2, criterion 1.4.3).
	Accent string
	// AccentDark is the same in dark mode, below dark text. Defaults to a lighter Accent. It
	// needs an Accent.
	AccentDark string
	// Logo is the path of an image on the site of the pages, such as "/assets/acme.svg". It is
	// shown at the height of two lines, in place of the shield.
	Logo string
	// Texts replace texts of pages, mails and text messages, by language and key.
	// docs/templates.md lists the keys.
	Texts map[string]map[string]string
}

// Check returns an error that matches ErrInvalid and says what is wrong, or nil. It does not
// know the keys of Texts: mfahttp checks them all, and packages email, sms and password those that
// they send.
func (b Brand) Check() error {
	for _, n := range []struct {
		field, text string
		colon       bool
	}{{"Product", b.Product, b.Issuer != ""}, {"Issuer", b.Issuer, false},
		{"ShortName", b.ShortName, true}} {
		if err := checkName(n.text, n.colon); err != nil {
			return fmt.Errorf("%w: %s %w", ErrInvalid, n.field, err)
		}
	}
	if err := b.checkMailFrom(); err != nil {
		return fmt.Errorf("%w: MailFrom %w", ErrInvalid, err)
	}
	if err := b.checkColours(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := checkLogo(b.Logo); err != nil {
		return fmt.Errorf("%w: Logo %w", ErrInvalid, err)
	}
	for _, texts := range b.Texts {
		if len(texts) > maxTexts {
			return fmt.Errorf("%w: Texts has more than %d texts in one language", ErrInvalid,
				maxTexts)
		}
	}
	return nil
}

func checkName(s string, colon bool) error {
	switch {
	case s == "":
		return nil
	case len(s) > maxName || !utf8.ValidString(s) || strings.TrimSpace(s) != s:
		return fmt.Errorf("must be 1 to %d bytes of text without spaces at its ends", maxName)
	case strings.ContainsFunc(s, unprintable):
		return errors.New("must not have control characters, or characters that are not visible " +
			"or turn the writing direction")
	case !colon && strings.Contains(s, ":"):
		return errors.New("must not have a colon, which ends the issuer in an authenticator app; " +
			"set Issuer to a name without one")
	}
	return nil
}

// unprintable is true of characters with which one name can be made to look like another.
func unprintable(r rune) bool {
	return r != ' ' && !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r)
}

// checkMailFrom accepts one address whose name adds no header and hides no other address.
func (b Brand) checkMailFrom() error {
	if b.MailFrom == "" {
		return nil
	}
	from, err := mail.ParseAddress(b.MailFrom)
	// The decoded name is checked too: an encoded word can hold a line break.
	if err != nil || len(b.MailFrom) > 320 || strings.ContainsFunc(b.MailFrom, unprintable) ||
		strings.ContainsFunc(from.Name, unprintable) ||
		strings.ContainsFunc(from.Address, func(r rune) bool { return r <= ' ' || r > '~' }) ||
		strings.Contains(from.Name, "@") {
		return errors.New("must be one address, such as Acme <no-reply@acme.example>, with a " +
			"name on one line that does not look like another address")
	}
	return nil
}

// checkLogo accepts a path on this site that a browser reads in one way.
func checkLogo(logo string) error {
	if logo == "" {
		return nil
	}
	u, err := url.Parse(logo)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Fragment != "" || len(logo) > 512 ||
		!strings.HasPrefix(logo, "/") || strings.HasPrefix(logo, "//") ||
		path.Clean(u.Path) != u.Path ||
		strings.ContainsFunc(logo, func(r rune) bool {
			return r <= ' ' || r > '~' || strings.ContainsRune("\\\"'<>`", r)
		}) {
		return errors.New("must be a path on the site of the pages, such as /assets/acme.svg: " +
			"their Content-Security-Policy loads images from there alone")
	}
	return nil
}

// ProductOr returns Product, or the configured name.
func (b Brand) ProductOr(configured string) string { return or(b.Product, configured) }

// IssuerOr returns Issuer, Product or the configured issuer.
func (b Brand) IssuerOr(configured string) string { return or(b.Issuer, b.ProductOr(configured)) }

// ShortNameOr returns ShortName, Product or the configured name.
func (b Brand) ShortNameOr(configured string) string {
	return or(b.ShortName, b.ProductOr(configured))
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
