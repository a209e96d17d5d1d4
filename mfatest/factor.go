package mfatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// FactorKit is a conformance kit for a factor, ours or a third-party one. It tests everything
// that the Manager relies on and that can be seen from outside. Factor is required, and Right and
// Wrong, or for a kind that is Polled Approve and Deny. The functions are called from several
// goroutines.
//
//	func TestFactor_Conforms(t *testing.T) {
//		kit := mfatest.FactorKit{Factor: f, Wrong: "000000",
//			Params: map[string]secret.Text{"pin": secret.New("739162")},
//			Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
//				return "739162"
//			}}
//		kit.Run(t)
//	}
type FactorKit struct {
	// Factor is the one under test. The kit enrols, issues and verifies; it never delivers.
	Factor factor.Factor
	// Params enrol an instance.
	Params map[string]secret.Text
	// Right returns a response to an instance that is correct now. issued is the challenge of a
	// Challenger, and nil for all others.
	Right func(out *factor.EnrollOutput, issued *factor.Issue, now time.Time) string
	// Confirm returns the response that confirms an enrolment, for a factor whose instances are
	// made by that response (Verdict.State), as WebAuthn credentials are. Nil for all others.
	Confirm func(out *factor.EnrollOutput, issued *factor.Issue) string
	// Wrong is a well-formed response that is incorrect.
	Wrong string
	// Approve and Deny do what the user does with a request that was issued, for a kind that is
	// factor.Traits.Polled. out is the instance whose device was asked.
	Approve, Deny func(out *factor.EnrollOutput, issued *factor.Issue)
	// Now is the time of the tests. Defaults to 1 March 2026.
	Now time.Time
}

// Run runs the kit, a subtest for each rule.
func (k FactorKit) Run(t *testing.T) {
	if err := k.polls(); err != nil {
		t.Fatal(err)
	}
	if k.Now.IsZero() {
		k.Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	}
	for _, rule := range factorRules() {
		t.Run(rule.name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != nil {
					t.Fatalf("panicked: %v\n(%s)", p, rule.why)
				}
			}()
			if err := rule.check(k, t); err != nil {
				t.Fatalf("%v\n(%s)", err, rule.why)
			}
		})
	}
}

var kitUser = factor.User{ID: "kit-subject", Account: "kit@example.com", Email: "kit@example.com"}

// enrolled enrols an instance, and issues for it what is to be issued. What it returns is to be
// verified as correct.
func (k FactorKit) enrolled(
	t *testing.T,
) (out *factor.EnrollOutput, in factor.VerifyInput, err error) {
	out, in, issued, err := k.asked(t)
	switch {
	case err != nil:
		return nil, in, err
	case k.polled():
		k.Approve(out, issued)
	default:
		in.Response = secret.New(k.Right(out, issued, k.Now))
	}
	return out, in, nil
}

// asked is enrolled without a response.
func (k FactorKit) asked(
	t *testing.T,
) (out *factor.EnrollOutput, in factor.VerifyInput, issued *factor.Issue, err error) {
	out, err = k.Factor.Enroll(t.Context(), factor.EnrollInput{User: kitUser,
		Params: maps.Clone(k.Params), Now: k.Now})
	if err != nil {
		return nil, in, nil, fmt.Errorf("enrolling: %w", err)
	}
	state := out.State
	if k.Confirm != nil {
		in, issued, err := k.issued(t, state, true)
		if err != nil {
			return nil, in, nil, err
		}
		in.Response = secret.New(k.Confirm(out, issued))
		v, err := k.verify(t.Context(), in)
		if err != nil {
			return nil, in, nil, fmt.Errorf("confirming: %w", err)
		}
		if v != nil && v.State != nil {
			state = v.State
		}
	}
	in, issued, err = k.issued(t, state, false)
	return out, in, issued, err
}

// issued is what Verify is to be called with, but for the response.
func (k FactorKit) issued(
	t *testing.T, state []byte, confirming bool,
) (factor.VerifyInput, *factor.Issue, error) {
	in := factor.VerifyInput{User: kitUser, State: state, Opened: k.Now, Confirming: confirming,
		Now: k.Now}
	c, ok := k.Factor.(factor.Challenger)
	if !ok {
		return in, nil, nil
	}
	asked := factor.IssueInput{User: kitUser, State: state, Confirming: confirming, Now: k.Now}
	if !confirming {
		asked.Instances = []factor.EnrollOutput{{State: state}}
	}
	is, err := c.Issue(t.Context(), asked)
	if err != nil {
		return in, nil, fmt.Errorf("issuing: %w", err)
	}
	if !is.Expires.After(k.Now) {
		return in, nil, errors.New("what Issue made is over already")
	}
	in.Issued, in.IssuedAt, in.Expires = is.Keep, k.Now, is.Expires
	return in, is, nil
}

// verify normalises a response and verifies it, as the Manager does.
func (k FactorKit) verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if n, ok := k.Factor.(factor.Normalizer); ok && !k.polled() {
		r, err := n.Normalize(in.Response.Reveal())
		if err != nil {
			if !errors.Is(err, factor.ErrMalformed) {
				return nil, fmt.Errorf("a response: Normalize gave an error that does not wrap "+
					"ErrMalformed: %w", err)
			}
			return nil, err
		}
		in.Response = secret.New(r)
	}
	return k.Factor.Verify(ctx, in)
}

