package mfa_test

import (
	"context"
	"crypto/rand"
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
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// signer is a factor whose answers name the instance that made them: "id challenge", and perhaps
// "unverified", "cloned" or "liar" after it. An instance's state is its id.
type signer struct {
	resistant bool
	delivered atomic.Int32
	asked     atomic.Pointer[factor.IssueInput] // last
}

func (k *signer) Kind() string { return "key" }
func (k *signer) Traits() factor.Traits {
	level := factor.LevelStrong
	if k.resistant {
		level = factor.LevelPhishingResistant
	}
	return factor.Traits{AMR: "pop", Level: level, SharedChallenge: true}
}

func (k *signer) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("-"), Name: "Key"}, nil
}

func (k *signer) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	k.asked.Store(&in)
	challenge := []byte(rand.Text())
	return &factor.Issue{Keep: challenge, Expires: in.Now.Add(5 * time.Minute), Prompt: factor.Prompt{Data: challenge}}, nil
}

func (k *signer) Deliver(context.Context, factor.Message) error {
	k.delivered.Add(1)
	return nil
}

func (k *signer) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	id, rest, _ := strings.Cut(in.Response, " ")
	challenge, how, _ := strings.Cut(rest, " ")
	switch {
	case challenge != string(in.Issued), !in.Confirming && id != string(in.State) && how != "liar":
		return nil, factor.ErrIncorrect
	case how == "copied":
		return &factor.Verdict{Cloned: true}, factor.ErrReplayed
	case how == "liar":
		return &factor.Verdict{State: []byte("another"), UserVerified: true}, nil
	}
	return &factor.Verdict{State: []byte(id), UserVerified: how != "unverified", Cloned: how == "cloned"}, nil
}

func (k *signer) Identity(state []byte) []byte {
	if string(state) == "-" {
		return nil
	}
	return state
}

func (k *signer) Identify(response string) []byte {
	id, _, _ := strings.Cut(response, " ")
	return []byte(id)
}

func (k *signer) Describe(state []byte) factor.Description {
	return factor.Description{Public: []byte(`"` + string(state) + `"`)}
}

var passwordless = policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"mail"}, KeepImplicit: true, Passwordless: true}

// keyRig is a rig with a signer, and a policy that lets people in by it.
func keyRig(t testing.TB, change ...func(*mfa.Config)) (*rig, *signer) {
	k := &signer{resistant: true}
	return newRig(t, append([]func(*mfa.Config){func(c *mfa.Config) {
		c.Factors = append(c.Factors, k)
		c.Policies = policy.Stored(policy.Static(passwordless))
	}}, change...)...), k
}

// addKey enrols an instance; the error is of Confirm.
func (r *rig) addKey(g mfa.Grant, id string) (*mfa.Confirmation, error) {
	r.t.Helper()
	e, err := r.of(g).Enroll(r.t.Context(), g, mfa.EnrollRequest{Kind: "key"})
	require.NoError(r.t, err)
	return r.of(g).Confirm(r.t.Context(), e, secret.New(id+" "+string(e.Prompt.Data)))
}

func (r *rig) withKey(s mfa.User, id string) *mfa.Confirmation {
	r.t.Helper()
	c, err := r.addKey(r.signIn(s).Grant, id)
	require.NoError(r.t, err)
	return c
}

// badge is a signer of another kind.
type badge struct{ *signer }

func (badge) Kind() string { return "badge" }

func known(people ...mfa.User) func(context.Context, mfa.User) (mfa.User, error) {
	return func(_ context.Context, named mfa.User) (mfa.User, error) {
		for _, s := range people {
			if s.Tenant == named.Tenant && s.ID == named.ID {
				return s, nil
			}
		}
		return mfa.User{}, errNobody
	}
}

var errNobody = errors.New("nobody")

// open begins a sign-in of nobody in particular.
func (r *rig) open() *mfa.Challenge {
	r.t.Helper()
	ch, err := r.Passwordless(binding).Begin(r.t.Context(), "key")
	require.NoError(r.t, err)
	return ch
}

func (r *rig) answer(ch *mfa.Challenge, id, how string, people ...mfa.User) (*mfa.Verification, error) {
	return r.Passwordless(binding).Verify(r.t.Context(), ch, secret.New(strings.TrimSpace(id+" "+string(ch.Prompt.Data)+" "+how)), known(people...))
}

func identities(t testing.TB, r *rig) (n int) {
	for k := range dump(t, r.store) {
		if strings.HasPrefix(k, "i/") {
			n++
		}
	}
	return n
}

