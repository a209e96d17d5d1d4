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
	return factor.Traits{Class: factor.ClassPossession, AMR: "pop", Level: level, SharedChallenge: true}
}

func (k *signer) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("-"), Name: "Key"}, nil
}

func (k *signer) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	k.asked.Store(&in)
	challenge := []byte(rand.Text())
	return &factor.Issue{Keep: challenge, Expires: in.Now.Add(5 * time.Minute), Prompt: factor.Prompt{Data: challenge}}, nil
}

func (k *signer) Deliver(context.Context, factor.DeliverInput) error {
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
		return nil, factor.ErrCloned
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
	e, err := r.Enroll(r.t.Context(), mfa.EnrollRequest{Grant: g, Binding: binding, Kind: "key"})
	require.NoError(r.t, err)
	return r.Confirm(r.t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: mfa.NewSecret(id + " " + string(e.Prompt.Data))})
}

func (r *rig) withKey(s mfa.Subject, id string) *mfa.Confirmation {
	r.t.Helper()
	c, err := r.addKey(r.signIn(s).Grant, id)
	require.NoError(r.t, err)
	return c
}

// badge is a signer of another kind.
type badge struct{ *signer }

func (badge) Kind() string { return "badge" }

func known(people ...mfa.Subject) func(context.Context, string, string) (mfa.Subject, error) {
	return func(_ context.Context, tenant, id string) (mfa.Subject, error) {
		for _, s := range people {
			if s.Tenant == tenant && s.ID == id {
				return s, nil
			}
		}
		return mfa.Subject{}, errNobody
	}
}

var errNobody = errors.New("nobody")

// open begins a sign-in of nobody in particular.
func (r *rig) open() *mfa.PasswordlessChallenge {
	r.t.Helper()
	ch, err := r.BeginPasswordless(r.t.Context(), "key", binding)
	require.NoError(r.t, err)
	return ch
}

func (r *rig) answer(ch *mfa.PasswordlessChallenge, id, how string, people ...mfa.Subject) (*mfa.Verification, error) {
	return r.VerifyPasswordless(r.t.Context(), mfa.PasswordlessRequest{Challenge: ch.Token, Binding: binding,
		Response: mfa.NewSecret(strings.TrimSpace(id + " " + string(ch.Prompt.Data) + " " + how)), Subject: known(people...)})
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
	require.True(t, k.asked.Load().Anyone)
	require.Zero(t, k.asked.Load().Person)
	require.Len(t, dump(t, r.store), records, "strangers cost no storage")
	require.Equal(t, testStart.Add(5*time.Minute), ch.Expires)
	v, err := r.answer(ch, "k1", "", ann)
	require.NoError(t, err)
	require.True(t, v.Passwordless)
	require.Equal(t, "phr", v.ACR)
	require.Equal(t, []string{"pop", "mfa"}, v.AMR)
	require.Equal(t, 2, v.AssuranceLevel)
	require.Equal(t, "ann", v.SubjectID)
	require.Equal(t, mfa.SignIn, v.Purpose)
	require.NoError(t, r.CheckGrant(t.Context(), ann, v.Grant, binding))
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
			_, err := managers[i%2].VerifyPasswordless(t.Context(), mfa.PasswordlessRequest{Challenge: ch.Token, Binding: binding,
				Response: mfa.NewSecret("k1 " + string(ch.Prompt.Data)), Subject: known(ann)})
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
		subject func(context.Context, string, string) (mfa.Subject, error)
		want    error
	}{
		"another session":         {binding: "session-2", want: mfa.ErrToken},
		"device did not verify":   {how: "unverified", want: mfa.ErrIncorrect},
		"copied":                  {how: "copied", want: mfa.ErrReplayed},
		"lying factor":            {how: "liar", want: mfa.ErrUnavailable},
		"the application says no": {subject: known(), want: errNobody},
		"no lookup":               {want: mfa.ErrConfig},
		"lookup of another": {want: mfa.ErrMalformed,
			subject: func(context.Context, string, string) (mfa.Subject, error) { return person(1), nil }},
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
			require.NoError(r.t, r.Remove(r.t.Context(), r.grant, binding, o.Factors[0].ID))
		}},
		"reset": {want: mfa.ErrUnknownFactor, prepare: func(r *rig) {
			require.NoError(r.t, r.Reset(r.t.Context(), mfa.AdminRequest{Subject: ann, Actor: mfa.System("boss")}))
		}},
		"forgotten": {want: mfa.ErrUnknownFactor, prepare: func(r *rig) {
			require.NoError(r.t, r.ForgetSubject(r.t.Context(), mfa.AdminRequest{Subject: ann, Actor: mfa.System("boss")}))
		}},
		"record lost": {want: mfa.ErrStateLost, prepare: func(r *rig) {
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
			req := mfa.PasswordlessRequest{Challenge: ch.Token, Binding: binding, Subject: known(ann),
				Response: mfa.NewSecret(strings.TrimSpace("k1 " + string(ch.Prompt.Data) + " " + c.how))}
			if c.binding != "" {
				req.Binding = c.binding
			}
			if c.subject != nil {
				req.Subject = c.subject
			}
			if name == "no lookup" {
				req.Subject = nil
			}
			v, err := r.VerifyPasswordless(t.Context(), req)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, v)
			if errors.Is(c.want, mfa.ErrUnknownFactor) {
				require.Zero(t, identities(t, r), "nothing is left of it")
			}
		})
	}
}

