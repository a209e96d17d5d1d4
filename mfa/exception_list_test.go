package mfa_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
)

// pagewise is a store that lists one record at a time.
type pagewise struct{ *mfatest.FaultyStore }

func (s pagewise) List(
	ctx context.Context, prefix string, cursor storage.Cursor, _ int,
) ([]storage.Entry, storage.Cursor, error) {
	return s.FaultyStore.List(ctx, prefix, cursor, 1)
}

// A register that is not complete comes with an error, and has what could be read.
func TestAdminExceptions_SaysThatSomeAreMissing(t *testing.T) {
	r := with(t, policy.Policy{})
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, r.Admin(boss, "r").GrantException(t.Context(), mfa.User{ID: id},
			"director", r.clock.Now().Add(day)))
	}
	r.cfg.Store = pagewise{r.store}
	list := func() (ids []string, err error) {
		all, err := r.another().Admin(boss, "").Exceptions(t.Context(), "")
		for _, x := range all {
			ids = append(ids, x.UserID)
		}
		return ids, err
	}
	ids, err := list()
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, ids)
	r.store.Inject(mfatest.OpList, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpList, 1, mfatest.Fault{Before: errDisk})
	ids, err = list()
	require.ErrorIs(t, err, errDisk)
	require.Equal(t, []string{"a"}, ids)
	r.putUnreadable("p/0//b", "record")
	ids, err = list()
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Equal(t, []string{"a", "c"}, ids)
}

// The name of the approver has at most 256 bytes, and the user is one that there can be.
func TestMayGrantException_BoundsWhatItIsGiven(t *testing.T) {
	r := with(t, policy.Policy{})
	ends := r.clock.Now().Add(day)
	require.NoError(t, r.Admin(boss, "r").MayGrantException(t.Context(), ann,
		strings.Repeat("d", 256), ends))
	require.ErrorIs(t, r.Admin(boss, "r").MayGrantException(t.Context(), mfa.User{}, "director",
		ends), factor.ErrMalformed)
}

// A process that knows more kinds enrols one while an exception is noted. A sign-in that cannot be
// decided any more fails.
func TestGrantException_FailsWhereTheSignInCannotBeDecided(t *testing.T) {
	r := with(t, policy.Policy{})
	require.NoError(t, r.excepts(day))
	grant := func() mfa.Grant {
		ch, err := r.Session(ann, binding).ManageFactors().FirstFactorAt(r.clock.Now()).
			Begin(t.Context())
		require.NoError(t, err)
		return ch.Grant
	}()
	r.cfg.Factors = r.cfg.Factors[:4]
	fewer := r.another()
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		r.enroll(grant, "key", "ann key")
	}})
	ch, err := fewer.Session(ann, "raced").Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrKindNotConfigured)
	require.Nil(t, ch)
}

// Audit counts every user of a tenant, and says what it could not read. An exception that a reset
// or an enrolment has ended is none.
func TestManagerAudit_CountsExceptions(t *testing.T) {
	r := with(t, policy.Policy{})
	grant := func(id string) mfa.User {
		u := mfa.User{ID: id}
		require.NoError(t, r.Admin(boss, "r").GrantException(t.Context(), u, "director",
			r.clock.Now().Add(day)))
		return u
	}
	grant("a")
	grant("b")
	require.NoError(t, r.Admin(boss, "").Reset(t.Context(), grant("c")))
	r.keepException(grant("d"), grant("e"))
	text := func() (all string) {
		found, err := r.Audit(t.Context(), policy.ProfileASVSL2)
		require.NoError(t, err)
		for _, f := range found {
			all += f.Where + ": " + f.Problem + "\n"
		}
		return all
	}
	require.Contains(t, text(), "2 users sign in without a second factor")
	require.NotContains(t, text(), "read")
	list, err := r.Admin(boss, "").Exceptions(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, list, 2)
	r.putUnreadable("p/0//b", "record")
	require.Contains(t, text(), "1 user signs in without a second factor")
	require.Contains(t, text(), "1 record")

	// A record under a key that no version writes.
	stored, err := r.record(mfa.User{ID: "a"}).Encode()
	require.NoError(t, err)
	require.NoError(t, r.store.Swap(t.Context(), "p/1/a", "", storage.Record{Revision: "1",
		Data: r.cfg.Keys.Seal("record", "p/1/a", stored)}))
	require.Contains(t, text(), "2 records")
}

// keepException leaves the exception of one user in the record as a version that does not know
// exceptions does, which resets the user, and of another, which enrols a factor.
func (r *rig) keepException(reset, enrols mfa.User) {
	r.t.Helper()
	for _, u := range []mfa.User{reset, enrols} {
		key := "p/0//" + u.ID
		rec, err := r.store.Get(r.t.Context(), key)
		require.NoError(r.t, err)
		old := r.record(u)
		kept := *old.Exception
		if u == reset {
			old.Void()
		} else {
			old.Factors = append(old.Factors, record.Instance{ID: record.NewID(), Kind: "app"})
		}
		old.Exception = &kept
		plain, err := old.Encode()
		require.NoError(r.t, err)
		require.NoError(r.t, r.store.Swap(r.t.Context(), key, rec.Revision, storage.Record{
			Revision: rec.Revision + "x", Data: r.cfg.Keys.Seal("record", key, plain)}))
	}
}
