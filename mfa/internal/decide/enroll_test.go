package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// managing returns a view as having does, with a proof of the highest level.
func managing(t *testing.T, names ...string) decide.View {
	t.Helper()
	v := having(t, names...)
	v.Claims.Purpose = token.PurposeManage
	v.Claims.Proof = proven(factor.LevelPhishingResistant)
	v.Claims.Hold = 24 * time.Hour.Milliseconds()
	return v
}

// many returns n names of a kind.
func many(kind string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(kind, i))
	}
	return names
}

// A user has five of a kind and sixteen in all, of which those that the new one replaces are none.
func TestViewAdmitEnrollment_BoundsHowManyThereAre(t *testing.T) {
	all := append(append(many("app", 5), many("mail", 5)...), many("push", 5)...) // 15
	for name, c := range map[string]struct {
		has    []string
		kind   string
		change func(*decide.View, *record.Pending)
		full   bool
	}{
		"four of a kind":  {has: many("app", 4), kind: "app"},
		"five of a kind":  {has: many("app", 5), kind: "app", full: true},
		"five of another": {has: many("app", 5), kind: "mail"},
		"fifteen in all":  {has: all, kind: "key"},
		"sixteen in all":  {has: append(all[:15:15], "pin"), kind: "key", full: true},
		"five that it replaces": {has: many("app", 5), kind: "app",
			change: func(_ *decide.View, p *record.Pending) { p.Replace = true }},
		"one of five that is outdated": {has: many("app", 5), kind: "app",
			change: func(v *decide.View, _ *record.Pending) {
				v.Record.Outdated = []string{"the-app0"}
			}},
		"one of sixteen that it replaces": {has: append(all[:15:15], "pin"), kind: "pin",
			change: func(_ *decide.View, p *record.Pending) { p.Replace = true }},
		"four and an address": {has: many("mail", 5), kind: "mail",
			change: func(v *decide.View, _ *record.Pending) {
				v.Record.Factors[0].Implicit = true
			}},
		"an address beside sixteen": {has: append(all[:15:15], "sms"), kind: "sms", full: true,
			change: func(v *decide.View, p *record.Pending) {
				v.Record.Factors[15].Implicit, p.Instance.Implicit = true, true
			}},
		"a recovery beside five": {has: many("app", 5), kind: "app",
			change: func(v *decide.View, _ *record.Pending) {
				v.Claims.Proof.Origin, v.Claims.Proof.Level = authority.OriginRecovery, 0
			}},
	} {
		t.Run(name, func(t *testing.T) {
			v := managing(t, c.has...)
			p := record.Pending{Instance: record.Instance{ID: "new", Kind: c.kind}}
			if c.change != nil {
				c.change(&v, &p)
			}
			e := decide.Enrolling{Pending: p, Shown: v.Record.InstanceIDs(c.kind)}
			p, allowed, err := v.AdmitEnrollment(e)
			require.Equal(t, c.full, err != nil, err)
			require.Equal(t, start.UnixMilli(), p.Instance.Created)
			require.Equal(t, start.Add(15*time.Minute).UnixMilli(), p.Expires)
			require.Equal(t, v.Claims.Proof.Origin == authority.OriginRecovery, allowed.Hold)
			e.Shown = append(e.Shown, "gone")
			_, _, err = v.AdmitEnrollment(e)
			require.Error(t, err)

			v.AddPending(p) // it is asked again at the end
			v.Claims.Pending = "new"
			_, err = v.Pending()
			require.Equal(t, c.full && !p.Instance.Implicit, err != nil, err)
		})
	}
}

