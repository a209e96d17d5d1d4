package mfa_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

const fortnight = 14 * 24 * time.Hour

// remembering is a rig whose policy remembers devices for two weeks.
func remembering(t *testing.T) *rig {
	t.Helper()
	p := impliedMail
	p.Remember = fortnight
	return newRig(t, func(c *mfa.Config) { c.Policies = policy.Stored(policy.Static(p)) })
}

// onDevice signs in by mail and has the device remembered.
func (r *rig) onDevice(s mfa.User, name string) secret.Text {
	r.t.Helper()
	v := r.rememberedBy(s, name)
	require.NotEmpty(r.t, v.Device)
	return v.Device
}

func (r *rig) rememberedBy(s mfa.User, name string) *mfa.Verification {
	r.t.Helper()
	ch := r.begin(s)
	r.send(ch)
	v, err := r.Session(s, binding).RememberDevice(name).Verify(r.t.Context(), ch, "mail",
		r.mail.code(s.Email))
	require.NoError(r.t, err)
	return v
}

func (r *rig) beginOn(s mfa.User, d secret.Text) *mfa.Challenge {
	r.t.Helper()
	ch, err := r.Session(s, binding).OnDevice(d).Begin(r.t.Context())
	require.NoError(r.t, err)
	return ch
}

func TestDevice_SignsInWithoutAResponse(t *testing.T) {
	r := remembering(t)
	first := r.onDevice(ann, "Laptop")
	require.LessOrEqual(t, len(first.Reveal()), 200)
	require.Equal(t, "[redacted]", fmt.Sprint(first))

	r.clock.Advance(time.Hour)
	ch := r.beginOn(ann, first)
	require.Equal(t, mfa.NextDone, ch.Next)
	require.True(t, ch.Remembered)
	require.Empty(t, ch.Options)
	_, err := ch.MarshalText()
	require.Error(t, err, "there is nothing to respond to")
	require.NotEmpty(t, ch.Device)
	require.NotEqual(t, first, ch.Device)
	require.Equal(t, mfa.NextDone, r.beginOn(ann, ch.Device).Next)

	require.Equal(t, mfa.NextVerify, r.beginOn(ann, secret.Text{}).Next, "no token, no entry")
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, o.Devices, 1)
	require.Equal(t, "Laptop", o.Devices[0].Name)
	require.Equal(t, testStart.Add(time.Hour), o.Devices[0].LastUsed)
	require.Equal(t, testStart.Add(fortnight), o.Devices[0].Expires)
	require.Subset(t, r.eventNames(), []string{"device.remembered", "device.used"})
}

// A browser with a token that was replaced has a copy, and then neither is valid.
func TestDevice_IsForgottenWhenItsTokenWasCopied(t *testing.T) {
	r := remembering(t)
	first := r.onDevice(ann, "Laptop")
	other := r.onDevice(ann, "Phone")
	second := r.beginOn(ann, first).Device

	// Two requests of one moment are no theft, and the later token stays good.
	r.clock.Advance(9999 * time.Millisecond)
	again := r.beginOn(ann, first)
	require.True(t, again.Remembered)
	require.Empty(t, again.Device)

	r.clock.Advance(time.Millisecond)
	require.Equal(t, mfa.NextVerify, r.beginOn(ann, first).Next)
	require.Contains(t, r.eventNames(), "device.reused")
	require.Equal(t, mfa.NextVerify, r.beginOn(ann, second).Next, "the series is revoked")
	require.Equal(t, mfa.NextDone, r.beginOn(ann, other).Next, "another device is not")
}

// The lifetime is absolute: use does not prolong it, and a shorter policy ends it earlier.
func TestDevice_ExpiresAsThePolicySays(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	r.clock.Advance(fortnight - time.Millisecond)
	ch := r.beginOn(ann, token)
	require.True(t, ch.Remembered)
	r.clock.Advance(time.Millisecond)
	require.False(t, r.beginOn(ann, ch.Device).Remembered)

	token = r.onDevice(ann, "Laptop")
	set := func(remember time.Duration) {
		p := impliedMail
		p.Remember = remember
		require.NoError(t, r.Admin(mfa.System("boss"), "").SetPolicy(t.Context(),
			policy.StoredPolicy{
				Scope: policy.Scope{UserType: ann.UserType}, Policy: p,
			}))
	}
	r.clock.Advance(24 * time.Hour)
	set(0)
	require.Equal(t, mfa.NextVerify, r.beginOn(ann, token).Next, "the policy remembers no longer")
	set(24*time.Hour + time.Minute)
	ch = r.beginOn(ann, token)
	require.True(t, ch.Remembered)
	require.Equal(t, time.Minute, ch.DeviceExpires.Sub(r.clock.Now()))
	set(24 * time.Hour)
	require.Equal(t, mfa.NextVerify, r.beginOn(ann, ch.Device).Next)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Empty(t, o.Devices)
}

// A step back of the clock does not revive a device.
func TestDevice_ExpiresByTheManagersClock(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	r.clock.Advance(fortnight + time.Second)
	require.False(t, r.beginOn(ann, token).Remembered)
	r.clock.Advance(-time.Hour)
	require.False(t, r.beginOn(ann, token).Remembered)
}

