package mfa_test

import (
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// edit changes the factors of a record as an earlier version may have left them.
func (r *rig) edit(s mfa.User, change func(factors []any) []any) {
	r.t.Helper()
	key := "p/0//" + s.ID
	rec, err := r.store.Get(r.t.Context(), key)
	require.NoError(r.t, err)
	plain, err := r.cfg.Keys.Open("record", key, rec.Data)
	require.NoError(r.t, err)
	var all map[int]any
	require.NoError(r.t, cbor.Unmarshal(plain, &all))
	all[5] = change(all[5].([]any))
	plain, err = cbor.Marshal(all)
	require.NoError(r.t, err)
	next := storage.Record{Revision: "edited", Data: r.cfg.Keys.Seal("record", key, plain)}
	require.NoError(r.t, r.store.Swap(r.t.Context(), key, rec.Revision, next))
}

// Recovery codes that an earlier version left behind, when their user's last factor was removed,
// end when the user confirms an enrolment: they recover nothing that came after them. A code that
// an administrator made stays.
func TestConfirm_EndsRecoveryCodesOfAnOldRecord(t *testing.T) {
	r := with(t, policy.Policy{})
	_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), r.setUp(bea, "app", "key"))
	require.NoError(t, err)
	_, err = r.Admin(mfa.System("desk"), "").Enroll(t.Context(), bea,
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	r.edit(bea, func(factors []any) []any {
		require.Len(t, factors, 4)
		return slices.DeleteFunc(factors, func(f any) bool {
			kind := f.(map[any]any)[uint64(1)]
			return kind == "app" || kind == "key"
		})
	})
	kinds := func() (kinds []string) {
		o, err := r.Overview(t.Context(), bea)
		require.NoError(t, err)
		for _, f := range o.Factors {
			kinds = append(kinds, f.Kind)
		}
		slices.Sort(kinds)
		return kinds
	}
	require.Equal(t, []string{"access", "recovery"}, kinds())
	r.enroll(r.begin(bea).Grant, "app", "new app")
	require.Equal(t, []string{"access", "app"}, kinds())
	_, err = r.verify(r.begin(bea), "recovery", secret.New("b"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// Recovery codes that were left behind without a factor respond to nothing: a user who has no
// factor has nothing to recover.
func TestOptions_NoRecoveryWithoutAFactor(t *testing.T) {
	for _, purpose := range []string{"sign-in", "manage", "step-up", "replace"} {
		r := with(t, policy.Policy{Implicit: []string{"mail"}})
		_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), r.withApp(ann,
			"word").Grant)
		require.NoError(t, err)
		r.edit(ann, func(factors []any) []any {
			return slices.DeleteFunc(factors, func(f any) bool {
				return f.(map[any]any)[uint64(1)] == "app"
			})
		})
		ch, err := withPurpose(r.Session(ann, binding), purpose).Begin(t.Context())
		if purpose == "replace" {
			require.ErrorIs(t, err, mfa.ErrNotAvailable)
			continue
		}
		require.NoError(t, err)
		require.Len(t, ch.Options, 1)
		require.Equal(t, "mail", ch.Options[0].Kind)
		_, err = withPurpose(r.Session(ann, binding), purpose).Verify(t.Context(), ch, "recovery",
			secret.New("a"))
		require.ErrorIs(t, err, mfa.ErrNotAvailable)
	}
}

// The overview has the number of the record, which is that of the newest event of a write.
func TestOverview_HasTheNumberOfTheRecord(t *testing.T) {
	r := with(t, policy.Policy{})
	o, err := r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.Zero(t, o.Write)
	r.setUp(bea, "app")
	var newest int64
	for _, e := range r.events {
		newest = max(newest, e.Write)
	}
	require.Positive(t, newest)
	o, err = r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.Equal(t, newest, o.Write)
}