// A code that a later one takes the place of is remembered, if a user could type it.
func TestView_SupersedesCodesThatUsersType(t *testing.T) {
	code := record.Code{Keep: []byte("kept")}
	for kind, remembered := range map[string]bool{"mail": true, "push": false, "app": false} {
		v := having(t)
		v.AddPending(record.Pending{Instance: record.Instance{ID: "none", Kind: kind}})
		require.Equal(t, "first", v.AddPending(record.Pending{Code: &code,
			Instance: record.Instance{ID: "first", Kind: kind}}).ID)
		require.Empty(t, v.Record.Superseded)
		v.AddPending(record.Pending{Instance: record.Instance{ID: "second", Kind: kind}})
		require.Equal(t, remembered, len(v.Record.Superseded) == 1, kind)

		v.Record.Superseded = nil
		v.KeepPendingCode("gone", code)
		v.KeepPendingCode("second", code)
		require.Empty(t, v.Record.Superseded)
		v.KeepPendingCode("second", record.Code{Keep: []byte("next")})
		require.Equal(t, remembered, len(v.Record.Superseded) == 1, kind)
		require.Equal(t, []byte("next"), v.Record.PendingByID("second").Code.Keep)

		v.Record.Superseded = nil
		in := &record.Instance{ID: "it", Kind: kind}
		v.KeepCode(in, code)
		require.Empty(t, v.Record.Superseded)
		v.Record.Codes["other"] = code
		v.KeepCode(in, record.Code{Keep: []byte("next")})
		require.Equal(t, remembered, len(v.Record.Superseded) == 1, kind)
		require.Len(t, v.Record.Codes, 2)
		require.Equal(t, v.Claims.ID, v.Record.Codes[kind].Challenge)
	}
}

// A code of a shared challenge is no code that a user types.
func TestViewKeepCode_RemembersNoSharedChallenge(t *testing.T) {
	v := having(t)
	mail := v.Kinds["mail"]
	mail.SharedChallenge = true
	v.Kinds["mail"] = mail
	for range 2 {
		v.KeepCode(&record.Instance{Kind: "mail"}, record.Code{Keep: []byte("kept")})
	}
	require.Empty(t, v.Record.Superseded)
}

// A link confirms an address, and nothing that a code has to confirm.
func TestViewConfirmByLink_RefusesWhatACodeConfirms(t *testing.T) {
	for name, change := range map[string]func(*decide.View){
		"":                  func(*decide.View) {},
		"no record":         func(v *decide.View) { v.Record.Fresh = true },
		"no such enrolment": func(v *decide.View) { v.Claims.Pending = "gone" },
		"a moved address":   func(v *decide.View) { v.Record.Pending[0].Moves = true },
		"an unknown kind": func(v *decide.View) {
			delete(v.Kinds, "mail")
			v.Claims.Proof.Level = 0
		},
		"of before a reset":   func(v *decide.View) { v.Claims.Epoch = []byte("another!") },
		"a proof that is low": func(v *decide.View) { v.Claims.Proof.Level = 0 },
		"it has expired":      func(v *decide.View) { v.Now = start.Add(time.Minute) },
	} {
		v := managing(t, "app")
		v.AddPending(record.Pending{Expires: start.Add(time.Minute).UnixMilli(),
			Instance: record.Instance{ID: "new", Kind: "mail"}})
		v.Claims.Pending = "new"
		change(&v)
		o := v.ConfirmByLink()
		if name != "" {
			require.Equal(t, decide.Refused, o.Result, name)
			require.Error(t, o.Err, name)
			if name == "an unknown kind" {
				require.ErrorIs(t, o.Err, authority.ErrKindNotConfigured)
			}
			continue
		}
		require.Equal(t, decide.Confirmed, o.Result)
		require.Nil(t, o.Confirmation.Grant)
		require.False(t, o.Confirmation.CodesDue)
		require.Equal(t, record.CodesToMake, v.Record.CodesDue)
	}
}

// An address that a link verifies changes no factor, and needs no proof at its end.
func TestViewConfirmByLink_VerifiesAnAddress(t *testing.T) {
	v := managing(t, "key")
	v.AddPending(record.Pending{Expires: start.Add(time.Minute).UnixMilli(),
		Instance: record.Instance{ID: "new", Kind: "mail", Implicit: true}})
	v.Claims.Pending, v.Claims.Proof.Level = "new", 0
	require.Equal(t, decide.Confirmed, v.ConfirmByLink().Result)
}

