package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

func newFactor(t testing.TB, cfg access.Config) *access.Factor {
	t.Helper()
	f, err := access.New(cfg)
	require.NoError(t, err)
	return f
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestNew_BoundsMaxTTL(t *testing.T) {
	for _, ttl := range []time.Duration{-1, time.Second, 5*time.Minute - 1, 7*24*time.Hour + 1} {
		_, err := access.New(access.Config{MaxTTL: ttl})
		require.ErrorContains(t, err, "MaxTTL")
	}
}

func TestEnroll_BoundsTheTTL(t *testing.T) {
	f := newFactor(t, access.Config{})
	for valid, want := range map[string]time.Duration{"": time.Hour, "5m": 5 * time.Minute,
		"24h":   24 * time.Hour,
		"24h1s": 0, "4m59s": 0, "-1h": 0, "8": 0, "x": 0, "9999999999h": 0} {
		out, err := f.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"valid": secret.New(valid)}, Now: start})
		if want == 0 {
			require.ErrorIs(t, err, factor.ErrMalformed, valid)
			continue
		}
		require.NoError(t, err, valid)
		require.Equal(t, start.Add(want), f.Describe(out.State).Ends)
		require.Regexp(t, `^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$`,
			out.Prompt.Codes[0].Reveal())
		require.NotContains(t, string(out.State), strings.ReplaceAll(out.Prompt.Codes[0].Reveal(),
			"-", ""))
	}
	_, err := f.Enroll(t.Context(), factor.EnrollInput{
		Params: map[string]secret.Text{"uses": secret.New("twice")}, Now: start})
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.Zero(t, f.Describe(nil))
	_, err = f.Verify(t.Context(), factor.VerifyInput{State: []byte("x"),
		Response: secret.New("0000000000000000"), Now: start})
	require.Error(t, err)
	require.NotErrorIs(t, err, factor.ErrIncorrect)
}

func TestNormalize_IgnoresSpacesAndCase(t *testing.T) {
	f := newFactor(t, access.Config{})
	got, err := f.Normalize(" abcd-efgh o0il-ZZZZ ")
	require.NoError(t, err)
	require.Equal(t, "ABCDEFGH0011ZZZZ", got)
	for _, bad := range []string{"", "ABCD", "ABCDEFGH0011ZZZZZ", "ABCDEFGH0011ZZZU",
		strings.Repeat("A", 1<<16)} {
		_, err := f.Normalize(bad)
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
}

// office is a Manager with an administrator.
type office struct {
	*mfa.Manager
	t     *testing.T
	clock *mfatest.Clock
}

func open(t *testing.T) *office {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	o := &office{t: t, clock: mfatest.NewClock(start)}
	o.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: o.clock,
		Factors: []factor.Factor{app, newFactor(t, access.Config{})},
		Authorize: func(_ context.Context, a mfa.AdminAction) error {
			if a.Actor != "admin" {
				return fmt.Errorf("%s is no administrator", a.Actor)
			}
			return nil
		}})
	require.NoError(t, err)
	return o
}

var ann = mfa.User{ID: "ann"}

const session = "session"

func (o *office) begin() *mfa.Challenge {
	o.t.Helper()
	ch, err := o.Session(ann, session).Begin(o.t.Context())
	require.NoError(o.t, err)
	return ch
}

// enrol gives ann an authenticator app.
func (o *office) enrol(g mfa.Grant) {
	o.t.Helper()
	e, err := o.Session(ann, session).Enroll(o.t.Context(), g, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(o.t, err)
	code, err := otptotp.GenerateCode(e.Prompt.Secret.Reveal(), o.clock.Now())
	require.NoError(o.t, err)
	_, err = o.Session(ann, session).Confirm(o.t.Context(), e, secret.New(code))
	require.NoError(o.t, err)
}

func (o *office) issue(params map[string]secret.Text) secret.Text {
	o.t.Helper()
	e, err := o.Admin(mfa.System("admin"), "called, knows her badge number").Enroll(o.t.Context(),
		ann, mfa.EnrollRequest{Kind: "access", Params: params})
	require.NoError(o.t, err)
	require.Len(o.t, e.Prompt.Codes, 1)
	return e.Prompt.Codes[0]
}

func (o *office) use(code secret.Text) (*mfa.Verification, error) {
	return o.Session(ann, session).Verify(o.t.Context(), o.begin(), "access", code)
}

func TestAccessCode_WorksOnce(t *testing.T) {
	o := open(t)
	o.enrol(o.begin().Grant)
	code := o.issue(nil)
	v, err := o.use(code)
	require.NoError(t, err)
	require.Equal(t, 1, v.AssuranceLevel)
	_, err = o.use(code)
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "it is used up")
	// It opens the enrolment of a replacement and nothing else.
	overview, err := o.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, overview.Factors, 1)
	require.ErrorIs(t, o.Session(ann, session).Remove(t.Context(), v.Grant, overview.Factors[0].ID),
		mfa.ErrForbidden)
	old := overview.Factors[0].ID
	o.enrol(v.Grant)
	overview, err = o.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, overview.Factors, 2, "the old one is there until the hold ends")
	o.clock.Advance(24 * time.Hour)
	overview, err = o.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, overview.Factors, 1)
	require.NotEqual(t, old, overview.Factors[0].ID)
}