func enrolled(s mfa.Subject) mfa.Subject {
	s.Enrolled = true
	return s
}

func (r *rig) set(p policy.Policy) {
	r.t.Helper()
	require.NoError(r.t, r.SetPolicy(r.t.Context(), mfa.SetPolicyRequest{Actor: mfa.System("boss"), UserType: ann.UserType, Policy: p}))
}

// Anybody can answer without a first factor, so that nobody is locked by it. A lock that is
// there holds nevertheless.
func TestPasswordlessAndLocks(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	for range 50 {
		_, err := r.answer(r.open(), "k1", "unverified", ann)
		require.ErrorIs(t, err, mfa.ErrIncorrect)
		var counted *mfa.AttemptError
		require.False(t, errors.As(err, &counted))
	}
	_, err := r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)

	ch := r.begin(ann)
	r.send(ch)
	for range 5 {
		_, err = r.verify(ch, "mail", mfa.NewSecret("000000"))
		require.Error(t, err)
	}
	_, err = r.answer(r.open(), "k1", "", ann)
	requireLocked(t, err)
}

// Challenges for somebody and for anybody are not exchanged.
func TestPasswordlessTokens(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	_, err := r.verify(&mfa.Challenge{Token: r.open().Token}, "key", mfa.NewSecret("k1 x"))
	require.ErrorIs(t, err, mfa.ErrToken)
	_, err = r.answer(&mfa.PasswordlessChallenge{Token: r.begin(ann).Token}, "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrToken)
	for _, kind := range []string{"app", "mail", "none", ""} {
		_, err = r.BeginPasswordless(t.Context(), kind, binding)
		require.ErrorIs(t, err, mfa.ErrNotAvailable)
	}
	_, err = r.BeginPasswordless(t.Context(), "key", "")
	require.ErrorIs(t, err, mfa.ErrMalformed)
}

// An identity is one person's of all: also of all tenants, and whatever happens at once.
func TestIdentityIsOnePersons(t *testing.T) {
	r, _ := keyRig(t)
	bob := mfa.Subject{ID: "ann", Tenant: "other", Email: "bob@example.com", EmailConfirmed: true}
	c := r.withKey(ann, "k1")
	g := r.signIn(bob).Grant
	_, err := r.addKey(g, "k1")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	v, err := r.answer(r.open(), "k1", "", ann, bob)
	require.NoError(t, err)
	require.Empty(t, v.Tenant)

	require.NoError(t, r.Remove(t.Context(), c.Grant, binding, c.Factor.ID))
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
		token  mfa.EnrollmentToken
		answer mfa.Secret
	}
	var list []waiting
	for i := range people {
		e, err := r.Enroll(t.Context(), mfa.EnrollRequest{Grant: r.signIn(person(i)).Grant, Binding: binding, Kind: "key"})
		require.NoError(t, err)
		list = append(list, waiting{e.Token, mfa.NewSecret("k1 " + string(e.Prompt.Data))})
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for _, w := range append(list, list...) { // and each of them twice
		wg.Go(func() {
			if _, err := r.Confirm(t.Context(), mfa.ConfirmRequest{Token: w.token, Binding: binding, Response: w.answer}); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	var all []mfa.Subject
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
	e, err := r.Enroll(t.Context(), mfa.EnrollRequest{Grant: g, Binding: binding, Kind: "key"})
	require.NoError(t, err)
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: mfa.NewSecret("k1 wrong")})
	require.ErrorIs(t, err, mfa.ErrIncorrect)
	require.Zero(t, identities(t, r))
	c := r.withKey(ann, "k2")
	e, err = r.Enroll(t.Context(), mfa.EnrollRequest{Grant: c.Grant, Binding: binding, Kind: "key"})
	require.NoError(t, err)
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: mfa.NewSecret("k2 wrong")})
	require.ErrorIs(t, err, mfa.ErrIncorrect)
	_, err = r.answer(r.open(), "k2", "", ann)
	require.NoError(t, err, "what was the person's before stays theirs")
}

