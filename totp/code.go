package totp

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// code is the code of a step (RFC 6238 section 4.2, RFC 4226 section 5.3).
func (s state) code(step int64) (string, error) {
	return hotp.GenerateCodeCustom(b32.EncodeToString(s.secret), uint64(step),
		hotp.ValidateOpts{Digits: otp.Digits(s.digits), Algorithm: s.algorithm.otp()})
}

// uri is the otpauth URI of the Key URI Format: every parameter once, the issuer both as the
// label's prefix and as a parameter, spaces as %20 and never as "+", which apps show as a plus.
func (f *Factor) uri(s state, account string) string {
	escape := func(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") }
	return "otpauth://totp/" + escape(f.cfg.Issuer) + ":" + escape(account) +
		"?secret=" + b32.EncodeToString(s.secret) +
		"&issuer=" + escape(f.cfg.Issuer) +
		"&algorithm=" + s.algorithm.String() +
		"&digits=" + strconv.Itoa(s.digits) +
		"&period=" + strconv.Itoa(s.period)
}
