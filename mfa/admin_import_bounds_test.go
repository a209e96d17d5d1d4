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
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
)

// An import that is skipped writes nothing, since an administrator may repeat it for all users.
func TestAdminImport_ThatIsSkippedWritesNothing(t *testing.T) {
	r := importRig(t)
	r.imports(ann, words("app", "tulip")...)
	before := r.store.Calls(mfatest.OpSwap)
	skipped, _ := r.imports(ann, words("app", "tulip")...)
	require.Equal(t, "imported", skipped)
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}

// A program that was killed finds out by the time which of its events are missing.
func TestAdminImport_SaysWhenASkippedUserWasImported(t *testing.T) {
	r := importRig(t)
	admin := r.Admin(boss, "moved")
	done, err := admin.Import(t.Context(), ann, words("app", "tulip"))
	require.NoError(t, err)
	require.Zero(t, done.Imported)
	r.clock.Advance(time.Hour)
	done, err = admin.Import(t.Context(), ann, words("app", "tulip"))
	require.NoError(t, err)
	require.Equal(t, r.events[0].Time.UTC().Truncate(time.Millisecond), done.Imported)
}

// A factor keeps the name that it had, unless users could not give it. Then it has that of its
// kind.
func TestAdminImport_KeepsNamesThatUsersCouldGive(t *testing.T) {
	r := importRig(t)
	list := words("app", "tulip", "rose", "lily", "daisy")
	list[0].Name, list[1].Name = "Work phone", "www.example.com"
	list[2].Name = strings.Repeat("n", 65)
	r.imports(ann, list...)
	o, _ := r.overview(ann)
	var names []string
	for _, f := range o.Factors {
		if f.Kind == "app" {
			names = append(names, f.Name)
		}
	}
	require.Equal(t, []string{"Work phone", "My app", "My app", "My app"}, names)
}

// A set of hashed recovery codes may have 8192 bytes. What is longer is no factor of any system.
func TestAdminImport_BoundsParameters(t *testing.T) {
	r := importRig(t)
	admin := r.Admin(boss, "moved")
	_, err := admin.PreviewImport(t.Context(), ann, words("app", strings.Repeat("w", 8192)))
	require.NoError(t, err)
	_, err = admin.PreviewImport(t.Context(), ann,
		append(words("app", "tulip"), words("app", strings.Repeat("w", 8193))...))
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.ErrorContains(t, err, `factor 2 of kind "app"`)
}

// No user has more than 16 factors, and no factor reads the ones of a longer list.
func TestAdminImport_BoundsTheList(t *testing.T) {
	r := importRig(t)
	list := append(words("app", ""), words("app", make([]string, 16)...)...)
	_, err := r.Admin(boss, "moved").Import(t.Context(), ann, list)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	require.ErrorContains(t, err, "more than 16")
	require.NotErrorIs(t, err, factor.ErrMalformed)
}

// A profile that accepts no weaker factor refuses what would have to be renewed, and nothing else.
func TestAdminImport_HoldsRenewalsToTheProfile(t *testing.T) {
	c := sound(t, policy.ProfileNISTAAL2)
	c.Factors = append(c.Factors, &movable{word{kind: "old-app",
		traits: factor.Traits{AMR: "otp", Level: factor.LevelStrong}}})
	m, err := mfa.New(c)
	require.NoError(t, err)
	admin := m.Admin(boss, "moved")
	_, err = admin.PreviewImport(t.Context(), ann, words("old-app", "tulip"))
	require.NoError(t, err)
	_, err = admin.PreviewImport(t.Context(), ann, words("old-app", "ox"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	require.ErrorContains(t, err, "Config.Profile")
}

// shown is a movable word that keeps which instances it was shown.
type shown struct {
	movable
	existing [][]factor.EnrollOutput
}

func (s *shown) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	s.existing = append(s.existing, in.Existing)
	return s.movable.Enroll(ctx, in)
}

// A factor sees those of its kind that come before in the list, so that it can refuse a second one
// of the same device.
func TestAdminImport_ShowsAFactorWhatComesBefore(t *testing.T) {
	app := &shown{movable: movable{word{kind: "app",
		traits: factor.Traits{AMR: "otp", Level: factor.LevelStrong}}}}
	r := importRig(t, func(c *mfa.Config) { c.Factors[0] = app })
	r.imports(ann, append(words("paper", "lily"), words("app", "tulip", "rose")...)...)
	require.Len(t, app.existing, 2)
	require.Empty(t, app.existing[0])
	require.Len(t, app.existing[1], 1)
	require.Equal(t, "tulip", string(app.existing[1][0].State))
}

// What a factor says of a key decides about one that is imported as well.
func TestAdminImport_DescribesKeys(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, &movableSigner{signer{resistant: true}})
		c.Policies = policy.Stored(policy.Static(passwordless))
	})
	r.set(hardware)
	bob := mfa.User{ID: "bob", UserType: ann.UserType}
	r.imports(ann, words("key", "hard")...)
	r.imports(bob, words("key", "soft")...)
	_, err := r.answer(r.open(), "hard", "", ann)
	require.NoError(t, err)
	_, err = r.answer(r.open(), "soft", "", bob)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// An instance without an identity, or with one that is too long, is not imported, and the others of
// the list are not claimed.
func TestAdminImport_NeedsIdentities(t *testing.T) {
	r := signerImportRig(t)
	admin := r.Admin(boss, "moved")
	for _, id := range []string{"-", strings.Repeat("k", 1024)} {
		_, err := admin.Import(t.Context(), ann, words("key", "k1", id))
		require.ErrorIs(t, err, factor.ErrMalformed)
		require.Zero(t, identities(t, r))
	}
	r.imports(ann, words("key", strings.Repeat("k", 1023))...)
}

// An import that is refused as a whole leaves the identities of its instances to others.
func TestAdminImport_ThatIsRefusedClaimsNothing(t *testing.T) {
	r := signerImportRig(t)
	_, err := r.Admin(boss, "moved").Import(t.Context(), ann,
		words("key", "k1", "k2", "k3", "k4", "k5", "k6"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	require.Zero(t, identities(t, r))
}

// An import puts back the claim of an identity that was removed while it wrote: the user has the
// instance now, and signs in with it.
func TestAdminImport_PutsAClaimBack(t *testing.T) {
	r := signerImportRig(t)
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(ctx context.Context, _ string) {
		r.removeIdentities()
	}})
	r.imports(ann, words("key", "k1")...)
	_, err := r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// A preview says what the import would. A user whose import was cut off can have it again, and
// another user can have the same instance once the first cannot be about to.
func TestAdminPreviewImport_KnowsWhatIsClaimed(t *testing.T) {
	r, bob := signerImportRig(t), mfa.User{ID: "bob"}
	admin := r.Admin(boss, "moved")
	preview := func(u mfa.User) error {
		_, err := admin.PreviewImport(t.Context(), u, words("key", "k1"))
		return err
	}
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("down")})
	_, err := admin.Import(t.Context(), ann, words("key", "k1"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	r.store.Heal()
	require.Equal(t, 1, identities(t, r))
	require.NoError(t, preview(ann))
	require.ErrorIs(t, preview(bob), mfa.ErrNotAvailable)
	r.clock.Advance(30*time.Minute - time.Millisecond)
	require.ErrorIs(t, preview(bob), mfa.ErrNotAvailable)
	r.clock.Advance(time.Millisecond)
	require.NoError(t, preview(bob))

	r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errors.New("down")})
	require.ErrorIs(t, preview(ann), mfa.ErrUnavailable)
	require.Zero(t, r.store.Pending())
	require.Empty(t, r.eventNames())
}
