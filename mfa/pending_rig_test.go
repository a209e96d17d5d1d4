package mfa_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// approval is a Polled factor: what a device decides of a request is in decided, by what was
// issued. An instance's state is the name of its device.
type approval struct {
	kind      string
	traits    factor.Traits
	mu        sync.Mutex
	decided   map[string]error  // nil: approved
	requests  map[string]string // the latest request, by device
	asked     []factor.VerifyInput
	says      func(factor.VerifyInput) (*factor.Verdict, error) // in place of its own verdict
	delivered int
}

func newApproval(kind string) *approval {
	return &approval{kind: kind, decided: map[string]error{}, requests: map[string]string{},
		traits: factor.Traits{Level: factor.LevelStrong, AMR: "pop", Polled: true}}
}

func (a *approval) Kind() string          { return a.kind }
func (a *approval) Traits() factor.Traits { return a.traits }

func (a *approval) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal())}, nil
}

func (a *approval) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	request := rand.Text()
	return &factor.Issue{Keep: []byte(request), Expires: in.Now.Add(90 * time.Second),
		Payload: secret.New(request), Prompt: factor.Prompt{Data: []byte(`{"number":"42"}`)}}, nil
}

func (a *approval) Deliver(_ context.Context, in factor.Message) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests[string(in.State)] = in.Payload.Reveal()
	a.delivered++
	return nil
}

func (a *approval) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	a.mu.Lock()
	a.asked = append(a.asked, in)
	err, decided := a.decided[string(in.Issued)]
	says := a.says
	a.mu.Unlock()
	switch {
	case says != nil:
		return says(in)
	case len(in.Issued) == 0:
		return nil, factor.ErrIncorrect
	case !decided:
		return nil, factor.ErrPending
	}
	return nil, err
}

// decide is what the user of a device does with its latest request.
func (a *approval) decide(device string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decided[a.requests[device]] = err
}

func (a *approval) times() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

// approvalRig is a rig where ann approves on her phone, and has recovery by a colleague.
type approvalRig struct {
	*rig
	push, colleague *approval
}

func newApprovalRig(t testing.TB, change ...func(*mfa.Config)) *approvalRig {
	t.Helper()
	push, colleague := newApproval("push"), newApproval("colleague")
	colleague.traits = factor.Traits{Recovery: true, Polled: true}
	r := &approvalRig{push: push, colleague: colleague}
	r.rig = newRig(t, append([]func(*mfa.Config){func(c *mfa.Config) {
		c.Factors = append(c.Factors, push, colleague)
		c.Policies = policy.Static(impliedMail)
	}}, change...)...)
	r.grant = r.withApp(ann, "tulip").Grant
	r.enrolApproval(push, "phone")
	return r
}

// enrolApproval enrols a device, whose user approves the enrolment on it.
func (r *approvalRig) enrolApproval(a *approval, device string) {
	r.t.Helper()
	e := r.enrolling(a, device)
	a.decide(device, nil)
	c, err := r.Session(ann, binding).Confirm(r.t.Context(), e, secret.Text{})
	require.NoError(r.t, err)
	if !c.Grant.IsZero() {
		r.grant = c.Grant
	}
}

func (r *approvalRig) enrolling(a *approval, device string) *mfa.Enrollment {
	r.t.Helper()
	e, err := r.Session(ann, binding).Enroll(r.t.Context(), r.grant, mfa.EnrollRequest{
		Kind: a.kind, Params: map[string]secret.Text{"word": secret.New(device)}})
	require.NoError(r.t, err)
	return e
}

// sent begins a challenge for a purpose and asks the device.
func (r *approvalRig) sent(purpose, kind string) *mfa.Challenge {
	r.t.Helper()
	ch := r.beginFor(ann, purpose)
	_, err := withPurpose(r.Session(ann, binding), purpose).Send(r.t.Context(), ch, kind)
	require.NoError(r.t, err)
	return ch
}

// poll asks whether a sign-in is decided.
func (r *approvalRig) poll(ch *mfa.Challenge) error {
	v, err := r.verify(ch, "push", secret.Text{})
	if err != nil && v != nil {
		r.t.Error("a Verification beside an error")
	}
	return err
}

// requirePending requires an error that says pending, and nothing else.
func requirePending(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, factor.ErrPending)
	requireNotCounted(t, err)
	for _, other := range []error{mfa.ErrUnavailable, factor.ErrIncorrect, factor.ErrExpired,
		factor.ErrReplayed, factor.ErrMalformed} {
		require.NotErrorIs(t, err, other)
	}
}

func requireNotCounted(t testing.TB, err error) {
	t.Helper()
	var counted *mfa.AttemptError
	require.Error(t, err)
	require.False(t, errors.As(err, &counted), "counted: %v", err)
}

// deviceID returns the ID of one of ann's devices: the phone was enrolled first.
func (r *approvalRig) deviceID(device string) string {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), ann)
	require.NoError(r.t, err)
	var ids []string
	for _, f := range o.Factors {
		if f.Kind == "push" {
			ids = append(ids, f.ID)
		}
	}
	require.Len(r.t, ids, 2)
	return ids[slices.Index([]string{"phone", "tablet"}, device)]
}

// pendingKey is a signer that has not decided.
type pendingKey struct {
	*signer
	pending bool
}

func (k *pendingKey) Verify(
	ctx context.Context, in factor.VerifyInput,
) (*factor.Verdict, error) {
	if k.pending {
		return &factor.Verdict{UserVerified: true}, factor.ErrPending
	}
	return k.signer.Verify(ctx, in)
}

// polledKey is a signer that says that it is Polled.
type polledKey struct{ *signer }

func (k polledKey) Traits() factor.Traits {
	t := k.signer.Traits()
	t.Polled = true
	return t
}

func polledKeyConfig(t testing.TB) mfa.Config {
	cfg := newRig(t).cfg
	cfg.Factors = append(cfg.Factors, polledKey{&signer{resistant: true}})
	return cfg
}
