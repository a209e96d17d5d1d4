package mfa_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

var errDisk = errors.New("disk full")

// A fault before or after any read or write of an answer never yields a success that is
// not recorded, and never a second one.
func TestFaultsNeverYieldAnUnrecordedSuccess(t *testing.T) {
	faults := map[string]struct {
		op    mfatest.Op
		fault mfatest.Fault
	}{
		"read fails":            {mfatest.OpGet, mfatest.Fault{Before: errDisk}},
		"write fails":           {mfatest.OpSwap, mfatest.Fault{Before: errDisk}},
		"written, then fails":   {mfatest.OpSwap, mfatest.Fault{After: errDisk}},
		"read pretends absence": {mfatest.OpGet, mfatest.Fault{Before: storage.ErrNotFound}},
	}
	for name, f := range faults {
		for _, kind := range []string{"app", "mail", "pin", "recovery"} {
			for skip := range 2 { // the first or the second write of an expensive answer
				t.Run(fmt.Sprint(name, " ", kind, " ", skip), func(t *testing.T) {
					r := newRig(t)
					g := r.withApp(ann, "tulip").Grant
					g = r.enroll(g, "pin", "123456").Grant
					g = r.stepUp("app", "tulip", g)
					_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
					require.NoError(t, err)
					ch := r.begin(ann)
					r.send(ch)
					right := map[string]secret.Text{"app": secret.New("tulip"), "mail": r.mail.code(ann.Email), "pin": secret.New("123456"), "recovery": secret.New("c")}[kind]
					if skip > 0 {
						r.store.Inject(f.op, skip, mfatest.Fault{})
					}
					r.store.Inject(f.op, 1, f.fault)
					wins := 0
					v, err := r.verify(ch, kind, right)
					if err == nil {
						wins++
						require.NotNil(t, v)
					} else {
						require.Nil(t, v)
						require.True(t, errors.Is(err, mfa.ErrUnavailable) || errors.Is(err, mfa.ErrRecordMissing) || errors.Is(err, mfa.ErrTokenExpired), "got %v", err)
					}
					r.store.Heal()
					r.clock.Advance(31 * time.Second) // the lease of an answer left unsettled
					for range 3 {
						if _, err := r.verify(ch, kind, right); err == nil {
							wins++
						}
					}
					require.LessOrEqual(t, wins, 1)
				})
			}
		}
	}
}

func TestUnreadableRecordLetsNobodyIn(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	bob := person(1)
	r.withApp(bob, "rose")
	keyOf := func(id string) string {
		for k := range dump(t, r.store) {
			if strings.HasPrefix(k, "p/") && strings.HasSuffix(k, "/"+id) {
				return k
			}
		}
		t.Fatal("no record")
		return ""
	}
	mine, his := keyOf("ann"), keyOf("p1")
	put := func(data []byte) {
		old, err := r.store.Get(t.Context(), mine)
		require.NoError(t, err)
		require.NoError(t, r.store.Swap(t.Context(), mine, old.Revision, storage.Record{Revision: old.Revision + "x", Data: data}))
	}
	good, err := r.store.Get(t.Context(), mine)
	require.NoError(t, err)
	other, err := r.store.Get(t.Context(), his)
	require.NoError(t, err)
	flipped := bytes.Clone(good.Data)
	flipped[len(flipped)-1] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"another person's", other.Data, seal.ErrWrongBinding},
		{"flipped bit", flipped, seal.ErrTampered},
		{"garbage", []byte("garbage"), seal.ErrMalformed},
	} {
		put(c.data)
		_, err := r.Session(ann, binding).Begin(t.Context())
		require.ErrorIs(t, err, mfa.ErrUnavailable, c.name)
		require.ErrorIs(t, err, c.want, c.name)
		_, err = r.Overview(t.Context(), ann)
		require.ErrorIs(t, err, c.want, c.name)
	}
	put(good.Data)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