func (k FactorKit) kind(*testing.T) error {
	kind := k.Factor.Kind()
	if kind == "" || len(kind) > 32 || strings.Trim(kind,
		"abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("kind %q is not 1 to 32 of a-z, 0-9 and hyphen", kind)
	}
	tr := k.Factor.Traits()
	if !tr.Recovery && (tr.Level < factor.LevelWeak || tr.Level > factor.LevelPhishingResistant) {
		return fmt.Errorf("level %d is none", tr.Level)
	}
	if tr.Recovery && (tr.Level != 0 || tr.Knowledge) ||
		tr.Knowledge && tr.Level != factor.LevelWeak {
		return errors.New("the Level contradicts Recovery or Knowledge")
	}
	if tr != k.Factor.Traits() || kind != k.Factor.Kind() {
		return errors.New("they change")
	}
	return contradiction(k.Factor, tr)
}

func (k FactorKit) responses(t *testing.T) error {
	out, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	wrong, err := k.incorrect(t, out, in)
	if err != nil {
		return err
	}
	if _, err := k.verify(t.Context(), wrong); !errors.Is(err, factor.ErrIncorrect) {
		return fmt.Errorf("an incorrect response gave %w", orNil(err))
	}
	if _, err := k.verify(t.Context(), in); err != nil {
		return fmt.Errorf("a correct response gave %w", err)
	}
	return nil
}

func orNil(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

func (k FactorKit) untouched(t *testing.T) error {
	out, right, err := k.enrolled(t)
	if err != nil {
		return err
	}
	wrong, err := k.incorrect(t, out, right)
	if err != nil {
		return err
	}
	for _, in := range []factor.VerifyInput{wrong, right} {
		state, issued := bytes.Clone(in.State), bytes.Clone(in.Issued)
		_, _ = k.verify(t.Context(), in)
		if !bytes.Equal(state, in.State) || !bytes.Equal(issued, in.Issued) {
			return errors.New("a Verify wrote into what it was given")
		}
	}
	return nil
}

func (k FactorKit) corrupted(t *testing.T) error {
	_, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	good := in.State
	if len(good) == 0 {
		return nil
	}
	for _, bad := range append(unreadable(good), good[:len(good)/2]) {
		in.State = bad
		_, err := k.verify(t.Context(), in)
		if _, sends := k.Factor.(factor.Challenger); err == nil && (!sends || k.Confirm != nil) {
			return fmt.Errorf("a state of %d bytes that the factor did not make verifies", len(bad))
		}
	}
	return nil
}

func (k FactorKit) malformed(t *testing.T) error {
	_, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	for _, s := range []string{"", " ", "\x00", "\xff\xfe", "٠١٢٣٤٥", "😀", "'; --",
		strings.Repeat("9", 4096), strings.Repeat("a ", 2048)} {
		in.Response = secret.New(s)
		if _, err := k.verify(t.Context(), in); err == nil && !k.polled() {
			return fmt.Errorf("%.20q verifies", s)
		}
		if err := k.normalizes(s); err != nil {
			return err
		}
		for name := range k.Params {
			_, err := k.Factor.Enroll(t.Context(), factor.EnrollInput{User: kitUser,
				Params: k.with(name, s), Now: k.Now})
			if err != nil && !errors.Is(err, factor.ErrMalformed) {
				return fmt.Errorf("enrolling with %s=%.20q gave an error that does not wrap "+
					"ErrMalformed: %w", name, s, err)
			}
		}
	}
	return nil
}

func (k FactorKit) secrets(t *testing.T) error {
	out, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	right := in.Response.Reveal()
	if in, err = k.incorrect(t, out, in); err != nil {
		return err
	}
	_, err = k.verify(t.Context(), in)
	text := fmt.Sprintf("%v %+v %+v", err, err, out)
	for what, hidden := range map[string]string{"the incorrect response": k.Wrong,
		"the correct response": right, "the key": out.Prompt.Secret.Reveal()} {
		if len(hidden) >= 4 && strings.Contains(text, hidden) {
			return fmt.Errorf("%s can be read", what)
		}
	}
	return nil
}

func (k FactorKit) parallel(t *testing.T) error {
	var wg sync.WaitGroup
	errs := make(chan error, 16)
	for range cap(errs) {
		wg.Go(func() {
			_, in, err := k.enrolled(t)
			if err == nil {
				_, err = k.verify(context.Background(), in)
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (k FactorKit) challenges(t *testing.T) error {
	if _, ok := k.Factor.(factor.Challenger); !ok {
		t.Skip("it issues none")
	}
	out, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	none := in
	none.Issued, none.IssuedAt, none.Expires = nil, time.Time{}, time.Time{}
	if _, err := k.verify(t.Context(), none); err == nil {
		return errors.New("a response verifies without a challenge")
	}
	late := in
	late.Now = in.Expires
	if _, err := k.verify(t.Context(), late); err == nil {
		return errors.New("a response verifies when its time is over")
	}
	late.Response = secret.New(k.Wrong)
	if _, err := k.verify(t.Context(), late); !k.polled() && errors.Is(err, factor.ErrExpired) {
		return errors.New("an incorrect response gives ErrExpired when its time is over, and is not " +
			"counted")
	}
	other, issued, err := k.issued(t, in.State, false)
	if err != nil {
		return err
	}
	if !k.polled() && k.Right(out, issued, k.Now) == in.Response.Reveal() {
		return nil // by chance
	}
	other.Response = in.Response
	if _, err := k.verify(t.Context(), other); err == nil {
		return errors.New("the response to one challenge verifies for another")
	}
	return nil
}
