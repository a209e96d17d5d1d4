package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

func (r *rig) exports() (users []report.ExportedUser) {
	r.t.Helper()
	for page, err := range r.Admin(boss, "moved").Export(r.t.Context(), "") {
		require.NoError(r.t, err)
		require.Empty(r.t, page.Unreadable)
		users = append(users, page.Users...)
	}
	return users
}

// An import knows no hold, so a factor that a recovery has enrolled stays behind until its hold
// ends. Then it moves, and what it has replaced does not.
func TestAdminExport_LeavesAFactorOnHold(t *testing.T) {
	r := importRig(t)
	g := r.setUp(bea, "app")
	_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	v, err := r.verify(r.begin(bea), "recovery", secret.New("a"))
	require.NoError(t, err)
	c := r.enroll(v.Grant, "app", "thief")
	require.False(t, c.Factor.HeldUntil.IsZero())

	u := r.exports()[0]
	require.Equal(t, bea.ID, u.ID)
	require.Len(t, u.Factors, 1)
	require.Equal(t, "bea app", u.Factors[0].Params["word"].Reveal())
	require.Contains(t, u.NotMoved, "app: it is on hold after a recovery")
	require.Contains(t, u.NotMoved, "recovery: the kind cannot be moved")

	r.clock.Advance(25 * time.Hour)
	u = r.exports()[0]
	require.Len(t, u.Factors, 1)
	require.Equal(t, "thief", u.Factors[0].Params["word"].Reveal())
}

// A factor that cannot be read stays behind, a user without factors is not in the export, and
// neither is an event.
func TestAdminExport_LeavesWhatHasNothingToMove(t *testing.T) {
	r := importRig(t)
	skipped, _ := r.imports(ann, words("app", "unreadable", "refused")...)
	require.Empty(t, skipped)
	r.imports(bea, words("app", "bea app")...)
	require.NoError(t, r.Admin(boss, "moved").Reset(t.Context(), bea))
	r.events = nil
	require.Equal(t, []report.ExportedUser{{ID: ann.ID, Tenant: ann.Tenant,
		UserType: ann.UserType, NotMoved: []string{"app: it cannot be read",
			"app: it cannot be read"}}}, r.exports())
	require.Empty(t, r.eventNames())
}

// An administrator in a session exports nothing, whatever Config.Authorize says.
func TestAdminExport_IsForPrograms(t *testing.T) {
	r := importRig(t)
	g := r.setUp(bea, "app")
	r.events = nil
	for page, err := range r.Admin(r.Session(bea, binding).Actor(g), "moved").Export(t.Context(),
		"") {
		require.ErrorIs(t, err, mfa.ErrForbidden)
		require.Empty(t, page.Users)
	}
	require.Empty(t, r.events)
}
