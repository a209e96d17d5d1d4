package mfa_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// removeIdentities removes all records of identities from the store.
func (r *rig) removeIdentities() {
	r.eachRecord("i/", func(key string, rec storage.Record) error {
		return r.store.Delete(r.t.Context(), key, rec.Revision)
	})
}

// alter makes all records under a prefix unreadable.
func (r *rig) alter(prefix string) {
	r.eachRecord(prefix, func(key string, rec storage.Record) error {
		return r.store.Swap(r.t.Context(), key, rec.Revision,
			storage.Record{Revision: "altered", Data: append(rec.Data, 0)})
	})
}

func (r *rig) eachRecord(prefix string, do func(key string, rec storage.Record) error) {
	r.t.Helper()
	list, _, err := r.store.List(r.t.Context(), prefix, "", 100)
	require.NoError(r.t, err)
	require.NotEmpty(r.t, list)
	for _, e := range list {
		require.NoError(r.t, do(e.Key, e.Record))
	}
}

// beginKey begins the enrolment of a key, and returns it with the response of an instance.
func (r *rig) beginKey(g mfa.Grant, id string) (*mfa.Enrollment, secret.Text) {
	r.t.Helper()
	e, err := r.of(g).Enroll(r.t.Context(), g, mfa.EnrollRequest{Kind: "key"})
	require.NoError(r.t, err)
	return e, secret.New(id + " " + string(e.Prompt.Data))
}

// An identity that was altered in the store is no user's: a sign-in by it fails, and no second user
// gets it in its place.
func TestIdentity_ThatIsAlteredFails(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	r.alter("i/")
	_, err := r.answer(r.open(), "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	r.clock.Advance(31 * time.Minute)
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	err = r.Admin(boss, "left").Delete(t.Context(), ann)
	require.ErrorIs(t, err, mfa.ErrUnavailable, "an identity would remain")
}

// A user is deleted whose identity is no longer there, and one whose record cannot be read.
func TestIdentity_KeepsNoUserFromBeingDeleted(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	r.removeIdentities()
	require.NoError(t, r.Admin(boss, "left").Delete(t.Context(), ann))

	r, _ = keyRig(t)
	r.withKey(ann, "k1")
	r.alter("p/")
	require.NoError(t, r.Admin(boss, "left").Delete(t.Context(), ann))
}

// A user is not deleted while the store cannot say what identities they have.
func TestIdentity_IsReleasedBeforeTheUserIsDeleted(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	cfg := r.cfg
	cfg.Store = &failsOnce{FaultyStore: r.store, key: "p/0//ann"}
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	require.ErrorIs(t, m.Admin(boss, "left").Delete(t.Context(), ann), mfa.ErrUnavailable)
	require.Equal(t, 1, identities(t, r))
	require.NoError(t, m.Admin(boss, "left").Delete(t.Context(), ann))
	require.Zero(t, identities(t, r))
}

// failsOnce fails the first read of one key.
type failsOnce struct {
	*mfatest.FaultyStore
	key    string
	failed bool
}

func (s *failsOnce) Get(ctx context.Context, key string) (storage.Record, error) {
	if key == s.key && !s.failed {
		s.failed = true
		return storage.Record{}, errors.New("down")
	}
	return s.FaultyStore.Get(ctx, key)
}

// An old claim passes to no second user while the store cannot say whether the first has the
// instance.
func TestIdentity_DoesNotPassOnWhileTheStoreFails(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	r.clock.Advance(31 * time.Minute)
	cfg := r.cfg
	cfg.Store = &failsOnce{FaultyStore: r.store, key: "p/0//ann"}
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	e, response := r.beginKey(r.signIn(person(1)).Grant, "k1")
	_, err = m.Session(person(1), binding).Confirm(t.Context(), e, response)
	require.Error(t, err)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err, "it is hers as before")
}

// A claim that was cut off passes on after twice the time that an enrolment takes, at most: 30
// minutes by default.
func TestIdentity_PassesOnExactlyThen(t *testing.T) {
	r, _ := keyRig(t)
	cfg := r.cfg
	cfg.Store = &cutStore{FaultyStore: r.store, left: 1}
	half, err := mfa.New(cfg)
	require.NoError(t, err)
	e, response := r.beginKey(r.signIn(ann).Grant, "k1")
	_, err = half.Session(ann, binding).Confirm(t.Context(), e, response)
	require.ErrorIs(t, err, mfa.ErrUnavailable)

	r.clock.Advance(30*time.Minute - time.Millisecond)
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	r.clock.Advance(time.Millisecond)
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.NoError(t, err)
}

// An instance whose identity could not be claimed is not enrolled. The user may try again with the
// same response.
func TestIdentity_IsClaimedFirst(t *testing.T) {
	r, _ := keyRig(t)
	e, response := r.beginKey(r.signIn(ann).Grant, "k1")
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("down")})
	_, err := r.Session(ann, binding).Confirm(t.Context(), e, response)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Zero(t, r.store.Pending())
	o, _ := r.overview(ann)
	require.Len(t, o.Factors, 1, "the address of the account")
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, response)
	require.NoError(t, err)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// An identity has at most 1023 bytes.
func TestIdentity_IsBounded(t *testing.T) {
	r, _ := keyRig(t)
	g := r.signIn(ann).Grant
	_, err := r.addKey(g, strings.Repeat("k", 1024))
	require.ErrorIs(t, err, factor.ErrMalformed)
	long := strings.Repeat("k", 1023)
	_, err = r.addKey(g, long)
	require.NoError(t, err)
	_, err = r.answer(r.open(), long, "", ann)
	require.NoError(t, err)
	_, err = r.answer(r.open(), long+"k", "", ann)
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// broken is a signer that fails to verify.
type broken struct{ *signer }

func (broken) Verify(context.Context, factor.VerifyInput) (*factor.Verdict, error) {
	return nil, errors.New("no library")
}

// A factor that fails has confirmed nothing, and its response claims no identity.
func TestIdentity_IsNotClaimedByAFactorThatFails(t *testing.T) {
	r, k := keyRig(t)
	cfg := r.cfg
	cfg.Factors = append([]factor.Factor{broken{k}}, cfg.Factors[:len(cfg.Factors)-1]...)
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	e, response := r.beginKey(r.signIn(ann).Grant, "k1")
	_, err = m.Session(ann, binding).Confirm(t.Context(), e, response)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	_, counted := errors.AsType[*mfa.AttemptError](err)
	require.True(t, counted)
	require.Zero(t, identities(t, r))
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.NoError(t, err)
}
