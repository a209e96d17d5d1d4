package mfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

func TestSignIn_ByMail(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	require.Equal(t, mfa.NextVerify, ch.Next)
	require.Len(t, ch.Options, 1)
	require.True(t, ch.Options[0].Default)
	require.True(t, ch.Options[0].Sends)
	require.Equal(t, "•••", ch.Options[0].MaskedDestination)

	d := r.send(ch)
	require.Equal(t, r.clock.Now().Add(90*time.Second), d.Expires)
	v, err := r.verify(ch, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
	require.Equal(t, "ann", v.UserID)
	require.Equal(t, "sign-in", v.Purpose)
	require.Equal(t, []string{"otp", "mfa"}, v.AMR)
	require.Equal(t, 1, v.AssuranceLevel, "e-mail does not reach AAL2")
	require.Equal(t, []string{"challenge.begun", "send.success", "verify.success"}, r.eventNames())
}

func TestVerification_StatesTheAssuranceLevel(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	require.Equal(t, "app", ch.Options[0].Kind, "a factor of one's own comes before an implied one")
	require.True(t, ch.Options[0].Default)
	v, err := r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err)
	require.Equal(t, 2, v.AssuranceLevel)
}

func TestVerify_RefusesACodeAfterNinetySeconds(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		ok    bool
	}{{0, true}, {89999 * time.Millisecond, true}, {90 * time.Second, false},
		{90001 * time.Millisecond, false}} {
		r := newRig(t)
		ch := r.begin(ann)
		r.send(ch)
		r.clock.Advance(c.after)
		_, err := r.verify(ch, "mail", r.mail.code(ann.Email))
		if c.ok {
			require.NoError(t, err, c.after)
			continue
		}
		requireUncounted(t, err)
		_, err = r.verify(ch, "mail", secret.New("000000"))
		require.Equal(t, 4, left(t, err), "an incorrect one counts, however late")
	}
}

func TestChallenge_Expires(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{15*time.Minute - time.Millisecond, nil}, {15 * time.Minute, mfa.ErrTokenExpired}} {
		r := newRig(t)
		ch := r.begin(ann)
		r.clock.Advance(c.after)
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
		require.ErrorIs(t, err, c.want)
	}
}

func TestVerify_AcceptsACodeForTheChallengeThatAsked(t *testing.T) {
	r := newRig(t)
	a, b := r.begin(ann), r.begin(ann)
	r.send(a)
	codeA := r.mail.code(ann.Email)
	_, err := r.verify(b, "mail", codeA)
	requireUncounted(t, err) // the code of challenge a does not respond to b
	r.send(b)
	_, err = r.verify(a, "mail", codeA)
	requireUncounted(t, err) // asking again replaces the code
	_, err = r.verify(b, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
}

func TestChallenge_IsValidForOneSuccess(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	r.send(ch)
	_, err := r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err)
	_, err = r.verify(ch, "mail", r.mail.code(ann.Email))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.ErrorIs(t, err, factor.ErrReplayed)
}

// Many used challenges are remembered in a bounded record, and none comes back.
func TestChallenge_StaysUsed(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	r.enroll(g, "pin", "secret")
	var spent []*mfa.Challenge
	for range 40 {
		ch := r.begin(ann)
		_, err := r.verify(ch, "pin", secret.New("secret"))
		require.NoError(t, err)
		spent = append(spent, ch)
		r.clock.Advance(time.Second)
	}
	for _, ch := range spent {
		_, err := r.verify(ch, "pin", secret.New("secret"))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	}
}

func TestToken_IsForOnePurposeAndSession(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	_, err := r.Session(ann, "another session").Verify(t.Context(), ch, "mail",
		secret.New("123456"))
	require.ErrorIs(t, err, mfa.ErrToken)
	_, err = r.Session(ann, binding).StepUp().Verify(t.Context(), ch, "mail",
		secret.New("123456"))
	require.ErrorIs(t, err, mfa.ErrToken)
	_, err = r.Session(ann, binding).Enroll(t.Context(), grantOf(textOf(t, ch)),
		mfa.EnrollRequest{Kind: "app"})
	require.ErrorIs(t, err, mfa.ErrToken, "a challenge is no grant")
	v := r.signIn(ann)
	_, err = r.Session(ann, binding).Verify(t.Context(), challengeOf(textOf(t, v.Grant)), "mail",
		secret.New("1"))
	require.ErrorIs(t, err, mfa.ErrToken, "a grant is no challenge")
	_, err = r.ConfirmLink(t.Context(), textOf(t, v.Grant))
	require.ErrorIs(t, err, mfa.ErrToken, "a grant is no link")
}

