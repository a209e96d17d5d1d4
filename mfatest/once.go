package mfatest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// once reports whether each response of the kind is for one success. The Manager ends a challenge
// itself, and what a user knows stays the same.
func (k FactorKit) once() bool {
	_, issues := k.Factor.(factor.Challenger)
	t := k.Factor.Traits()
	return t.Limited || !issues && !t.Recovery && !t.Knowledge
}

// used tries a correct response a second time, against the state that the first one left.
func (k FactorKit) used(t *testing.T) error {
	if !k.once() {
		t.Skip("responses may be repeated, or the Manager ends the challenge")
	}
	_, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	v, err := k.verify(t.Context(), in)
	if err != nil {
		return fmt.Errorf("a correct response gave %w", err)
	}
	switch {
	case v != nil && v.Ended:
		return nil
	case v == nil || v.State == nil:
		return errors.New("a response leaves the state as it was, and so verifies again")
	}
	before := in.State
	in.State = v.State
	if _, err := k.verify(t.Context(), in); err == nil {
		return errors.New("a response that was used verifies again")
	}
	d, ok := k.Factor.(factor.Describer)
	if ok && k.Factor.Traits().Limited &&
		d.Describe(v.State).Remaining != d.Describe(before).Remaining-1 {
		return errors.New("a response does not take one from Description.Remaining")
	}
	return nil
}

// prompt looks at what an enrolment shows.
func (k FactorKit) prompt(t *testing.T) error {
	out, _, _, err := k.asked(t)
	if err == nil && len(out.Prompt.Codes) > 0 && !k.Factor.Traits().NoConfirmation {
		err = errors.New("Prompt.Codes of a kind that users confirm: put them into Prompt.Secret")
	}
	return err
}

// described looks at what the factor says about an instance.
func (k FactorKit) described(t *testing.T) error {
	d, ok := k.Factor.(factor.Describer)
	if !ok {
		t.Skip("it describes nothing")
	}
	_, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	state := bytes.Clone(in.State)
	got, traits := d.Describe(in.State), k.Factor.Traits()
	switch {
	case !bytes.Equal(state, in.State):
		return errors.New("a Describe wrote into the state")
	case traits.Limited && got.Remaining < 1:
		return errors.New("a new instance has no response remaining")
	case traits.Temporary && !got.Ends.After(k.Now):
		return errors.New("a new instance has ended")
	}
	for _, bad := range unreadable(state) {
		b := d.Describe(bad)
		if b.Remaining != 0 || !b.Ends.IsZero() || len(b.Questions) > 0 || len(b.Public) > 0 ||
			b.Export != "" {
			return fmt.Errorf("a state that the factor did not make is described: %d bytes, %.4x…",
				len(bad), bad)
		}
	}
	return nil
}

// unreadable are states that no factor makes.
func unreadable(good []byte) [][]byte {
	return [][]byte{nil, {}, {0}, bytes.Repeat([]byte{0xff}, len(good)),
		bytes.Repeat([]byte("A"), 100_000)}
}

// masked looks for a whole parameter in what a list of the user's factors shows.
func (k FactorKit) masked(t *testing.T) error {
	params := maps.Clone(k.Params)
	out, err := k.Factor.Enroll(t.Context(), factor.EnrollInput{User: kitUser, Params: params,
		Now: k.Now})
	if err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	if !maps.Equal(params, k.Params) {
		return errors.New("the parameters are others after Enroll")
	}
	for name, v := range k.Params {
		if v := v.Reveal(); len(v) >= 4 && strings.Contains(out.MaskedDestination, v) {
			return fmt.Errorf("the masked destination has the whole parameter %s", name)
		}
	}
	return nil
}

// shift is far enough for a factor that reads a clock of its own to be found.
const shift = 10 * 365 * 24 * time.Hour

// issues looks at what is issued, and not at the responses to it.
func (k FactorKit) issues(t *testing.T) error {
	if _, ok := k.Factor.(factor.Challenger); !ok {
		t.Skip("it issues none")
	}
	_, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	state := bytes.Clone(in.State)
	var all []*factor.Issue
	for range 3 { // two codes of six digits may be equal
		_, is, err := k.issued(t, in.State, false)
		if err != nil {
			return err
		}
		all = append(all, is)
	}
	if !bytes.Equal(state, in.State) {
		return errors.New("an Issue wrote into the state")
	}
	if err := unpredictable(all, k.polled()); err != nil {
		return err
	}
	before := k
	before.Now = k.Now.Add(-shift)
	_, early, err := before.issued(t, in.State, false)
	if err != nil {
		return err
	}
	if off := all[0].Expires.Sub(early.Expires) - shift; off.Abs() > 48*time.Hour {
		return errors.New("when a challenge expires does not follow IssueInput.Now")
	}
	return nil
}

// unpredictable looks at several challenges for one instance.
func unpredictable(all []*factor.Issue, polled bool) error {
	first := all[0].Payload.Reveal()
	if first == "" {
		return nil
	}
	if all[1].Payload.Reveal() == first && all[2].Payload.Reveal() == first {
		return errors.New("three challenges have one payload")
	}
	for _, is := range all {
		code := is.Payload.Reveal()
		if !polled && len(code) >= 4 && bytes.Contains(is.Keep, []byte(code)) {
			return errors.New("what is kept has the code, and not a hash of it")
		}
	}
	return nil
}

// normalizes finds a Normalizer whose refusals do not say what they are.
func (k FactorKit) normalizes(response string) error {
	n, ok := k.Factor.(factor.Normalizer)
	if !ok || k.polled() {
		return nil
	}
	if _, err := n.Normalize(response); err != nil && !errors.Is(err, factor.ErrMalformed) {
		return fmt.Errorf("normalising %.20q gave an error that does not wrap ErrMalformed: %w",
			response, err)
	}
	return nil
}

// contradiction says which traits need others that the kind does not have.
func contradiction(f factor.Factor, t factor.Traits) error {
	_, describes := f.(factor.Describer)
	_, issues := f.(factor.Challenger)
	for _, c := range []struct {
		broken bool
		says   string
	}{
		{t.Limited && !describes, "Limited without a Describer"},
		{t.Temporary && !describes, "Temporary without a Describer"},
		{t.SharedChallenge && !issues, "SharedChallenge without a Challenger"},
		{t.NoConfirmation && !t.Recovery, "NoConfirmation without Recovery"},
		{t.LastResort && !t.Recovery, "LastResort without Recovery"},
		{t.AdminOnly && !t.NoConfirmation, "AdminOnly without NoConfirmation"},
	} {
		if c.broken {
			return errors.New("the traits contradict each other: " + c.says)
		}
	}
	return nil
}

// with returns the kit's parameters with one of them replaced.
func (k FactorKit) with(name, value string) map[string]secret.Text {
	p := maps.Clone(k.Params)
	p[name] = secret.New(value)
	return p
}
