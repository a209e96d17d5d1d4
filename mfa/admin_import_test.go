package mfa_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// movable is a word that can be imported. A word of less than four letters is to be renewed.
type movable struct{ word }

func (w *movable) Traits() factor.Traits {
	t := w.word.Traits()
	t.Importable = true
	return t
}

func (w *movable) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	out, err := w.word.Enroll(ctx, in)
	if err == nil {
		out.Renew = in.Imported && len(out.State) < 4
	}
	return out, err
}

func (w *movable) ImportParams(state []byte) (map[string]secret.Text, error) {
	switch string(state) {
	case "unreadable":
		panic("unreadable")
	case "refused":
		return nil, errors.New("refused")
	}
	return map[string]secret.Text{"word": secret.New(string(state))}, nil
}

// importRig is a rig whose app can be imported, and recovery codes too.
func importRig(t *testing.T, change ...func(*mfa.Config)) *rig {
	return newRig(t, append([]func(*mfa.Config){func(c *mfa.Config) {
		c.Factors[0] = &movable{word{kind: "app", once: true,
			traits: factor.Traits{AMR: "otp", Level: factor.LevelStrong}}}
		c.Factors = append(c.Factors, &movable{word{kind: "paper",
			traits: factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true}}})
	}}, change...)...)
}

func words(kind string, list ...string) (r []mfa.EnrollRequest) {
	for _, w := range list {
		r = append(r, mfa.EnrollRequest{Kind: kind,
			Params: map[string]secret.Text{"word": secret.New(w)}})
	}
	return r
}

func (r *rig) imports(u mfa.User, list ...mfa.EnrollRequest) (skipped string, kinds []string) {
	r.t.Helper()
	done, err := r.Admin(boss, "moved").Import(r.t.Context(), u, list)
	require.NoError(r.t, err)
	return done.Skipped, done.Kinds
}

// A user whose app and paper codes another system has confirmed signs in with either, and nothing
// was sent or used up.
func TestAdminImport_TakesOverFactors(t *testing.T) {
	r := importRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	u := ann
	u.Enrolled = true
	_, kinds := r.imports(u, append(words("app", "tulip"), words("paper", "lily")...)...)
	require.Equal(t, []string{"app", "paper"}, kinds)
	require.Equal(t, []string{"admin.import"}, r.eventNames())
	require.Equal(t, []string{"boss", "moved"}, []string{r.events[0].Actor, r.events[0].Note})
	o, err := r.Overview(t.Context(), u)
	require.NoError(t, err)
	require.Positive(t, o.Write)
	require.Equal(t, o.Write, r.events[0].Write, "an older record than this is found")
	require.Zero(t, r.messages())
	require.Empty(t, r.mail.notices())

	ch := r.begin(u)
	require.Equal(t, mfa.NextVerify, ch.Next)
	v, err := r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err)
	require.Equal(t, 2, v.AssuranceLevel)
	require.False(t, v.RenewalDue)
	_, err = r.verify(r.begin(u), "app", secret.New("tulip"))
	require.ErrorIs(t, err, factor.ErrReplayed)
	_, err = r.verify(r.begin(u), "paper", secret.New("lily"))
	require.NoError(t, err)
}

