package mfa_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// issuesNothing is a signer that fails to make a challenge.
type issuesNothing struct{ *signer }

func (issuesNothing) Issue(context.Context, factor.IssueInput) (*factor.Issue, error) {
	return nil, errors.New("no random numbers")
}

// A factor that fails opens no challenge.
func TestPasswordless_BeginFailsWithTheFactor(t *testing.T) {
	r, _ := keyRig(t, func(c *mfa.Config) {
		last := len(c.Factors) - 1
		c.Factors[last] = issuesNothing{c.Factors[last].(*signer)}
	})
	ch, err := r.Passwordless(binding).Begin(t.Context(), "key")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Nil(t, ch)
}

// A challenge of a kind that this Manager does not have, or in which it does not identify users, is
// not one of its own.
func TestPasswordless_ChallengeOfAKindThatIsNotConfigured(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	ch := r.open()
	cfg := r.cfg
	cfg.Policies = policy.Static(impliedMail)
	cfg.Factors = cfg.Factors[:len(cfg.Factors)-1]
	without, err := mfa.New(cfg)
	require.NoError(t, err)
	cfg.Factors = append(cfg.Factors, &signer{})
	weak, err := mfa.New(cfg)
	require.NoError(t, err)
	for _, m := range []*mfa.Manager{without, weak} {
		_, err = m.Passwordless(binding).Verify(t.Context(), challengeOf(textOf(t, ch)),
			secret.New("k1 "+string(ch.Prompt.Data)), known(ann))
		require.ErrorIs(t, err, mfa.ErrToken)
	}
	_, err = r.Passwordless(binding).Verify(t.Context(), nil, secret.New("k1 x"), known(ann))
	require.ErrorIs(t, err, mfa.ErrToken)
}

// refusing is a signer that refuses how a response is written, and returns it all the same.
type refusing struct{ *signer }

func (refusing) Normalize(response string) (string, error) { return response, factor.ErrMalformed }

