package mfa_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
	"github.com/stretchr/testify/require"
)

// signer is a factor whose responses name the instance that made them: "id challenge", and perhaps
// "unverified", "cloned", "changed" or "liar" after it. An instance's state is its id. One whose id
// begins with "hard" is kept by hardware.
type signer struct {
	resistant bool
	unsafe    atomic.Pointer[string] // the id of an instance on an unsafe model, or nil
	delivered atomic.Int32
	asked     atomic.Pointer[factor.IssueInput] // last
}

func (k *signer) Kind() string { return "key" }

func (k *signer) Traits() factor.Traits {
	level := factor.LevelStrong
	if k.resistant {
		level = factor.LevelPhishingResistant
	}
	return factor.Traits{AMR: "pop", Level: level,
		SharedChallenge: true, Settings: factor.Settings{Attests: true}}
}

func (k *signer) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("-"), Name: "Key"}, nil
}

func (k *signer) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	k.asked.Store(&in)
	challenge := []byte(rand.Text())
	return &factor.Issue{Keep: challenge, Expires: in.Now.Add(5 * time.Minute),
		Prompt: factor.Prompt{Data: challenge}}, nil
}

func (k *signer) Deliver(context.Context, factor.Message) error {
	k.delivered.Add(1)
	return nil
}

func (k *signer) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	id, rest, _ := strings.Cut(in.Response.Reveal(), " ")
	challenge, how, _ := strings.Cut(rest, " ")
	switch {
	case challenge != string(in.Issued), !in.Confirming && id != string(in.State) && how != "liar":
		return nil, factor.ErrIncorrect
	case how == "changed":
		return &factor.Verdict{Outdated: true}, factor.ErrExpired
	case how == "changed and unsigned":
		return &factor.Verdict{Outdated: true}, factor.ErrIncorrect
	case how == "copied":
		return &factor.Verdict{Cloned: true}, factor.ErrReplayed
	case how == "liar":
		return &factor.Verdict{State: []byte("another"), UserVerified: true}, nil
	}
	return &factor.Verdict{State: []byte(id), UserVerified: how != "unverified",
		Cloned: how == "cloned"}, nil
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
	d := factor.Description{Public: []byte(`"` + string(state) + `"`)}
	if strings.HasPrefix(string(state), "hard") {
		d.AMR, d.DeviceBound, d.Hardware, d.Certified = "hwk", true, true, "L2"
	}
	unsafe := k.unsafe.Load()
	d.Compromised = unsafe != nil && *unsafe == string(state)
	return d
}

// keyRig is a rig with a signer, and a policy that lets users sign in with it.
func keyRig(t testing.TB, change ...func(*mfa.Config)) (*rig, *signer) {
	k := &signer{resistant: true}
	return newRig(t, append([]func(*mfa.Config){func(c *mfa.Config) {
		c.Factors = append(c.Factors, k)
		c.Policies = policy.Stored(policy.Static(passwordless))
	}}, change...)...), k
}

// addKey enrols an instance; the error is Confirm's.
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

// open begins a sign-in of nobody in particular.
func (r *rig) open() *mfa.Challenge {
	r.t.Helper()
	ch, err := r.Passwordless(binding).Begin(r.t.Context(), "key")
	require.NoError(r.t, err)
	return ch
}

func (r *rig) answer(
	ch *mfa.Challenge, id, how string, people ...mfa.User,
) (*mfa.Verification, error) {
	return r.Passwordless(binding).Verify(r.t.Context(), ch,
		secret.New(strings.TrimSpace(id+" "+string(ch.Prompt.Data)+" "+how)),
		known(people...))
}

func identities(t testing.TB, r *rig) (n int) {
	for k := range dump(t, r.store) {
		if strings.HasPrefix(k, "i/") {
			n++
		}
	}
	return n
}

func enrolled(s mfa.User) mfa.User {
	s.Enrolled = true
	return s
}

func (r *rig) set(p policy.Policy) {
	r.t.Helper()
	require.NoError(r.t, r.Admin(mfa.System("boss"), "").SetPolicy(r.t.Context(),
		policy.StoredPolicy{
			Scope: policy.Scope{UserType: ann.UserType}, Policy: p,
		}))
}
