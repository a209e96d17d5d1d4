package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// overview returns what the user's settings say of recovery codes.
func (r *rig) overview(s mfa.User) (o *mfa.Overview, codes mfa.FactorInfo) {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), s)
	require.NoError(r.t, err)
	for _, f := range o.Factors {
		if f.Kind == "recovery" {
			codes = f
		}
	}
	return o, codes
}

func (r *rig) makeCodes(g mfa.Grant) *mfa.Enrollment {
	r.t.Helper()
	e, err := r.of(g).NewRecoveryCodes(r.t.Context(), g)
	require.NoError(r.t, err)
	return e
}

func TestConfirm_SaysThatRecoveryCodesAreDue(t *testing.T) {
	without := func(c *mfa.Config) { c.Factors = c.Factors[:3] }
	for name, c := range map[string]struct {
		change func(*mfa.Config)
		kind   string
		due    bool
	}{
		"something that can be lost": {nil, "app", true},
		"something known":            {nil, "pin", false},
		"no codes are configured":    {without, "app", false},
		"skipping is allowed, so the application offers it": {func(c *mfa.Config) {
			p := impliedMail
			p.SkipRecoveryCodes = true
			c.Policies = policy.Static(p)
		}, "app", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if c.change != nil {
				r = newRig(t, c.change)
			}
			require.Equal(t, c.due, r.enroll(r.signIn(ann).Grant, c.kind, "tulip").RecoveryCodesDue)
			o, _ := r.overview(ann)
			require.Equal(t, c.due, o.RecoveryCodesDue)
		})
	}
}

func TestRecoveryCodesSaved_EndsWhatIsDue(t *testing.T) {
	r := newRig(t)
	conf := r.withApp(ann, "tulip")
	require.True(t, conf.RecoveryCodesDue)
	made := r.makeCodes(conf.Grant)
	o, codes := r.overview(ann)
	require.True(t, o.RecoveryCodesDue, "shown, and not said to be saved")
	require.True(t, codes.Unsaved)

	err := r.Session(ann, binding).RecoveryCodesSaved(t.Context(), "another set")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	err = r.Session(ann, binding).RecoveryCodesSaved(t.Context(), conf.Factor.ID)
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "a factor that is no recovery codes")
	o, _ = r.overview(ann)
	require.True(t, o.RecoveryCodesDue)

	id := made.Confirmed.Factor.ID
	for range 2 { // a second click
		require.NoError(t, r.Session(ann, binding).RecoveryCodesSaved(t.Context(), id))
	}
	o, codes = r.overview(ann)
	require.False(t, o.RecoveryCodesDue)
	require.False(t, codes.Unsaved)
	saved := 0
	for _, name := range r.eventNames() {
		if name == "recovery.saved" {
			saved++
		}
	}
	require.Equal(t, 1, saved)

	older := id
	made = r.makeCodes(conf.Grant)
	err = r.Session(ann, binding).RecoveryCodesSaved(t.Context(), older)
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "a page of the set before")
	_, codes = r.overview(ann)
	require.True(t, codes.Unsaved)
	require.NoError(t, r.Session(ann, binding).RecoveryCodesSaved(t.Context(),
		made.Confirmed.Factor.ID))
	require.ErrorIs(t, r.Session(person(7), binding).RecoveryCodesSaved(t.Context(),
		made.Confirmed.Factor.ID), mfa.ErrNotAvailable, "another user's")
}