// An enrolment that takes effect ends the counts of its kind, remembered devices and exceptions.
func TestViewConfirm_ChangesTheRecord(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		new    record.Instance
		change func(*decide.View, *record.Pending)
		hold   bool
		want   decide.Change
		left   []string
		waits  bool
	}{
		"one more": {has: []string{"app", "codes"}, new: record.Instance{Kind: "app"},
			want: decide.Added, left: []string{"the-app", "the-codes", "new"}},
		"a first one ends old codes": {has: []string{"codes", "access"},
			new:  record.Instance{Kind: "app"},
			want: decide.Added, left: []string{"the-access", "new"}},
		"an address ends none": {has: []string{"codes"},
			new:  record.Instance{Kind: "sms", Implicit: true},
			want: decide.AddressVerified, left: []string{"the-codes", "new"}},
		"codes beside codes": {has: []string{"app", "codes"},
			new:    record.Instance{Kind: "codes"},
			change: func(_ *decide.View, p *record.Pending) { p.Replace = true },
			want:   decide.Regenerated, left: []string{"the-app", "new"}},
		"in place of another": {has: []string{"app"}, new: record.Instance{Kind: "app"},
			change: func(_ *decide.View, p *record.Pending) { p.Replace = true },
			want:   decide.Replaced, left: []string{"new"}},
		"an address in place of one": {has: []string{"sms", "sms2"},
			new: record.Instance{Kind: "sms", Implicit: true},
			change: func(v *decide.View, _ *record.Pending) {
				v.Record.Factors[0].Implicit = true
			},
			want: decide.AddressVerified, left: []string{"the-sms2", "new"}},
		"on hold": {has: []string{"app"}, new: record.Instance{Kind: "app"}, hold: true,
			want: decide.OnHold, left: []string{"the-app", "new"}},
		"on hold beside a key": {has: []string{"key"}, new: record.Instance{Kind: "key"},
			hold: true, want: decide.OnHold, left: []string{"the-key", "new"}, waits: true},
		"beside a key": {has: []string{"key"}, new: record.Instance{Kind: "key"},
			want: decide.Added, left: []string{"the-key", "new"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := managing(t, c.has...)
			v.Claims.NoDowngrade = true
			v.Record.Lockout.Kinds = map[string]lockout.Tally{c.new.Kind: {Tries: 1, Streak: 1}}
			v.Record.Exception = &record.Exception{}
			v.Record.Devices = []record.Device{{}}
			c.new.ID = "new"
			p := record.Pending{Instance: c.new}
			if c.change != nil {
				c.change(&v, &p)
			}
			o := v.ConfirmUnasked(p, authority.Permission{Hold: c.hold}, false)
			require.Equal(t, decide.Confirmed, o.Result)
			require.Equal(t, c.want, o.Confirmation.Change)
			require.Equal(t, c.waits, o.Confirmation.Waits)
			require.Equal(t, c.hold, !o.Confirmation.HeldUntil.IsZero())
			var left []string
			for _, in := range v.Record.Factors {
				left = append(left, in.ID)
			}
			require.Equal(t, c.left, left)
			require.Equal(t, start.UnixMilli(), v.Record.Factor("new").Created)
			require.Empty(t, v.Record.Lockout.Kinds)
			require.Empty(t, v.Record.Devices)
			ordinary := !c.new.Implicit && c.new.Kind != "codes"
			require.Equal(t, ordinary, v.Record.Exception == nil)
			if c.new.Kind == "codes" {
				require.Nil(t, o.Confirmation.Grant)
				return
			}
			require.Equal(t, ordinary, len(o.Confirmation.Grant.Proof.Added) == 1)
		})
	}
}

// A confirmation completes the sign-in that forced the enrolment.
func TestViewConfirm_CompletesASignIn(t *testing.T) {
	for _, signIn := range []bool{false, true} {
		v := managing(t, "app")
		v.Claims.Forced = true
		o := v.ConfirmUnasked(record.Pending{SignIn: signIn,
			Instance: record.Instance{ID: "new", Kind: "app"}}, authority.Permission{}, false)
		require.False(t, o.Confirmation.Grant.Forced)
		require.Equal(t, signIn, o.Verification != nil)
		if signIn {
			require.Equal(t, token.PurposeSignIn, o.Verification.Purpose)
		}
	}
}

