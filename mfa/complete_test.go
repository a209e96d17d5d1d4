package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// bare returns a verification without its grant, which must be there.
func bare(t *testing.T, v *mfa.Verification) mfa.Verification {
	t.Helper()
	require.NotNil(t, v)
	require.False(t, v.Grant.IsZero())
	out := *v
	out.Grant = mfa.Grant{}
	return out
}

// TestVerification_IsComplete compares everything that a verification by each kind says.
func TestVerification_IsComplete(t *testing.T) {
	s := newStory(t)
	g := s.enroll(s.withKey(ann, "hard-1").Grant, "app", "word").Grant
	g = s.enroll(g, "pin", "1234").Grant
	_, err := s.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	now := testStart.Add(time.Minute)
	s.clock.Advance(time.Minute)
	want := func(kind, id string, level int, amr ...string) mfa.Verification {
		return mfa.Verification{UserID: "ann", UserType: "employee", Purpose: "sign-in", Kind: kind,
			FactorID: id, Time: now, AMR: amr, AssuranceLevel: level,
			GrantExpires: now.Add(5 * time.Minute), RecoveryCodesRemaining: -1}
	}
	v, err := s.verify(s.begin(ann), "app", secret.New("word"))
	require.NoError(t, err)
	require.Equal(t, want("app", s.id("app"), 2, "otp", "mfa"), bare(t, v))
	v, err = s.verify(s.begin(ann), "pin", secret.New("1234"))
	require.NoError(t, err)
	require.Equal(t, want("pin", s.id("pin"), 1, "pwd"), bare(t, v))
	mail := want("mail", "", 1, "otp", "mfa")
	require.Equal(t, mail, bare(t, s.signIn(ann)))
	v, err = s.respondAs(s.begin(ann), "hard-1", "")
	require.NoError(t, err)
	key := want("key", s.id("key"), 2, "hwk", "mfa")
	key.ACR, key.RecoveryCodesDue = "phr", true
	key.Factors = []mfa.FactorInfo{{ID: s.id("key"), Kind: "key", Name: "Key", Created: testStart,
		LastUsed: now, Remaining: -1, Data: []byte(`"hard-1"`)}}
	require.Equal(t, key, bare(t, v))
	v, err = s.answer(s.open(), "hard-1", "", ann)
	require.NoError(t, err)
	key.Passwordless = true
	require.Equal(t, key, bare(t, v))

	v, err = s.verify(s.begin(ann), "recovery", secret.New("a"))
	require.NoError(t, err)
	codes := want("recovery", s.id("recovery"), 1)
	codes.RecoveryCodesRemaining = 4
	codes.EnrollKinds = []string{"app", "pin", "key"}
	require.Equal(t, codes, bare(t, v))
}

// TestOverview_IsComplete compares everything that the overview says of a user who has much.
func TestOverview_IsComplete(t *testing.T) {
	s := newStory(t)
	g, ses := s.withApp(ann, "word").Grant, s.Session(ann, binding)
	_, err := ses.NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	g = s.enroll(g, "pin", "1234").Grant
	s.clock.Advance(time.Minute)
	s.onApp("Laptop")
	require.NoError(t, ses.UseImplied(t.Context(), g, false))
	require.NoError(t, ses.Prefer(t.Context(), g, "pin"))
	require.NoError(t, ses.Decline(t.Context(), "key"))
	o, err := s.Overview(t.Context(), ann)
	require.NoError(t, err)
	now, never := testStart.Add(time.Minute), time.Time{}
	p := o.Policy
	require.Equal(t, policy.ModeRequired, p.Mode)
	require.Len(t, o.Devices, 1)
	require.Equal(t, &mfa.Overview{
		Factors: []mfa.FactorInfo{
			{ID: s.id("app"), Kind: "app", Name: "My app", Created: testStart, LastUsed: now,
				Remaining: -1},
			{ID: s.id("recovery"), Kind: "recovery", Created: testStart, LastUsed: never,
				Recovery: true, Remaining: 5, Unsaved: true},
			{ID: s.id("pin"), Kind: "pin", Name: "My pin", Created: testStart, LastUsed: testStart,
				Remaining: -1},
			{Kind: "mail", MaskedDestination: "•••", Implicit: true, TurnedOff: true,
				Remaining: -1},
		},
		RecoveryCodesRemaining: 5, RecoveryCodesDue: true, Policy: p,
		Kinds: []string{"app", "mail", "pin", "key"},
		Devices: []mfa.DeviceInfo{{ID: o.Devices[0].ID, Name: "Laptop", Created: now,
			Expires: now.Add(fortnight)}},
		Preferred: "pin", ImpliedOff: true, CanTurnOffImplied: true,
		Declined: map[string]time.Time{"key": now}, Write: testStart.UnixMilli() + 11,
	}, o)

	// A record that is missing is an error, and a user without a record has what is implied.
	_, err = s.Overview(t.Context(), enrolled(person(1)))
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	o, err = s.Overview(t.Context(), person(1))
	require.NoError(t, err)
	require.Equal(t, &mfa.Overview{
		Factors: []mfa.FactorInfo{{Kind: "mail", MaskedDestination: "•••", Implicit: true,
			Remaining: -1}},
		RecoveryCodesRemaining: -1, Policy: p, Kinds: []string{"app", "mail", "pin", "key"},
	}, o)
}

