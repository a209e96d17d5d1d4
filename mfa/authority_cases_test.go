package mfa_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Each test here is a way round authority that was once open.

// with is a rig whose policy the test sets, and which has the kinds sms and key besides.
func with(t *testing.T, p policy.Policy) *rig {
	t.Helper()
	return newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors,
			&word{kind: "sms", traits: factor.Traits{Class: factor.ClassPossession, Level: factor.LevelStrong}},
			&word{kind: "key", traits: factor.Traits{Class: factor.ClassPossession, Level: factor.LevelPhishingResistant}},
			madeCodes{})
		c.Policies = policy.Stored(policy.Static(p))
	})
}

// madeCodes is a code that an administrator makes.
type madeCodes struct{ codes }

func (madeCodes) Kind() string { return "access" }
func (madeCodes) Traits() factor.Traits {
	return factor.Traits{Class: factor.ClassRecovery, OnePerUser: true, NoConfirmation: true,
		AdminOnly: true, Limited: true}
}

// bea is a user without an address.
var bea = mfa.User{ID: "bea", UserType: "employee"}

func (r *rig) setPolicy(p policy.Policy) {
	r.t.Helper()
	require.NoError(r.t, r.SetPolicy(r.t.Context(), mfa.SetPolicyRequest{Actor: mfa.System("root"), UserType: "employee", Policy: p}))
}

// setUp enrols a first factor, and others by the same proof.
func (r *rig) setUp(s mfa.User, kinds ...string) mfa.Grant {
	r.t.Helper()
	g := r.begin(s).Grant
	for _, k := range kinds {
		g = r.enroll(g, k, s.ID+" "+k).Grant
	}
	return g
}

// proves is what a user may change after proving a kind to manage factors.
func (r *rig) proves(s mfa.User, kind string) mfa.Grant {
	r.t.Helper()
	ch := r.beginFor(s, mfa.PurposeManage)
	v, err := r.Verify(r.t.Context(), mfa.VerifyRequest{Challenge: ch.Token, Purpose: mfa.PurposeManage, Binding: binding,
		Kind: kind, Response: factor.NewSecret(s.ID + " " + kind)})
	require.NoError(r.t, err)
	return v.Grant
}

func (r *rig) factorID(s mfa.User, kind string) string {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), s)
	require.NoError(r.t, err)
	i := slices.IndexFunc(o.Factors, func(f mfa.FactorInfo) bool { return f.Kind == kind })
	require.GreaterOrEqual(r.t, i, 0, "no %s", kind)
	return o.Factors[i].ID
}

func TestAuthority_TightenedPolicyOpensNothing(t *testing.T) {
	for name, p := range map[string]policy.Policy{
		"required":                     {Kinds: []string{"key", "app"}},
		"optional":                     {Mode: policy.ModeOptional, Kinds: []string{"key", "app"}},
		"with an implied address":      {Kinds: []string{"mail"}, Implicit: []string{"mail"}},
		"with an address beside":       {Mode: policy.ModeOptional, Kinds: []string{"mail", "app"}, Implicit: []string{"mail"}},
		"with one that is undelivered": {Kinds: []string{"app", "mail"}, Implicit: []string{"mail"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := with(t, policy.Policy{})
			s := mfa.User{ID: "ann", UserType: "employee", Email: ann.Email, EmailVerified: true}
			if name == "with one that is undelivered" {
				s.Email = "ann@intranet"
			}
			r.setUp(s, "sms")
			r.setPolicy(p)
			ch := r.begin(s)
			require.Equal(t, mfa.NextVerify, ch.Next)
			require.Empty(t, ch.Grant)
			require.Equal(t, "sms", ch.Options[0].Kind)

			_, err := r.verify(ch, "sms", factor.NewSecret("ann sms"))
			var required *mfa.EnrollmentRequiredError
			require.ErrorAs(t, err, &required, "it signs nobody in")
			require.NotContains(t, required.Kinds, "sms")
			require.ErrorIs(t, r.Remove(t.Context(), required.Grant, binding, r.factorID(s, "sms")), mfa.ErrProofRequired)
			_, err = r.RegenerateRecoveryCodes(t.Context(), required.Grant, binding)
			require.ErrorIs(t, err, mfa.ErrProofRequired)
			if kind := required.Kinds[0]; kind != "mail" {
				c := r.enroll(required.Grant, kind, "new")
				require.NotNil(t, c.Verification, "that completes the sign-in")
				require.Equal(t, mfa.NextVerify, r.begin(s).Next)
				_, err = r.verify(r.begin(s), kind, factor.NewSecret("new"))
				require.NoError(t, err)
			}
		})
	}
}

