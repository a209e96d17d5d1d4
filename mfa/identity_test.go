package mfa_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/stretchr/testify/require"
)

// One user has an identity, over all tenants, and whatever happens at once.
func TestIdentity_IsOneUsers(t *testing.T) {
	r, _ := keyRig(t)
	bob := mfa.User{ID: "ann", Tenant: "other", Email: "bob@example.com", EmailVerified: true}
	c := r.withKey(ann, "k1")
	g := r.signIn(bob).Grant
	_, err := r.addKey(g, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	v, err := r.answer(r.open(), "k1", "", ann, bob)
	require.NoError(t, err)
	require.Empty(t, v.Tenant)

	require.NoError(t, r.Session(ann, binding).Remove(t.Context(), c.Grant, c.Factor.ID))
	require.Zero(t, identities(t, r), "nothing is left of it")
	_, err = r.addKey(g, "k1")
	require.NoError(t, err)
	v, err = r.answer(r.open(), "k1", "", ann, bob)
	require.NoError(t, err)
	require.Equal(t, "other", v.Tenant)
}

func TestIdentity_IsOneUsersAlsoInParallel(t *testing.T) {
	r, _ := keyRig(t)
	const people = 20
	type waiting struct {
		user    mfa.User
		pending *mfa.Enrollment
		answer  secret.Text
	}
	var list []waiting
	for i := range people {
		e, err := r.Session(person(i), binding).Enroll(t.Context(), r.signIn(person(i)).Grant,
			mfa.EnrollRequest{Kind: "key"})
		require.NoError(t, err)
		list = append(list, waiting{person(i), e, secret.New("k1 " + string(e.Prompt.Data))})
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for _, w := range append(list, list...) { // and each of them twice
		wg.Go(func() {
			if _, err := r.Session(w.user, binding).Confirm(t.Context(), w.pending,
				w.answer); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	var all []mfa.User
	for i := range people {
		all = append(all, person(i))
	}
	_, err := r.answer(r.open(), "k1", "", all...)
	require.NoError(t, err, "a response finds the user who has it")
}

// An incorrect response to an enrolment takes an identity away from no user.
func TestIdentity_IsNotClaimedByARefusedEnrolment(t *testing.T) {
	r, _ := keyRig(t)
	g := r.signIn(ann).Grant
	e, err := r.Session(ann, binding).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("k1 wrong"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Zero(t, identities(t, r))
	c := r.withKey(ann, "k2")
	e, err = r.Session(ann, binding).Enroll(t.Context(), c.Grant, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("k2 wrong"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.answer(r.open(), "k2", "", ann)
	require.NoError(t, err, "what was the person's before stays theirs")
}

// An enrolment that was cut off between its two writes blocks nobody for ever.
func TestIdentity_PassesOnWhenAbandoned(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant,
		mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	cut := &cutStore{FaultyStore: r.store}
	cfg := r.cfg
	cfg.Store = cut
	half, err := mfa.New(cfg)
	require.NoError(t, err)
	cut.left = 1 // the claim is written, and nothing after it
	_, err = half.Session(ann, binding).Confirm(t.Context(), e,
		secret.New("k1 "+string(e.Prompt.Data)))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Equal(t, 1, identities(t, r))

	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "the other user may be about to confirm it")
	r.clock.Advance(31 * time.Minute)
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.NoError(t, err)
	_, err = r.answer(r.open(), "k1", "", ann, person(1))
	require.NoError(t, err)

	r.clock.Advance(31 * time.Minute)
	_, err = r.addKey(r.signIn(ann).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable,
		"an old claim of somebody who has it is no abandoned one")
}

// cutStore fails every write after the first left ones.
type cutStore struct {
	*mfatest.FaultyStore
	left int
}

func (s *cutStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if s.left--; s.left < 0 {
		return errors.New("cut off")
	}
	return s.FaultyStore.Swap(ctx, key, old, next)
}

// Of two requests with one response, the one that comes too late must not take away what the
// other has confirmed.
func TestIdentity_IsKeptByALateConfirmation(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant,
		mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	response := secret.New("k1 " + string(e.Prompt.Data))
	between := &betweenStore{FaultyStore: r.store, then: func() {
		_, err := r.Session(ann, binding).Confirm(t.Context(), e, response)
		require.NoError(t, err)
	}}
	cfg := r.cfg
	cfg.Store = between
	late, err := mfa.New(cfg)
	require.NoError(t, err)
	_, err = late.Session(ann, binding).Confirm(t.Context(), e, response)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// betweenStore does something after the first write.
type betweenStore struct {
	*mfatest.FaultyStore
	then func()
}

func (s *betweenStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.FaultyStore.Swap(ctx, key, old, next)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return err
}

func TestReencrypt_KeepsIdentities(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	old, err := seal.NewKeyring(first)
	require.NoError(t, err)
	r, _ := keyRig(t, func(c *mfa.Config) { c.Keys = old })
	r.withKey(ann, "k1")
	reseal(t, r.withKeys(t, second, first), "")
	r.Manager = r.withKeys(t, second)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// Identities are kept wherever the kind is in the configuration.
func TestIdentity_IsKeptForAKindInAnyPlace(t *testing.T) {
	r, _ := keyRig(t, func(c *mfa.Config) { slices.Reverse(c.Factors) })
	c := r.withKey(ann, "k1")
	require.Equal(t, 1, identities(t, r))
	require.NoError(t, r.Session(ann, binding).Remove(t.Context(), c.Grant, c.Factor.ID))
	require.Zero(t, identities(t, r))
}