func TestBegin_HonoursTheMode(t *testing.T) {
	r := newRig(t)
	set := func(p policy.Policy) {
		require.NoError(t, r.Admin(mfa.System("root"), "").SetPolicy(t.Context(),
			policy.StoredPolicy{
				Scope: policy.Scope{UserType: "employee"}, Policy: p,
			}))
	}
	set(policy.Policy{Mode: policy.ModeOff})
	require.Equal(t, mfa.NextDone, r.begin(ann).Next)
	set(policy.Policy{Mode: policy.ModeOptional, Implicit: []string{"mail"}})
	require.Equal(t, mfa.NextDone, r.begin(ann).Next,
		"optional: an implied factor was not switched on")
	set(policy.Policy{Mode: policy.ModeRequired})
	ch := r.begin(ann)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	require.Equal(t, []string{"app", "mail", "pin"}, ch.Kinds)
	c := r.enroll(ch.Grant, "app", "tulip")
	require.NotNil(t, c.Verification, "a forced enrolment completes the sign-in")
	set(policy.Policy{Mode: policy.ModeOptional})
	require.Equal(t, mfa.NextVerify, r.begin(ann).Next, "optional: ann has switched it on")
	set(policy.Policy{Mode: policy.ModeOff})
	require.Equal(t, mfa.NextDone, r.begin(ann).Next)
	set(policy.Policy{Kinds: []string{"pin"}})
	require.Equal(t, mfa.NextVerify, r.begin(ann).Next,
		"what ann has is not allowed any more, and is hers")
}

func TestBegin_HonoursTheGracePeriod(t *testing.T) {
	r := newRig(t)
	by := r.clock.Now().Add(time.Hour)
	require.NoError(t, r.Admin(mfa.System("root"), "").SetPolicy(t.Context(), policy.StoredPolicy{
		Scope: policy.Scope{UserType: "employee"}, Policy: policy.Policy{EnrollBy: by},
	}))
	r.clock.Set(by.Add(-time.Millisecond))
	ch := r.begin(ann)
	require.Equal(t, mfa.NextDone, ch.Next)
	require.Equal(t, by, ch.EnrollBy)
	r.clock.Set(by)
	require.Equal(t, mfa.NextEnroll, r.begin(ann).Next)
}

func TestImplicit_EndsWithAnOwnFactor(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{Implicit: []string{"mail"}})
	})
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	require.Len(t, ch.Options, 1)
	require.Equal(t, "app", ch.Options[0].Kind)
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestImplicit_NeedsAVerifiedAddress(t *testing.T) {
	r := newRig(t)
	s := ann
	s.EmailVerified = false
	require.Equal(t, mfa.NextEnroll, r.begin(s).Next)
}

func TestBegin_MissingRecordIsNoInvitation(t *testing.T) {
	r := newRig(t)
	s := ann
	s.Enrolled = true
	_, err := r.Session(s, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	_, err = r.Overview(t.Context(), s)
	require.ErrorIs(t, err, mfa.ErrRecordMissing)

	// A challenge that saw a record does not verify without one.
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	r.lose(ann)
	_, err = r.verify(ch, "app", secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

// lose takes a user's record away, as no operation of the Manager does.
func (r *rig) lose(s mfa.User) {
	r.t.Helper()
	for key := range dump(r.t, r.store) {
		if strings.HasPrefix(key, "p/") && strings.HasSuffix(key, "/"+s.ID) {
			rec, err := r.store.Get(r.t.Context(), key)
			require.NoError(r.t, err)
			require.NoError(r.t, r.store.Delete(r.t.Context(), key, rec.Revision))
		}
	}
}
