package mfa_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// outdatedRig is a rig for a user with two factors: a key with an ID, and an app, whose word is
// "tulip".
func outdatedRig(t *testing.T, id string) (*rig, *signer) {
	r, k := keyRig(t)
	r.enroll(r.withKey(ann, id).Grant, "app", "tulip")
	return r, k
}

// respondAs responds with a key, and says how.
func (r *rig) respondAs(ch *mfa.Challenge, id, how string) (*mfa.Verification, error) {
	r.t.Helper()
	return r.respondTo(r.Session(ann, binding), ch, id, how)
}

func (r *rig) respondTo(
	s mfa.Session, ch *mfa.Challenge, id, how string,
) (*mfa.Verification, error) {
	r.t.Helper()
	d, err := s.Send(r.t.Context(), ch, "key")
	require.NoError(r.t, err)
	return s.Verify(r.t.Context(), ch, "key",
		secret.New(strings.TrimSpace(id+" "+string(d.Prompt.Data)+" "+how)))
}

// outdate makes a key an outdated one.
func (r *rig) outdate(id string) {
	r.t.Helper()
	_, err := r.respondAs(r.begin(ann), id, "changed")
	require.ErrorIs(r.t, err, factor.ErrExpired)
	_, counted := errors.AsType[*mfa.AttemptError](err)
	require.False(r.t, counted)
}

// outdatedIDs are the states of the user's keys that are outdated.
func (r *rig) outdatedIDs() (list []string) {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), ann)
	require.NoError(r.t, err)
	for _, f := range o.Factors {
		if f.Outdated {
			list = append(list, string(f.Data))
		}
	}
	return list
}

// proveApp steps up with the app.
func (r *rig) proveApp() (mfa.Grant, error) {
	r.t.Helper()
	r.app.once = false // the same word again
	v, err := r.Session(ann, binding).ManageFactors().Verify(r.t.Context(),
		r.beginFor(ann, "manage"), "app", secret.New("tulip"))
	if err != nil {
		return mfa.Grant{}, err
	}
	return v.Grant, nil
}

// A user whose passkey changed has an authenticator app beside it. The app suffices to enrol the
// passkey anew, which replaces it in the write that confirms.
func TestOutdated_IsReplacedByItsReenrollment(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	_, err := r.proveApp()
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "while the key responds, it is to be proven")

	r.outdate("k1")
	require.Equal(t, []string{`"k1"`}, r.outdatedIDs())
	g, err := r.proveApp()
	require.NoError(t, err)
	old := r.id("key")
	c, err := r.addKey(g, "k2")
	require.NoError(t, err)
	require.NotEqual(t, old, c.Factor.ID)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	var keys []string
	for _, f := range o.Factors {
		if f.Kind == "key" {
			keys = append(keys, string(f.Data))
		}
	}
	require.Equal(t, []string{`"k2"`}, keys)
	require.Empty(t, r.outdatedIDs())
	require.Subset(t, r.eventNames(), []string{"factor.outdated", "factor.replaced"})
	_, err = r.respondAs(r.begin(ann), "k2", "")
	require.NoError(t, err)
	_, err = r.proveApp()
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "the new key is to be proven again")
}

// The key that is enrolled anew may have the same identity.
func TestOutdated_IsReplacedByTheSameIdentity(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	r.outdate("k1")
	g, err := r.proveApp()
	require.NoError(t, err)
	_, err = r.addKey(g, "k1")
	require.NoError(t, err)
	require.Empty(t, r.outdatedIDs())
	ch := r.open()
	_, err = r.answer(ch, "k1", "", ann)
	require.NoError(t, err, "it is the user's still")
}

// A user may remove it as well.
func TestOutdated_IsRemovedWithAnotherFactor(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	id := r.id("key")
	r.outdate("k1")
	g, err := r.proveApp()
	require.NoError(t, err)
	require.NoError(t, r.of(g).Remove(t.Context(), g, id))
}

// A response without the key outdates nothing, and a second one by the key writes nothing.
func TestOutdated_NeedsAResponseOfTheInstance(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	ch := r.begin(ann)
	_, err := r.respondAs(ch, "k1", "changed and unsigned")
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.respondAs(ch, "k2", "changed")
	require.ErrorIs(t, err, factor.ErrIncorrect)
	open := r.open()
	_, err = r.answer(open, "k1", "changed and unsigned", ann)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Empty(t, r.outdatedIDs())

	r.outdate("k1")
	before := slicesOf(r.eventNames(), "factor.outdated")
	require.Len(t, before, 1)
	r.outdate("k1")
	require.Equal(t, before, slicesOf(r.eventNames(), "factor.outdated"))
}

// An enrolment that is not confirmed has nothing to replace, and outdates nothing.
func TestOutdated_IsNothingOfAnEnrollment(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant,
		mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e,
		secret.New("k1 "+string(e.Prompt.Data)+" changed"))
	require.ErrorIs(t, err, factor.ErrExpired)
	require.NotContains(t, r.eventNames(), "factor.outdated")
}