func TestAuthority_UnknownKindIsNotNone(t *testing.T) {
	for _, p := range []policy.Policy{{}, {Mode: policy.ModeOptional}, {Implicit: []string{"mail"}}, {Kinds: []string{"app"}}} {
		r := with(t, policy.Policy{})
		r.setUp(bea, "key")
		s := bea
		s.Email, s.EmailVerified, s.Enrolled = "bea@example.com", true, true
		r.cfg.Factors = slices.DeleteFunc(slices.Clone(r.cfg.Factors), func(f factor.Factor) bool { return f.Kind() == "key" })
		r.cfg.Policies = policy.Static(p)
		there := r.another()
		for _, purpose := range []mfa.Purpose{mfa.PurposeSignIn, mfa.PurposeStepUp, mfa.PurposeManage} {
			_, err := there.Begin(t.Context(), mfa.BeginRequest{User: s, Binding: binding, Purpose: purpose, SignedIn: r.clock.Now()})
			require.ErrorIs(t, err, mfa.ErrKindNotConfigured, "%s under %+v", purpose, p)
		}
		o, err := there.Overview(t.Context(), s)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool { return f.Kind == "key" }), "and it is shown")
		report, err := there.Report(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, report.Groups[0].Unknown)
	}
}

func TestAuthority_UndeliverableAddress(t *testing.T) {
	r := with(t, policy.Policy{Implicit: []string{"mail"}})
	s := mfa.User{ID: "ann", UserType: "employee", Email: "ann@intranet", EmailVerified: true}
	for _, purpose := range []mfa.Purpose{mfa.PurposeSignIn, mfa.PurposeManage, mfa.PurposeStepUp} {
		_, err := r.Begin(t.Context(), mfa.BeginRequest{User: s, Binding: binding, Purpose: purpose, SignedIn: r.clock.Now()})
		require.ErrorIs(t, err, factor.ErrUndeliverable)
	}
	count := func() (n int) {
		for _, name := range r.eventNames() {
			if name == "address.undeliverable" {
				n++
			}
		}
		return n
	}
	require.Equal(t, 1, count(), "told once a day")
	report, err := r.Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, report.Groups[0].Undeliverable)
	// An administrator's code is the way in.
	e, err := r.Issue(t.Context(), mfa.IssueRequest{AdminRequest: mfa.AdminRequest{User: s, Actor: mfa.System("root")}, Kind: "access"})
	require.NoError(t, err)
	v, err := r.verify(r.begin(s), "access", e.Prompt.Codes[0])
	require.NoError(t, err)
	r.enroll(v.Grant, "app", "tulip")
	require.Equal(t, mfa.NextVerify, r.begin(s).Next)
}

func TestAuthority_FirstFactorMustBeFresh(t *testing.T) {
	for name, p := range map[string]policy.Policy{"required": {}, "optional": {Mode: policy.ModeOptional}, "off": {Mode: policy.ModeOff},
		"grace": {EnrollBy: testStart.Add(time.Hour)}} {
		t.Run(name, func(t *testing.T) {
			r := with(t, p)
			begin := func(purpose mfa.Purpose, since time.Time) (*mfa.Challenge, error) {
				return r.Begin(t.Context(), mfa.BeginRequest{User: bea, Binding: binding, Purpose: purpose, SignedIn: since})
			}
			now := r.clock.Now()
			for _, since := range []time.Time{now.Add(-5 * time.Hour), now.Add(-15 * time.Minute), now.Add(time.Hour), {}} {
				_, err := begin(mfa.PurposeManage, since)
				require.ErrorIs(t, err, mfa.ErrFirstFactorRequired, "%s", since)
			}
			if name == "required" {
				_, err := begin(mfa.PurposeSignIn, now.Add(-5*time.Hour))
				require.ErrorIs(t, err, mfa.ErrFirstFactorRequired)
			}
			ch, err := begin(mfa.PurposeManage, now.Add(-14*time.Minute))
			require.NoError(t, err)
			require.Equal(t, now.Add(time.Minute), ch.Expires, "it gets no fresher")
			c := r.enroll(ch.Grant, "app", "tulip")
			require.Equal(t, now.Add(time.Minute), c.GrantExpires)
			require.NoError(t, r.CheckGrant(t.Context(), bea, c.Grant, binding), "a first set-up flows")
			r.clock.Advance(time.Minute)
			require.ErrorIs(t, r.CheckGrant(t.Context(), bea, c.Grant, binding), mfa.ErrTokenExpired)
		})
	}
}

