package mfatest

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// AppCode returns the code that an authenticator app shows at a time (RFC 6238). key is the key
// as the page shows it, in either case and with or without spaces, for codes of 6 digits that
// change every 30 seconds; or it is the otpauth URI of the QR code, which says more. The test
// fails if key is neither.
func AppCode[T text](t testing.TB, key T, at time.Time) string {
	t.Helper()
	k, err := parseKey(reveal(key))
	if err == nil {
		var code string
		if code, err = k.code(k.step(at)); err == nil {
			return code
		}
	}
	t.Fatalf("mfatest.AppCode: %v", err)
	return ""
}

// appKey is what an app keeps of a QR code.
type appKey struct {
	secret    string // Base32
	digits    otp.Digits
	period    int64 // seconds
	algorithm otp.Algorithm
}

var algorithms = map[string]otp.Algorithm{"": otp.AlgorithmSHA1, "SHA1": otp.AlgorithmSHA1,
	"SHA256": otp.AlgorithmSHA256, "SHA512": otp.AlgorithmSHA512}

// parseKey reads a key or an otpauth URI. Its errors quote nothing of it.
func parseKey(s string) (appKey, error) {
	k := appKey{digits: otp.DigitsSix, period: 30}
	if strings.HasPrefix(s, "otpauth:") {
		u, err := url.Parse(s)
		if err != nil || u.Host != "totp" {
			return k, errors.New("the otpauth URI is not one for codes that change with time")
		}
		q := u.Query()
		alg, known := algorithms[q.Get("algorithm")]
		digits, errDigits := number(q.Get("digits"), 6)
		period, errPeriod := number(q.Get("period"), 30)
		if !known || errDigits != nil || errPeriod != nil || digits < 6 || digits > 8 ||
			period < 1 {
			return k, errors.New("the otpauth URI has parameters that no app knows")
		}
		k.algorithm, k.digits, k.period, s = alg, otp.Digits(digits), period, q.Get("secret")
	}
	k.secret = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if _, err := k.code(0); err != nil || k.secret == "" {
		return k, errors.New("the key is not Base32: pass the key or the otpauth URI of the " +
			"enrolment")
	}
	return k, nil
}

// number returns the number of a parameter, which is unset if it is left out.
func number(s string, unset int64) (int64, error) {
	if s == "" {
		return unset, nil
	}
	return strconv.ParseInt(s, 10, 32)
}

// step returns the number of a time step, which is negative before 1970.
func (k appKey) step(at time.Time) int64 {
	return int64(math.Floor(float64(at.Unix()) / float64(k.period)))
}

func (k appKey) code(step int64) (string, error) {
	if step < 0 {
		return "", errors.New("no app shows codes before 1970")
	}
	return hotp.GenerateCodeCustom(k.secret, uint64(step),
		hotp.ValidateOpts{Digits: k.digits, Algorithm: k.algorithm})
}

// App is a user's authenticator app, a [Device]. The zero value is an app without a key: it takes
// the key when [Client.PassSecondFactor] enrols it. It must not be copied, and is not safe for
// concurrent use.
type App struct {
	// Key is the key or the otpauth URI of an app that is enrolled.
	Key secret.Text
	// Clock is the application's clock in the test. Nil: the system's.
	Clock interface{ Now() time.Time }

	next int64 // the first step whose code was not used; a code works once
}

// Kind returns "totp".
func (*App) Kind() string { return "totp" }

// Respond takes the key of an enrolment, and returns the code that the app shows now. A code works
// once; in place of one that was used, Respond returns the code that follows it, which is accepted
// half a minute early. After that it returns an error, until the clock moves on.
func (a *App) Respond(p factor.Prompt) (string, error) {
	switch {
	case !p.URI.IsZero():
		a.Key, a.next = p.URI, 0
	case !p.Secret.IsZero():
		a.Key, a.next = p.Secret, 0
	case a.Key.IsZero():
		return "", errors.New("the App has no key: set App.Key, or enrol it first")
	}
	k, err := parseKey(a.Key.Reveal())
	if err != nil {
		return "", err
	}
	now := time.Now()
	if a.Clock != nil {
		now = a.Clock.Now()
	}
	step := max(k.step(now), a.next)
	if step > k.step(now)+1 {
		return "", fmt.Errorf("the App has used its codes of the %d seconds from %s: advance "+
			"the clock", k.period, time.Unix(k.step(now)*k.period, 0).UTC().Format(time.TimeOnly))
	}
	a.next = step + 1
	return k.code(step)
}
