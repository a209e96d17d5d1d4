package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
)

const ms = time.Millisecond

// What a record keeps until a time is there a millisecond before it, and gone at it.
func TestTidy_ForgetsEachThingWhenItEnds(t *testing.T) {
	const ttl = 10 * time.Minute
	end := recordTime.UnixMilli()
	for name, tc := range map[string]struct {
		put func(*Record)
		has func(*Record) bool
	}{
		"used challenge": {func(r *Record) { r.Use([16]byte{1}, end-ttl.Milliseconds()) },
			func(r *Record) bool { return r.IsUsed([16]byte{1}, end-ttl.Milliseconds()) }},
		"pending enrolment": {
			func(r *Record) {
				r.AddPending(Pending{Instance: Instance{ID: "p"}, Expires: end})
			},
			func(r *Record) bool { return r.PendingByID("p") != nil }},
		"code": {
			func(r *Record) {
				r.Codes = map[string]Code{"sms": {Expires: end - time.Hour.Milliseconds()}}
			},
			func(r *Record) bool { return len(r.Codes) > 0 }},
		"superseded code": {
			func(r *Record) {
				r.Supersede("sms", Code{Keep: []byte{1}, Expires: end - time.Hour.Milliseconds()})
			},
			func(r *Record) bool { return len(r.Superseded) > 0 }},
		"recovery link": {func(r *Record) { r.RecoveryLink = &Recovery{Expires: end} },
			func(r *Record) bool { return r.RecoveryLink != nil }},
		"recovery": {func(r *Record) { r.Recovery = &Recovery{Expires: end} },
			func(r *Record) bool { return r.Recovery != nil }},
		"charge": {func(r *Record) { r.Charge = &Charge{Expires: end} },
			func(r *Record) bool { return r.Charge != nil }},
		"exception": {func(r *Record) { r.Exception = &Exception{Ends: end, Epoch: r.Epoch} },
			func(r *Record) bool { return r.Exception != nil }},
		"sends": {func(r *Record) { r.Sends = SendLog{recordTime.Unix()/60 - 61, 1} },
			func(r *Record) bool { return len(r.Sends) > 0 }},
		"notices": {
			func(r *Record) {
				r.CountNotice("verify.failure", recordTime.Add(-24*time.Hour))
			},
			func(r *Record) bool { return len(r.Notices) > 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			r := New()
			tc.put(r)
			r.Tidy(recordTime.Add(-ms), ttl)
			require.True(t, tc.has(r), "a millisecond before")
			r.Tidy(recordTime, ttl)
			require.False(t, tc.has(r), "at the end")
		})
	}
}

func TestTidy_ForgetsNothingElse(t *testing.T) {
	r, end := New(), recordTime.UnixMilli()
	for i := range byte(3) {
		r.Use([16]byte{i}, end-int64(i)) // the latest is the oldest
	}
	r.Tidy(recordTime.Add(time.Minute-ms), time.Minute)
	require.False(t, r.IsUsed([16]byte{2}, end))
	require.False(t, r.IsUsed([16]byte{1}, end))
	require.True(t, r.IsUsed([16]byte{0}, end))
}

// A record knows the time of its latest write, and no time before that counts.
func TestAt_GoesBackBehindNoWrite(t *testing.T) {
	r := New()
	r.Tidy(recordTime, time.Hour)
	r.Tidy(recordTime.Add(-time.Minute), time.Hour)
	require.Equal(t, recordTime, r.At(recordTime.Add(-time.Minute)))
	require.Equal(t, recordTime.Add(500*time.Nanosecond), r.At(recordTime.Add(500)))
	require.Equal(t, recordTime.Add(ms), r.At(recordTime.Add(ms)))
}

// The first write is the birth of a record that is fresh, and of no other.
func TestTidy_NotesTheBirthOnce(t *testing.T) {
	r := New()
	r.Tidy(recordTime, time.Hour)
	r.Tidy(recordTime.Add(time.Hour), time.Hour)
	require.Equal(t, recordTime.UnixMilli(), r.Born)
	for _, r := range []*Record{{}, {Fresh: true, Born: -1}} {
		born := r.Born
		r.Tidy(recordTime, time.Hour)
		require.Equal(t, born, r.Born)
	}
}

// everything returns a record with something of all that can end.
func everything() *Record {
	r, at := New(), recordTime.UnixMilli()
	r.Factors = Instances{{ID: "app", Kind: "totp"}, {ID: "mail", Kind: "email", Implicit: true}}
	r.Codes = map[string]Code{"totp": {Factor: "app"}, "email": {Factor: "mail"}}
	r.Superseded = []Superseded{{Kind: "email"}}
	r.Pending = []Pending{{Instance: Instance{ID: "p"}}}
	r.Used = r.Used.add([16]byte{1}, at)
	r.Devices = []Device{{Name: "Laptop"}}
	r.RecoveryLink, r.Recovery = &Recovery{Expires: at}, &Recovery{Expires: at}
	r.Exception = &Exception{Ends: at, Epoch: r.Epoch}
	r.UsedUntil, r.Seen, r.Born = at, at, at
	r.Lockout = lockout.State{Kinds: map[string]lockout.Tally{"totp": {Tries: 2}}}
	r.Charge = &Charge{Expires: at}
	r.UnlockProofs = map[string]UnlockProofs{"totp": {Count: 1}}
	r.Holds = map[string]Hold{"app": {Until: at}}
	r.Outdated, r.Renew = []string{"app", "mail"}, []string{"app", "mail"}
	r.CodesDue, r.Postponed = CodesToSave, &Postponed{Asked: at, Times: 2}
	r.Declined = map[string]int64{"passkey": at}
	r.Sends, r.Notices = SendLog{1, 2}, map[string]NoticeTally{"verify.failure": {at, 3}}
	r.Preferred, r.Warned = "totp", at
	return r
}

