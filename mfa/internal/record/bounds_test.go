package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Of more devices than a user may have, the one that was not used for longest is forgotten. One
// that was never used counts from when it was remembered.
func TestAddDevice_ForgetsTheOneNotUsedForLongest(t *testing.T) {
	names := func(r *Record) (list []string) {
		for _, d := range r.Devices {
			list = append(list, d.Name)
		}
		return list
	}
	r := New()
	for i := range int64(maxDevices) {
		r.AddDevice(Device{Name: fmt.Sprint(i), Created: 100 + i})
	}
	require.Len(t, r.Devices, 10)
	r.Devices[0].Used, r.Devices[1].Used = 200, 101 // 1 is as old as before
	r.Devices[5].Created, r.Devices[5].Used = 1, 100
	r.AddDevice(Device{Name: "new", Created: 300})
	require.Equal(t, []string{"0", "1", "2", "3", "4", "6", "7", "8", "9", "new"}, names(r))
	r.AddDevice(Device{Name: "newer", Created: 301})
	require.Equal(t, []string{"0", "2", "3", "4", "6", "7", "8", "9", "new", "newer"}, names(r))
}

func TestDevice_KnowsItsSecretAndTheOneBefore(t *testing.T) {
	d := Device{Name: "Laptop"}
	first, second := [16]byte{1}, [16]byte{2}
	check := func(secret [16]byte, want ...bool) {
		t.Helper()
		present, before := d.HasSecret(secret)
		require.Equal(t, want, []bool{present, before})
	}
	d.SetSecret(first)
	require.NotContains(t, string(d.Secret), string(first[:]), "a hash is kept")
	check(first, true, false)
	check(second, false, false)
	d.Rotate(second, 5)
	check(second, true, false)
	check(first, false, true)
	require.Equal(t, []int64{5, 5}, []int64{d.Rotated, d.Used})
	d.Rotate([16]byte{3}, 6)
	check(first, false, false)
}