func TestAdminPreviewImport_ChangesNothing(t *testing.T) {
	r := importRig(t)
	done, err := r.Admin(boss, "").PreviewImport(t.Context(), ann,
		words("app", "tulip", "ox"))
	require.NoError(t, err)
	require.Equal(t, []string{"app", "app"}, done.Kinds)
	require.Equal(t, []string{"app"}, done.Renew)
	require.Empty(t, r.eventNames())
	require.Zero(t, r.store.Calls(mfatest.OpSwap))
	_, err = r.Admin(boss, "").PreviewImport(t.Context(), ann, words("app", ""))
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// An import that is repeated brings back nothing that the user lost, removed or replaced, and
// touches no user who has enrolled here.
func TestAdminImport_ChangesNoUserTwice(t *testing.T) {
	r := importRig(t)
	r.imports(ann, words("app", "tulip")...)
	skipped, _ := r.imports(ann, words("app", "rose")...)
	require.Equal(t, "imported", skipped)
	require.NoError(t, r.Admin(boss, "lost").Reset(t.Context(), ann))
	skipped, _ = r.imports(ann, words("app", "tulip")...)
	require.Equal(t, "imported", skipped)

	bob := mfa.User{ID: "bob", Email: "bob@example.com", EmailVerified: true}
	r.withApp(bob, "daisy")
	skipped, _ = r.imports(bob, words("app", "tulip")...)
	require.Equal(t, "enrolled", skipped)
	_, err := r.verify(r.begin(bob), "app", secret.New("tulip"))
	require.ErrorIs(t, err, factor.ErrIncorrect)

	require.NoError(t, r.Admin(boss, "left").Delete(t.Context(), bob))
	skipped, _ = r.imports(bob, words("app", "tulip")...)
	require.Equal(t, "deleted", skipped)
}

// An import is all or nothing. A user with recovery codes alone could enrol a factor with the
// password.
func TestAdminImport_RefusesAsAWhole(t *testing.T) {
	r := importRig(t)
	for name, c := range map[string]struct {
		list []mfa.EnrollRequest
		err  error
	}{
		"one of two is malformed": {words("app", "tulip", ""), factor.ErrMalformed},
		"recovery alone":          {words("paper", "lily"), mfa.ErrNotAvailable},
		"nothing":                 {nil, mfa.ErrNotAvailable},
		"an unknown kind":         {words("none", "lily"), mfa.ErrNotAvailable},
		"a kind that imports nothing": {append(words("app", "tulip"), words("pin", "1")...),
			mfa.ErrNotAvailable},
		"six of a kind": {words("app", "tulip", "t2", "t3", "t4", "t5", "t6"),
			mfa.ErrNotAvailable},
		"two of one": {append(words("app", "tulip"), words("paper", "a", "b")...),
			mfa.ErrNotAvailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.Admin(boss, "").Import(t.Context(), ann, c.list)
			require.ErrorIs(t, err, c.err)
			require.Zero(t, r.store.Calls(mfatest.OpSwap))
		})
	}
	require.Empty(t, r.eventNames())
}

func TestAdminImport_NeedsAuthority(t *testing.T) {
	var asked []string
	r := importRig(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			asked = append(asked, a.Name)
			return errors.New("no")
		}
	})
	_, err := r.Admin(boss, "").Import(t.Context(), ann, words("app", "tulip"))
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.Equal(t, []string{"import"}, asked)
}

// What was begun before the import, with a password alone, enrols nothing after it.
func TestAdminImport_EndsWhatWasBegun(t *testing.T) {
	r := importRig(t, func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{}) })
	ch := r.begin(ann)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	e, err := r.of(ch).Enroll(t.Context(), ch.Grant, words("app", "attacker")[0])
	require.NoError(t, err)
	r.clock.Advance(time.Second)
	r.imports(ann, words("app", "tulip")...)
	_, err = r.of(ch).Confirm(t.Context(), e, secret.New("attacker"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.of(ch).Enroll(t.Context(), ch.Grant, words("app", "attacker")[0])
	require.Error(t, err)
}

// A factor that is weaker than what users enrol signs in at level 1, is counted, and ends when the
// user enrols another of its kind. A strict profile refuses it.
func TestAdminImport_AsksToRenew(t *testing.T) {
	r := importRig(t)
	r.imports(ann, words("app", "ox")...)
	v, err := r.verify(r.begin(ann), "app", secret.New("ox"))
	require.NoError(t, err)
	require.True(t, v.RenewalDue)
	require.Equal(t, 1, v.AssuranceLevel)
	o, _ := r.overview(ann)
	require.True(t, o.Factors[0].Renew)
	s, err := r.Admin(boss, "").Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, s.Groups[0].ToRenew)

	r.enroll(v.Grant, "app", "tulip")
	o, _ = r.overview(ann)
	require.Len(t, o.Factors, 2, "the new one, and the address of the account")
	require.False(t, o.Factors[0].Renew || o.Factors[1].Renew)
	require.Contains(t, r.eventNames(), "factor.replaced")
	s, err = r.Admin(boss, "").Report(t.Context())
	require.NoError(t, err)
	require.Zero(t, s.Groups[0].ToRenew)
}