// TestOverview_ShowsLocksAndDisabledKinds follows a kind that is locked and then disabled.
func TestOverview_ShowsLocksAndDisabledKinds(t *testing.T) {
	s := newStory(t)
	s.withApp(ann, "word")
	s.wrong("app", 5)
	o, err := s.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, testStart.Add(3*time.Minute), o.LockedUntil)
	require.False(t, o.Factors[0].Disabled)
	s.clock.Advance(3 * time.Minute)
	o, err = s.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Zero(t, o.LockedUntil)
	s.wrong("app", 5)
	o, err = s.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.True(t, o.Factors[0].Disabled)
	require.False(t, o.Factors[1].Disabled, "of another kind")
}

// TestConfirmation_IsComplete compares everything that a confirmation says.
func TestConfirmation_IsComplete(t *testing.T) {
	s := newStory(t)
	c := s.withApp(ann, "word")
	require.False(t, c.Grant.IsZero())
	c.Grant = mfa.Grant{}
	require.Equal(t, &mfa.Confirmation{UserID: "ann", Factor: mfa.FactorInfo{ID: s.id("app"),
		Kind: "app", Name: "My app", Created: testStart, LastUsed: testStart, Remaining: -1},
		GrantExpires: testStart.Add(5 * time.Minute), RecoveryCodesDue: true}, c)

	s.clock.Advance(time.Minute)
	v, err := s.verify(s.begin(ann), "app", secret.New("word"))
	require.NoError(t, err)
	e := s.makeCodes(v.Grant)
	require.Equal(t, &mfa.Confirmation{UserID: "ann", Factor: mfa.FactorInfo{
		ID: s.id("recovery"), Kind: "recovery", Recovery: true, Remaining: 5,
		Created: testStart.Add(time.Minute)}}, e.Confirmed)

	_, err = s.Admin(boss, "").SendVerificationLink(t.Context(), ann)
	require.NoError(t, err)
	c, err = s.ConfirmLink(t.Context(), secret.New(s.mail.link[ann.Email]))
	require.NoError(t, err)
	require.True(t, c.Grant.IsZero())
	require.Equal(t, &mfa.Confirmation{UserID: "ann", Factor: mfa.FactorInfo{ID: c.Factor.ID,
		Kind: "mail", MaskedDestination: "•••", Implicit: true, Remaining: -1,
		Created: testStart.Add(time.Minute)}}, c)
}

// TestOverview_FollowsThePolicy shows what the overview says under other policies, of an address
// that no message reaches, and of recovery codes that are used up.
func TestOverview_FollowsThePolicy(t *testing.T) {
	s := newStory(t)
	g := s.withApp(ann, "word").Grant
	_, err := s.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, s.Session(ann, binding).UseImplied(t.Context(), g, false))
	for _, c := range []struct {
		p        policy.Policy
		off, can bool
	}{
		{policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true}, true, true},
		{policy.Policy{Implicit: []string{"mail"}}, false, false},
		{policy.Policy{}, false, false},
		{policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true,
			Kinds: []string{"mail"}}, true, false},
	} {
		c.p.Mode = policy.ModeRequired
		s.set(c.p)
		o, err := s.Overview(t.Context(), ann)
		require.NoError(t, err)
		require.Equal(t, c.off, o.ImpliedOff, "%+v", c.p)
		require.Equal(t, c.can, o.CanTurnOffImplied, "%+v", c.p)
		require.Empty(t, o.Devices)
	}
	nowhere := ann
	nowhere.Email = "nowhere"
	o, err := s.Overview(t.Context(), nowhere)
	require.NoError(t, err)
	require.Len(t, o.Factors, 2, "the app and the codes")

	s.set(passwordless)
	for _, code := range []string{"a", "b", "c", "d", "e"} {
		_, err := s.verify(s.begin(ann), "recovery", secret.New(code))
		require.NoError(t, err)
	}
	last := s.events[len(s.events)-1]
	require.Equal(t, []any{"notice.sent", "recovery.low"}, []any{last.Name, last.Reason})
	o, err = s.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Zero(t, o.RecoveryCodesRemaining)
}
