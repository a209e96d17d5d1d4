package totp

import (
	"crypto/sha256"
	"net/url"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
)

// What is longer is cut, so that the URI always fits into a QR code that a camera can read.
const (
	maxAccount = 128
	maxDevice  = 64
)

// accountName is how the app shows the account; device distinguishes a user's devices, and n,
// from 2 on, those of one name.
func accountName(p factor.User, device string, n int) string {
	account := printable(p.Account, maxAccount)
	if account == "" {
		account = printable(p.ID, maxAccount)
	}
	if account == "" {
		account = "account"
	}
	device = printable(device, maxDevice)
	if n > 1 {
		// After the cut, which would take the number off a long name again.
		device = strings.TrimSpace(device + " " + strconv.Itoa(n))
	}
	if device != "" {
		account += " (" + device + ")"
	}
	return account
}

// printable is s without what a label cannot hold, at most max bytes of it. A colon would be
// taken for the end of the issuer, even escaped.
func printable(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r == ':' || unprintable(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimSpace(plainname.Cut(s, max))
}

// labelID stands for a label in the state, where the label itself would take room; the name
// of an instance cannot, because users rename instances and apps keep the label. Case is
// folded, as apps may.
func labelID(account string) [labelLen]byte {
	h := sha256.Sum256([]byte(strings.ToLower(account)))
	return [labelLen]byte(h[:])
}

// uri is the otpauth URI of the Key URI Format: every parameter once, the issuer both as the
// label's prefix and as a parameter. Spaces are %20, never "+", which apps show as a plus, and
// "&" and "=" are escaped in the label, too, where url.PathEscape leaves them: the issuer
// "A&digits=8" must not add a parameter. The values that are the default are there all the
// same, for apps whose default is another.
func uri(s state, issuer, account string) string {
	escape := func(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") }
	return "otpauth://totp/" + escape(issuer) + ":" + escape(account) +
		"?secret=" + b32.EncodeToString(s.secret) +
		"&issuer=" + escape(issuer) +
		"&algorithm=" + s.algorithm.String() +
		"&digits=" + strconv.Itoa(s.digits) +
		"&period=" + strconv.Itoa(s.period)
}
