package mfa_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// repeated has, for the events that a user with a grant, or an attacker with the password, can
// bring about again and again, how they do so.
var repeated = map[string]func(r *rig, i int){
	"factor.renamed": func(r *rig, i int) {
		require.NoError(r.t, r.Session(ann, binding).Rename(r.t.Context(), r.grant,
			mfa.FactorInfo{ID: r.id("app"), Name: fmt.Sprint("Phone ", i)}))
	},
	"implied.off": func(r *rig, _ int) { r.useImplied(true, false) },
	"implied.on":  func(r *rig, _ int) { r.useImplied(false, true) },
	"factor.added": func(r *rig, i int) {
		r.grant = r.enroll(r.grant, "app", fmt.Sprint("word ", i)).Grant
		require.NoError(r.t, r.Session(ann, binding).Remove(r.t.Context(), r.grant,
			r.lastID("app")))
	},
	"factor.removed": func(r *rig, i int) {
		r.grant = r.enroll(r.grant, "app", fmt.Sprint("word ", i)).Grant
		require.NoError(r.t, r.Session(ann, binding).Remove(r.t.Context(), r.grant,
			r.lastID("app")))
	},
	"factor.replaced": func(r *rig, i int) {
		r.grant = r.enroll(r.grant, "pin", fmt.Sprint(1000+i)).Grant
	},
	"recovery.regenerated": func(r *rig, _ int) {
		_, err := r.Session(ann, binding).NewRecoveryCodes(r.t.Context(), r.grant)
		require.NoError(r.t, err)
	},
	"recovery.used": func(r *rig, _ int) {
		_, err := r.Session(ann, binding).NewRecoveryCodes(r.t.Context(), r.grant)
		require.NoError(r.t, err)
		_, err = r.verify(r.begin(ann), "recovery", secret.New("a"))
		require.NoError(r.t, err)
	},
	"recovery.low": func(r *rig, _ int) {
		_, err := r.Session(ann, binding).NewRecoveryCodes(r.t.Context(), r.grant)
		require.NoError(r.t, err)
		for _, code := range []string{"a", "b"} {
			_, err = r.verify(r.begin(ann), "recovery", secret.New(code))
			require.NoError(r.t, err)
		}
	},
	"device.remembered": func(r *rig, _ int) { r.onApp("Laptop") },
	"device.revoked": func(r *rig, _ int) {
		r.onApp("Laptop")
		require.NoError(r.t, r.Session(ann, binding).ForgetDevice(r.t.Context(), r.grant, ""))
	},
	"lockout.locked": func(r *rig, _ int) {
		for range 3 {
			_, err := r.verify(r.begin(ann), "app", secret.New("incorrect"))
			require.ErrorIs(r.t, err, factor.ErrIncorrect)
		}
		r.clock.Advance(time.Second)
	},
	"admin.unlock": func(r *rig, _ int) {
		require.NoError(r.t, r.Admin(mfa.System("boss"), "").Unlock(r.t.Context(), ann))
	},
}

// onApp signs ann in with the app, in a browser that is remembered.
func (r *rig) onApp(name string) {
	r.t.Helper()
	v, err := r.Session(ann, binding).RememberDevice(name).Verify(r.t.Context(), r.begin(ann),
		"app", secret.New("word"))
	require.NoError(r.t, err)
	require.False(r.t, v.Device.IsZero())
}

// lastID is the ID of the newest factor of a kind.
func (r *rig) lastID(kind string) (id string) {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), ann)
	require.NoError(r.t, err)
	for _, f := range o.Factors {
		if f.Kind == kind {
			id = f.ID
		}
	}
	return id
}

// A user is sent ten notices of one event a day, however often it happens. Each time has its
// event, the notices of another event go out, and the next day has ten again.
func TestNotices_AreTenADayOfEachEvent(t *testing.T) {
	for name, again := range repeated {
		t.Run(name, func(t *testing.T) {
			r := telling(t)
			r.cfg.Lockout = lockout.Config{Tries: 3, Total: 10, Wait: time.Second}
			r.Manager, r.app.once = r.another(), false
			r.enroll(r.withApp(ann, "word").Grant, "pin", "999")
			for range 2 {
				r.nextDay()
				for i := range 25 {
					r.clock.Advance(time.Second)
					again(r, i)
				}
				require.Equal(t, 10, count(r.mail.notices(), name+toAnn))
				require.Equal(t, 25, count(r.eventNames(), name))
				require.NoError(t, r.PasswordChanged(t.Context(), ann)) // ends devices
				other := "recovery.regenerated"
				if name == other || strings.HasPrefix(name, "recovery.") {
					other = "factor.renamed"
				}
				repeated[other](r, 0)
				require.Equal(t, 1, count(r.mail.notices(), other+toAnn), other)
			}
		})
	}
}

// nextDay lets a day pass. The user has verified the app then.
func (r *rig) nextDay() {
	r.t.Helper()
	r.clock.Advance(24 * time.Hour)
	v, err := r.verify(r.begin(ann), "app", secret.New("word"))
	require.NoError(r.t, err)
	r.grant, r.events = v.Grant, nil
	_ = r.mail.notices()
}

// The table is complete: an event that users are notified of can be repeated, or it says here
// what bounds it.
func TestNotices_EveryEventIsBounded(t *testing.T) {
	bounded := map[string]string{
		"challenge.abandoned":   "once a day: TestAbandon_AThousandTimes",
		"verify.failure":        "once a day: TestNotices_OfFailedAttempts",
		"lockout.disabled":      "a hundred failed attempts each",
		"lockout.unlocked":      "a hundred failed attempts each",
		"factor.cloned":         "each is counted as a failed attempt, or once a day",
		"address.confirmed":     "a link that an administrator sends, each one send",
		"address.changed":       "a code to the new address, each one send",
		"recovery.replacement":  "a recovery code each",
		"device.reused":         "it ends the device, and remembering another one is limited",
		"support.requested":     "once a day: TestRequestSupport_NotifiesOnceADay",
		"admin.reset":           "an administrator's act",
		"admin.exception":       "an administrator's act",
		"admin.exception-ended": "an administrator's act",
		"admin.remove":          "an administrator's act",
		"admin.access":          "an administrator's act",
		"admin.delete":          "an administrator's act, which leaves nothing",
	}
	for name, rule := range mfa.EventRules() {
		_, again := repeated[name]
		require.Equal(t, rule[0] != "", again || bounded[name] != "", name)
		require.False(t, again && bounded[name] != "", name)
		if rule[0] != "" {
			require.Equal(t, 10, mfa.NoticesOf(name, 30, testStart), "the limit is every event's")
		}
	}
}