func TestAccessCode_WorksForHours(t *testing.T) {
	o := open(t)
	o.enrol(o.begin().Grant)
	code := o.issue(map[string]secret.Text{"valid": secret.New("8h"), "uses": secret.New("any")})
	for range 4 {
		_, err := o.use(code)
		require.NoError(t, err)
		o.clock.Advance(2*time.Hour - time.Millisecond)
	}
	_, err := o.use(code)
	require.NoError(t, err, "a moment before the end")
	o.clock.Advance(4 * time.Millisecond)
	_, err = o.use(code)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	for _, option := range o.begin().Options {
		require.NotEqual(t, "access", option.Kind, "what is over is not offered")
	}
}

func TestAccessCode_NewOneSupersedesTheOld(t *testing.T) {
	o := open(t)
	o.enrol(o.begin().Grant)
	first := o.issue(map[string]secret.Text{"uses": secret.New("any")})
	second := o.issue(map[string]secret.Text{"uses": secret.New("any")})
	_, err := o.use(first)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = o.use(second)
	require.NoError(t, err)
}

func TestVerify_FailedAttemptsLockAccessCodes(t *testing.T) {
	o := open(t)
	o.enrol(o.begin().Grant)
	code := o.issue(nil)
	for range 5 {
		_, err := o.use(secret.New("0000-0000-0000-0000"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := o.use(code)
	var locked *mfa.LockedError
	require.ErrorAs(t, err, &locked)
}

// No user makes one for themselves, and an administrator makes no other kind for a user.
func TestAccessCode_OnlyAdministratorsIssueIt(t *testing.T) {
	o := open(t)
	g := o.begin().Grant
	_, err := o.Session(ann, session).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "access"})
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	o.enrol(g)
	_, err = o.Session(ann, session).NewRecoveryCodes(t.Context(), g)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = o.Admin(mfa.System("mallory"), "").Enroll(t.Context(), ann,
		mfa.EnrollRequest{Kind: "access"})
	require.ErrorIs(t, err, mfa.ErrForbidden)
	_, err = o.Admin(mfa.System("admin"), "").Enroll(t.Context(), ann,
		mfa.EnrollRequest{Kind: "totp"})
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = o.Admin(mfa.System("admin"), "").Enroll(t.Context(),
		mfa.User{ID: "bob", Enrolled: true}, mfa.EnrollRequest{Kind: "access"})
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	_, err = o.Admin(mfa.System("admin"), "").Enroll(t.Context(), ann,
		mfa.EnrollRequest{Kind: "access",
			Params: map[string]secret.Text{"valid": secret.New("9000h")}})
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// A code does not stand in for the enrolment that the policy requires.
func TestAccessCode_DoesNotReplaceEnrolment(t *testing.T) {
	o := open(t)
	o.issue(nil)
	require.Equal(t, mfa.NextEnroll, o.begin().Next)
}

func FuzzNormalize(f *testing.F) {
	factor := newFactor(f, access.Config{})
	for _, s := range []string{"ABCD-EFGH-JKMN-PQRS", "abcd efgh oilo ilil", "\xff", "𝟘",
		"ＡＢＣＤ\u2011EFGH\u00adJKMN\u200bPQRS\r\n", "\ufeffABCDEFGHJKMNPQRS"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := factor.Normalize(s)
		if err == nil && len(got) != 16 {
			t.Fatalf("%q became %q", s, got)
		}
		if again, err2 := factor.Normalize(got); err == nil && (err2 != nil || again != got) {
			t.Fatalf("%q is not what it becomes", got)
		}
	})
}