// A write that may or may not have happened leaves a user that a repeated import handles.
func TestAdminImport_SurvivesAmbiguousWrites(t *testing.T) {
	r := importRig(t)
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: errors.New("cut off")})
	_, err := r.Admin(boss, "").Import(t.Context(), ann, words("app", "tulip"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	skipped, _ := r.imports(ann, words("app", "tulip")...)
	require.Equal(t, "imported", skipped)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

// movableSigner is a signer whose instances can be imported: the word is their identity.
type movableSigner struct{ signer }

func (k *movableSigner) Traits() factor.Traits {
	t := k.signer.Traits()
	t.Importable = true
	return t
}

func (k *movableSigner) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	if in.Imported {
		return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal()), Name: "Key"}, nil
	}
	return k.signer.Enroll(ctx, in)
}

func signerImportRig(t *testing.T) *rig {
	return newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, &movableSigner{signer{resistant: true}})
		c.Policies = policy.Static(passwordless)
	})
}

// An imported instance signs its user in without a password, and belongs to no second user: a
// refused import, a dry run and a repeated import leave it where it is.
func TestAdminImport_MakesAnIdentityOneUsers(t *testing.T) {
	r, bob := signerImportRig(t), mfa.User{ID: "bob"}
	r.imports(ann, words("key", "k1", "k2")...)
	require.Equal(t, 2, identities(t, r))
	admin := r.Admin(boss, "moved")
	_, err := admin.Import(t.Context(), bob, words("key", "k3", "k2"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = admin.PreviewImport(t.Context(), bob, words("key", "k2"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = admin.PreviewImport(t.Context(), bob, words("key", "k3"))
	require.NoError(t, err)
	skipped, _ := r.imports(ann, words("key", "k1", "k2")...)
	require.Equal(t, "imported", skipped)
	require.Equal(t, 2, identities(t, r), "k3 is nobody's")
	v, err := r.answer(r.open(), "k2", "", ann, bob)
	require.NoError(t, err)
	require.Equal(t, ann.ID, v.UserID)
}

// An import that changes nothing leaves the identity to others.
func TestAdminImport_ThatIsSkippedClaimsNothing(t *testing.T) {
	r, bob := signerImportRig(t), mfa.User{ID: "bob"}
	r.imports(bob, words("key", "k1")...)
	skipped, _ := r.imports(bob, words("key", "k2")...)
	require.Equal(t, "imported", skipped)
	require.Equal(t, 1, identities(t, r))
	r.imports(ann, words("key", "k2")...)
}

// A write whose reply was lost may have been made. The identity stays the user's then, so that no
// second user gets the instance, and the import can be repeated.
func TestAdminImport_OfAnUnclearWriteKeepsTheIdentity(t *testing.T) {
	r, bob := signerImportRig(t), mfa.User{ID: "bob"}
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: errors.New("the reply is lost")})
	admin := r.Admin(boss, "moved")
	_, err := admin.Import(t.Context(), ann, words("key", "k1"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	r.store.Heal()
	skipped, _ := r.imports(ann, words("key", "k1")...)
	require.Equal(t, "imported", skipped, "it was written")
	_, err = admin.Import(t.Context(), bob, words("key", "k1"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	v, err := r.answer(r.open(), "k1", "", ann, bob)
	require.NoError(t, err)
	require.Equal(t, ann.ID, v.UserID)
}