// A key that responds as it was enrolled is as it was.
func TestOutdated_EndsWithACorrectResponse(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	r.outdate("k1")
	_, err := r.respondAs(r.begin(ann), "k1", "")
	require.NoError(t, err)
	require.Empty(t, r.outdatedIDs())
	_, err = r.proveApp()
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// A sign-in without a password notes it too.
func TestOutdated_IsNotedWithoutAFirstFactor(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	for range 2 {
		ch := r.open()
		_, err := r.answer(ch, "k1", "changed", ann)
		require.ErrorIs(t, err, factor.ErrExpired)
	}
	require.Equal(t, []string{`"k1"`}, r.outdatedIDs())
	require.Len(t, slicesOf(r.eventNames(), "factor.outdated"), 1)
}

// A proof by the address alone permits no more than it did.
func TestOutdated_LowersNothingForAWeakProof(t *testing.T) {
	r, _ := keyRig(t)
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true, Passwordless: true})
	r.withKey(ann, "k1")
	r.outdate("k1")
	ch := r.begin(ann)
	r.send(ch)
	v, err := r.verify(ch, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
	_, err = r.of(v.Grant).Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "key"})
	require.ErrorIs(t, err, mfa.ErrProofRequired)
	require.ErrorIs(t, r.of(v.Grant).Remove(t.Context(), v.Grant, r.id("key")),
		mfa.ErrProofRequired)
}

// Another key that works is to be proven, as before.
func TestOutdated_LowersNothingBesideAKeyThatWorks(t *testing.T) {
	r, _ := keyRig(t)
	g := r.withKey(ann, "k1").Grant
	c, err := r.addKey(g, "k2")
	require.NoError(t, err)
	r.enroll(c.Grant, "app", "tulip")
	r.outdate("k1")
	_, err = r.proveApp()
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	v, err := r.respondTo(r.Session(ann, binding).ManageFactors(), r.beginFor(ann, "manage"),
		"k2", "")
	require.NoError(t, err)
	_, err = r.addKey(v.Grant, "k3")
	require.NoError(t, err)
	_, err = r.respondAs(r.begin(ann), "k2", "")
	require.NoError(t, err, "only the outdated one is replaced")
}

// The user has as many as there may be, and one of them is outdated.
func TestOutdated_IsReplacedAtTheLimit(t *testing.T) {
	r, _ := keyRig(t)
	g := r.withKey(ann, "k1").Grant
	for i := 2; i <= 5; i++ {
		c, err := r.addKey(g, fmt.Sprintf("k%d", i))
		require.NoError(t, err)
		g = c.Grant
	}
	_, err := r.of(g).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "key"})
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	r.outdate("k1")
	e, err := r.of(g).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)

	// Meanwhile it responds as before, so that there is no place any more.
	_, err = r.respondAs(r.begin(ann), "k1", "")
	require.NoError(t, err)
	_, err = r.of(e).Confirm(t.Context(), e, secret.New("k6 "+string(e.Prompt.Data)))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)

	r.outdate("k1")
	_, err = r.addKey(g, "k7")
	require.NoError(t, err)
	require.Empty(t, r.outdatedIDs())
}

// What replaces it is put on hold if a recovery enrols it.
func TestOutdated_WaitsForTheHoldOfARecovery(t *testing.T) {
	r, _ := keyRig(t)
	c := r.withKey(ann, "k1")
	_, err := r.of(c.Grant).NewRecoveryCodes(t.Context(), c.Grant)
	require.NoError(t, err)
	r.outdate("k1")
	v, err := r.verify(r.begin(ann), "recovery", secret.New("a"))
	require.NoError(t, err)
	held, err := r.addKey(v.Grant, "k2")
	require.NoError(t, err)
	require.Equal(t, []string{`"k1"`}, r.outdatedIDs(), "it is there until the hold ends")
	r.clock.Set(held.Factor.HeldUntil)
	require.Empty(t, r.outdatedIDs())
	_, err = r.respondAs(r.begin(ann), "k2", "")
	require.NoError(t, err)
}

// The factor that remains is the last one that works, and an address that was turned off beside the
// key is asked again.
func TestOutdated_CountsForNothingThatTheUserNeeds(t *testing.T) {
	r, _ := outdatedRig(t, "k1")
	app := r.id("app")
	r.outdate("k1")
	g, err := r.proveApp()
	require.NoError(t, err)
	r.setPolicy(policy.Policy{Mode: policy.ModeRequired})
	require.ErrorIs(t, r.of(g).Remove(t.Context(), g, app), mfa.ErrLastFactor)

	r, _ = keyRig(t)
	r.setPolicy(policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"mail"},
		KeepImplicit: true, Passwordless: true})
	g = r.withKey(ann, "k1").Grant
	require.NoError(t, r.of(g).UseImplied(t.Context(), g, false))
	require.Len(t, r.begin(ann).Options, 1)
	r.outdate("k1")
	require.Len(t, r.begin(ann).Options, 2, "else the user could not sign in")
}
