package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
)

const day = 24 * time.Hour

// excepts grants ann an exception, or returns why not.
func (r *rig) excepts(lasts time.Duration) error {
	return r.Admin(boss, "broken arm").GrantException(r.t.Context(), ann, "director",
		r.clock.Now().Add(lasts))
}

// next returns what a sign-in of ann needs.
func (r *rig) next() mfa.Next { return r.begin(ann).Next }

// The exception lets the user in until its end, each session is an event, and a list and the
// overview have it.
func TestGrantException_SignsInUntilItsEnd(t *testing.T) {
	r := with(t, policy.Policy{})
	require.NoError(t, r.excepts(10*day))
	ends := r.clock.Now().Add(10 * day).UTC()
	for _, session := range []string{"one", "two", "one", "two", "one"} {
		ch, err := r.Session(ann, session).Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, mfa.NextDone, ch.Next)
		require.Equal(t, ends, ch.ExceptionEnds)
		require.False(t, ch.Remembered)
	}
	var used []mfa.Event
	for _, e := range r.events {
		if e.Name == "exception.used" {
			used = append(used, e)
		}
	}
	require.Len(t, used, 2, "one for each session")
	require.Equal(t, []string{"ann", "director"}, []string{used[0].UserID, used[0].Approver})
	require.Equal(t, ends, used[0].ExceptionEnds)

	list, err := r.Admin(boss, "").Exceptions(t.Context(), ann.Tenant)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, []string{"ann", "broken arm", "boss", "director"},
		[]string{list[0].UserID, list[0].Reason, list[0].Actor, list[0].Approver})
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, ends, o.Exception.Ends)

	r.clock.Advance(10*day - time.Millisecond)
	require.Equal(t, mfa.NextDone, r.next())
	r.clock.Advance(time.Millisecond)
	require.Equal(t, mfa.NextEnroll, r.next())
	list, err = r.Admin(boss, "").Exceptions(t.Context(), ann.Tenant)
	require.NoError(t, err)
	require.Empty(t, list)
	r.clock.Advance(-day)
	require.Equal(t, mfa.NextDone, r.next(), "nothing was written at its end")
	require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), ann))
}

// It proves nothing: a step-up finds nothing to verify, and factors change by the first factor
// alone, as without it.
func TestGrantException_IsNoProof(t *testing.T) {
	r := with(t, policy.Policy{})
	require.NoError(t, r.excepts(day))
	require.Equal(t, mfa.NextDone, r.next())
	s := r.Session(ann, binding)
	_, err := s.StepUp().Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = s.ManageFactors().Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrFirstFactorRequired)
	ch := r.begin(ann)
	require.Error(t, s.Check(t.Context(), ch.Grant))
	actor := s.Actor(ch.Grant)
	require.Error(t, r.Admin(actor, "").Unlock(t.Context(), mfa.User{ID: "bob"}))
}

