package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// A kind that is not configured is not available to enrol.
func TestEnroll_OfAnUnknownKind(t *testing.T) {
	r := newRig(t)
	_, err := r.begun(r.signIn(ann).Grant, "none", "x")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// A factor reads at most 16 parameters, of at most 1024 bytes of UTF-8 each, and a name of at most
// 64 bytes.
func TestEnroll_BoundsWhatAFactorReads(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	params := func(n int) map[string]secret.Text {
		list := map[string]secret.Text{"word": secret.New("tulip")}
		for i := len(list); i < n; i++ {
			list[fmt.Sprint(i)] = secret.New("x")
		}
		return list
	}
	with := func(key, value string) map[string]secret.Text {
		list := params(1)
		list[key] = secret.New(value)
		return list
	}
	for what, c := range map[string]struct {
		name   string
		params map[string]secret.Text
		ok     bool
	}{
		"16 parameters":      {"", params(16), true},
		"17 parameters":      {"", params(17), false},
		"a long key":         {"", with(strings.Repeat("k", 1024), "x"), true},
		"too long a key":     {"", with(strings.Repeat("k", 1025), "x"), false},
		"a key of no text":   {"", with("\xff", "x"), false},
		"a long value":       {"", with("x", strings.Repeat("v", 1024)), true},
		"too long a value":   {"", with("x", strings.Repeat("v", 1025)), false},
		"a value of no text": {"", with("x", "\xff"), false},
		"a long name":        {strings.Repeat("n", 64), params(1), true},
		"too long a name":    {strings.Repeat("n", 65), params(1), false},
	} {
		_, err := r.of(g).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "app", Name: c.name,
			Params: c.params})
		if c.ok {
			require.NoError(t, err, what)
		} else {
			require.ErrorIs(t, err, factor.ErrMalformed, what)
		}
	}
}

// kinded is recovery codes under a kind and with traits of its own.
type kinded struct {
	codes
	kind   string
	traits factor.Traits
}

func (k kinded) Kind() string          { return k.kind }
func (k kinded) Traits() factor.Traits { return k.traits }

// NewRecoveryCodes makes codes that run out and need no confirmation, whatever other recovery kinds
// there are.
func TestNewRecoveryCodes_MakesThoseOfTheKindThatRunsOut(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append([]factor.Factor{
			kinded{kind: "a", traits: factor.Traits{Recovery: true, OnePerUser: true,
				NoConfirmation: true}},
			kinded{kind: "b", traits: factor.Traits{Recovery: true, OnePerUser: true,
				Limited: true}}}, c.Factors...)
	})
	e, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), r.withApp(ann, "tulip").Grant)
	require.NoError(t, err)
	require.Len(t, e.Prompt.Codes, 5)
	require.NotNil(t, e.Confirmed)
	require.Equal(t, "recovery", e.Confirmed.Factor.Kind)

	r = newRig(t, func(c *mfa.Config) { c.Factors = c.Factors[:3] })
	_, err = r.Session(ann, binding).NewRecoveryCodes(t.Context(), r.withApp(ann, "tulip").Grant)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// showing is a signer, and mailing a sender, that keeps which instances it was shown.
type showing struct {
	*signer
	existing *[]factor.EnrollOutput
}

func (s showing) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	*s.existing = in.Existing
	return s.signer.Enroll(ctx, in)
}

type mailing struct {
	*sent
	existing *[]factor.EnrollOutput
}

func (s mailing) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	*s.existing = in.Existing
	return s.sent.Enroll(ctx, in)
}

// A factor is shown what the user has of its kind, so that a browser makes no second key of one
// device. A key that has changed may be enrolled again.
func TestEnroll_ShowsAFactorWhatTheUserHas(t *testing.T) {
	var existing []factor.EnrollOutput
	r, _ := keyRig(t, func(c *mfa.Config) {
		last := len(c.Factors) - 1
		c.Factors[last] = showing{c.Factors[last].(*signer), &existing}
	})
	outdated := func() (list []string) {
		for _, e := range existing {
			if e.Outdated {
				list = append(list, string(e.State))
			}
		}
		return list
	}
	g := r.withKey(ann, "hard").Grant
	require.Empty(t, existing)
	c, err := r.addKey(g, "soft")
	require.NoError(t, err)
	require.Len(t, existing, 1)
	require.Empty(t, outdated())
	_, _ = r.beginKey(c.Grant, "k3")
	require.Len(t, existing, 2)
	require.Empty(t, outdated())

	r.outdate("hard")
	_, _ = r.beginKey(c.Grant, "k3")
	require.Equal(t, []string{"hard"}, outdated())
}

