package mfa_test

import (
	"context"
	"errors"
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

var passwordless = policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"mail"},
	KeepImplicit: true, Passwordless: true}

var errNobody = errors.New("nobody")

func TestPasswordless_SignsIn(t *testing.T) {
	r, k := keyRig(t)
	c := r.withKey(ann, "k1")
	require.Equal(t, `"k1"`, string(c.Factor.Data))
	require.Zero(t, k.delivered.Load(), "nothing is sent anywhere")
	records := len(dump(t, r.store))
	ch := r.open()
	require.True(t, k.asked.Load().Discoverable)
	require.Zero(t, k.asked.Load().User)
	require.Len(t, dump(t, r.store), records, "strangers cost no storage")
	require.Equal(t, testStart.Add(5*time.Minute), ch.Expires)
	v, err := r.answer(ch, "k1", "", ann)
	require.NoError(t, err)
	require.True(t, v.Passwordless)
	require.Equal(t, "phr", v.ACR)
	require.Equal(t, []string{"pop", "mfa"}, v.AMR)
	require.Equal(t, 2, v.AssuranceLevel)
	require.Equal(t, "ann", v.UserID)
	require.Equal(t, "sign-in", v.Purpose)
	require.NoError(t, r.Session(ann, binding).Check(t.Context(), v.Grant))
	require.Equal(t, "passwordless", r.events[len(r.events)-1].Reason)

	_, err = r.answer(ch, "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrTokenExpired, "a challenge is good once")
	late := r.open()
	r.clock.Advance(5 * time.Minute)
	_, err = r.answer(late, "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

// One success for one challenge, whatever the concurrency and in however many processes.
func TestPasswordless_UsesAChallengeOnce(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	managers := []*mfa.Manager{r.Manager, r.another()}
	ch := r.open()
	var won, over atomic.Int32
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := managers[i%2].Passwordless(binding).Verify(t.Context(), ch,
				secret.New("k1 "+string(ch.Prompt.Data)), known(ann))
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, mfa.ErrTokenExpired), errors.Is(err, mfa.ErrUnavailable):
				over.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	require.EqualValues(t, 99, over.Load())
}

func TestPasswordless_Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*rig)
		binding string
		how     string
		subject func(context.Context, mfa.User) (mfa.User, error)
		want    error
	}{
		"another session":         {binding: "session-2", want: mfa.ErrToken},
		"device did not verify":   {how: "unverified", want: factor.ErrIncorrect},
		"copied":                  {how: "copied", want: factor.ErrReplayed},
		"lying factor":            {how: "liar", want: mfa.ErrUnavailable},
		"the application says no": {subject: known(), want: errNobody},
		"no lookup":               {want: policy.ErrInvalid},
		"lookup of another": {want: factor.ErrMalformed,
			subject: func(context.Context, mfa.User) (mfa.User, error) { return person(1), nil }},
		"policy wants a password": {want: mfa.ErrNotAvailable,
			prepare: func(r *rig) { r.set(impliedMail) }},
		"policy without the kind": {want: mfa.ErrNotAvailable, prepare: func(r *rig) {
			r.set(policy.Policy{Kinds: []string{"app", "mail"}})
		}},
		"policy with another kind": {want: mfa.ErrNotAvailable, prepare: func(r *rig) {
			r.set(policy.Policy{Kinds: []string{"badge", "app"}, Passwordless: true})
		}},
		"removed": {want: mfa.ErrUnknownFactor, prepare: func(r *rig) {
			o, err := r.Overview(r.t.Context(), ann)
			require.NoError(r.t, err)
			require.NoError(r.t, r.Session(ann, binding).Remove(r.t.Context(), r.grant,
				o.Factors[0].ID))
		}},
		"reset": {want: mfa.ErrUnknownFactor, prepare: func(r *rig) {
			require.NoError(r.t, r.Admin(mfa.System("boss"), "").Reset(r.t.Context(), ann))
		}},
		"forgotten": {want: mfa.ErrUnknownFactor, prepare: func(r *rig) {
			require.NoError(r.t, r.Admin(mfa.System("boss"), "").Delete(r.t.Context(), ann))
		}},
		"record lost": {want: mfa.ErrRecordMissing, prepare: func(r *rig) {
			rec, err := r.store.Get(r.t.Context(), "p/0//ann")
			require.NoError(r.t, err)
			require.NoError(r.t, r.store.Delete(r.t.Context(), "p/0//ann", rec.Revision))
		}, subject: known(enrolled(ann))},
		"store down": {want: mfa.ErrUnavailable, prepare: func(r *rig) {
			r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errors.New("down")})
		}},
		"store down at the write": {want: mfa.ErrUnavailable, prepare: func(r *rig) {
			r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("down")})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := keyRig(t, func(c *mfa.Config) {
				c.Factors = append(c.Factors, badge{&signer{resistant: true}})
			})
			r.grant = r.withKey(ann, "k1").Grant
			ch := r.open()
			if c.prepare != nil {
				c.prepare(r)
			}
			session, lookup := binding, known(ann)
			response := secret.New(
				strings.TrimSpace("k1 " + string(ch.Prompt.Data) + " " + c.how))
			if c.binding != "" {
				session = c.binding
			}
			if c.subject != nil {
				lookup = c.subject
			}
			if name == "no lookup" {
				lookup = nil
			}
			v, err := r.Passwordless(session).Verify(t.Context(), ch, response, lookup)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, v)
			if errors.Is(c.want, mfa.ErrUnknownFactor) {
				require.Zero(t, identities(t, r), "nothing is left of it")
			}
		})
	}
}