func TestKeyRotation(t *testing.T) {
	store, old, fresh := memory.New(), seal.GenerateKey(), seal.GenerateKey()
	with := func(keys ...[]byte) *rig {
		return newRig(t, func(c *mfa.Config) {
			c.Store = store
			var err error
			c.Keys, err = seal.NewKeyring(keys[0], keys[1:]...)
			require.NoError(t, err)
		})
	}
	r := with(old)
	r.withApp(ann, "tulip")
	r = with(fresh, old)
	_, err := r.verify(r.begin(ann), "app", secret.New("tulip")) // written anew, with the new key
	require.NoError(t, err)
	r = with(fresh)
	require.Equal(t, mfa.NextVerify, r.begin(ann).Next)
	r = with(old)
	_, err = r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, seal.ErrUnknownKey)
}

func TestPolicyOutageIsNotNoPolicy(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = brokenPolicies{} })
	_, err := r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

type brokenPolicies struct{}

func (brokenPolicies) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return policy.Policy{Mode: policy.ModeOff}, errDisk
}

func TestCancelledContext(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Session(ann, binding).Verify(ctx, ch, "mail", secret.New("000000"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}

// A deadline that passes while the factor is at work is an outage like any other, for every kind
// of factor: applications branch on ErrUnavailable.
func TestManagerVerify_ReportsADeadlineWhileTheFactorWorksAsUnavailable(t *testing.T) {
	for _, kind := range []string{"app", "pin"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			r.enroll(r.signIn(ann).Grant, kind, "123456")
			ch := r.begin(ann)
			ctx, cancel := context.WithCancel(t.Context())
			r.app.verify = func(factor.VerifyInput) { cancel() }
			r.pin.verify = r.app.verify
			_, err := r.Session(ann, binding).Verify(ctx, ch, kind, secret.New("wrong"))
			require.ErrorIs(t, err, mfa.ErrUnavailable)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestBadInput(t *testing.T) {
	r := newRig(t)
	v := r.signIn(ann)
	ch := r.begin(ann)
	huge := strings.Repeat("1", 1<<20)
	for _, answer := range []string{"", huge, "\xff\xfe", "12\x003456", "abcdef", "١٢٣٤٥٦", "１２３４５６"} {
		_, err := r.verify(ch, "mail", secret.New(answer))
		require.ErrorIs(t, err, factor.ErrMalformed, "%.20q", answer)
	}
	_, err := r.verify(ch, "mail", secret.New("000000"))
	require.Equal(t, 4, left(t, err), "none of them was counted")

	good, grant := textOf(t, ch).Reveal(), textOf(t, v.Grant).Reveal()
	for _, text := range []string{"", "x", huge, "\xff", good[1:], good + "A", grant} {
		token := secret.New(text)
		_, err := r.Session(ann, binding).Verify(t.Context(), challengeOf(token), "mail", secret.New("000000"))
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.Session(ann, binding).Send(t.Context(), challengeOf(token), "mail")
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.Session(ann, binding).Confirm(t.Context(), enrollmentOf(token), secret.New("1"))
		require.ErrorIs(t, err, mfa.ErrToken)
		if text != "" {
			_, err = r.ConfirmLink(t.Context(), token)
			require.ErrorIs(t, err, mfa.ErrToken)
		}
		if text != grant {
			_, err = r.Session(ann, binding).Enroll(t.Context(), grantOf(token), mfa.EnrollRequest{Kind: "app"})
			require.ErrorIs(t, err, mfa.ErrToken)
		}
	}
	for _, s := range []mfa.User{{}, {ID: huge}, {ID: "a\xff"}, {ID: "a", Tenant: huge}, {ID: "a", Email: huge}} {
		_, err := r.Session(s, binding).Begin(t.Context())
		require.ErrorIs(t, err, factor.ErrMalformed)
		_, err = r.Overview(t.Context(), s)
		require.ErrorIs(t, err, factor.ErrMalformed)
		require.ErrorIs(t, r.Admin(mfa.System("root"), "").Reset(t.Context(), s), factor.ErrMalformed)
	}
	for _, b := range []string{"", huge} {
		_, err := r.Session(ann, b).Begin(t.Context())
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	_, err = mfa.Session{}.Begin(t.Context())
	require.ErrorIs(t, err, factor.ErrMalformed)
	for _, e := range []mfa.EnrollRequest{
		{Name: huge}, {Name: "a\nb"}, {Name: "\xff"}, {Params: map[string]secret.Text{"word": secret.New(huge)}}, {Params: map[string]secret.Text{"word": secret.New("\xff")}}, {},
	} {
		e.Kind = "app"
		_, err := r.Session(ann, binding).Enroll(t.Context(), v.Grant, e)
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	_, err = r.verify(ch, "nothing", secret.New("1"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.verify(ch, "app", secret.New("1"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "ann has no app")
}

func TestAnotherPersonsTokens(t *testing.T) {
	r := newRig(t)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	stranger := newRig(t, func(c *mfa.Config) { c.Keys = keys })
	_, err = r.verify(stranger.begin(ann), "mail", secret.New("000000"))
	require.ErrorIs(t, err, mfa.ErrToken, "another installation's")
	theirs := stranger.withApp(ann, "word").Grant
	require.ErrorIs(t, r.Session(ann, binding).Check(t.Context(), theirs), mfa.ErrToken)

	// Bob's challenge, even in ann's session, is bob's.
	r.withApp(ann, "tulip")
	bob := person(1)
	r.withApp(bob, "rose")
	for _, user := range []mfa.User{ann, bob} {
		v, err := r.Session(user, binding).
			Verify(t.Context(), r.begin(bob), "app", secret.New("tulip"))
		require.ErrorIs(t, err, map[string]error{ann.ID: mfa.ErrToken, bob.ID: factor.ErrIncorrect}[user.ID])
		require.Nil(t, v)
	}
	same := mfa.User{ID: "ann", Tenant: "other", Email: ann.Email, EmailVerified: true}
	require.Len(t, r.begin(same).Options, 1, "the same id in another tenant is another person")
}

func TestConfigIsRefusedWithASentence(t *testing.T) {
	app := &word{kind: "app", traits: factor.Traits{Level: factor.LevelWeak}}
	for name, change := range map[string]func(*mfa.Config){
		"Store is nil":              func(c *mfa.Config) { c.Store = nil },
		"Keys is nil":               func(c *mfa.Config) { c.Keys = nil },
		"at least one":              func(c *mfa.Config) { c.Factors = nil },
		"not a recovery":            func(c *mfa.Config) { c.Factors = []factor.Factor{codes{}} },
		"twice":                     func(c *mfa.Config) { c.Factors = []factor.Factor{app, app} },
		"a-z":                       func(c *mfa.Config) { c.Factors = []factor.Factor{&word{kind: "App"}} },
		"Tries is -1":               func(c *mfa.Config) { c.Lockout.Tries = -1 },
		"DisableAfter is 101":       func(c *mfa.Config) { c.Lockout.DisableAfter = 101 },
		"Wait is":                   func(c *mfa.Config) { c.Lockout.Wait = time.Millisecond },
		"GrantTTL is":               func(c *mfa.Config) { c.GrantTTL = time.Second },
		"ChallengeTTL is":           func(c *mfa.Config) { c.ChallengeTTL = 24 * time.Hour },
		"\"fax\" is not configured": func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{Kinds: []string{"fax"}}) },
		"cannot be implicit":        func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{Implicit: []string{"app"}}) },
		"recovery kinds only":       func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{Kinds: []string{"recovery"}}) },
		"mode \"on\"":               func(c *mfa.Config) { c.Policies = policy.ByUserType(map[string]policy.Policy{"x": {Mode: "on"}}) },
		"default kind":              func(c *mfa.Config) { c.Policies = policy.Stored(policy.Static(policy.Policy{Default: "fax"})) },
		"needs defaults":            func(c *mfa.Config) { c.Policies = policy.Stored(nil) },
	} {
		cfg := newRig(t).cfg
		change(&cfg)
		_, err := mfa.New(cfg)
		require.ErrorIs(t, err, policy.ErrInvalid, name)
		require.ErrorContains(t, err, name)
	}
	r := newRig(t)
	err := r.Admin(mfa.System("root"), "").SetPolicy(t.Context(), policy.StoredPolicy{Policy: policy.Policy{Kinds: []string{"fax"}}})
	require.ErrorIs(t, err, policy.ErrInvalid)
}

func TestAdministratorsAreAuthorized(t *testing.T) {
	for _, authorize := range []func(context.Context, mfa.AdminAction) error{
		nil, func(context.Context, mfa.AdminAction) error { return errors.New("not an owner") },
	} {
		r := newRig(t, func(c *mfa.Config) { c.Authorize = authorize })
		admin := r.Admin(mfa.System("mallory"), "")
		require.ErrorIs(t, admin.Reset(t.Context(), ann), mfa.ErrForbidden)
		require.ErrorIs(t, admin.Unlock(t.Context(), ann), mfa.ErrForbidden)
		require.ErrorIs(t, admin.Delete(t.Context(), ann), mfa.ErrForbidden)
		_, err := admin.SendVerificationLink(t.Context(), ann)
		require.ErrorIs(t, err, mfa.ErrForbidden)
		require.ErrorIs(t, r.Admin(mfa.System("mallory"), "").SetPolicy(t.Context(), policy.StoredPolicy{}), mfa.ErrForbidden)
		require.ErrorIs(t, r.Admin(mfa.Actor{}, "").Reset(t.Context(), ann), factor.ErrMalformed, "an act has an actor")
	}
}

func TestResetVoidsEverythingIssued(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	e, err := r.begun(g, "app", "rose")
	require.NoError(t, err)
	ch := r.begin(ann)
	r.send(ch)
	require.NoError(t, r.Admin(mfa.System("root"), "lost phone").Reset(t.Context(), ann))

	_, err = r.verify(ch, "mail", r.mail.code(ann.Email))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.begun(g, "app", "thief")
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("rose"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	ch = r.begin(ann)
	require.Len(t, ch.Options, 1, "the implied address")
	r.signIn(ann)
	last := r.events[0]
	for _, ev := range r.events {
		if ev.Name == "admin.reset" {
			last = ev
		}
	}
	require.Equal(t, "root", last.Actor)
	require.Equal(t, "lost phone", last.Note)
}

func TestForgetSubjectLeavesNothing(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	require.NoError(t, r.Admin(mfa.System("root"), "").Delete(t.Context(), ann))
	for k := range dump(t, r.store) {
		require.NotContains(t, k, "ann")
	}
	_, err := r.begun(g, "app", "thief")
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

// No secret of a flow is in an error, an event, a log, the store, or the text or JSON
// form of anything exported. A token is in the JSON form of what is made to be stored, and
// nowhere else.
func TestNothingSecretIsPrinted(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(c *mfa.Config) {
		c.Events = mfa.SlogEvents(slog.New(slog.NewTextHandler(&log, nil)))
	})
	var printed strings.Builder
	var encoded bytes.Buffer
	show := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(&printed, "%v %+v %#v %s %q %x %d\n", v, v, v, v, v, v, v)
			if e, ok := v.(error); ok {
				fmt.Fprintln(&printed, e.Error())
			}
			logEverywhere(&printed, v)
			j, _ := json.Marshal(v)
			encoded.Write(j)
		}
	}
	ch := r.begin(ann)
	d := r.send(ch)
	code := r.mail.code(ann.Email)
	_, wrong := r.verify(ch, "mail", secret.New("918273"))
	v, err := r.verify(ch, "mail", code)
	require.NoError(t, err)
	show(ch, v)
	grant, challenge := textOf(t, v.Grant), textOf(t, ch)
	v.Grant, ch = grantOf(grant), challengeOf(challenge) // in the form that was stored
	require.NoError(t, r.Session(ann, binding).RestoreChallenge(ch))
	e, err := r.begun(v.Grant, "app", "tulip-secret")
	require.NoError(t, err)
	show(e)
	enrollment := textOf(t, e)
	e = enrollmentOf(enrollment)
	require.NoError(t, r.Session(ann, binding).RestoreEnrollment(e))
	c, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip-secret"))
	require.NoError(t, err)
	codes, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), c.Grant)
	require.NoError(t, err)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	s := r.Session(mfa.User{ID: ann.ID}, binding).OnDevice(code) // a User prints what is in it
	show(ch, d, wrong, v, e, c, codes, o, r.Keys(), s, s.Actor(v.Grant), r.Admin(s.Actor(v.Grant), ""),
		r.Passwordless(binding), mfa.EnrollRequest{Params: map[string]secret.Text{"word": secret.New("tulip-secret")}})
	printed.WriteString(log.String())
	for _, s := range dump(t, r.store) {
		printed.WriteString(s)
	}
	secrets := map[string]string{"code": code.Reveal(), "guess": "918273",
		"secret": "tulip-secret", "address": ann.Email, "session": binding}
	tokens := map[string]string{"grant": grant.Reveal()[:24],
		"challenge": challenge.Reveal()[:24], "enrolment": enrollment.Reveal()[:24]}
	for name, token := range tokens {
		require.Contains(t, encoded.String(), token, "%s, to be stored", name)
		require.False(t, strings.Contains(printed.String(), token), name)
		require.False(t, strings.Contains(printed.String(), fmt.Sprintf("%x", token)), name)
	}
	printed.Write(encoded.Bytes())
	for name, secret := range secrets {
		require.False(t, strings.Contains(printed.String(), secret), name)
		require.False(t, strings.Contains(printed.String(), fmt.Sprintf("%x", secret)), name)
	}
}

