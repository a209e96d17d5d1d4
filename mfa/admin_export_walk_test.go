package mfa_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// An export without a reason, or that the application does not allow, yields an error alone, with
// the cursor that it was given.
func TestAdminExport_NeedsAReasonAndPermission(t *testing.T) {
	var asked []mfa.AdminAction
	r := importRig(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			if asked = append(asked, a); a.Name == "export" {
				return errors.New("no")
			}
			return nil
		}
	})
	r.imports(ann, words("app", "tulip")...)
	asked = nil
	for reason, want := range map[string]error{"": factor.ErrMalformed, " \t": factor.ErrMalformed,
		"moved": mfa.ErrForbidden} {
		n := 0
		for page, err := range r.Admin(boss, reason).Export(t.Context(), "p/here") {
			require.ErrorIs(t, err, want, "%q", reason)
			require.Equal(t, report.Export{Cursor: "p/here"}, page)
			n++
		}
		require.Equal(t, 1, n)
	}
	require.Len(t, asked, 1, "the application is asked about what could be allowed")
	require.Equal(t, "export", asked[0].Name)
	require.Equal(t, "moved", asked[0].Reason)
	require.Zero(t, r.store.Calls(mfatest.OpList))
	require.NotContains(t, r.eventNames(), "admin.export")
}

// An error of the store ends the walk, with the cursor of the last page, at which the next walk
// goes on. A caller who leaves the loop gets no further page.
func TestAdminExport_GoesOnWhereItFailed(t *testing.T) {
	r := importRig(t)
	const users = 201
	for i := range users {
		r.imports(person(i), words("app", "tulip")...)
	}
	r.events = nil
	admin := r.Admin(boss, "moved")
	seen, last := 0, ""
	r.store.Inject(mfatest.OpList, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpList, 1, mfatest.Fault{Before: errors.New("down")})
	var failed error
	for page, err := range admin.Export(t.Context(), "") {
		require.NoError(t, failed, "an error is the last that a walk yields")
		if failed = err; err == nil {
			last = page.Cursor
		} else {
			require.Equal(t, last, page.Cursor)
		}
		seen += len(page.Users)
	}
	require.ErrorIs(t, failed, mfa.ErrUnavailable)
	require.Equal(t, 200, seen)
	require.Len(t, r.events, seen)
	for page, err := range admin.Export(t.Context(), last) {
		require.NoError(t, err)
		require.Empty(t, page.Cursor)
		seen += len(page.Users)
	}
	require.Equal(t, users, seen)
	for page, err := range admin.Export(t.Context(), "") {
		require.NoError(t, err)
		require.Len(t, page.Users, 200)
		break
	}
}

// A store that cannot list its records has no export.
func TestAdminExport_NeedsALister(t *testing.T) {
	r := importRig(t, func(c *mfa.Config) { c.Store = noLister{c.Store} })
	for _, err := range r.Admin(boss, "moved").Export(t.Context(), "") {
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

// Each user whose factors an export has gets an event with the program and the reason.
func TestAdminExport_IsAnEventOfEachUser(t *testing.T) {
	r := importRig(t)
	bob := mfa.User{ID: "bob", Tenant: "acme", UserType: "staff"}
	r.imports(bob, words("app", "tulip")...)
	r.imports(person(1), words("app", "unreadable")...)
	r.events = nil
	users := r.exports()
	require.Len(t, users, 2)
	require.Len(t, r.events, 1, "nothing of the other user has left the store")
	e := r.events[0]
	require.Equal(t, []string{"admin.export", "bob", "acme", "staff", "boss", "moved"},
		[]string{e.Name, e.UserID, e.Tenant, e.UserType, e.Actor, e.Note})
	require.Equal(t, r.clock.Now(), e.Time)
}

// An export has what the user enrolled, with its name. The address for which the application
// vouches does not move, and a user without anything else is not in the export.
func TestAdminExport_HasWhatTheUserEnrolled(t *testing.T) {
	r := importRig(t)
	request := words("app", "tulip")[0]
	request.Name = "Phone"
	r.imports(ann, request)
	r.signIn(person(1))
	require.Equal(t, []report.ExportedUser{{ID: ann.ID, UserType: ann.UserType,
		Factors: []report.ExportedFactor{{Kind: "app", Name: "Phone",
			Params: map[string]secret.Text{"word": secret.New("tulip")}}}}}, r.exports())
}

// A factor of a kind that this Manager does not have stays behind, and NotMoved says so. So does
// one whose kind imports nothing.
func TestAdminExport_NamesWhatStaysBehind(t *testing.T) {
	r := importRig(t)
	r.imports(ann, words("app", "tulip")...)
	v, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
	r.enroll(v.Grant, "pin", "1234")
	r.cfg.Factors = []factor.Factor{r.mail, r.pin, codes{}}
	r.cfg.Policies = policy.Static(policy.Policy{})
	r.Manager = r.another()
	r.events = nil
	users := r.exports()
	require.Len(t, users, 1)
	require.Empty(t, users[0].Factors)
	require.ElementsMatch(t, []string{"app: the kind is not configured",
		"pin: the kind cannot be moved"}, users[0].NotMoved)
	require.Empty(t, r.events)
}

// usedUp is a factor that has nothing to import once it is used up.
type usedUp struct{ movable }

func (u *usedUp) ImportParams([]byte) (map[string]secret.Text, error) { return nil, nil }

// A set of recovery codes without a code has nothing to move, and is no reason to look after.
func TestAdminExport_LeavesWhatIsUsedUp(t *testing.T) {
	r := importRig(t)
	r.imports(ann, append(words("app", "tulip"), words("paper", "lily")...)...)
	r.cfg.Factors[len(r.cfg.Factors)-1] = &usedUp{movable{word{kind: "paper",
		traits: factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true}}}}
	r.Manager = r.another()
	users := r.exports()
	require.Len(t, users, 1)
	require.Len(t, users[0].Factors, 1)
	require.Empty(t, users[0].NotMoved)
}

// A record that no key opens is named, with the reason, and the others are exported.
func TestAdminExport_NamesRecordsThatItCannotRead(t *testing.T) {
	r := importRig(t)
	r.imports(ann, words("app", "tulip")...)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r.cfg.Keys = keys
	r.Manager = r.another()
	r.imports(person(1), words("app", "rose")...)
	n := 0
	for page, err := range r.Admin(boss, "moved").Export(t.Context(), "") {
		require.NoError(t, err)
		require.Len(t, page.Unreadable, 1)
		require.ErrorContains(t, page.Unreadable[0], `ann"`)
		require.ErrorIs(t, page.Unreadable[0], seal.ErrUnknownKey)
		require.Len(t, page.Users, 1)
		require.Equal(t, "p1", page.Users[0].ID)
		n++
	}
	require.Equal(t, 1, n)
}

// A record under a key that names no user is named as well.
func TestAdminExport_NamesRecordsOfNoUser(t *testing.T) {
	r := importRig(t)
	r.imports(ann, words("app", "tulip")...)
	require.NoError(t, r.store.Swap(t.Context(), "p/strange", "", storage.Record{Revision: "1",
		Data: []byte("x")}))
	for page, err := range r.Admin(boss, "moved").Export(t.Context(), "") {
		require.NoError(t, err)
		require.Len(t, page.Unreadable, 1)
		require.ErrorContains(t, page.Unreadable[0], "no key of a user")
		require.Len(t, page.Users, 1)
	}
}