// An enrolment ends it, and what ends the factor afterwards does not bring it back. A user with a
// factor cannot have one.
func TestGrantException_EndsWithAnEnrolment(t *testing.T) {
	for name, lose := range map[string]func(r *rig) error{
		"reset": func(r *rig) error { return r.Admin(boss, "").Reset(t.Context(), ann) },
		"removal": func(r *rig) error {
			return r.Admin(boss, "").Remove(t.Context(), ann, r.factorID(ann, "app"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := with(t, policy.Policy{})
			require.NoError(t, r.excepts(day))
			ch, err := r.Session(ann, binding).ManageFactors().FirstFactorAt(r.clock.Now()).
				Begin(t.Context())
			require.NoError(t, err)
			r.enroll(ch.Grant, "app", "ann app")
			require.Equal(t, mfa.NextVerify, r.next())
			require.ErrorIs(t, r.excepts(day), mfa.ErrNotAvailable)
			require.NoError(t, lose(r))
			require.Equal(t, mfa.NextEnroll, r.next())
			require.NoError(t, r.excepts(day), "after the loss")
			require.Equal(t, mfa.NextDone, r.next())
		})
	}
}

// A reset is no way in: it ends an exception. So do a deletion and EndException.
func TestGrantException_EndsWithActs(t *testing.T) {
	for name, act := range map[string]func(a mfa.Admin) error{
		"reset":  func(a mfa.Admin) error { return a.Reset(t.Context(), ann) },
		"delete": func(a mfa.Admin) error { return a.Delete(t.Context(), ann) },
		"end":    func(a mfa.Admin) error { return a.EndException(t.Context(), ann) },
	} {
		r := with(t, policy.Policy{})
		require.NoError(t, r.excepts(day))
		require.NoError(t, act(r.Admin(boss, "well again")), name)
		require.Equal(t, mfa.NextEnroll, r.next(), name)
		require.ErrorIs(t, r.Admin(boss, "").EndException(t.Context(), ann),
			mfa.ErrNotAvailable, name)
	}
}

// An address that the policy has as implicit is asked for, exception or not.
func TestGrantException_AsksForAnAddressThatIsImplied(t *testing.T) {
	r := with(t, policy.Policy{Implicit: []string{"mail"}})
	require.NoError(t, r.excepts(day))
	require.Equal(t, mfa.NextVerify, r.next())
}

func TestGrantException_RefusesWhatIsNotDocumented(t *testing.T) {
	r := with(t, policy.Policy{})
	ends := r.clock.Now().Add(day)
	before := len(r.events)
	long := strings.Repeat("d", 1025)
	for name, tc := range map[string]struct {
		reason, approver string
		ends             time.Time
		want             error
	}{
		"no reason":     {"", "director", ends, factor.ErrMalformed},
		"a long reason": {long, "director", ends, factor.ErrMalformed},
		"no approver":   {"r", "", ends, factor.ErrMalformed},
		"a long name":   {"r", long[:257], ends, factor.ErrMalformed},
		"no letters":    {"r", " \u200b", ends, factor.ErrMalformed},
		"the actor":     {"r", "boss", ends, mfa.ErrForbidden},
		"capitals":      {"r", " Boss ", ends, mfa.ErrForbidden},
		"a disguise":    {"r", "bo\u200bｓs", ends, mfa.ErrForbidden},
		"the user":      {"r", "ANN", ends, mfa.ErrForbidden},
		"the address":   {"r", "Ann@example.com", ends, mfa.ErrForbidden},
		"no end":        {"r", "director", time.Time{}, factor.ErrMalformed},
		"the past":      {"r", "director", r.clock.Now(), factor.ErrMalformed},
		"over 90 days":  {"r", "director", ends.Add(90 * day), factor.ErrMalformed},
	} {
		err := r.Admin(boss, tc.reason).GrantException(t.Context(), ann, tc.approver, tc.ends)
		require.ErrorIs(t, err, tc.want, name)
	}
	require.Len(t, r.events, before)
	require.Equal(t, mfa.NextEnroll, r.next())
}

// The application receives who approves, and until when, and may refuse.
func TestGrantException_AsksTheApplication(t *testing.T) {
	var asked []mfa.AdminAction
	var refuse error
	r := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{})
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			asked = append(asked, a)
			return refuse
		}
	})
	require.NoError(t, r.excepts(day))
	require.NoError(t, r.Admin(boss, "").EndException(t.Context(), ann))
	_, err := r.Admin(boss, "").Exceptions(t.Context(), "t1")
	require.NoError(t, err)
	require.Equal(t, []string{"grant-exception", "end-exception", "exceptions"},
		[]string{asked[0].Name, asked[1].Name, asked[2].Name})
	require.Equal(t, []string{"director", "ann", "t1"},
		[]string{asked[0].Approver, asked[0].UserID, asked[2].Tenant})
	require.Equal(t, r.clock.Now().Add(day), asked[0].Ends)
	refuse = mfa.ErrForbidden
	require.ErrorIs(t, r.excepts(day), mfa.ErrForbidden)
	require.ErrorIs(t, r.Admin(boss, "").EndException(t.Context(), ann), mfa.ErrForbidden)
	_, err = r.Admin(boss, "").Exceptions(t.Context(), "")
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.Equal(t, mfa.NextEnroll, r.next())
}

// A strict profile other than that of PCI DSS refuses the act, and one granted before it was set
// lets no user in.
func TestGrantException_HoldsTheProfile(t *testing.T) {
	for _, p := range []policy.Profile{"", "default", policy.ProfilePCIDSS4,
		policy.ProfileNISTAAL2, policy.ProfileNISTAAL3, policy.ProfileASVSL2,
		policy.ProfileASVSL3} {
		accepts := slices.Contains([]policy.Profile{"", "default", policy.ProfilePCIDSS4}, p)
		require.Equal(t, accepts, policy.Setup{Profile: p}.AcceptsExceptions(), p)
	}
	require.False(t, policy.Setup{Profile: "other"}.AcceptsExceptions())

	cfg := sound(t, "")
	user := mfa.User{ID: "ann"}
	next := func(m *mfa.Manager) mfa.Next {
		ch, err := m.Session(user, "s").Begin(t.Context())
		require.NoError(t, err)
		return ch.Next
	}
	grant := func(m *mfa.Manager) error {
		return m.Admin(mfa.System("root"), "broken arm").GrantException(t.Context(), user,
			"director", testStart.Add(day))
	}
	require.NoError(t, grant(must[*mfa.Manager](t)(mfa.New(cfg))))
	for p, want := range map[policy.Profile]mfa.Next{"": mfa.NextDone,
		policy.ProfilePCIDSS4: mfa.NextDone, policy.ProfileNISTAAL2: mfa.NextEnroll,
		policy.ProfileASVSL2: mfa.NextEnroll} {
		cfg.Profile = p
		m := must[*mfa.Manager](t)(mfa.New(cfg))
		require.Equal(t, want, next(m), p)
		if want == mfa.NextEnroll {
			require.ErrorIs(t, grant(m), mfa.ErrNotAvailable, p)
		}
	}
}