// A name that is cut short has room for its number, and one that is replaced is free.
func TestViewDecide_CutsNamesAndFreesThem(t *testing.T) {
	long := strings.Repeat("n", 70)
	for _, c := range []struct {
		name, has, want string
		replace         bool
	}{
		{long, "", long[:64], false},
		{long, long[:64], long[:62] + " 2", false},
		{"Phone", "Phone", "Phone", true},
	} {
		v := managing(t, "app")
		v.Record.Factors[0].Name = c.has
		v.AddPending(record.Pending{Unnamed: true, Replace: c.replace,
			Expires:  start.Add(time.Minute).UnixMilli(),
			Instance: record.Instance{ID: "new", Kind: "app"}})
		v.Claims.Pending = "new"
		o, _ := v.Decide(&decide.Response{Task: decide.Confirm, Kind: "app"},
			accepted(&v.Record.PendingByID("new").Instance, factor.Verdict{Name: c.name}))
		require.Equal(t, c.want, o.Confirmation.Instance.Name)
	}
}

// The factors at the address of record follow it, and what was sent to the old one is void.
func TestViewConfirm_MovesAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		has  []string // their states are their names
		from string
		kind string
		want map[string]string
	}{
		"it follows": {has: []string{"mail", "mail2"}, from: "MAIL",
			want: map[string]string{"the-mail": "new", "the-mail2": "mail2"}},
		"others stay": {has: []string{"mail2"}, from: "mail",
			want: map[string]string{"the-mail2": "mail2"}},
		"nothing without an address before": {has: []string{"mail"},
			want: map[string]string{"the-mail": "mail"}},
		"another kind stays": {has: []string{"mail", "app"}, from: "app",
			want: map[string]string{"the-mail": "mail", "the-app": "app"}},
		"enrolled twice": {has: []string{"mail", "new", "mail2"}, from: "mail",
			want: map[string]string{"the-new": "new", "the-mail2": "mail2"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := managing(t, c.has...)
			for i := range v.Record.Factors {
				if in := &v.Record.Factors[i]; in.Kind == "new" {
					in.Kind = "mail"
				}
			}
			v.Record.Factors = append(v.Record.Factors, record.Instance{ID: "old",
				Kind: "mail", Implicit: true, State: []byte(c.from)})
			v.Record.Codes = map[string]record.Code{"mail": {Keep: []byte("sent")}}
			v.Record.RecoveryLink, v.Record.Recovery = &record.Recovery{}, &record.Recovery{}
			v.AddPending(record.Pending{Instance: record.Instance{ID: "other", Kind: "mail"}})
			v.AddPending(record.Pending{Instance: record.Instance{ID: "phone", Kind: "sms"}})
			o := v.ConfirmUnasked(record.Pending{Moves: true, From: []byte(c.from),
				Instance: record.Instance{ID: "moved", Kind: "mail", Implicit: true,
					State: []byte("new"), MaskedDestination: "n…"}}, authority.Permission{}, false)
			require.Equal(t, decide.AddressMoved, o.Confirmation.Change)
			got := map[string]string{}
			for _, in := range v.Record.Factors {
				if in.Implicit {
					require.Equal(t, "moved", in.ID)
					continue
				}
				got[in.ID] = string(in.State)
				if string(in.State) == "new" && in.ID == "the-mail" {
					require.Equal(t, "n…", in.MaskedDestination)
				}
			}
			require.Equal(t, c.want, got)
			require.Empty(t, v.Record.Codes)
			require.Len(t, v.Record.Superseded, 1)
			require.Len(t, v.Record.Pending, 1)
			require.Equal(t, "phone", v.Record.Pending[0].Instance.ID)
			require.Nil(t, v.Record.RecoveryLink)
			require.Nil(t, v.Record.Recovery)
		})
	}
	v := managing(t, "mail", "mail2")
	v.Record.Factors[1].State = []byte("MAIL")
	_ = v.ConfirmUnasked(record.Pending{Moves: true, From: []byte("mail"),
		Instance: record.Instance{ID: "moved", Kind: "mail", Implicit: true,
			State: []byte("new")}}, authority.Permission{}, false)
	require.Equal(t, []string{"the-mail", "moved"}, left(v.Record), "one of two that are alike")

	v = managing(t, "app")
	v.Record.Codes = map[string]record.Code{"push": {Keep: []byte("sent")}}
	_ = v.ConfirmUnasked(record.Pending{Moves: true, Instance: record.Instance{ID: "moved",
		Kind: "push", Implicit: true}}, authority.Permission{}, false)
	require.Empty(t, v.Record.Codes)
	require.Empty(t, v.Record.Superseded, "no user types it")
}
