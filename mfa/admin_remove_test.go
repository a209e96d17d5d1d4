package mfa_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// An administrator removes the phone that was lost, and nothing else. Whatever was issued to the
// finder of the phone is void.
func TestAdminRemove_EndsOneFactorAndWhatWasIssued(t *testing.T) {
	r := with(t, policy.Policy{Remember: 24 * time.Hour})
	r.setUp(ann, "key", "app")
	lost := r.factorID(ann, "app")
	r.clock.Advance(time.Minute)
	grant := r.proves(ann, "key")
	challenge := r.begin(ann)
	e, err := r.Session(ann, binding).Enroll(t.Context(), grant, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"word": secret.New("x")}})
	require.NoError(t, err)

	require.NoError(t, r.Admin(boss, "lost").Remove(t.Context(), ann, lost))

	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("x"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	require.ErrorIs(t, r.Session(ann, binding).Check(t.Context(), grant), mfa.ErrTokenExpired)
	_, err = r.verify(challenge, "app", secret.New("ann app"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.verify(r.begin(ann), "app", secret.New("ann app"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.verify(r.begin(ann), "key", secret.New("ann key"))
	require.NoError(t, err, "the other factor stays")
	event := r.events[len(r.events)-1]
	for _, e := range r.events {
		if e.Name == "admin.remove" {
			event = e
		}
	}
	require.Equal(t, []string{"admin.remove", "app", lost, "boss", "lost"},
		[]string{event.Name, event.Kind, event.FactorID, event.Actor, event.Note})
	require.ErrorIs(t, r.Admin(boss, "").Remove(t.Context(), ann, lost), mfa.ErrNotAvailable)
}

// A lock is not a way around the count: removing a factor ends no lock.
func TestAdminRemove_LeavesLocks(t *testing.T) {
	r := with(t, policy.Policy{})
	r.setUp(ann, "key", "app")
	ch := r.begin(ann)
	for range 5 {
		_, err := r.verify(ch, "app", secret.New("no"))
		require.Error(t, err)
	}
	require.NoError(t, r.Admin(boss, "").Remove(t.Context(), ann, r.factorID(ann, "app")))
	_, err := r.verify(r.begin(ann), "key", secret.New("ann key"))
	var locked *mfa.LockedError
	require.ErrorAs(t, err, &locked)
}

// The last factor can be removed, because an administrator could reset the user as well. The
// recovery codes end with it. A record that is missing is an error.
func TestAdminRemove_TheLastFactor(t *testing.T) {
	r := with(t, policy.Policy{})
	g := r.setUp(ann, "app")
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, r.Admin(boss, "").Remove(t.Context(), ann, r.factorID(ann, "app")))
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Empty(t, o.Factors)
	require.Equal(t, mfa.NextEnroll, r.begin(ann).Next)

	gone := mfa.User{ID: "gone", Enrolled: true}
	require.ErrorIs(t, r.Admin(boss, "").Remove(t.Context(), gone, "x"), mfa.ErrRecordMissing)
	require.ErrorIs(t, r.Admin(boss, "").Remove(t.Context(), ann, ""), mfa.ErrNotAvailable)
}

// Allowed asks the application with the tenant of the actor, and wants no proof.
func TestAdminAllowed_AsksTheApplication(t *testing.T) {
	var asked mfa.AdminAction
	refuse := errors.New("no")
	r := newRig(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			asked = a
			if a.Tenant != a.ActorTenant {
				return refuse
			}
			return nil
		}
	})
	bea := mfa.User{ID: "bea", Tenant: "one"}
	viewer := r.Session(bea, binding).Actor(mfa.Grant{})
	require.Equal(t, "one", viewer.Tenant())
	require.NoError(t, r.Admin(viewer, "why").Allowed(t.Context(), "list-users",
		mfa.User{Tenant: "one"}))
	require.Equal(t, mfa.AdminAction{Name: "list-users", Actor: "bea", ActorTenant: "one",
		Reason: "why", Tenant: "one"}, asked)
	err := r.Admin(viewer, "").Allowed(t.Context(), "view-user",
		mfa.User{ID: "ann", Tenant: "two", UserType: "owner"})
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.Equal(t, mfa.AdminAction{Name: "view-user", Actor: "bea", ActorTenant: "one",
		UserID: "ann", Tenant: "two", UserType: "owner"}, asked)
	for _, name := range []string{"", strings.Repeat("x", 65)} {
		require.ErrorIs(t, r.Admin(viewer, "").Allowed(t.Context(), name, ann), mfa.ErrForbidden)
	}
	require.ErrorIs(t, r.Admin(mfa.Actor{}, "").Allowed(t.Context(), "x", ann),
		factor.ErrMalformed)
	require.Empty(t, mfa.System("night").Tenant())
}

// Preview says what Begin will say once the policy is set, for users of each sort, and writes
// nothing.
func TestAdminPreview_SaysWhatTheNextSignInNeeds(t *testing.T) {
	r := with(t, policy.Policy{})
	nothing := mfa.User{ID: "nothing"}
	mail := mfa.User{ID: "mail", Email: "mail@example.com", EmailVerified: true}
	phone := mfa.User{ID: "phone"}
	r.setUp(phone, "sms")
	off, optional := policy.Policy{Mode: policy.ModeOff}, policy.Policy{Mode: policy.ModeOptional}
	apps := policy.Policy{Kinds: []string{"app"}, EnrollBy: r.clock.Now().Add(time.Hour)}
	byMail := policy.Policy{Implicit: []string{"mail"}}
	for _, test := range []struct {
		user   mfa.User
		policy policy.Policy
		next   mfa.Next
	}{
		{nothing, off, mfa.NextDone}, {nothing, optional, mfa.NextDone},
		{nothing, policy.Policy{}, mfa.NextEnroll}, {nothing, apps, mfa.NextEnroll},
		{nothing, byMail, mfa.NextEnroll},
		{mail, byMail, mfa.NextVerify}, {mail, policy.Policy{}, mfa.NextEnroll},
		{phone, off, mfa.NextDone}, {phone, optional, mfa.NextVerify},
		{phone, byMail, mfa.NextVerify}, {phone, apps, mfa.NextEnroll},
	} {
		before := dump(t, r.store)
		next, err := r.Admin(boss, "").Preview(t.Context(), test.user, test.policy)
		require.NoError(t, err)
		require.Equal(t, test.next, next, "%s under %+v", test.user.ID, test.policy)
		require.Equal(t, before, dump(t, r.store))
	}
	_, err := r.Admin(boss, "").Preview(t.Context(), phone, policy.Policy{Kinds: []string{"x"}})
	require.ErrorIs(t, err, policy.ErrInvalid)
	_, err = r.Admin(boss, "").Preview(t.Context(), mfa.User{ID: "gone", Enrolled: true}, off)
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

func TestAdminPreview_AsksTheApplication(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			if a.Name == "preview-policy" {
				return errors.New("no")
			}
			return nil
		}
	})
	_, err := r.Admin(boss, "").Preview(t.Context(), ann, policy.Policy{})
	require.ErrorIs(t, err, mfa.ErrForbidden)
}