func TestAuthority_RecoveryIsHeld(t *testing.T) {
	for _, by := range []string{"recovery", "access"} {
		t.Run(by, func(t *testing.T) {
			r := with(t, policy.Policy{})
			g := r.setUp(bea, "app", "key")
			_, err := r.RegenerateRecoveryCodes(t.Context(), g, binding)
			require.NoError(t, err)
			code := factor.NewSecret("a")
			if by == "access" {
				_, err := r.Issue(t.Context(), mfa.IssueRequest{AdminRequest: mfa.AdminRequest{User: bea, Actor: mfa.System("root")}, Kind: "access"})
				require.NoError(t, err)
			}
			app, key := r.factorID(bea, "app"), r.factorID(bea, "key")
			v, err := r.verify(r.begin(bea), by, code)
			require.NoError(t, err)
			require.ElementsMatch(t, []string{"app", "key"}, v.EnrollKinds, "what may have been lost")
			_, err = r.begun(v.Grant, "pin", "9876")
			require.ErrorIs(t, err, mfa.ErrProofRequired)

			nothing := func(g mfa.Grant) {
				t.Helper()
				for _, id := range []string{app, key} {
					require.ErrorIs(t, r.Remove(t.Context(), g, binding, id), mfa.ErrProofRequired)
					require.ErrorIs(t, r.Rename(t.Context(), g, binding, id, "x"), mfa.ErrProofRequired)
				}
				_, err = r.RegenerateRecoveryCodes(t.Context(), g, binding)
				require.ErrorIs(t, err, mfa.ErrProofRequired)
				require.ErrorIs(t, r.CheckGrant(t.Context(), bea, g, binding), mfa.ErrProofRequired)
			}
			nothing(v.Grant)
			c := r.enroll(v.Grant, "key", "thief")
			require.Equal(t, r.clock.Now().Add(24*time.Hour), c.Factor.HeldUntil)
			nothing(c.Grant)
			// It signs in, which proves no more than the recovery did.
			v, err = r.verify(r.begin(bea), "key", factor.NewSecret("thief"))
			require.NoError(t, err)
			nothing(v.Grant)
			// Another one takes its place, and does not double it.
			c = r.enroll(v.Grant, "key", "thief again")
			_, err = r.verify(r.begin(bea), "key", factor.NewSecret("thief"))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			// Every older factor cancels it, a weaker one too.
			r.clock.Advance(23 * time.Hour)
			require.NoError(t, r.Remove(t.Context(), r.proves(bea, "app"), binding, c.Factor.ID))
			_, err = r.verify(r.begin(bea), "key", factor.NewSecret("thief again"))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			r.clock.Advance(2 * time.Hour)
			_, err = r.verify(r.begin(bea), "key", factor.NewSecret("bea key"))
			require.NoError(t, err, "what was there before is there")
		})
	}
}

func TestAuthority_HoldEnds(t *testing.T) {
	r := with(t, policy.Policy{RecoveryHold: time.Hour})
	_, err := r.RegenerateRecoveryCodes(t.Context(), r.setUp(bea, "app"), binding)
	require.NoError(t, err)
	v, err := r.verify(r.begin(bea), "recovery", factor.NewSecret("a"))
	require.NoError(t, err)
	r.enroll(v.Grant, "app", "new phone")
	r.clock.Advance(time.Hour)
	ch := r.beginFor(bea, mfa.PurposeManage)
	require.Len(t, ch.Options, 1, "the old one ended with the hold")
	v, err = r.Verify(t.Context(), mfa.VerifyRequest{Challenge: ch.Token, Purpose: mfa.PurposeManage, Binding: binding, Kind: "app", Response: factor.NewSecret("new phone")})
	require.NoError(t, err)
	_, err = r.RegenerateRecoveryCodes(t.Context(), v.Grant, binding)
	require.NoError(t, err, "the replacement is a factor like any other")
}