func TestDevice_IsNotRememberedByDefault(t *testing.T) {
	r := newRig(t)
	v := r.rememberedBy(ann, "Laptop")
	require.Empty(t, v.Device)
	require.Error(t, func() error {
		_, err := mfa.New(mfa.Config{Store: r.store, Keys: r.cfg.Keys, Factors: r.cfg.Factors,
			Policies: policy.Static(policy.Policy{Remember: 91 * 24 * time.Hour})})
		return err
	}())
	r = remembering(t)
	require.Empty(t, r.rememberedBy(ann, "").Device, "only if the person wants it")
	_, err := r.Session(ann, binding).RememberDevice(strings.Repeat("n", 65)).Verify(t.Context(),
		r.begin(ann), "mail", secret.New("123456"))
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// A browser may hold the token of another user, which harms neither.
func TestDevice_IsForOneUser(t *testing.T) {
	r := remembering(t)
	bob := person(2)
	anns, bobs := r.onDevice(ann, "Shared computer"), r.onDevice(bob, "Shared computer")
	require.Equal(t, mfa.NextVerify, r.beginOn(bob, anns).Next)
	require.Equal(t, mfa.NextVerify, r.beginOn(ann, bobs).Next)
	sameID := ann
	sameID.Tenant = "elsewhere"
	require.Equal(t, mfa.NextVerify, r.beginOn(sameID, anns).Next)
	for _, bad := range []secret.Text{secret.New("x"), secret.New("AAAA"),
		secret.New(strings.Repeat("A", 5000)),
		secret.New(anns.Reveal()[:len(anns.Reveal())-1]),
		secret.New(anns.Reveal() + "A"), secret.New(anns.Reveal() + "\n")} {
		require.Equal(t, mfa.NextVerify, r.beginOn(ann, bad).Next)
	}
	require.True(t, r.beginOn(ann, anns).Remembered)
	require.True(t, r.beginOn(bob, bobs).Remembered)
	require.NotContains(t, r.eventNames(), "device.reused")
}

// A remembered device signs in; it proves nothing else.
func TestDevice_IsForSigningInOnly(t *testing.T) {
	r := remembering(t)
	r.withApp(ann, "word")
	token := r.onDevice(ann, "Laptop")
	for _, p := range []string{"step-up", "manage"} {
		ch, err := withPurpose(r.Session(ann, binding), p).OnDevice(token).Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, mfa.NextVerify, ch.Next)
	}
	ch := r.beginFor(ann, "step-up")
	v, err := r.Session(ann, binding).StepUp().RememberDevice("Laptop").Verify(t.Context(), ch,
		"app", secret.New("word"))
	require.NoError(t, err)
	require.Empty(t, v.Device)
}

// Every change of what the user has, and of the password, ends them all.
func TestDevice_EndsWithAChangeOfFactors(t *testing.T) {
	for name, change := range map[string]func(r *rig, g mfa.Grant){
		"added": func(r *rig, g mfa.Grant) { r.enroll(g, "pin", "739162") },
		"regenerated": func(r *rig, g mfa.Grant) {
			_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
			require.NoError(t, err)
		},
		"removed": func(r *rig, g mfa.Grant) {
			o, err := r.Overview(t.Context(), ann)
			require.NoError(t, err)
			require.NoError(t, r.Session(ann, binding).Remove(t.Context(), g, o.Factors[0].ID))
		},
		"reset": func(r *rig, _ mfa.Grant) {
			require.NoError(t, r.Admin(boss, "").Reset(t.Context(), ann))
		},
		"password": func(r *rig, _ mfa.Grant) {
			require.NoError(t, r.PasswordChanged(t.Context(), ann))
		},
		"forgotten": func(r *rig, _ mfa.Grant) {
			require.NoError(t, r.Admin(boss, "").Delete(t.Context(), ann))
			r.withApp(ann, "word")
		},
		"revoked": func(r *rig, g mfa.Grant) {
			require.NoError(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := remembering(t)
			g := r.withApp(ann, "word").Grant
			one, two := r.onDevice(ann, "Laptop"), r.onDevice(ann, "Phone")
			change(r, g)
			require.False(t, r.beginOn(ann, one).Remembered)
			require.False(t, r.beginOn(ann, two).Remembered)
		})
	}
}

func TestForgetDevice_EndsOneOfSeveral(t *testing.T) {
	r := remembering(t)
	g := r.withApp(ann, "word").Grant
	one, two := r.onDevice(ann, "Laptop"), r.onDevice(ann, "Phone")
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, o.Devices, 2)
	require.ErrorIs(t, r.Session(ann, "another session").ForgetDevice(t.Context(), g,
		o.Devices[0].ID), mfa.ErrToken)
	require.NoError(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, o.Devices[0].ID))
	require.ErrorIs(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, o.Devices[0].ID),
		mfa.ErrNotAvailable)
	require.False(t, r.beginOn(ann, one).Remembered)
	require.True(t, r.beginOn(ann, two).Remembered)
	lost := person(9)
	lost.Enrolled = true
	require.ErrorIs(t, r.PasswordChanged(t.Context(), lost), mfa.ErrRecordMissing)
}

