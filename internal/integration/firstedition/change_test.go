package firstedition_test

import (
	"slices"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// manage proves a user's app, and returns the grant.
func (r *rig) manage(id string) (mfa.Session, mfa.Grant) {
	r.t.Helper()
	s := r.session(id).ManageFactors()
	code := secret.New(r.code(r.secret(id, "totp")))
	v, err := s.Verify(r.t.Context(), r.begin(s), "totp", code)
	require.NoError(r.t, err)
	return s, v.Grant
}

func (r *rig) kinds(id string) (kinds []string) {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), r.user(id))
	require.NoError(r.t, err)
	for _, f := range o.Factors {
		kinds = append(kinds, f.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

// What the first edition enrolled can be renamed, supplemented and removed.
func TestManageFactors_ChangesWhatTheFirstEditionEnrolled(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		s, g := r.manage("fay")
		app := r.Users["fay"].Factors[0]
		require.NoError(t, s.Rename(t.Context(), g, mfa.FactorInfo{ID: app.ID, Name: "Old phone"}))
		e, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "totp", Name: "New phone"})
		require.NoError(t, err)
		_, err = s.Confirm(t.Context(), e, secret.New(r.code(e.Prompt.Secret.Reveal())))
		require.NoError(t, err)
		require.Equal(t, []string{"recovery", "totp", "totp"}, r.kinds("fay"))
		r.restart()
		o, err := r.Overview(t.Context(), r.user("fay"))
		require.NoError(t, err)
		require.Equal(t, "Old phone", o.Factors[0].Name)
		require.NoError(t, s.Remove(t.Context(), g, app.ID))
		_, err = s.NewRecoveryCodes(t.Context(), g)
		require.NoError(t, err)
		_, err = r.verify("fay", "recovery", r.Users["fay"].Unused[0])
		require.ErrorIs(t, err, factor.ErrIncorrect)
		require.Equal(t, []string{"recovery", "totp"}, r.kinds("fay"))
	})
}

// A passkey that the first edition enrolled is its user's, and no other user's, until it ends.
func TestConfirm_RefusesAPasskeyThatAnotherUserHas(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		d := r.device()
		enroll := func() error {
			s, g := r.manage("ann")
			e, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "passkey"})
			require.NoError(t, err)
			o, err := virtualwebauthn.ParseAttestationOptions(string(e.Prompt.Data))
			require.NoError(t, err)
			d.auth.Options.UserHandle = []byte(o.UserID)
			made := virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.cred, *o)
			_, err = s.Confirm(t.Context(), e, secret.New(made))
			r.clock.Advance(31 * time.Second)
			return err
		}
		require.ErrorIs(t, enroll(), mfa.ErrNotAvailable)
		require.NoError(t, r.Admin(mfa.System("desk"), "lost").Reset(t.Context(), r.user("ivy")))
		require.NoError(t, enroll())
	})
}

// Deleting a user deletes what the first edition stored of them.
func TestDelete_LeavesNothingOfTheFirstEdition(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		for _, id := range []string{"ivy", "ola"} {
			err := r.Admin(mfa.System("desk"), "left").Delete(t.Context(), r.user(id))
			require.NoError(t, err)
		}
		for _, e := range r.entries() {
			require.NotContains(t, []string{"p/0//ivy", "p/4/acme/ola"}, e.Key)
			require.NotEqual(t, byte('i'), e.Key[0], "the claim of the passkey")
		}
		cases, err := r.Admin(mfa.System("desk"), "").SupportCases(t.Context(), "acme")
		require.NoError(t, err)
		require.Empty(t, cases)
	})
}

// An enrolment that the first edition began, and that a sign-in required, is confirmed by the
// response that it waits for. One that a grant began does not say what was proven, so it changes
// nothing.
func TestConfirm_TakesAnEnrolmentOfTheFirstEdition(t *testing.T) {
	each(t, 20*time.Second, func(t *testing.T, r *rig) {
		confirm := func(id, as, response string) (*mfa.Confirmation, error) {
			e := &mfa.Enrollment{}
			require.NoError(t, e.UnmarshalText([]byte(r.secret(id, "enrollment"))))
			return r.session(as).Confirm(t.Context(), e, secret.New(response))
		}
		code := r.code(r.secret("uma", "totp"))
		_, err := confirm("uma", "ann", code)
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = confirm("uma", "uma", other(code))
		require.ErrorIs(t, err, factor.ErrIncorrect)
		c, err := confirm("uma", "uma", code)
		require.NoError(t, err)
		require.Equal(t, "Uma's phone", c.Factor.Name)
		require.NotNil(t, c.Verification)
		_, err = confirm("uma", "uma", code)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
		r.clock.Advance(31 * time.Second)
		_, err = r.verify("uma", "totp", r.code(r.secret("uma", "totp")))
		require.NoError(t, err)

		_, err = confirm("nia", "nia", r.secret("nia", "code"))
		require.ErrorIs(t, err, mfa.ErrProofRequired)
		require.Equal(t, []string{"totp"}, r.kinds("nia"))
	})
}
