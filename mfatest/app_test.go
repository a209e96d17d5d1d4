package mfatest_test

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// key20 is the seed of RFC 6238 appendix B for SHA-1, as a page shows it.
var key20 = base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))

// The vectors are those of RFC 6238 appendix B.
func TestAppCode_ShowsTheCodesOfTheStandard(t *testing.T) {
	for _, v := range []struct {
		at                   int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		at, seed := time.Unix(v.at, 0), strings.Repeat("1234567890", 7)
		for alg, of := range map[string]struct {
			size int
			code string
		}{"SHA1": {20, v.sha1}, "SHA256": {32, v.sha256}, "SHA512": {64, v.sha512}} {
			key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(
				[]byte(seed[:of.size]))
			require.Equal(t, of.code, mfatest.AppCode(t, "otpauth://totp/Acme:ann?secret="+key+
				"&algorithm="+alg+"&digits=8&period=30", at), "%s at %d", alg, v.at)
		}
		require.Equal(t, v.sha1[2:], mfatest.AppCode(t, key20, at))
		typed := strings.ToLower(key20[:4] + " " + key20[4:])
		require.Equal(t, v.sha1[2:], mfatest.AppCode(t, secret.New(typed), at))
	}
	require.Equal(t, mfatest.AppCode(t, key20, time.Unix(59, 0)), mfatest.AppCode(t,
		"otpauth://totp/Acme?period=60&secret="+key20, time.Unix(119, 0)), "step 1 of 60 seconds")
}

func TestAppCode_RefusesWhatIsNoKey(t *testing.T) {
	for key, why := range map[string]string{
		"":                                    "not Base32",
		"1189":                                "not Base32",
		"otpauth://totp/Acme":                 "not Base32",
		"otpauth://hotp/Acme?secret=" + key20: "not one for codes that change with time",
		"otpauth://totp/A?algorithm=MD5&secret=" + key20: "parameters that no app knows",
		"otpauth://totp/A?digits=4&secret=" + key20:      "parameters that no app knows",
		"otpauth://totp/A?period=0&secret=" + key20:      "parameters that no app knows",
		"otpauth://totp/A?period=x&secret=" + key20:      "parameters that no app knows",
	} {
		got := failure(t, func(t testing.TB) { mfatest.AppCode(t, key, time.Unix(59, 0)) })
		require.Contains(t, got, why, key)
		require.NotContains(t, got, key20, "a failure quotes no key")
	}
	require.Contains(t, failure(t, func(t testing.TB) {
		mfatest.AppCode(t, key20, time.Unix(-1, 0))
	}), "before 1970")
}

// A code works once, so an app that is asked twice in half a minute gives the next one, which the
// factor accepts early, and no third.
func TestApp_GivesNoCodeTwice(t *testing.T) {
	clock := mfatest.NewClock(time.Unix(59, 0))
	app := mfatest.App{Key: secret.New(key20), Clock: clock}
	shown := func(at int64) string { return mfatest.AppCode(t, key20, time.Unix(at, 0)) }
	for _, at := range []int64{59, 89} {
		code, err := app.Respond(factor.Prompt{})
		require.NoError(t, err)
		require.Equal(t, shown(at), code)
	}
	_, err := app.Respond(factor.Prompt{})
	require.ErrorContains(t, err, "has used its codes of the 30 seconds from 00:00:30")
	clock.Advance(30 * time.Second)
	code, err := app.Respond(factor.Prompt{})
	require.NoError(t, err)
	require.Equal(t, shown(119), code)
}

func TestApp_TakesTheKeyOfAnEnrolment(t *testing.T) {
	clock := mfatest.NewClock(time.Unix(59, 0))
	app := mfatest.App{Clock: clock}
	_, err := app.Respond(factor.Prompt{})
	require.ErrorContains(t, err, "the App has no key")
	code, err := app.Respond(factor.Prompt{Secret: secret.New(key20)})
	require.NoError(t, err)
	require.Equal(t, "287082", code)
	code, err = app.Respond(factor.Prompt{Secret: secret.New(key20),
		URI: secret.New("otpauth://totp/A?digits=8&secret=" + key20)})
	require.NoError(t, err)
	require.Equal(t, "94287082", code, "the URI says more, and another enrolment starts afresh")
	_, err = (&mfatest.App{Key: secret.New("0189")}).Respond(factor.Prompt{})
	require.ErrorContains(t, err, "not Base32")
}
