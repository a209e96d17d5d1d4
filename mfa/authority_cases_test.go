package mfa_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// Each test here is a way round authority that was once open.

// with is a rig whose policy the test sets, and which has the kinds sms and key besides.
func with(t *testing.T, p policy.Policy) *rig {
	t.Helper()
	return newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors,
			&word{kind: "sms", traits: factor.Traits{Level: factor.LevelStrong}},
			&word{kind: "key", traits: factor.Traits{Level: factor.LevelPhishingResistant}},
			madeCodes{})
		c.Policies = policy.Stored(policy.Static(p))
	})
}

// madeCodes is a code that an administrator makes.
type madeCodes struct{ codes }

func (madeCodes) Kind() string { return "access" }
func (madeCodes) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true,
		AdminOnly: true, Limited: true}
}

// bea is a user without an address.
var bea = mfa.User{ID: "bea", UserType: "employee"}

func (r *rig) setPolicy(p policy.Policy) {
	r.t.Helper()
	require.NoError(r.t, r.Admin(mfa.System("root"), "").SetPolicy(r.t.Context(),
		policy.StoredPolicy{
			Scope: policy.Scope{UserType: "employee"}, Policy: p,
		}))
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
	ch := r.beginFor(s, "manage")
	v, err := r.Session(s, binding).ManageFactors().Verify(r.t.Context(), ch, kind,
		secret.New(s.ID+" "+kind))
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
		"required":                {Kinds: []string{"key", "app"}},
		"optional":                {Mode: policy.ModeOptional, Kinds: []string{"key", "app"}},
		"with an implied address": {Kinds: []string{"mail"}, Implicit: []string{"mail"}},
		"with an address beside": {Mode: policy.ModeOptional, Kinds: []string{"mail", "app"},
			Implicit: []string{"mail"}},
		"with one that is undelivered": {Kinds: []string{"app", "mail"},
			Implicit: []string{"mail"}},
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

			_, err := r.verify(ch, "sms", secret.New("ann sms"))
			var required *mfa.EnrollmentRequiredError
			require.ErrorAs(t, err, &required, "it signs nobody in")
			require.NotContains(t, required.Kinds, "sms")
			require.ErrorIs(t, r.Session(s, binding).Remove(t.Context(), required.Grant,
				r.factorID(s, "sms")), mfa.ErrProofRequired)
			_, err = r.Session(s, binding).NewRecoveryCodes(t.Context(), required.Grant)
			require.ErrorIs(t, err, mfa.ErrProofRequired)
			if kind := required.Kinds[0]; kind != "mail" {
				c := r.enroll(required.Grant, kind, "new")
				require.NotNil(t, c.Verification, "that completes the sign-in")
				require.Equal(t, mfa.NextVerify, r.begin(s).Next)
				_, err = r.verify(r.begin(s), kind, secret.New("new"))
				require.NoError(t, err)
			}
		})
	}
}

func TestAuthority_UnknownKindIsNotNone(t *testing.T) {
	for _, p := range []policy.Policy{{}, {Mode: policy.ModeOptional}, {Implicit: []string{"mail"}},
		{Kinds: []string{"app"}}} {
		r := with(t, policy.Policy{})
		r.setUp(bea, "key")
		s := bea
		s.Email, s.EmailVerified, s.Enrolled = "bea@example.com", true, true
		r.cfg.Factors = slices.DeleteFunc(slices.Clone(r.cfg.Factors),
			func(f factor.Factor) bool { return f.Kind() == "key" })
		r.cfg.Policies = policy.Static(p)
		there := r.another()
		for _, purpose := range []string{"sign-in", "step-up", "manage"} {
			_, err := withPurpose(there.Session(s, binding),
				purpose).FirstFactorAt(r.clock.Now()).Begin(t.Context())
			require.ErrorIs(t, err, mfa.ErrKindNotConfigured, "%s under %+v", purpose, p)
		}
		o, err := there.Overview(t.Context(), s)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(o.Factors,
			func(f mfa.FactorInfo) bool { return f.Kind == "key" }), "and it is shown")
		report, err := there.Admin(mfa.System("report"), "").Report(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, report.Groups[0].Unknown)
	}
}