// An enrolment that was cut off between its two writes blocks nobody for ever.
func TestAbandonedIdentity(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Enroll(t.Context(), mfa.EnrollRequest{Grant: r.signIn(ann).Grant, Binding: binding, Kind: "key"})
	require.NoError(t, err)
	cut := &cutStore{FaultyStore: r.store}
	cfg := r.cfg
	cfg.Store = cut
	half, err := mfa.New(cfg)
	require.NoError(t, err)
	cut.left = 1 // the claim is written, and nothing after it
	_, err = half.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: mfa.NewSecret("k1 " + string(e.Prompt.Data))})
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

func (s *cutStore) Swap(ctx context.Context, key, old string, next storage.Record) error {
	if s.left--; s.left < 0 {
		return errors.New("cut off")
	}
	return s.FaultyStore.Swap(ctx, key, old, next)
}

// Of two requests with one answer, the one that comes too late must not take away what the
// other has confirmed.
func TestLateConfirmationKeepsTheIdentity(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Enroll(t.Context(), mfa.EnrollRequest{Grant: r.signIn(ann).Grant, Binding: binding, Kind: "key"})
	require.NoError(t, err)
	req := mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: mfa.NewSecret("k1 " + string(e.Prompt.Data))}
	between := &betweenStore{FaultyStore: r.store, then: func() {
		_, err := r.Confirm(t.Context(), req)
		require.NoError(t, err)
	}}
	cfg := r.cfg
	cfg.Store = between
	late, err := mfa.New(cfg)
	require.NoError(t, err)
	_, err = late.Confirm(t.Context(), req)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// betweenStore does something after the first write.
type betweenStore struct {
	*mfatest.FaultyStore
	then func()
}

func (s *betweenStore) Swap(ctx context.Context, key, old string, next storage.Record) error {
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
		require.Equal(t, []mfa.Option{{Kind: "key", Default: true, Sends: true, Class: factor.ClassPossession}}, keys)
		d, err := r.Send(t.Context(), mfa.SendRequest{Challenge: ch.Token, Binding: binding, Kind: "key"})
		require.NoError(t, err)
		require.Len(t, k.asked.Load().Instances, 2)
		_, err = r.verify(ch, "key", mfa.NewSecret("k3 "+string(d.Prompt.Data)))
		require.Equal(t, 4, left(t, err), "it is one wrong answer, however many there are to judge it")
		v, err := r.verify(ch, "key", mfa.NewSecret(id+" "+string(d.Prompt.Data)))
		require.NoError(t, err)
		require.Equal(t, "phr", v.ACR)
		require.False(t, v.Passwordless)
		_, err = r.verify(ch, "key", mfa.NewSecret(id+" "+string(d.Prompt.Data)))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	}
}

// What is sent nowhere costs of no budget.
func TestUnsentChallengesCostNoBudget(t *testing.T) {
	r, k := keyRig(t, func(c *mfa.Config) { c.Sends = mfa.SendBudget{PerPerson: 2, PerSender: 2} })
	r.withKey(ann, "k1")
	ch := r.begin(ann)
	for range 10 {
		_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: ch.Token, Binding: binding, Kind: "key"})
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
		d, err := r.Send(t.Context(), mfa.SendRequest{Challenge: ch.Token, Binding: binding, Kind: "key"})
		require.NoError(t, err)
		r.events = nil
		_, err = r.verify(ch, "key", mfa.NewSecret("k1 "+string(d.Prompt.Data)+" "+how))
		require.Equal(t, how == "cloned", err == nil, how)
		require.Contains(t, r.eventNames(), "factor.cloned")
	}
}

func TestPasswordlessConfiguration(t *testing.T) {
	cfg := newRig(t).cfg
	cfg.Policies = policy.Static(policy.Policy{Passwordless: true})
	_, err := mfa.New(cfg)
	require.ErrorIs(t, err, mfa.ErrConfig, "no kind says who a person is")
	cfg.Factors = append(cfg.Factors, &signer{})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, mfa.ErrConfig, "what another site could have got must not be the only factor")
	cfg.Factors[len(cfg.Factors)-1] = &signer{resistant: true}
	_, err = mfa.New(cfg)
	require.NoError(t, err)
	cfg.Policies = policy.Static(policy.Policy{Passwordless: true, Kinds: []string{"app"}})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, mfa.ErrConfig)
	cfg.Policies = nil
	cfg.Factors = append(cfg.Factors, &word{kind: "shared", traits: factor.Traits{Class: factor.ClassPossession, SharedChallenge: true}})
	_, err = mfa.New(cfg)
	require.ErrorIs(t, err, mfa.ErrConfig)
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