// A response that the factor cannot read signs no user in, whatever else is right about it.
func TestPasswordless_RefusesWhatTheFactorCannotRead(t *testing.T) {
	r, k := keyRig(t)
	r.withKey(ann, "k1")
	cfg := r.cfg
	cfg.Factors = append(cfg.Factors[:len(cfg.Factors)-1:len(cfg.Factors)-1], refusing{k})
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	ch := r.open()
	_, err = m.Passwordless(binding).Verify(t.Context(), ch,
		secret.New("k1 "+string(ch.Prompt.Data)), known(ann))
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// lookup has to return the user that it was given, with data that users can have.
func TestPasswordless_ChecksTheUserOfLookup(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	for what, change := range map[string]func(*mfa.User){
		"another ID":      func(u *mfa.User) { u.ID = "bob" },
		"another tenant":  func(u *mfa.User) { u.Tenant = "other" },
		"too long a name": func(u *mfa.User) { u.Account = strings.Repeat("a", 129) },
	} {
		ch := r.open()
		_, err := r.Passwordless(binding).Verify(t.Context(), ch,
			secret.New("k1 "+string(ch.Prompt.Data)),
			func(context.Context, mfa.User) (mfa.User, error) {
				u := ann
				change(&u)
				return u, nil
			})
		require.ErrorIs(t, err, factor.ErrMalformed, what)
	}
}

// No user signs in while their policy cannot be read, or their record.
func TestPasswordless_FailsWithWhatItReads(t *testing.T) {
	down := error(nil)
	r, _ := keyRig(t, func(c *mfa.Config) {
		c.Policies = unreliable{policy.Static(passwordless), &down}
	})
	r.withKey(ann, "k1")
	down = errors.New("down")
	_, err := r.answer(r.open(), "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	down = nil
	cfg := r.cfg
	cfg.Store = &failsOnce{FaultyStore: r.store, key: "p/0//ann"}
	r.Manager, err = mfa.New(cfg)
	require.NoError(t, err)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// unreliable is a source of policies that fails as long as it has an error.
type unreliable struct {
	policy.Source
	err *error
}

func (u unreliable) Policy(ctx context.Context, s policy.Scope) (policy.Policy, error) {
	if *u.err != nil {
		return policy.Policy{}, *u.err
	}
	return u.Source.Policy(ctx, s)
}

// A user without a record has no instance. That is a lost record only of a user who has enrolled.
func TestPasswordless_WithoutARecord(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	_, err := r.answer(r.open(), "k1", "", enrolled(ann))
	require.NoError(t, err)
	rec, err := r.store.Get(t.Context(), "p/0//ann")
	require.NoError(t, err)
	require.NoError(t, r.store.Delete(t.Context(), "p/0//ann", rec.Revision))
	_, err = r.answer(r.open(), "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrUnknownFactor)
	_, err = r.answer(r.open(), "k1", "", enrolled(ann))
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

// The identity is one read, and the record another.
func TestPasswordless_NeedsTwoReadsAndOneWrite(t *testing.T) {
	r, _ := keyRig(t, func(c *mfa.Config) { c.Policies = policy.Static(passwordless) })
	r.withKey(ann, "k1")
	ch := r.open()
	reads, writes := r.store.Calls(mfatest.OpGet), r.store.Calls(mfatest.OpSwap)
	_, err := r.answer(ch, "k1", "", ann)
	require.NoError(t, err)
	require.Equal(t, reads+2, r.store.Calls(mfatest.OpGet))
	require.Equal(t, writes+1, r.store.Calls(mfatest.OpSwap))
}

// An application need not read the record again to have a browser keep these passkeys alone.
func TestVerification_HasTheFactorsThatNameTheirUser(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	v, err := r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
	_, err = r.addKey(v.Grant, "k2")
	require.NoError(t, err)
	r.clock.Advance(time.Minute)
	app := r.enroll(v.Grant, "app", "tulip")

	v, err = r.answer(r.open(), "k2", "", ann)
	require.NoError(t, err)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	keys := slices.DeleteFunc(o.Factors, func(f mfa.FactorInfo) bool { return f.Kind != "key" })
	require.Len(t, keys, 2)
	require.Equal(t, keys, v.Factors)
	require.Equal(t, r.clock.Now(), v.Factors[1].LastUsed)

	ch := r.begin(ann)
	v, err = r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err, app.Factor.ID)
	require.Empty(t, v.Factors)
}

// Two kinds may know their instances by the same identity. Each signs in by its own.
func TestPasswordless_OfTwoKinds(t *testing.T) {
	r, _ := keyRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, badge{&signer{resistant: true}})
	})
	c := r.withKey(ann, "k1")
	e, err := r.of(c.Grant).Enroll(t.Context(), c.Grant, mfa.EnrollRequest{Kind: "badge"})
	require.NoError(t, err)
	b, err := r.of(c.Grant).Confirm(t.Context(), e, secret.New("k1 "+string(e.Prompt.Data)))
	require.NoError(t, err)
	for kind, id := range map[string]string{"key": c.Factor.ID, "badge": b.Factor.ID} {
		ch, err := r.Passwordless(binding).Begin(t.Context(), kind)
		require.NoError(t, err)
		v, err := r.answer(ch, "k1", "", ann)
		require.NoError(t, err)
		require.Equal(t, []string{kind, id}, []string{v.Kind, v.FactorID})
	}
}

// A policy that allows other kinds alone lets no user in by this one.
func TestPasswordless_OfAKindThatThePolicyDoesNotAllow(t *testing.T) {
	r, _ := keyRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, badge{&signer{resistant: true}})
	})
	r.withKey(ann, "k1")
	r.set(policy.Policy{Kinds: []string{"badge", "app"}, Passwordless: true})
	before := r.store.Calls(mfatest.OpSwap)
	_, err := r.answer(r.open(), "k1", "", ann)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}