func TestPasswordless(t *testing.T) {
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
func TestPasswordlessSingleUse(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	managers := []*mfa.Manager{r.Manager, r.another()}
	ch := r.open()
	var won, over atomic.Int32
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := managers[i%2].Passwordless(binding).Verify(t.Context(), ch, secret.New("k1 "+string(ch.Prompt.Data)), known(ann))
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

func TestPasswordlessRefused(t *testing.T) {
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
		"policy wants a password": {want: mfa.ErrNotAvailable, prepare: func(r *rig) { r.set(impliedMail) }},
		"policy without the kind": {want: mfa.ErrNotAvailable, prepare: func(r *rig) {
			r.set(policy.Policy{Kinds: []string{"app", "mail"}})
		}},
		"policy with another kind": {want: mfa.ErrNotAvailable, prepare: func(r *rig) {
			r.set(policy.Policy{Kinds: []string{"badge", "app"}, Passwordless: true})
		}},
		"removed": {want: mfa.ErrUnknownFactor, prepare: func(r *rig) {
			o, err := r.Overview(r.t.Context(), ann)
			require.NoError(r.t, err)
			require.NoError(r.t, r.Session(ann, binding).Remove(r.t.Context(), r.grant, o.Factors[0].ID))
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

func enrolled(s mfa.User) mfa.User {
	s.Enrolled = true
	return s
}

func (r *rig) set(p policy.Policy) {
	r.t.Helper()
	require.NoError(r.t, r.Admin(mfa.System("boss"), "").SetPolicy(r.t.Context(), policy.StoredPolicy{
		Scope: policy.Scope{UserType: ann.UserType}, Policy: p,
	}))
}

// Anybody can answer without a first factor, so that nobody is locked by it. A lock that is
// there holds nevertheless.
func TestPasswordlessAndLocks(t *testing.T) {
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

// Challenges for somebody and for anybody are not exchanged.
func TestPasswordlessTokens(t *testing.T) {
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

// An identity is one person's of all: also of all tenants, and whatever happens at once.
func TestIdentityIsOnePersons(t *testing.T) {
	r, _ := keyRig(t)
	bob := mfa.User{ID: "ann", Tenant: "other", Email: "bob@example.com", EmailVerified: true}
	c := r.withKey(ann, "k1")
	g := r.signIn(bob).Grant
	_, err := r.addKey(g, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	v, err := r.answer(r.open(), "k1", "", ann, bob)
	require.NoError(t, err)
	require.Empty(t, v.Tenant)

	require.NoError(t, r.Session(ann, binding).Remove(t.Context(), c.Grant, c.Factor.ID))
	require.Zero(t, identities(t, r), "nothing is left of it")
	_, err = r.addKey(g, "k1")
	require.NoError(t, err)
	v, err = r.answer(r.open(), "k1", "", ann, bob)
	require.NoError(t, err)
	require.Equal(t, "other", v.Tenant)
}

func TestIdentityRace(t *testing.T) {
	r, _ := keyRig(t)
	const people = 20
	type waiting struct {
		user    mfa.User
		pending *mfa.Enrollment
		answer  secret.Text
	}
	var list []waiting
	for i := range people {
		e, err := r.Session(person(i), binding).Enroll(t.Context(), r.signIn(person(i)).Grant, mfa.EnrollRequest{Kind: "key"})
		require.NoError(t, err)
		list = append(list, waiting{person(i), e, secret.New("k1 " + string(e.Prompt.Data))})
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for _, w := range append(list, list...) { // and each of them twice
		wg.Go(func() {
			if _, err := r.Session(w.user, binding).Confirm(t.Context(), w.pending, w.answer); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	var all []mfa.User
	for i := range people {
		all = append(all, person(i))
	}
	_, err := r.answer(r.open(), "k1", "", all...)
	require.NoError(t, err, "whoever has it is found by it")
}

// A wrong answer to an enrolment takes no identity away from anybody.
func TestRefusedEnrolmentClaimsNothing(t *testing.T) {
	r, _ := keyRig(t)
	g := r.signIn(ann).Grant
	e, err := r.Session(ann, binding).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("k1 wrong"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Zero(t, identities(t, r))
	c := r.withKey(ann, "k2")
	e, err = r.Session(ann, binding).Enroll(t.Context(), c.Grant, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("k2 wrong"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.answer(r.open(), "k2", "", ann)
	require.NoError(t, err, "what was the person's before stays theirs")
}

// An enrolment that was cut off between its two writes blocks nobody for ever.
func TestAbandonedIdentity(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	cut := &cutStore{FaultyStore: r.store}
	cfg := r.cfg
	cfg.Store = cut
	half, err := mfa.New(cfg)
	require.NoError(t, err)
	cut.left = 1 // the claim is written, and nothing after it
	_, err = half.Session(ann, binding).Confirm(t.Context(), e, secret.New("k1 "+string(e.Prompt.Data)))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Equal(t, 1, identities(t, r))

	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "whoever claimed it may be about to confirm")
	r.clock.Advance(31 * time.Minute)
	_, err = r.addKey(r.signIn(person(1)).Grant, "k1")
	require.NoError(t, err)
	_, err = r.answer(r.open(), "k1", "", ann, person(1))
	require.NoError(t, err)

	r.clock.Advance(31 * time.Minute)
	_, err = r.addKey(r.signIn(ann).Grant, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "an old claim of somebody who has it is no abandoned one")
}

// cutStore fails every write after the first left ones.
type cutStore struct {
	*mfatest.FaultyStore
	left int
}

func (s *cutStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if s.left--; s.left < 0 {
		return errors.New("cut off")
	}
	return s.FaultyStore.Swap(ctx, key, old, next)
}

// Of two requests with one answer, the one that comes too late must not take away what the
// other has confirmed.
func TestLateConfirmationKeepsTheIdentity(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	response := secret.New("k1 " + string(e.Prompt.Data))
	between := &betweenStore{FaultyStore: r.store, then: func() {
		_, err := r.Session(ann, binding).Confirm(t.Context(), e, response)
		require.NoError(t, err)
	}}
	cfg := r.cfg
	cfg.Store = between
	late, err := mfa.New(cfg)
	require.NoError(t, err)
	_, err = late.Session(ann, binding).Confirm(t.Context(), e, response)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// betweenStore does something after the first write.
type betweenStore struct {
	*mfatest.FaultyStore
	then func()
}

func (s *betweenStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.FaultyStore.Swap(ctx, key, old, next)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return err
}

// One challenge is for all instances of a shared kind, and shown as one way to answer.
func TestSharedChallenge(t *testing.T) {
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
		require.Equal(t, []mfa.Option{{Kind: "key", Default: true, Sends: true}}, keys)
		d, err := r.Session(ann, binding).Send(t.Context(), ch, "key")
		require.NoError(t, err)
		require.Len(t, k.asked.Load().Instances, 2)
		_, err = r.verify(ch, "key", secret.New("k3 "+string(d.Prompt.Data)))
		require.Equal(t, 4, left(t, err), "it is one wrong answer, however many there are to judge it")
		v, err := r.verify(ch, "key", secret.New(id+" "+string(d.Prompt.Data)))
		require.NoError(t, err)
		require.Equal(t, "phr", v.ACR)
		require.False(t, v.Passwordless)
		_, err = r.verify(ch, "key", secret.New(id+" "+string(d.Prompt.Data)))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	}
}

// What is sent nowhere costs of no budget.
func TestUnsentChallengesCostNoBudget(t *testing.T) {
	r, k := keyRig(t, func(c *mfa.Config) { c.RateLimits = mfa.RateLimits{PerUser: 2, PerKind: 2} })
	r.withKey(ann, "k1")
	ch := r.begin(ann)
	for range 10 {
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "key")
		require.NoError(t, err)
	}
	require.Zero(t, k.delivered.Load())
}

func TestCloned(t *testing.T) {
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

func TestPasswordlessConfiguration(t *testing.T) {
	cfg := newRig(t).cfg
	cfg.Policies = policy.Static(policy.Policy{Passwordless: true})
	_, err := mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid, "no kind says who a person is")
	cfg.Factors = append(cfg.Factors, &signer{})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid, "what another site could have got must not be the only factor")
	cfg.Factors[len(cfg.Factors)-1] = &signer{resistant: true}
	_, err = mfa.New(cfg)
	require.NoError(t, err)
	cfg.Policies = policy.Static(policy.Policy{Passwordless: true, Kinds: []string{"app"}})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid)
	cfg.Policies = nil
	cfg.Factors = append(cfg.Factors, &word{kind: "shared", traits: factor.Traits{Level: factor.LevelWeak, SharedChallenge: true}})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid)
}

func TestResealKeepsIdentities(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	old, err := seal.NewKeyring(first)
	require.NoError(t, err)
	r, _ := keyRig(t, func(c *mfa.Config) { c.Keys = old })
	r.withKey(ann, "k1")
	reseal(t, r.withKeys(t, second, first), "")
	r.Manager = r.withKeys(t, second)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}
