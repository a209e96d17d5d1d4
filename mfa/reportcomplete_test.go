package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// TestAdminReport_CountsEverything compares the whole report of users of every sort.
func TestAdminReport_CountsEverything(t *testing.T) {
	s := newSweep(t)
	ctx, admin := t.Context(), s.Admin(boss, "badge 7")
	locked, off, nowhere := person(10), person(11), person(12)
	s.withApp(locked, "word")
	for range 5 {
		_, err := s.verify(s.begin(locked), "app", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	off.Tenant, off.UserType = "north", "guest"
	nowhere.Tenant, nowhere.UserType, nowhere.Email = "north", "guest", "nowhere"
	_, err := s.Session(nowhere, binding).Begin(ctx)
	require.ErrorIs(t, err, factor.ErrUndeliverable)
	_, err = admin.Import(ctx, off, words("app", "abc"))
	require.NoError(t, err)
	late := mfa.User{ID: "late", UserType: gil.UserType}
	require.NoError(t, admin.GrantException(ctx, late, "director", testStart.Add(14*day)))
	for _, key := range []string{"p/", "p/1", "p/x/y/z", "p/x//z", "p/-1/x/y", "p/9/x/y", "p/1/x",
		"p/0ann", "p/1/xy/ann"} {
		require.NoError(t, s.store.Swap(ctx, key, "", storage.Record{Revision: "1",
			Data: s.sealed(key)}))
	}

	got, err := admin.Report(ctx)
	require.NoError(t, err)
	require.Equal(t, &report.Summary{Unreadable: 9, Groups: []report.Group{
		{Users: 2, Enrolled: 1, NotEnrolled: 1, Locked: 1, Kinds: map[string]int{"app": 1}},
		{UserType: "employee", Users: 1, Enrolled: 1, Kinds: map[string]int{"app": 1, "pin": 1,
			"key": 1, "recovery": 1}},
		{UserType: "guest", Users: 3, NotEnrolled: 3, Excepted: 2, ExceptedSoon: 1,
			Kinds: map[string]int{}},
		{Tenant: "north", UserType: "guest", Users: 2, Enrolled: 1, NotEnrolled: 1,
			Undeliverable: 1, ToRenew: 1, Kinds: map[string]int{"app": 1}},
	}}, got)
}

// sealed is a record of ann as it would be under another key.
func (s *sweep) sealed(key string) []byte {
	s.t.Helper()
	rec, err := s.store.Get(s.t.Context(), "p/0//ann")
	require.NoError(s.t, err)
	plain, err := s.cfg.Keys.Open("record", "p/0//ann", rec.Data)
	require.NoError(s.t, err)
	return s.cfg.Keys.Seal("record", key, plain)
}

// A user with a kind that is disabled, and one who has only what is not configured here.
func TestAdminReport_CountsWhatDoesNotRespond(t *testing.T) {
	s := newStory(t)
	s.withApp(ann, "word")
	s.wrong("app", 5)
	s.clock.Advance(3 * time.Minute)
	s.wrong("app", 5)
	s.clock.Advance(3 * time.Minute)
	got, err := s.Admin(boss, "").Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, []report.Group{{UserType: "employee", Users: 1, Enrolled: 1, Disabled: 1,
		Kinds: map[string]int{"app": 1}}}, got.Groups)

	s.cfg.Factors = s.cfg.Factors[1:]
	s.cfg.Policies = policy.Static(policy.Policy{})
	got, err = s.another().Admin(boss, "").Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, []report.Group{{UserType: "employee", Users: 1, NotEnrolled: 1, Unknown: 1,
		Kinds: map[string]int{}}}, got.Groups)
}

// TestAdminPersonalData_IsComplete compares all that is said about a user who has much.
func TestAdminPersonalData_IsComplete(t *testing.T) {
	s := newSweep(t)
	for _, kind := range []string{"app", "pin"} {
		_, err := s.verify(s.begin(ann), kind, secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	s.clock.Advance(time.Minute)
	require.NoError(t, s.Session(person(3), binding).RequestSupport(t.Context(),
		s.begin(person(3)), report.Case{Message: "another's"}))
	require.NoError(t, s.Session(ann, binding).Prefer(t.Context(), s.grant, "pin"))
	require.NoError(t, s.Session(ann, binding).Decline(t.Context(), "key"))
	o, err := s.Overview(t.Context(), ann)
	require.NoError(t, err)
	d, err := s.Admin(boss, "").PersonalData(t.Context(), ann)
	require.NoError(t, err)
	five, now := 5, testStart.Add(time.Minute)
	want := &report.PersonalData{UserID: "ann", UserType: "employee", Since: testStart,
		Changed: now, Preferred: "pin", Declined: map[string]time.Time{"key": now},
		FailedAttempts: map[string]int{"app": 1, "pin": 1}, Sent: d.Sent,
		Support: &report.PersonalSupport{Time: testStart, Account: ann.Email, Message: "lost"},
		Devices: []report.PersonalDevice{{Name: "Laptop", Created: testStart,
			Expires: testStart.Add(fortnight)}}}
	for _, f := range o.Factors[:4] {
		p := report.PersonalFactor{ID: f.ID, Kind: f.Kind, Name: f.Name, Created: f.Created,
			LastUsed: f.LastUsed, Data: f.Data}
		if f.Kind == "recovery" {
			p.Remaining = &five
		}
		want.Factors = append(want.Factors, p)
	}
	require.Equal(t, want, d)
	require.Equal(t, 8, d.Sent)

	d, err = s.Admin(boss, "").PersonalData(t.Context(), eve)
	require.NoError(t, err)
	require.Equal(t, &report.Exception{UserID: "eve", UserType: "guest", Reason: "badge 7",
		Actor: "boss", Approver: "director", Granted: testStart, Ends: testStart.Add(day)},
		d.Exception)
	require.Nil(t, d.FailedAttempts)
	require.Nil(t, d.Support)
}

// A report asks for each policy once. A kind that is disabled counts also beside others, and a code
// that an administrator made enrols no user.
func TestAdminReport_CountsEachUserOnce(t *testing.T) {
	asked := 0
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, madeCodes{})
		c.Lockout = lockout.Config{Tries: 5, Total: 10, Wait: 3 * time.Minute, DisableAfter: 10}
		c.Policies = sourceFunc(func(policy.Scope) (policy.Policy, error) {
			asked++
			return policy.Policy{}, nil
		})
	})
	r.enroll(r.setUp(bea, "app"), "pin", "1234")
	for range 2 {
		ch := r.begin(bea)
		for range 5 {
			_, err := r.verify(ch, "app", secret.New("wrong"))
			require.Error(t, err)
		}
		r.clock.Advance(3 * time.Minute)
	}
	_, err := r.Admin(boss, "").Enroll(t.Context(), mfa.User{ID: "dan", UserType: bea.UserType},
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	asked = 0
	got, err := r.Admin(boss, "").Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, []report.Group{{UserType: "employee", Users: 2, Enrolled: 1, NotEnrolled: 1,
		Disabled: 1, Kinds: map[string]int{"app": 1, "pin": 1, "access": 1}}}, got.Groups)
	require.Equal(t, 1, asked)
}