// A stranger can respond without a first factor, so no user is locked by it. A lock that is
// there holds nevertheless.
func TestPasswordless_HonoursLocks(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	for range 50 {
		_, err := r.answer(r.open(), "k1", "unverified", ann)
		require.ErrorIs(t, err, factor.ErrIncorrect)
		var counted *mfa.AttemptError
		require.False(t, errors.As(err, &counted))
	}
	_, err := r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)

	ch := r.begin(ann)
	r.send(ch)
	for range 5 {
		_, err = r.verify(ch, "mail", secret.New("000000"))
		require.Error(t, err)
	}
	_, err = r.answer(r.open(), "k1", "", ann)
	requireLocked(t, err)
}

// Challenges with and without a user are not exchanged.
func TestPasswordless_ChallengesAreForOneSession(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	_, err := r.verify(challengeOf(textOf(t, r.open())), "key", secret.New("k1 x"))
	require.ErrorIs(t, err, mfa.ErrToken)
	_, err = r.verify(r.open(), "key", secret.New("k1 x"))
	require.ErrorIs(t, err, mfa.ErrToken, "nor in the process that made it")
	for _, ch := range []*mfa.Challenge{r.begin(ann), challengeOf(textOf(t, r.begin(ann)))} {
		_, err = r.answer(ch, "k1", "", ann)
		require.ErrorIs(t, err, mfa.ErrToken)
	}
	for _, kind := range []string{"app", "mail", "none", ""} {
		_, err = r.Passwordless(binding).Begin(t.Context(), kind)
		require.ErrorIs(t, err, mfa.ErrNotAvailable)
	}
	_, err = r.Passwordless("").Begin(t.Context(), "key")
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// One challenge is for all instances of a shared kind, and shown as one way to response.
func TestSharedChallenge_IsForAllOfItsKind(t *testing.T) {
	r, k := keyRig(t)
	c := r.withKey(ann, "k1")
	_, err := r.addKey(c.Grant, "k2")
	require.NoError(t, err)
	for _, id := range []string{"k1", "k2", "k1"} {
		ch := r.begin(ann)
		var keys []mfa.Option
		for _, o := range ch.Options {
			if o.Kind == "key" {
				keys = append(keys, o)
			}
		}
		require.Equal(t, []mfa.Option{{Kind: "key", Default: true, Sends: true,
			AssuranceLevel: 2, ACR: "phr"}}, keys)
		d, err := r.Session(ann, binding).Send(t.Context(), ch, "key")
		require.NoError(t, err)
		require.Len(t, k.asked.Load().Instances, 2)
		_, err = r.verify(ch, "key", secret.New("k3 "+string(d.Prompt.Data)))
		require.Equal(t, 4, left(t, err),
			"it is one wrong answer, however many there are to judge it")
		v, err := r.verify(ch, "key", secret.New(id+" "+string(d.Prompt.Data)))
		require.NoError(t, err)
		require.Equal(t, "phr", v.ACR)
		require.False(t, v.Passwordless)
		_, err = r.verify(ch, "key", secret.New(id+" "+string(d.Prompt.Data)))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	}
}

// What is not sent counts against no rate limit.
func TestSend_ChargesNoRateLimitForAPrompt(t *testing.T) {
	r, k := keyRig(t, func(c *mfa.Config) { c.RateLimits = mfa.RateLimits{PerUser: 2, PerKind: 2} })
	r.withKey(ann, "k1")
	ch := r.begin(ann)
	for range 10 {
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "key")
		require.NoError(t, err)
	}
	require.Zero(t, k.delivered.Load())
}

func TestVerify_ReportsACopiedInstance(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	for _, how := range []string{"cloned", "copied"} {
		r.events = nil
		_, err := r.answer(r.open(), "k1", how, ann)
		require.Equal(t, how == "cloned", err == nil, how)
		require.Contains(t, r.eventNames(), "factor.cloned")
		ch := r.begin(ann)
		d, err := r.Session(ann, binding).Send(t.Context(), ch, "key")
		require.NoError(t, err)
		r.events = nil
		_, err = r.verify(ch, "key", secret.New("k1 "+string(d.Prompt.Data)+" "+how))
		require.Equal(t, how == "cloned", err == nil, how)
		require.Contains(t, r.eventNames(), "factor.cloned")
	}
}

func TestPasswordless_NeedsAPolicy(t *testing.T) {
	cfg := newRig(t).cfg
	cfg.Policies = policy.Static(policy.Policy{Passwordless: true})
	_, err := mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid, "no kind says who a person is")
	cfg.Factors = append(cfg.Factors, &signer{})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid,
		"what another site could have got must not be the only factor")
	cfg.Factors[len(cfg.Factors)-1] = &signer{resistant: true}
	_, err = mfa.New(cfg)
	require.NoError(t, err)
	cfg.Policies = policy.Static(policy.Policy{Passwordless: true, Kinds: []string{"app"}})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid)
	cfg.Policies = nil
	cfg.Factors = append(cfg.Factors, &word{kind: "shared",
		traits: factor.Traits{Level: factor.LevelWeak, SharedChallenge: true}})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid)
}