// A user who closes the page of the codes is asked again after the next sign-in. The codes are
// valid meanwhile, and nothing is refused.
func TestVerify_AsksAgainForRecoveryCodesThatWereNotSaved(t *testing.T) {
	r := newRig(t)
	r.app.once = false
	conf := r.withApp(ann, "tulip")
	byApp := func() *mfa.Verification {
		t.Helper()
		v, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
		require.NoError(t, err)
		return v
	}
	require.True(t, byApp().RecoveryCodesDue, "none were made: the browser closed before")
	made := r.makeCodes(conf.Grant)
	require.True(t, byApp().RecoveryCodesDue, "shown, and not said to be saved")

	v, err := r.verify(r.begin(ann), "recovery", made.Prompt.Codes[0])
	require.NoError(t, err, "codes are valid once they were shown")
	require.False(t, v.RecoveryCodesDue, "a recovery may not make new ones")
	ch := r.begin(ann)
	r.send(ch)
	v, err = r.verify(ch, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
	require.False(t, v.RecoveryCodesDue, "a weaker proof may not make new ones")

	require.NoError(t, r.Session(ann, binding).RecoveryCodesSaved(t.Context(),
		made.Confirmed.Factor.ID))
	require.False(t, byApp().RecoveryCodesDue)
}

func TestVerify_AsksForNoRecoveryCodesThatMayBeSkipped(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		p := impliedMail
		p.SkipRecoveryCodes = true
		c.Policies = policy.Static(p)
	})
	r.app.once = false
	conf := r.withApp(ann, "tulip")
	r.makeCodes(conf.Grant)
	v, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
	require.False(t, v.RecoveryCodesDue)
	_, codes := r.overview(ann)
	require.True(t, codes.Unsaved, "the settings say so")
}

func TestRecoveryCodesDue_EndsWithWhatTheyRecover(t *testing.T) {
	r := newRig(t)
	conf := r.withApp(ann, "tulip")
	r.makeCodes(conf.Grant)
	require.NoError(t, r.of(conf.Grant).Remove(t.Context(), conf.Grant, conf.Factor.ID))
	o, _ := r.overview(ann)
	require.False(t, o.RecoveryCodesDue)
	require.Equal(t, -1, o.RecoveryCodesRemaining)
}

// imported are recovery codes of another system, which nobody is shown.
type imported struct{ codes }

func (imported) Enroll(
	context.Context, factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("abc")}, nil
}

func TestNewRecoveryCodes_ThatAreImportedAreNotDue(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Factors[3] = imported{} })
	conf := r.withApp(ann, "tulip")
	require.True(t, conf.RecoveryCodesDue)
	r.makeCodes(conf.Grant)
	o, codes := r.overview(ann)
	require.False(t, o.RecoveryCodesDue)
	require.False(t, codes.Unsaved)
}

// A sign-in that required an enrolment is completed by it once. What its grant enrols next, such
// as recovery codes, signs nobody in again.
func TestConfirm_CompletesAForcedSignInOnce(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{}) })
	conf := r.enroll(r.begin(ann).Grant, "app", "tulip")
	require.NotNil(t, conf.Verification)
	require.True(t, conf.RecoveryCodesDue)
	require.Nil(t, r.makeCodes(conf.Grant).Confirmed.Verification)
	require.Nil(t, r.enroll(conf.Verification.Grant, "app", "rose").Verification)
}

// The event of codes that are saved says which codes, and how many.
func TestRecoveryCodesSaved_IsAnEvent(t *testing.T) {
	r := newRig(t)
	id := r.makeCodes(r.withApp(ann, "word").Grant).Confirmed.Factor.ID
	s := r.Session(ann, binding)
	require.ErrorIs(t, s.RecoveryCodesSaved(t.Context(), "another"), mfa.ErrNotAvailable)
	require.NoError(t, s.RecoveryCodesSaved(t.Context(), id))
	require.NoError(t, s.RecoveryCodesSaved(t.Context(), id), "again")
	var got []mfa.Event
	for _, e := range r.events {
		if e.Name == "recovery.saved" {
			got = append(got, mfa.Event{Kind: e.Kind, FactorID: e.FactorID,
				Remaining: e.Remaining})
		}
	}
	require.Equal(t, []mfa.Event{{Kind: "recovery", FactorID: id, Remaining: 5}}, got)
}

// Two processes make recovery codes at once. The one that comes later sees what the other has made,
// and replaces it.
func TestNewRecoveryCodes_ReplacesThoseOfAMomentBefore(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	other := r.another()
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		_, err := other.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
		require.NoError(t, err)
	}})
	e, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.NotNil(t, e.Confirmed)
	require.Len(t, r.record(ann).Factors, 2)
	require.Equal(t, e.Confirmed.Factor.ID, r.id("recovery"))
}

// A user who is reset while recovery codes are made has none of them.
func TestNewRecoveryCodes_EndWithAResetMeanwhile(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	other := r.another()
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		require.NoError(t, other.Admin(boss, "").Reset(t.Context(), ann))
	}})
	e, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	require.Nil(t, e)
	require.Empty(t, r.record(ann).Factors)
}