// An address that a link has verified is the application's, and no factor that can be removed.
func TestAdminRemove_RemovesNoAddress(t *testing.T) {
	r := with(t, policy.Policy{Implicit: []string{"mail"}})
	unverified := ann
	unverified.EmailVerified = false
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), unverified)
	require.NoError(t, err)
	_, err = r.ConfirmLink(t.Context(), secret.New(r.mail.link[ann.Email]))
	require.NoError(t, err)
	id := r.factorID(unverified, "mail")
	require.NotEmpty(t, id)
	require.ErrorIs(t, r.Admin(boss, "").Remove(t.Context(), unverified, id), mfa.ErrNotAvailable)
	require.Equal(t, mfa.NextVerify, r.begin(unverified).Next)
}

// An act has a name of 1 to 64 bytes, whatever Config.Authorize permits.
func TestAdminAllowed_BoundsTheName(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 65)
	require.NoError(t, r.Admin(boss, "").Allowed(t.Context(), long[:64], ann))
	require.ErrorIs(t, r.Admin(boss, "").Allowed(t.Context(), long, ann), mfa.ErrForbidden)
	require.ErrorIs(t, r.Admin(boss, "").Allowed(t.Context(), "", ann), mfa.ErrForbidden)
}

// Preview gives the errors of Begin.
func TestAdminPreview_IsBeginUnderAnotherPolicy(t *testing.T) {
	r := with(t, policy.Policy{})
	_, err := r.Admin(boss, "").Preview(t.Context(), mfa.User{}, policy.Policy{})
	require.ErrorIs(t, err, factor.ErrMalformed)
	r.setUp(bea, "key")
	r.cfg.Factors = r.cfg.Factors[:4]
	next, err := r.another().Admin(boss, "").Preview(t.Context(), bea, policy.Policy{})
	require.ErrorIs(t, err, mfa.ErrKindNotConfigured)
	require.Empty(t, next)
}

// A strict Config.Profile sets NoDowngrade, in a preview as at a sign-in. A factor whose kind is no
// longer configured may be a phishing-resistant one, so that an app does not sign its user in.
func TestAdminPreview_HasWhatTheProfileSets(t *testing.T) {
	cfg := sound(t, "")
	cfg.Factors = append(cfg.Factors, &movable{word{kind: "old",
		traits: factor.Traits{AMR: "hwk", Level: factor.LevelPhishingResistant}}},
		&movable{word{kind: "app", traits: factor.Traits{AMR: "otp", Level: factor.LevelStrong}}})
	before, err := mfa.New(cfg)
	require.NoError(t, err)
	_, err = before.Admin(boss, "moved").Import(t.Context(), bea,
		append(words("old", "tulip"), words("app", "rose")...))
	require.NoError(t, err)
	cfg.Factors = slices.DeleteFunc(slices.Clone(cfg.Factors), func(f factor.Factor) bool {
		return f.Kind() == "old"
	})
	for profile, want := range map[policy.Profile]error{
		"": nil, policy.ProfilePCIDSS4: mfa.ErrKindNotConfigured,
	} {
		cfg.Profile = profile
		m, err := mfa.New(cfg)
		require.NoError(t, err)
		_, err = m.Admin(boss, "").Preview(t.Context(), bea,
			policy.Policy{Kinds: []string{"key", "app", "sms"}})
		require.ErrorIs(t, err, want, string(profile))
	}
}