func TestDevice_IsNotRememberedByARecovery(t *testing.T) {
	r := remembering(t)
	g := r.withApp(ann, "word").Grant
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	v, err := r.Session(ann, binding).RememberDevice("Laptop").Verify(t.Context(), r.begin(ann),
		"recovery", secret.New("a"))
	require.NoError(t, err)
	require.Empty(t, v.Device)
}

// Ten are kept; of more, the one not used for longest goes.
func TestDevice_TheLeastUsedOfTooManyIsForgotten(t *testing.T) {
	r := remembering(t)
	var tokens []secret.Text
	for i := range 10 {
		r.clock.Advance(10 * time.Minute)
		tokens = append(tokens, r.onDevice(ann, fmt.Sprint("Device ", i)))
	}
	r.clock.Advance(time.Minute)
	tokens[0] = r.beginOn(ann, tokens[0]).Device
	tokens = append(tokens, r.onDevice(ann, "Eleventh"))
	for i, token := range tokens {
		require.Equal(t, i != 1, r.beginOn(ann, token).Remembered, "device %d", i)
	}
}

// Requests at once with one token: one of them replaces it, none is taken for a thief.
func TestDevice_SignsInWithSeveralRequestsAtOnce(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	managers := []*mfa.Manager{r.Manager, r.another(), r.another()}
	var wg sync.WaitGroup
	var rotated, remembered atomic.Int64
	for i := range 30 {
		wg.Go(func() {
			ch, err := managers[i%3].Session(ann, binding).OnDevice(token).Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if ch.Remembered {
				remembered.Add(1)
			}
			if !ch.Device.IsZero() {
				rotated.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 30, remembered.Load())
	require.EqualValues(t, 1, rotated.Load())
}

// When the rotation cannot be recorded, nobody is let in by it.
func TestDevice_FailsWhenTheStoreDoes(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	for _, f := range []mfatest.Fault{{Before: errors.New("down")}, {After: errors.New("cut")}} {
		r.store.Inject(mfatest.OpSwap, 1, f)
		ch, err := r.Session(ann, binding).OnDevice(token).Begin(t.Context())
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.Nil(t, ch)
	}
	require.True(t, r.beginOn(ann, token).Remembered,
		"and the browser that got no new token still has the old one, for ten seconds")
}

// What the store holds of a device is not its token.
func TestDevice_TokenIsNotStored(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	for _, data := range dump(t, r.store) {
		require.NotContains(t, data, token.Reveal())
	}
}

// A device that has expired is not listed, before the next sign-in removes it as well.
func TestDevice_IsListedUntilItExpires(t *testing.T) {
	r := remembering(t)
	r.onDevice(ann, "Laptop")
	devices := func() int {
		o, err := r.Overview(t.Context(), ann)
		require.NoError(t, err)
		return len(o.Devices)
	}
	r.clock.Advance(fortnight - time.Millisecond)
	require.Equal(t, 1, devices())
	r.clock.Advance(time.Millisecond)
	require.Zero(t, devices())
}

// A browser with the token of a device that was forgotten writes nothing.
func TestDevice_ThatIsUnknownWritesNothing(t *testing.T) {
	r := remembering(t)
	forgotten := r.onDevice(ann, "Laptop")
	require.NoError(t, r.PasswordChanged(t.Context(), ann))
	r.onDevice(ann, "Phone")
	before := r.store.Calls(mfatest.OpSwap)
	require.False(t, r.beginOn(ann, forgotten).Remembered)
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}

// Forgetting a device needs a proof like every change to how a user signs in.
func TestForgetDevice_NeedsAProof(t *testing.T) {
	r := remembering(t)
	g := r.withApp(ann, "word").Grant
	token := r.onDevice(ann, "Laptop")
	weak := r.signIn(ann).Grant
	for _, id := range []string{"", func() string {
		o, err := r.Overview(t.Context(), ann)
		require.NoError(t, err)
		return o.Devices[0].ID
	}()} {
		require.ErrorIs(t, r.Session(ann, binding).ForgetDevice(t.Context(), weak, id),
			mfa.ErrProofRequired)
	}
	require.True(t, r.beginOn(ann, token).Remembered)
	require.NoError(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, ""))
}

// A recovery link ends with all devices, and not with one of them. Where nothing ends, nothing is
// written.
func TestForgetDevice_EndsLinksWithAllDevices(t *testing.T) {
	r := remembering(t)
	g := r.withApp(ann, "word").Grant
	r.onDevice(ann, "Laptop")
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	link := r.setupLink(ann)
	require.NoError(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, o.Devices[0].ID))
	opened := func(link secret.Text) error {
		_, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), link)
		return err
	}
	require.NoError(t, opened(link))
	link = r.setupLink(ann)
	require.NoError(t, r.Session(ann, binding).ForgetDevice(t.Context(), g, ""))
	require.ErrorIs(t, opened(link), mfa.ErrTokenExpired)
	before := r.store.Calls(mfatest.OpSwap)
	require.NoError(t, r.PasswordChanged(t.Context(), ann))
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}