func TestAuthority_UndeliverableAddress(t *testing.T) {
	r := with(t, policy.Policy{Implicit: []string{"mail"}})
	s := mfa.User{ID: "ann", UserType: "employee", Email: "ann@intranet", EmailVerified: true}
	for _, purpose := range []string{"sign-in", "manage", "step-up"} {
		_, err := withPurpose(r.Session(s, binding),
			purpose).FirstFactorAt(r.clock.Now()).Begin(t.Context())
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
	report, err := r.Admin(mfa.System("report"), "").Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, report.Groups[0].Undeliverable)
	// An administrator's code is the way in.
	e, err := r.Admin(mfa.System("root"), "").Enroll(t.Context(), s,
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	v, err := r.verify(r.begin(s), "access", e.Prompt.Codes[0])
	require.NoError(t, err)
	r.enroll(v.Grant, "app", "tulip")
	require.Equal(t, mfa.NextVerify, r.begin(s).Next)
}

func TestAuthority_FirstFactorMustBeFresh(t *testing.T) {
	for name, p := range map[string]policy.Policy{"required": {},
		"optional": {Mode: policy.ModeOptional}, "off": {Mode: policy.ModeOff},
		"grace": {EnrollBy: testStart.Add(time.Hour)}} {
		t.Run(name, func(t *testing.T) {
			r := with(t, p)
			begin := func(purpose string, since time.Time) (*mfa.Challenge, error) {
				return withPurpose(r.Session(bea, binding),
					purpose).FirstFactorAt(since).Begin(t.Context())
			}
			now := r.clock.Now()
			for _, since := range []time.Time{now.Add(-5 * time.Hour), now.Add(-15 * time.Minute),
				now.Add(time.Hour), {}} {
				_, err := begin("manage", since)
				require.ErrorIs(t, err, mfa.ErrFirstFactorRequired, "%s", since)
			}
			if name == "required" {
				_, err := begin("sign-in", now.Add(-5*time.Hour))
				require.ErrorIs(t, err, mfa.ErrFirstFactorRequired)
			}
			ch, err := begin("manage", now.Add(-14*time.Minute))
			require.NoError(t, err)
			require.Equal(t, now.Add(time.Minute), ch.Expires, "it gets no fresher")
			c := r.enroll(ch.Grant, "app", "tulip")
			require.Equal(t, now.Add(time.Minute), c.GrantExpires)
			require.NoError(t, r.Session(bea, binding).Check(t.Context(), c.Grant),
				"a first set-up flows")
			r.clock.Advance(time.Minute)
			require.ErrorIs(t, r.Session(bea, binding).Check(t.Context(), c.Grant),
				mfa.ErrTokenExpired)
		})
	}
}

func TestAuthority_RecoveryIsHeld(t *testing.T) {
	for _, by := range []string{"recovery", "access"} {
		t.Run(by, func(t *testing.T) {
			r := with(t, policy.Policy{})
			g := r.setUp(bea, "app", "key")
			_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), g)
			require.NoError(t, err)
			code := secret.New("a")
			if by == "access" {
				_, err := r.Admin(mfa.System("root"), "").Enroll(t.Context(), bea,
					mfa.EnrollRequest{Kind: "access"})
				require.NoError(t, err)
			}
			app, key := r.factorID(bea, "app"), r.factorID(bea, "key")
			v, err := r.verify(r.begin(bea), by, code)
			require.NoError(t, err)
			require.ElementsMatch(t, []string{"app", "key"}, v.EnrollKinds,
				"what may have been lost")
			_, err = r.begun(v.Grant, "pin", "9876")
			require.ErrorIs(t, err, mfa.ErrProofRequired)

			nothing := func(g mfa.Grant) {
				t.Helper()
				for _, id := range []string{app, key} {
					require.ErrorIs(t, r.Session(bea, binding).Remove(t.Context(), g, id),
						mfa.ErrProofRequired)
					require.ErrorIs(t, r.Session(bea, binding).Rename(t.Context(), g,
						mfa.FactorInfo{ID: id, Name: "x"}), mfa.ErrProofRequired)
				}
				_, err = r.Session(bea, binding).NewRecoveryCodes(t.Context(), g)
				require.ErrorIs(t, err, mfa.ErrProofRequired)
				require.ErrorIs(t, r.Session(bea, binding).Check(t.Context(), g),
					mfa.ErrProofRequired)
			}
			nothing(v.Grant)
			c := r.enroll(v.Grant, "key", "thief")
			require.Equal(t, r.clock.Now().Add(24*time.Hour), c.Factor.HeldUntil)
			nothing(c.Grant)
			// It signs in, which proves no more than the recovery did.
			v, err = r.verify(r.begin(bea), "key", secret.New("thief"))
			require.NoError(t, err)
			nothing(v.Grant)
			// Another one takes its place, and does not double it.
			c = r.enroll(v.Grant, "key", "thief again")
			_, err = r.verify(r.begin(bea), "key", secret.New("thief"))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			// Every older factor cancels it, a weaker one too.
			r.clock.Advance(23 * time.Hour)
			require.NoError(t, r.Session(bea, binding).Remove(t.Context(), r.proves(bea, "app"),
				c.Factor.ID))
			_, err = r.verify(r.begin(bea), "key", secret.New("thief again"))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			r.clock.Advance(2 * time.Hour)
			_, err = r.verify(r.begin(bea), "key", secret.New("bea key"))
			require.NoError(t, err, "what was there before is there")
		})
	}
}

