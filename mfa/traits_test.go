package mfa_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// A factor that forgets to say what it proves, or contradicts itself, serves nobody.
func TestNew_RefusesContradictoryTraits(t *testing.T) {
	weak, strong := factor.LevelWeak, factor.LevelStrong
	for want, traits := range map[string][]factor.Traits{
		"has no Level": {{}, {AMR: "otp", OnePerUser: true}, {Knowledge: true},
			{Level: factor.LevelPhishingResistant + 1}, {Level: 255}},
		"is a recovery kind": {{Recovery: true, Level: weak}, {Recovery: true, Knowledge: true},
			{Recovery: true, Level: factor.LevelPhishingResistant}},
		"is Knowledge": {{Knowledge: true, Level: strong},
			{Knowledge: true, Level: factor.LevelPhishingResistant}},
		"enrolled without proof": {{Level: weak, NoConfirmation: true}},
		"made by administrators": {{Level: weak, AdminOnly: true},
			{Recovery: true, AdminOnly: true}},
		"is a LastResort": {{Level: strong, LastResort: true}},
		"no factor.Describer": {{Level: weak, Limited: true},
			{Recovery: true, Temporary: true}},
		"shares challenges": {{Level: strong, SharedChallenge: true}},
		"is Polled":         {{Level: strong, Polled: true}, {Recovery: true, Polled: true}},
	} {
		for _, tr := range traits {
			cfg := newRig(t).cfg
			cfg.Factors = append(cfg.Factors, &word{kind: "odd", traits: tr})
			_, err := mfa.New(cfg)
			require.ErrorIs(t, err, policy.ErrInvalid, "%+v", tr)
			require.ErrorContains(t, err, want, "%+v", tr)
		}
	}
	for _, tr := range []factor.Traits{{Level: weak}, {Level: strong}, {Recovery: true},
		{Level: factor.LevelPhishingResistant}, {Level: weak, Knowledge: true},
		{Recovery: true, LastResort: true},
		{Recovery: true, NoConfirmation: true, AdminOnly: true, OnePerUser: true}} {
		cfg := newRig(t).cfg
		cfg.Factors = append(cfg.Factors, &word{kind: "odd", traits: tr})
		_, err := mfa.New(cfg)
		require.NoError(t, err, "%+v", tr)
	}
}

// Beside an error a Verdict says one thing: that a replayed response is an old one of a copy.
func TestVerify_IgnoresVerdictsBesideErrors(t *testing.T) {
	for _, c := range []struct {
		refuses error
		cloned  bool
		events  int
	}{
		{factor.ErrReplayed, true, 1},
		{factor.ErrReplayed, false, 0},
		{fmt.Errorf("counter: %w", factor.ErrReplayed), true, 1},
		{factor.ErrIncorrect, true, 0},
		{factor.ErrExpired, true, 0},
		{factor.ErrMalformed, true, 0},
		{context.DeadlineExceeded, true, 0},
	} {
		f := &refuser{word: word{kind: "app", traits: factor.Traits{Level: factor.LevelStrong}}}
		r := newRig(t, func(cfg *mfa.Config) {
			isApp := func(f factor.Factor) bool { return f.Kind() == "app" }
			cfg.Factors = slices.DeleteFunc(cfg.Factors, isApp)
			cfg.Factors = append(cfg.Factors, f)
		})
		r.withApp(ann, "tulip")
		f.err = c.refuses
		f.verdict = &factor.Verdict{State: []byte("rose"), Ended: true, UserVerified: true,
			Cloned: c.cloned}
		before := len(r.events)
		v, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
		require.ErrorIs(t, err, c.refuses)
		require.Nil(t, v)
		cloned := 0
		for _, e := range r.events[before:] {
			require.NotEqual(t, "factor.outdated", e.Name)
			if e.Name == "factor.cloned" {
				cloned++
			}
		}
		require.Equal(t, c.events, cloned, "%v, cloned %v", c.refuses, c.cloned)
		f.err = nil
		_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
		require.NoError(t, err, "the factor has neither changed nor ended")
	}
}

// refuser is a word that refuses each response with err, and returns verdict beside it.
type refuser struct {
	word
	err     error
	verdict *factor.Verdict
}

func (f *refuser) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if f.err != nil {
		return f.verdict, f.err
	}
	return f.word.Verify(ctx, in)
}

// A challenge that was kept before the classes became booleans is read as it was meant.
func TestKept_RestoresKindsOfOptions(t *testing.T) {
	r := newKeptRig(t)
	for _, o := range []mfa.Option{{Kind: "app"}, {Kind: "pin", Knowledge: true},
		{Kind: "codes", Recovery: true}} {
		ch := r.begin(ann)
		ch.Options = []mfa.Option{o}
		for _, coding := range codings {
			got := restored(t, coding, *ch)
			require.NoError(t, r.other.Session(ann, binding).RestoreChallenge(got))
			require.Equal(t, ch.Options, got.Options)
		}
	}
}