// A version that does not know exceptions leaves one in the record at a reset. It is void then.
func TestGrantException_IsVoidAfterAResetByAnOlderVersion(t *testing.T) {
	now := testStart
	r := record.New()
	r.Exception = &record.Exception{Ends: now.Add(day).UnixMilli(), Epoch: r.Epoch}
	require.NotNil(t, r.ExceptionAt(now))
	kept := *r.Exception
	r.Void()
	require.Nil(t, r.Exception)
	r.Exception = &kept
	require.Nil(t, r.ExceptionAt(now))
}

// Another process ends the exception while it is read. What lets the user in is decided in the step
// that notes it.
func TestGrantException_IsDecidedWhereItIsNoted(t *testing.T) {
	r := with(t, policy.Policy{})
	require.NoError(t, r.excepts(day))
	other := r.another()
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		require.NoError(t, other.Admin(boss, "well").EndException(t.Context(), ann))
	}})
	ch, err := r.Session(ann, "raced").Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	require.NotContains(t, r.eventNames(), "exception.used")
}

// Without the write that notes it the exception lets no user in.
func TestGrantException_FailsWithTheStore(t *testing.T) {
	r := with(t, policy.Policy{})
	require.NoError(t, r.excepts(day))
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("down")})
	_, err := r.Session(ann, "s").Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotContains(t, r.eventNames(), "exception.used")
}

// A user of whom the application knows that they have enrolled, and whose record is gone, gets no
// exception.
func TestGrantException_LeavesALostRecordAlone(t *testing.T) {
	r := with(t, policy.Policy{})
	lost := ann
	lost.Enrolled = true
	err := r.Admin(boss, "r").GrantException(t.Context(), lost, "director", r.clock.Now().Add(day))
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

// Audit names the users whose exception is in force, and those whose exception has expired and who
// have no factor yet. Under a profile that accepts none, the records are not read.
func TestManagerAudit_FindsExceptions(t *testing.T) {
	r := with(t, policy.Policy{})
	audit := func(m *mfa.Manager) []string {
		found, err := m.Audit(t.Context(), policy.ProfileASVSL2)
		require.NoError(t, err)
		var list []string
		for _, f := range found {
			if strings.Contains(f.Where, "users of tenant") {
				list = append(list, f.Row+" "+f.Where+": "+f.Problem)
			}
		}
		return list
	}
	require.Empty(t, audit(r.Manager))
	bob := mfa.User{ID: "bob", Tenant: "other"}
	require.NoError(t, r.excepts(10*day))
	require.NoError(t, r.Admin(boss, "new hire").GrantException(t.Context(), bob, "director",
		r.clock.Now().Add(20*day)))
	first := r.clock.Now().Add(10 * day).Format(time.DateOnly)
	require.Len(t, audit(r.Manager), 2)
	require.Equal(t, fmt.Sprintf("A-4 users of tenant %q: 1 user signs in without a second factor, "+
		"by an exception: \"ann\"; the first exception ends on %s", ann.Tenant, first),
		audit(r.Manager)[0])
	r.clock.Advance(10 * day)
	require.Contains(t, audit(r.Manager), fmt.Sprintf("A-4 users of tenant %q: 1 user has an "+
		"exception that has expired, and no second factor yet: \"ann\"", ann.Tenant))
	require.NoError(t, r.Admin(boss, "").EndException(t.Context(), bob))
	require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), ann), "the record is written")
	require.Empty(t, audit(r.Manager))

	cfg := sound(t, policy.ProfileNISTAAL2)
	cfg.Store = struct{ storage.Store }{cfg.Store} // which lists nothing
	_, err := must[*mfa.Manager](t)(mfa.New(cfg)).Audit(t.Context(), policy.ProfileNISTAAL2)
	require.NoError(t, err)
	cfg.Profile = ""
	_, err = must[*mfa.Manager](t)(mfa.New(cfg)).Audit(t.Context(), policy.ProfileNISTAAL2)
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