func TestAuthority_HoldEnds(t *testing.T) {
	r := with(t, policy.Policy{RecoveryHold: time.Hour})
	_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), r.setUp(bea, "app"))
	require.NoError(t, err)
	v, err := r.verify(r.begin(bea), "recovery", secret.New("a"))
	require.NoError(t, err)
	r.enroll(v.Grant, "app", "new phone")
	r.clock.Advance(time.Hour)
	ch := r.beginFor(bea, "manage")
	require.Len(t, ch.Options, 1, "the old one ended with the hold")
	v, err = r.Session(bea, binding).ManageFactors().Verify(t.Context(), ch, "app",
		secret.New("new phone"))
	require.NoError(t, err)
	_, err = r.Session(bea, binding).NewRecoveryCodes(t.Context(), v.Grant)
	require.NoError(t, err, "the replacement is a factor like any other")
}

func TestAuthority_ThreeLevels(t *testing.T) {
	r := with(t, policy.Policy{})
	r.setUp(bea, "app", "key", "pin")
	for _, kind := range []string{"app", "pin"} {
		v, err := r.verify(r.begin(bea), kind, secret.New("bea "+kind))
		require.NoError(t, err, "it signs in")
		require.ErrorIs(t, r.Session(bea, binding).Remove(t.Context(), v.Grant, r.factorID(bea,
			"key")), mfa.ErrProofRequired)
		require.ErrorIs(t, r.Session(bea, binding).Check(t.Context(), v.Grant),
			mfa.ErrProofRequired)
	}
	ch := r.beginFor(bea, "manage")
	require.Len(t, ch.Options, 1)
	require.Equal(t, "key", ch.Options[0].Kind)
	require.NoError(t, r.Session(bea, binding).Remove(t.Context(), r.proves(bea, "key"),
		r.factorID(bea, "app")))
}

func TestAuthority_RecoveryCodesEndWithTheLastFactor(t *testing.T) {
	r := with(t, policy.Policy{Mode: policy.ModeOptional})
	first := func() mfa.Grant {
		ch, err := r.Session(bea,
			binding).ManageFactors().FirstFactorAt(r.clock.Now()).Begin(t.Context())
		require.NoError(t, err)
		return r.enroll(ch.Grant, "app", "bea app").Grant
	}
	g := first()
	_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, r.Session(bea, binding).Remove(t.Context(), g, r.factorID(bea, "app")))
	o, err := r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.Empty(t, o.Factors)
	first()
	ch := r.begin(bea)
	require.Len(t, ch.Options, 1)
	_, err = r.verify(ch, "recovery", secret.New("a"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestAuthority_LastRequiredFactorStays(t *testing.T) {
	r := with(t, policy.Policy{Kinds: []string{"app", "key"}})
	g := r.setUp(bea, "app", "key")
	require.NoError(t, r.Session(bea, binding).Remove(t.Context(), g, r.factorID(bea, "key")))
	require.ErrorIs(t, r.Session(bea, binding).Remove(t.Context(), g, r.factorID(bea, "app")),
		mfa.ErrLastFactor)
	r.setPolicy(policy.Policy{Kinds: []string{"key"}})
	g = r.setUpAllowed(bea, "app", "key")
	require.NoError(t, r.Session(bea, binding).Remove(t.Context(), g, r.factorID(bea, "app")),
		"what the policy bans is not the last")
	require.ErrorIs(t, r.Session(bea, binding).Remove(t.Context(), g, r.factorID(bea, "key")),
		mfa.ErrLastFactor)
	// Who has an address that serves as a factor keeps one.
	implied := with(t, policy.Policy{Implicit: []string{"mail"}})
	require.NoError(t, implied.Session(ann, binding).Remove(t.Context(), implied.withApp(ann,
		"tulip").Grant, implied.factorID(ann, "app")))
}

// setUpAllowed proves a banned kind, and enrols an allowed one with it.
func (r *rig) setUpAllowed(s mfa.User, banned, kind string) mfa.Grant {
	r.t.Helper()
	_, err := r.verify(r.begin(s), banned, secret.New(s.ID+" "+banned))
	var required *mfa.EnrollmentRequiredError
	require.ErrorAs(r.t, err, &required)
	return r.enroll(required.Grant, kind, s.ID+" "+kind).Grant
}

func TestAuthority_RecoveryEndsDevices(t *testing.T) {
	r := with(t, policy.Policy{Remember: 24 * time.Hour})
	_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), r.setUp(bea, "app"))
	require.NoError(t, err)
	v, err := r.Session(bea, binding).RememberDevice("laptop").Verify(t.Context(), r.begin(bea),
		"app", secret.New("bea app"))
	require.NoError(t, err)
	require.NotEmpty(t, v.Device)
	_, err = r.verify(r.begin(bea), "recovery", secret.New("b"))
	require.NoError(t, err)
	ch, err := r.Session(bea, binding).OnDevice(v.Device).Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, mfa.NextVerify, ch.Next)
}

