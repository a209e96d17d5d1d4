package mfa_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// fading is an access code that ends a day after the start of the test.
type fading struct{ word }

func (fading) Kind() string { return "fading" }
func (fading) Traits() factor.Traits {
	return factor.Traits{Recovery: true, NoConfirmation: true, AdminOnly: true, Temporary: true}
}
func (fading) Describe([]byte) factor.Description {
	return factor.Description{Ends: testStart.Add(day)}
}

// An administrator makes the kinds that are for administrators alone, each in place of the one
// before, and what cannot be made changes nothing.
func TestAdminEnroll_MakesOneOfAKind(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Factors = append(c.Factors, madeCodes{}, &fading{}) })
	admin, word := r.Admin(boss, "badge 7"), map[string]secret.Text{"word": secret.New("w")}
	for name, c := range map[string]struct {
		u    mfa.User
		kind string
		name string
		want error
	}{
		"a kind of users":         {ann, "app", "", mfa.ErrNotAvailable},
		"no kind":                 {ann, "none", "", mfa.ErrNotAvailable},
		"no user":                 {mfa.User{}, "access", "", factor.ErrMalformed},
		"a name with a link":      {ann, "access", "http://a.example", factor.ErrMalformed},
		"what the factor refuses": {ann, "fading", "", factor.ErrMalformed},
		"a missing record":        {enrolled(ann), "access", "", mfa.ErrRecordMissing},
	} {
		_, err := admin.Enroll(t.Context(), c.u, mfa.EnrollRequest{Kind: c.kind, Name: c.name})
		require.ErrorIs(t, err, c.want, name)
	}
	require.Empty(t, dump(t, r.store))
	require.Empty(t, r.events)

	r.withApp(ann, "word")
	for range 2 {
		e, err := admin.Enroll(t.Context(), enrolled(ann), mfa.EnrollRequest{Kind: "access"})
		require.NoError(t, err)
		require.Equal(t, "access", e.Kind)
		require.Len(t, e.Prompt.Codes, 5)
		require.Zero(t, e.Expires, "it does not end by itself")
		e, err = admin.Enroll(t.Context(), ann, mfa.EnrollRequest{Kind: "fading", Params: word})
		require.NoError(t, err)
		require.Equal(t, testStart.Add(day), e.Expires)
	}
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	var kinds []string
	for _, f := range o.Factors {
		kinds = append(kinds, f.Kind)
	}
	require.ElementsMatch(t, []string{"app", "access", "fading", "mail"}, kinds)
	_, err = r.Session(ann, binding).Enroll(t.Context(), r.signInWithApp(), mfa.EnrollRequest{
		Kind: "access"})
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "users do not make it")
}

// signInWithApp signs ann in with the app.
func (r *rig) signInWithApp() mfa.Grant {
	r.t.Helper()
	v, err := r.verify(r.begin(ann), "app", secret.New("word"))
	require.NoError(r.t, err)
	return v.Grant
}

// A user has at most sixteen factors, those that an administrator makes included.
func TestAdminEnroll_LeavesRoomForNoMoreThanSixteen(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, madeCodes{})
		for i := range 4 {
			c.Factors = append(c.Factors, &movable{word{kind: fmt.Sprint("m", i),
				traits: factor.Traits{Level: factor.LevelStrong}}})
		}
	})
	for i := range 3 {
		_, err := r.Admin(boss, "").Import(t.Context(), person(i), many(14+i))
		require.NoError(t, err)
	}
	for i, want := range []error{nil, nil, mfa.ErrNotAvailable} {
		_, err := r.Admin(boss, "").Enroll(context.Background(), person(i),
			mfa.EnrollRequest{Kind: "access"})
		require.ErrorIs(t, err, want, i)
	}
}

// many are n factors, four of a kind.
func many(n int) (list []mfa.EnrollRequest) {
	for i := range n {
		list = append(list, words(fmt.Sprint("m", i/4), fmt.Sprint("word ", i))...)
	}
	return list
}
