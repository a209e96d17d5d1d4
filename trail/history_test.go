package trail_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// What an event says is in the trail. A field that is added to mfa.Event is kept as well.
func TestEvents_KeepEveryFieldOfAnEvent(t *testing.T) {
	r := newRig(t)
	var e mfa.Event
	for field, v := range reflect.ValueOf(&e).Elem().Fields() {
		if !field.IsExported() {
			continue
		}
		switch v.Interface().(type) {
		case string:
			v.SetString("of " + field.Name)
		case time.Time:
			v.Set(reflect.ValueOf(time.Unix(1700000000+int64(field.Index[0]), 0).UTC()))
		default:
			v.SetInt(7)
		}
	}
	r.trail.Events(nil)(t.Context(), e)
	require.NoError(t, r.trail.Flush(t.Context()))
	list, err := r.trail.Newest(t.Context(), mfa.User{ID: e.UserID, Tenant: e.Tenant}, 1)
	require.NoError(t, err)
	e.Remaining = -1 // the one field that the trail leaves out
	require.Equal(t, []mfa.Event{e}, list)
}

// The newest events about a user come back as they were, without those of others, the latest first.
func TestNewest_HasTheLatestEventsOfAUser(t *testing.T) {
	r := newRig(t)
	begun := time.Unix(1700000000, 0).UTC()
	event := func(i int) mfa.Event {
		return mfa.Event{Name: "lockout.locked", Kind: "totp", Purpose: "sign-in",
			Reason: "incorrect", UserID: "ann", Tenant: "acme", UserType: "staff", FactorID: "a",
			Write: int64(i), Actor: "carol", Note: "ticket", Remaining: -1, Approver: "the board",
			Time: begun.Add(time.Duration(i) * time.Second), LockedUntil: begun.Add(time.Hour),
			HeldUntil: begun.Add(2 * time.Hour), ExceptionEnds: begun.Add(3 * time.Hour)}
	}
	for i := range 7 {
		r.trail.Events(nil)(t.Context(), event(i))
		r.keep("bob")
	}
	r.trail.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "ann"})
	require.NoError(t, r.trail.Flush(t.Context()))

	ann := mfa.User{ID: "ann", Tenant: "acme"}
	newest := func(limit int) []mfa.Event {
		list, err := r.trail.Newest(t.Context(), ann, limit)
		require.NoError(t, err)
		return list
	}
	require.Equal(t, []mfa.Event{event(6), event(5), event(4)}, newest(3))
	require.Len(t, newest(100), 7, "another tenant has a user of that name")
	require.Empty(t, newest(0))
	require.Empty(t, newest(-1))
	require.NoError(t, r.trail.Erase(t.Context(), ann))
	require.Empty(t, newest(100), "what was erased")
}

// Times are in UTC, so that an entry has the same bytes wherever a process runs.
func TestEvents_KeepsTimesInUTC(t *testing.T) {
	r := newRig(t)
	until := time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("", 3600))
	r.trail.Events(nil)(t.Context(), mfa.Event{Name: "verify.failure", UserID: "ann", Time: until,
		LockedUntil: until})
	require.NoError(t, r.end())
	fact, _, err := r.entries()[0].Read()
	require.NoError(t, err)
	require.Equal(t, until.UTC(), *fact.LockedUntil)
}