func TestAuthority_RecoveryLinksEnd(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"by a sign-in": func(r *rig) {
			_, err := r.verify(r.begin(ann), "app", secret.New("old phone"))
			require.NoError(r.t, err)
		},
		"by a password change": func(r *rig) {
			require.NoError(r.t, r.PasswordChanged(r.t.Context(), ann))
		},
		"by a reset": func(r *rig) {
			require.NoError(r.t, r.Admin(mfa.System("root"), "").Reset(r.t.Context(), ann))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := lost(t)
			link := r.setupLink(ann)
			end(r)
			_, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), link)
			require.ErrorIs(t, err, mfa.ErrTokenExpired)

			r = lost(t)
			ch, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(),
				r.setupLink(ann))
			require.NoError(t, err)
			end(r)
			_, err = r.replaceBy(ch, secret.New("a"))
			require.ErrorIs(t, err, mfa.ErrTokenExpired, "what the link began ends too")
		})
	}
}

func TestAuthority_Administrators(t *testing.T) {
	r := with(t, policy.Policy{})
	strong := r.setUp(bea, "key", "pin")
	require.NoError(t, r.Admin(r.Session(bea, binding).Actor(strong), "").Reset(t.Context(), ann))
	weak, err := r.verify(r.begin(bea), "pin", secret.New("bea pin"))
	require.NoError(t, err)
	other := mfa.User{ID: "cas"}
	others := r.setUp(other, "key")
	acts := map[string]func(a mfa.Actor, about mfa.User) error{
		"reset": func(a mfa.Actor, s mfa.User) error {
			return r.Admin(a, "").Reset(t.Context(), s)
		},
		"remove": func(a mfa.Actor, s mfa.User) error {
			return r.Admin(a, "").Remove(t.Context(), s, "none")
		},
		"unlock": func(a mfa.Actor, s mfa.User) error {
			return r.Admin(a, "").Unlock(t.Context(), s)
		},
		"forget": func(a mfa.Actor, s mfa.User) error {
			return r.Admin(a, "").Delete(t.Context(), s)
		},
		"close": func(a mfa.Actor, s mfa.User) error {
			return r.Admin(a, "").CloseSupportCase(t.Context(), s)
		},
		"access": func(a mfa.Actor, s mfa.User) error {
			_, err := r.Admin(a, "").Enroll(t.Context(), s, mfa.EnrollRequest{Kind: "access"})
			return err
		},
		"link": func(a mfa.Actor, s mfa.User) error {
			_, err := r.Admin(a, "").SendRecoveryLink(t.Context(), s)
			return err
		},
		"confirmation": func(a mfa.Actor, s mfa.User) error {
			_, err := r.Admin(a, "").SendVerificationLink(t.Context(), s)
			return err
		},
		"policy": func(a mfa.Actor, s mfa.User) error {
			if s.ID == bea.ID {
				return mfa.ErrForbidden // a policy is about nobody in particular
			}
			return r.Admin(a, "").SetPolicy(t.Context(), policy.StoredPolicy{
				Scope: policy.Scope{UserType: "other"},
			})
		},
		"check": func(a mfa.Actor, s mfa.User) error {
			return r.Admin(a, "").Check(t.Context(), s)
		},
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, act(mfa.Actor{}, ann), factor.ErrMalformed)
			require.ErrorIs(t, act(mfa.System(""), ann), factor.ErrMalformed)
			require.ErrorIs(t, act(r.Session(bea, binding).Actor(mfa.Grant{}), ann), mfa.ErrToken)
			require.ErrorIs(t, act(r.Session(bea, binding).Actor(weak.Grant), ann),
				mfa.ErrProofRequired)
			require.ErrorIs(t, act(r.Session(bea, "another session").Actor(strong), ann),
				mfa.ErrToken)
			require.ErrorIs(t, act(r.Session(bea, binding).Actor(others), ann), mfa.ErrToken,
				"somebody else's proof")
			require.ErrorIs(t, act(r.Session(bea, binding).Actor(strong), bea), mfa.ErrForbidden,
				"on oneself")
		})
	}
	r.clock.Advance(15 * time.Minute)
	for name, act := range acts {
		require.ErrorIs(t, act(r.Session(bea, binding).Actor(strong), ann), mfa.ErrTokenExpired,
			name)
	}
}