func TestForgetDevices_ReturnsThem(t *testing.T) {
	r := &Record{Devices: []Device{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	require.Equal(t, []Device{{Name: "b"}},
		r.ForgetDevices(func(d Device) bool { return d.Name == "b" }))
	require.Equal(t, []Device{{Name: "a"}, {Name: "c"}}, r.Devices)
}

// An exception ends with its epoch, which a version that does not know exceptions changes too.
func TestException_EndsWithItsEpoch(t *testing.T) {
	r := New()
	require.Nil(t, r.ExceptionAt(recordTime))
	r.Exception = &Exception{Ends: recordTime.UnixMilli(), Epoch: r.Epoch}
	require.Same(t, r.Exception, r.ExceptionAt(recordTime.Add(-ms)))
	require.Nil(t, r.ExceptionAt(recordTime))
	r.Epoch = Random8()
	require.Nil(t, r.ExceptionAt(recordTime.Add(-ms)))
}

func TestException_NotesASessionOnce(t *testing.T) {
	e := &Exception{}
	for i := range byte(maxExceptionUses) {
		require.True(t, e.Use([8]byte{i}))
		require.False(t, e.Use([8]byte{i}))
	}
	require.True(t, e.Use([8]byte{99}))
	require.Len(t, e.Used, maxExceptionUses)
	require.False(t, e.Use([8]byte{1}), "the second is remembered")
	require.True(t, e.Use([8]byte{0}), "the first is not")
}

// A replacement on hold takes the place of the factors of its kind when the hold ends, and of
// nothing before that. The verified address of record stays.
func TestHold_ReplacesWhenItEnds(t *testing.T) {
	held := func() *Record {
		r := New()
		r.Factors = Instances{{ID: "old", Kind: "totp"}, {ID: "pin", Kind: "pin"},
			{ID: "record", Kind: "totp", Implicit: true}}
		in := Instance{ID: "new", Kind: "totp"}
		r.PutOnHold(in, recordTime.UnixMilli())
		r.Factors = append(r.Factors, in)
		return r
	}
	r := held()
	require.True(t, r.Held("new"))
	require.False(t, r.Held("old"))
	r.EndHolds(recordTime.Add(-ms))
	require.True(t, r.Held("new"))
	require.Len(t, r.Factors, 4)
	r.EndHolds(recordTime)
	require.False(t, r.Held("new"))
	require.Equal(t, []string{"new"}, r.InstanceIDs("totp"))
	require.NotNil(t, r.Factor("pin"))
	require.NotNil(t, r.Factor("record"))

	// Another replacement of the kind ends the first one; one of another kind does not.
	r = held()
	r.PutOnHold(Instance{ID: "newer", Kind: "totp"}, recordTime.UnixMilli())
	r.Factors = append(r.Factors, Instance{ID: "newer", Kind: "totp"})
	require.Nil(t, r.Factor("new"))
	require.Equal(t, []string{"old"}, r.Holds["newer"].Replaces)
	r.PutOnHold(Instance{ID: "key", Kind: "passkey"}, recordTime.UnixMilli())
	require.True(t, r.Held("newer"))
	require.NotNil(t, r.Factor("newer"))

	// A replacement that is not there any more replaces nothing.
	r = held()
	r.Factors = r.Factors[:3]
	r.EndHolds(recordTime)
	require.NotNil(t, r.Factor("old"))
}

// A user is sent ten notices of an event in a day, and of each event by itself.
func TestCountNotice_LimitsEachEvent(t *testing.T) {
	r := New()
	for range 10 {
		require.True(t, r.CountNotice("a", recordTime))
	}
	require.False(t, r.CountNotice("a", recordTime.Add(24*time.Hour-ms)))
	require.Equal(t, 10, r.Notices["a"].Count)
	require.True(t, r.CountNotice("b", recordTime))
	require.False(t, r.CountNotice("a", recordTime))
	require.True(t, r.CountNotice("a", recordTime.Add(24*time.Hour)))
	require.Equal(t, 1, r.Notices["a"].Count)
	require.True(t, r.Notices["a"].Expired(recordTime.Add(24*time.Hour-ms)),
		"a clock that ran ahead")
	require.False(t, r.Notices["a"].Expired(recordTime.Add(24*time.Hour)))
}

// An enrolment takes the place of one of the same kind by the same means, and of the oldest where
// there are too many.
func TestAddPending_TakesAPlace(t *testing.T) {
	r := New()
	add := func(id, kind string, implicit bool) []Pending {
		return r.AddPending(Pending{Instance: Instance{ID: id, Kind: kind, Implicit: implicit}})
	}
	for i, kind := range []string{"a", "b", "c", "d"} {
		require.Empty(t, add(fmt.Sprint(i), kind, false))
	}
	replaced := add("4", "b", false)
	require.Len(t, replaced, 1)
	require.Equal(t, "1", replaced[0].Instance.ID)
	require.Nil(t, r.PendingByID("1"))
	require.NotNil(t, r.PendingByID("0"))
	require.Len(t, r.Pending, 4)
	require.Empty(t, add("5", "b", true), "it is by other means")
	require.Len(t, r.Pending, 4)
	require.Nil(t, r.PendingByID("0"), "the oldest")
	require.NotNil(t, r.PendingByID("4"))
}

func TestInstanceIDs_AreTheUsersOwn(t *testing.T) {
	r := &Record{Factors: Instances{{ID: "a", Kind: "email"}, {ID: "b", Kind: "pin"},
		{ID: "c", Kind: "email", Implicit: true}, {ID: "d", Kind: "email"}}}
	require.Equal(t, []string{"a", "d"}, r.InstanceIDs("email"))
}

// A superseded code is remembered if there is something to compare with, and no more than a sent
// code keeps.
func TestSupersede_RemembersTheLatestThree(t *testing.T) {
	r := New()
	r.Supersede("sms", Code{})
	r.Supersede("sms", Code{Keep: randomBytes(129)})
	require.Empty(t, r.Superseded)
	for i := range byte(4) {
		r.Supersede("sms", Code{Keep: []byte{i}, Issued: 1, Expires: 2})
	}
	r.Supersede("email", Code{Keep: randomBytes(128), Issued: 3, Expires: 4})
	require.Equal(t, []Superseded{{"sms", []byte{2}, 1, 2}, {"sms", []byte{3}, 1, 2},
		{"email", randomBytes(128), 3, 4}}, r.Superseded)
}

// The other codes of a kind are those of every challenge and enrolment, for an hour after they
// have expired, and not the ones that are compared already.
func TestOtherCodes_AreThoseOfTheKind(t *testing.T) {
	code := func(keep string, expires time.Duration) Code {
		return Code{Keep: []byte(keep), Expires: recordTime.Add(expires).UnixMilli()}
	}
	r := New()
	r.Codes = map[string]Code{"sms": code("challenge", 0), "email": code("mail", 0)}
	for id, p := range map[string]Pending{"a": {Instance: Instance{Kind: "sms"}},
		"b": {Instance: Instance{Kind: "email"}}} {
		c := code("enrolment of "+p.Instance.Kind, 0)
		p.Instance.ID, p.Code = id, &c
		r.Pending = append(r.Pending, p)
	}
	r.Pending = append(r.Pending, Pending{Instance: Instance{Kind: "sms"}})
	r.Supersede("sms", code("superseded", ms-time.Hour))
	r.Supersede("sms", code("forgotten", -time.Hour))
	r.Supersede("email", code("superseded mail", 0))
	list := func(than ...Code) (keeps []string) {
		for _, c := range r.OtherCodes("sms", than, recordTime) {
			keeps = append(keeps, string(c.Keep))
		}
		return keeps
	}
	require.Equal(t, []string{"challenge", "enrolment of sms", "superseded"}, list())
	require.Equal(t, []string{"challenge", "superseded"}, list(code("enrolment of sms", 0)))
	require.Empty(t, r.OtherCodes("totp", nil, recordTime))
	r.Codes["sms"] = Code{Expires: recordTime.UnixMilli()}
	require.Equal(t, []string{"enrolment of sms", "superseded"}, list(), "nothing to compare with")
}

// Of more used challenges than are remembered, the oldest is dropped, and every challenge that was
// issued until then counts as used.
func TestUse_DropsTheOldest(t *testing.T) {
	r := New()
	id := func(n int) [16]byte { return [16]byte{byte(n), 1} }
	for n := range maxUsed {
		require.False(t, r.UsedFull())
		r.Use(id(n), int64(100-n)) // the latest is the oldest
	}
	require.True(t, r.UsedFull())
	require.Equal(t, maxUsed, r.Used.len())
	require.False(t, r.IsUsed(id(50), 1))
	require.True(t, r.IsUsed(id(maxUsed-1), 86))
	r.Use(id(maxUsed), 101)
	require.Equal(t, maxUsed, r.Used.len())
	require.Equal(t, int64(85), r.UsedUntil)
	require.True(t, r.IsUsed(id(50), 85), "it may have been")
	require.False(t, r.IsUsed(id(50), 86))
	for n := range maxUsed + 1 {
		require.True(t, r.IsUsed(id(n), int64(100-n)), n)
	}
	r.UsedUntil = 90
	r.Use(id(60), 87)
	require.Equal(t, int64(90), r.UsedUntil, "it never goes back")
}

// A tombstone decides about tokens for as long as there can be any.
func TestTombstone_EndsAfterTheLastToken(t *testing.T) {
	stone := &Tombstone{Time: recordTime.UnixMilli()}
	const life = 65 * time.Minute
	require.True(t, stone.Active(recordTime.Add(life-ms)))
	require.False(t, stone.Active(recordTime.Add(life)))
	require.False(t, stone.Expired(recordTime.Add(2*life-ms)))
	require.True(t, stone.Expired(recordTime.Add(2*life)))
}

// Tokens carry the epoch of a record, and before there is one the ID of the tombstone, if any.
func TestIssuedUnder_IsWhatTheTokenEndsWith(t *testing.T) {
	r := New()
	require.Nil(t, r.IssuedUnder())
	r.Tombstone = &Tombstone{ID: [8]byte{7}}
	require.Nil(t, r.IssuedUnder(), "the tombstone is not active any more")
	r.Born = -1
	require.Equal(t, []byte{7, 0, 0, 0, 0, 0, 0, 0}, r.IssuedUnder())
	r.Tombstone = nil
	require.Nil(t, r.IssuedUnder())
	r.Fresh = false
	require.Equal(t, r.Epoch[:], r.IssuedUnder())
	require.NotEqual(t, BornUnder([]byte{1}), BornUnder([]byte{2}))
	require.NotEqual(t, [8]byte{}, BornUnder(nil))
}

func TestPostponement_IsNothingWithoutOne(t *testing.T) {
	r := New()
	require.Equal(t, Postponed{}, r.Postponement())
	r.Postponed = &Postponed{Asked: 1, Times: 2}
	require.Equal(t, Postponed{Asked: 1, Times: 2}, r.Postponement())
}