func TestAuthority_ThreeLevels(t *testing.T) {
	r := with(t, policy.Policy{})
	r.setUp(bea, "app", "key", "pin")
	for _, kind := range []string{"app", "pin"} {
		v, err := r.verify(r.begin(bea), kind, factor.NewSecret("bea "+kind))
		require.NoError(t, err, "it signs in")
		require.ErrorIs(t, r.Remove(t.Context(), v.Grant, binding, r.factorID(bea, "key")), mfa.ErrProofRequired)
		require.ErrorIs(t, r.CheckGrant(t.Context(), bea, v.Grant, binding), mfa.ErrProofRequired)
	}
	ch := r.beginFor(bea, mfa.PurposeManage)
	require.Len(t, ch.Options, 1)
	require.Equal(t, "key", ch.Options[0].Kind)
	require.NoError(t, r.Remove(t.Context(), r.proves(bea, "key"), binding, r.factorID(bea, "app")))
}

func TestAuthority_RecoveryCodesEndWithTheLastFactor(t *testing.T) {
	r := with(t, policy.Policy{Mode: policy.ModeOptional})
	first := func() mfa.Grant {
		ch, err := r.Begin(t.Context(), mfa.BeginRequest{User: bea, Binding: binding, Purpose: mfa.PurposeManage, SignedIn: r.clock.Now()})
		require.NoError(t, err)
		return r.enroll(ch.Grant, "app", "bea app").Grant
	}
	g := first()
	_, err := r.RegenerateRecoveryCodes(t.Context(), g, binding)
	require.NoError(t, err)
	require.NoError(t, r.Remove(t.Context(), g, binding, r.factorID(bea, "app")))
	o, err := r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.Empty(t, o.Factors)
	first()
	ch := r.begin(bea)
	require.Len(t, ch.Options, 1)
	_, err = r.verify(ch, "recovery", factor.NewSecret("a"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestAuthority_LastRequiredFactorStays(t *testing.T) {
	r := with(t, policy.Policy{Kinds: []string{"app", "key"}})
	g := r.setUp(bea, "app", "key")
	require.NoError(t, r.Remove(t.Context(), g, binding, r.factorID(bea, "key")))
	require.ErrorIs(t, r.Remove(t.Context(), g, binding, r.factorID(bea, "app")), mfa.ErrLastFactor)
	r.setPolicy(policy.Policy{Kinds: []string{"key"}})
	g = r.setUpAllowed(bea, "app", "key")
	require.NoError(t, r.Remove(t.Context(), g, binding, r.factorID(bea, "app")), "what the policy bans is not the last")
	require.ErrorIs(t, r.Remove(t.Context(), g, binding, r.factorID(bea, "key")), mfa.ErrLastFactor)
	// Who has an address that serves as a factor keeps one.
	implied := with(t, policy.Policy{Implicit: []string{"mail"}})
	require.NoError(t, implied.Remove(t.Context(), implied.withApp(ann, "tulip").Grant, binding, implied.factorID(ann, "app")))
}

// setUpAllowed proves a banned kind, and enrols an allowed one with it.
func (r *rig) setUpAllowed(s mfa.User, banned, kind string) mfa.Grant {
	r.t.Helper()
	_, err := r.verify(r.begin(s), banned, factor.NewSecret(s.ID+" "+banned))
	var required *mfa.EnrollmentRequiredError
	require.ErrorAs(r.t, err, &required)
	return r.enroll(required.Grant, kind, s.ID+" "+kind).Grant
}

func TestAuthority_RecoveryEndsDevices(t *testing.T) {
	r := with(t, policy.Policy{Remember: 24 * time.Hour})
	_, err := r.RegenerateRecoveryCodes(t.Context(), r.setUp(bea, "app"), binding)
	require.NoError(t, err)
	v, err := r.Verify(t.Context(), mfa.VerifyRequest{Challenge: r.begin(bea).Token, Binding: binding, Kind: "app", Response: factor.NewSecret("bea app"), Remember: "laptop"})
	require.NoError(t, err)
	require.NotEmpty(t, v.Device)
	_, err = r.verify(r.begin(bea), "recovery", factor.NewSecret("b"))
	require.NoError(t, err)
	ch, err := r.Begin(t.Context(), mfa.BeginRequest{User: bea, Binding: binding, Device: v.Device})
	require.NoError(t, err)
	require.Equal(t, mfa.NextVerify, ch.Next)
}

func TestAuthority_RecoveryLinksEnd(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"by a sign-in": func(r *rig) {
			_, err := r.verify(r.begin(ann), "app", factor.NewSecret("old phone"))
			require.NoError(r.t, err)
		},
		"by a password change": func(r *rig) { require.NoError(r.t, r.PasswordChanged(r.t.Context(), ann)) },
		"by a reset": func(r *rig) {
			require.NoError(r.t, r.Reset(r.t.Context(), mfa.AdminRequest{User: ann, Actor: mfa.System("root")}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := lost(t)
			link := r.setupLink(ann)
			end(r)
			_, err := r.OpenSetup(t.Context(), link, elsewhere)
			require.ErrorIs(t, err, mfa.ErrTokenExpired)

			r = lost(t)
			ch, err := r.OpenSetup(t.Context(), r.setupLink(ann), elsewhere)
			require.NoError(t, err)
			end(r)
			_, err = r.replaceBy(ch, factor.NewSecret("a"))
			require.ErrorIs(t, err, mfa.ErrTokenExpired, "what the link began ends too")
		})
	}
}

func TestAuthority_Administrators(t *testing.T) {
	r := with(t, policy.Policy{})
	strong := r.setUp(bea, "key", "pin")
	require.NoError(t, r.Reset(t.Context(), mfa.AdminRequest{User: ann, Actor: mfa.UserActor(bea, strong, binding)}))
	weak, err := r.verify(r.begin(bea), "pin", factor.NewSecret("bea pin"))
	require.NoError(t, err)
	other := mfa.User{ID: "cas"}
	others := r.setUp(other, "key")
	acts := map[string]func(a mfa.Actor, about mfa.User) error{
		"reset": func(a mfa.Actor, s mfa.User) error {
			return r.Reset(t.Context(), mfa.AdminRequest{User: s, Actor: a})
		},
		"unlock": func(a mfa.Actor, s mfa.User) error {
			return r.Unlock(t.Context(), mfa.AdminRequest{User: s, Actor: a})
		},
		"forget": func(a mfa.Actor, s mfa.User) error {
			return r.Delete(t.Context(), mfa.AdminRequest{User: s, Actor: a})
		},
		"close": func(a mfa.Actor, s mfa.User) error {
			return r.CloseSupport(t.Context(), mfa.AdminRequest{User: s, Actor: a})
		},
		"access": func(a mfa.Actor, s mfa.User) error {
			_, err := r.Issue(t.Context(), mfa.IssueRequest{AdminRequest: mfa.AdminRequest{User: s, Actor: a}, Kind: "access"})
			return err
		},
		"link": func(a mfa.Actor, s mfa.User) error {
			_, err := r.SendSetupLinkTo(t.Context(), mfa.AdminRequest{User: s, Actor: a})
			return err
		},
		"confirmation": func(a mfa.Actor, s mfa.User) error {
			_, err := r.SendConfirmation(t.Context(), mfa.AdminRequest{User: s, Actor: a})
			return err
		},
		"policy": func(a mfa.Actor, s mfa.User) error {
			if s.ID == bea.ID {
				return mfa.ErrForbidden // a policy is about nobody in particular
			}
			return r.SetPolicy(t.Context(), mfa.SetPolicyRequest{Actor: a, UserType: "other"})
		},
		"check": func(a mfa.Actor, s mfa.User) error { return r.CheckActor(t.Context(), a, s) },
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, act(mfa.Actor{}, ann), factor.ErrMalformed)
			require.ErrorIs(t, act(mfa.System(""), ann), factor.ErrMalformed)
			require.ErrorIs(t, act(mfa.UserActor(bea, mfa.Grant{}, binding), ann), mfa.ErrToken)
			require.ErrorIs(t, act(mfa.UserActor(bea, weak.Grant, binding), ann), mfa.ErrProofRequired)
			require.ErrorIs(t, act(mfa.UserActor(bea, strong, "another session"), ann), mfa.ErrToken)
			require.ErrorIs(t, act(mfa.UserActor(bea, others, binding), ann), mfa.ErrToken, "somebody else's proof")
			require.ErrorIs(t, act(mfa.UserActor(bea, strong, binding), bea), mfa.ErrForbidden, "on oneself")
		})
	}
	r.clock.Advance(15 * time.Minute)
	for name, act := range acts {
		require.ErrorIs(t, act(mfa.UserActor(bea, strong, binding), ann), mfa.ErrTokenExpired, name)
	}
}