func (r *rig) Keys() *seal.Keyring { return r.cfg.Keys }

func TestKindOnlyLock(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Lockout = lockout.Config{KindOnly: true} })
	g := r.withApp(ann, "tulip").Grant
	r.enroll(g, "pin", "123456")
	for range 5 {
		_, err := r.verify(r.begin(ann), "pin", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := r.verify(r.begin(ann), "pin", secret.New("123456"))
	requireLocked(t, err)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

// While the store cannot be read, everything says so; nobody is let in or told to enrol.
func TestUnreadableStore(t *testing.T) {
	r := newRig(t)
	v := r.signIn(ann)
	ch := r.begin(ann)
	e, err := r.begun(v.Grant, "app", "tulip")
	require.NoError(t, err)
	for name, call := range map[string]func() error{
		"Begin": func() error {
			_, err := r.Session(ann, binding).Begin(t.Context())
			return err
		},
		"Overview": func() error { _, err := r.Overview(t.Context(), ann); return err },
		"Policy":   func() error { _, err := r.Policy(t.Context(), policy.Scope{}); return err },
		"Send": func() error {
			_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
			return err
		},
		"Verify": func() error { _, err := r.verify(ch, "mail", secret.New("000000")); return err },
		"Enroll": func() error { _, err := r.begun(v.Grant, "app", "rose"); return err },
		"Confirm": func() error {
			_, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip"))
			return err
		},
		"Rename": func() error {
			return r.Session(ann, binding).Rename(t.Context(), v.Grant, mfa.FactorInfo{ID: "x", Name: "y"})
		},
		"Reset":  func() error { return r.Admin(boss, "").Reset(t.Context(), ann) },
		"Unlock": func() error { return r.Admin(boss, "").Unlock(t.Context(), ann) },
		"Delete": func() error { return r.Admin(boss, "").Delete(t.Context(), ann) },
		"SendConfirmation": func() error {
			_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), ann)
			return err
		},
		"SetPolicy": func() error { return r.Admin(mfa.System("root"), "").SetPolicy(t.Context(), policy.StoredPolicy{}) },
	} {
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errDisk})
		err := call()
		r.store.Heal()
		require.ErrorIs(t, err, mfa.ErrUnavailable, name)
		require.ErrorIs(t, err, errDisk, name)
		// The policy is read first; also fail the read of the record after it.
		r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{})
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errDisk})
		err = call()
		r.store.Heal()
		if name == "Begin" || name == "Overview" {
			require.ErrorIs(t, err, mfa.ErrUnavailable, name)
		}
	}
}