// A browser makes no second key of a device that it is shown, unless the policy allows the first no
// more.
func TestEnroll_ShowsWhichKeysThePolicyAllows(t *testing.T) {
	var existing []factor.EnrollOutput
	r, _ := keyRig(t, func(c *mfa.Config) {
		last := len(c.Factors) - 1
		c.Factors[last] = showing{c.Factors[last].(*signer), &existing}
	})
	r.withKey(ann, "soft")
	r.set(hardware)
	_, err := r.respondTo(r.Session(ann, binding).StepUp(), r.beginFor(ann, "step-up"), "soft", "")
	required, ok := errors.AsType[*mfa.EnrollmentRequiredError](err)
	require.True(t, ok, "got %v", err)
	_, _ = r.beginKey(required.Grant, "hard")
	require.Len(t, existing, 1)
	require.True(t, existing[0].Outdated)
}

// The address for which the application vouches is not one that the user has enrolled, and they may
// enrol it.
func TestEnroll_ShowsNoAddressOfTheAccount(t *testing.T) {
	existing := make([]factor.EnrollOutput, 1)
	r := newRig(t, func(c *mfa.Config) { c.Factors[1] = mailing{c.Factors[1].(*sent), &existing} })
	u := ann
	u.EmailVerified = false
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), u)
	require.NoError(t, err)
	_, err = r.ConfirmLink(t.Context(), secret.New(r.mail.link[ann.Email]))
	require.NoError(t, err)
	_, err = r.begun(r.signIn(u).Grant, "mail", "second@example.com")
	require.NoError(t, err)
	require.Empty(t, existing)
}

// An enrolment ends with the record that it is in.
func TestConfirm_WithoutARecord(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "app", "tulip")
	require.NoError(t, err)
	rec, err := r.store.Get(t.Context(), "p/0//ann")
	require.NoError(t, err)
	require.NoError(t, r.store.Delete(t.Context(), "p/0//ann", rec.Revision))
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

// A process that lacks the kind of an enrolment refuses to confirm it, and leaves it as it is.
func TestConfirm_OfAKindThatIsNotConfigured(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "app", "tulip")
	require.NoError(t, err)
	cfg := r.cfg
	cfg.Factors = cfg.Factors[1:]
	other, err := mfa.New(cfg)
	require.NoError(t, err)
	_, err = other.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip"))
	require.NoError(t, err)
}

// What is no code of the kind is a malformed response, and no failed attempt.
func TestConfirm_OfAMalformedResponse(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "mail", "second@example.com")
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("no code"))
	require.ErrorIs(t, err, factor.ErrMalformed)
	_, counted := errors.AsType[*mfa.AttemptError](err)
	require.False(t, counted)
}

// A caller who hangs up before the write has confirmed nothing, if no identity was claimed and the
// application has stored nothing.
func TestConfirm_EndsWithItsCaller(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "app", "tulip")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	hangUp := func(context.Context, string) { cancel() }
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: hangUp})
	_, err = r.Session(ann, binding).Confirm(ctx, e, secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip"))
	require.NoError(t, err)
}

// A caller who hangs up once the application has stored a new address does not leave the user
// without a factor at it.
func TestConfirmAddress_GoesOnWithoutItsCaller(t *testing.T) {
	r := newRig(t)
	e, err := r.changeAddress(r.withApp(ann, "word").Grant)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = r.Session(ann, binding).ConfirmAddress(ctx, e, r.mail.code(annsNext),
		func(context.Context) error {
			cancel()
			return nil
		})
	require.NoError(t, err)
}

// A link whose write failed has verified nothing, says so, and stays valid.
func TestConfirmLink_FailsWithTheStore(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(impliedMail) })
	u := ann
	u.EmailVerified = false
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), u)
	require.NoError(t, err)
	link := secret.New(r.mail.link[ann.Email])
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("down")})
	_, err = r.ConfirmLink(t.Context(), link)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	_, err = r.ConfirmLink(t.Context(), link)
	require.NoError(t, err)
}