// voided is everything() after Void: what was issued is gone, and the rest stays.
func voided(r *Record) *Record {
	want := *r
	want.Codes, want.Superseded, want.Pending, want.Used, want.Devices = nil, nil, nil, nil, nil
	want.RecoveryLink, want.Recovery, want.Exception = nil, nil, nil
	want.UsedUntil, want.Born = 0, -1
	return &want
}

func TestVoid_EndsWhatWasIssued(t *testing.T) {
	r := everything()
	want, before := voided(r), r.Epoch
	r.Void()
	require.NotEqual(t, before, r.Epoch, "tokens carry the epoch")
	want.Epoch = r.Epoch
	require.Equal(t, want, r)
}

// A reset leaves the verified address of record, and what is counted: how often the user postponed
// an enrolment, the notices, and the messages that were sent.
func TestReset_LeavesTheAddressOfRecordAndTheLimits(t *testing.T) {
	r := everything()
	want, before := voided(r), r.Epoch
	r.Reset()
	require.NotEqual(t, before, r.Epoch)
	want.Epoch = r.Epoch
	want.Factors = Instances{{ID: "mail", Kind: "email", Implicit: true}}
	want.Outdated, want.Renew = []string{"mail"}, []string{"mail"}
	want.Lockout, want.Charge, want.UnlockProofs, want.Holds = lockout.State{}, nil, nil, nil
	want.Seen, want.CodesDue = 0, 0
	require.Equal(t, want, r)
}

func TestUnlock_EndsLocksAlone(t *testing.T) {
	r := everything()
	want := *r
	r.Unlock(recordTime.Add(-time.Hour))
	want.Lockout, want.Charge, want.UnlockProofs, want.Seen = lockout.State{}, nil, nil, 0
	want.UsedUntil = recordTime.Add(-time.Hour).UnixMilli()
	require.Equal(t, &want, r, "a clock that ran ahead is forgotten")
	r.Unlock(recordTime)
	require.Equal(t, want.UsedUntil, r.UsedUntil, "and nothing becomes used by it")
}

// A factor that ends takes with it what was issued for it, and not what was issued for another of
// its kind. Devices are forgotten whichever factor ends.
func TestRemoveFactors_EndsWhatWasIssuedForThem(t *testing.T) {
	two := func() *Record {
		r := everything()
		r.Factors = Instances{{ID: "app", Kind: "totp"}, {ID: "other", Kind: "totp"}}
		r.Outdated = []string{"app"}
		return r
	}
	r := two()
	ended := r.RemoveFactors(func(in Instance) bool { return in.ID == "app" })
	require.Equal(t, []Instance{{ID: "app", Kind: "totp"}}, ended)
	require.Equal(t, Instances{{ID: "other", Kind: "totp"}}, r.Factors)
	require.NotContains(t, r.Codes, "totp")
	require.Contains(t, r.Codes, "email")
	require.False(t, r.Held("app"))
	require.False(t, r.IsOutdated("app"))
	require.False(t, r.IsToRenew("app"))
	require.True(t, r.IsToRenew("mail"))
	require.Empty(t, r.Devices)

	r = two()
	r.RemoveFactors(func(in Instance) bool { return in.ID == "other" })
	require.Contains(t, r.Codes, "totp")
	require.True(t, r.Held("app"))
	require.True(t, r.IsOutdated("app"))
	require.True(t, r.IsToRenew("app"))

	r = two()
	require.Empty(t, r.RemoveFactors(func(Instance) bool { return false }))
	require.NotEmpty(t, r.Devices)
}

// Nothing has an empty ID: a response to an implicit factor names none.
func TestRecord_FindsNothingByAnEmptyID(t *testing.T) {
	r := New()
	r.Factors = Instances{{}, {ID: "a", Kind: "totp"}}
	r.Pending = []Pending{{}, {Instance: Instance{ID: "p"}}}
	require.Nil(t, r.Factor(""))
	require.Nil(t, r.Factor("b"))
	require.Equal(t, "totp", r.Factor("a").Kind)
	require.Nil(t, r.PendingByID(""))
	require.Nil(t, r.PendingByID("q"))
	require.Equal(t, "p", r.PendingByID("p").Instance.ID)
	r.RemovePending("q")
	require.Len(t, r.Pending, 2)
	r.RemovePending("p")
	require.Len(t, r.Pending, 1)
}

func TestInstant_OfNothingIsTheZeroTime(t *testing.T) {
	require.True(t, Instant(0).IsZero())
	require.Equal(t, recordTime, Instant(recordTime.UnixMilli()))
	require.Len(t, NewID(), 12)
	require.NotEqual(t, NewID(), NewID())
	require.NotEqual(t, Random8(), Random8())
	require.NotEqual(t, Random16(), Random16())
}
