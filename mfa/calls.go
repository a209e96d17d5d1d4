package mfa

import (
	"context"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// Every error and every panic of a factor, and of a function of the application that decides
// something, enters this package here, and nowhere else. A factor's error, or that of the sender
// behind it, may quote the message with a code that still works; an application's may quote the
// address of its database with the password in it. What is returned is therefore in our own
// words; errors.Is and errors.As reach the cause.

// calling reports a call of f to Config.Calls, which end tells how the call ended.
func (m *Manager) calling(
	ctx context.Context, f factor.Factor, operation string,
) (_ context.Context, end func(error)) {
	if m.cfg.Calls == nil {
		return ctx, func(error) {}
	}
	return m.cfg.Calls(ctx, report.Call{Kind: f.Kind(), Operation: operation})
}

// caught turns a panic of f into an error. The value that was thrown is dropped: it may hold
// what was typed or sent.
func caught(f factor.Factor, doing string, err *error) {
	if p := recover(); p != nil {
		*err = quiet.New(fmt.Sprintf("%v: the %s factor panicked when it was to %s",
			ErrUnavailable, f.Kind(), doing), ErrUnavailable)
	}
}

// failed is an error of f in our words.
func failed(f factor.Factor, doing string, err error) error {
	if err == nil {
		return nil
	}
	text := fmt.Sprintf("%v: the %s factor could not %s%s",
		ErrUnavailable, f.Kind(), doing, quiet.Text(err))
	return quiet.New(text, ErrUnavailable, decided(err))
}

// refusedOrFailed distinguishes what f refuses (a *factor.Problem, which pages show) from what f
// cannot do now.
func refusedOrFailed(f factor.Factor, doing string, err error) error {
	if err == nil || !errors.Is(err, factor.ErrMalformed) {
		return failed(f, doing, err)
	}
	reason := ""
	var p *factor.Problem
	if errors.As(err, &p) && reasonForm(p.Reason) {
		reason = " (" + p.Reason + ")"
	}
	return quiet.New(fmt.Sprintf("mfa: the %s factor refused the input%s", f.Kind(), reason),
		factor.ErrMalformed, decided(err))
}

// decided returns a cause without a factor.ErrPending in it: outside it means that a response is
// not decided yet, and nothing else.
func decided(err error) error {
	if errors.Is(err, factor.ErrPending) {
		return errors.New("the factor returned an ErrPending that is none")
	}
	return err
}

// reasonForm says whether a reason is a code and not a text: words of small letters, and at
// most one digit at the end, for the number of a question.
func reasonForm(s string) bool {
	if n := len(s); n > 2 && s[n-2] == '_' && s[n-1] >= '0' && s[n-1] <= '9' {
		s = s[:n-2]
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// caughtIn turns a panic of a function of the application into an error.
func caughtIn(hook string, err *error) {
	if p := recover(); p != nil {
		*err = quiet.New(fmt.Sprintf("%v: %s panicked", ErrUnavailable, hook), ErrUnavailable)
	}
}

// callPolicy asks the application for a policy.
func callPolicy(
	ctx context.Context, s policy.Source, scope policy.Scope,
) (p policy.Policy, err error) {
	defer caughtIn("Config.Policies", &err)
	if p, err = s.Policy(ctx, scope); err != nil {
		text := fmt.Sprintf("%v: Config.Policies failed%s", ErrUnavailable, quiet.Text(err))
		return policy.Policy{}, quiet.New(text, ErrUnavailable, err)
	}
	return p, nil
}

// callAuthorize asks the application whether an act may be done.
func callAuthorize(
	ctx context.Context, authorize func(context.Context, AdminAction) error, a AdminAction,
) (err error) {
	defer caughtIn("Config.Authorize", &err)
	if err := authorize(ctx, a); err != nil {
		text := fmt.Sprintf("%v: Config.Authorize refused%s", ErrForbidden, quiet.Text(err))
		return quiet.New(text, ErrForbidden, err)
	}
	return nil
}

// callStore asks the application to store an address that the user has verified.
func callStore(ctx context.Context, store func(context.Context) error) (err error) {
	defer caughtIn("the function that stores an address", &err)
	if err := store(ctx); err != nil {
		return quiet.New("mfa: the application did not store the address"+quiet.Text(err), err)
	}
	return nil
}

// callLookup asks the application for the user whom a passwordless response names.
func callLookup(
	ctx context.Context, lookup func(context.Context, User) (User, error), who identity,
) (u User, err error) {
	defer caughtIn("lookup", &err)
	if u, err = lookup(ctx, User{ID: who.Subject, Tenant: who.Tenant}); err != nil {
		return User{}, quiet.New("mfa: lookup failed"+quiet.Text(err), err)
	}
	return u, nil
}

func callNormalize(f factor.Factor, response string) (_ string, err error) {
	n, ok := f.(factor.Normalizer)
	if !ok {
		return response, nil
	}
	defer caught(f, "read the response", &err)
	response, err = n.Normalize(response)
	if err != nil && !errors.Is(err, factor.ErrMalformed) {
		err = fmt.Errorf("%w: %w", factor.ErrMalformed, err)
	}
	return response, refusedOrFailed(f, "read the response", err)
}

func (m *Manager) callEnroll(ctx context.Context, f factor.Factor, in factor.EnrollInput) (
	_ *factor.EnrollOutput, err error,
) {
	if in.Brand, err = m.Brand(ctx, scopeOf(in.User)); err != nil {
		return nil, err
	}
	ctx, end := m.calling(ctx, f, "enroll")
	defer func() { end(err) }()
	defer caught(f, "enrol", &err)
	out, err := f.Enroll(ctx, in)
	if err == nil {
		err = consistent(f, out.State)
	}
	return out, refusedOrFailed(f, "enrol", err)
}

// describe returns what an instance says about itself, or nothing.
func describe(f factor.Factor, state []byte) (d factor.Description, err error) {
	if by, ok := f.(factor.Describer); ok {
		defer caught(f, "describe an instance", &err)
		d = by.Describe(state)
	}
	return d, err
}

// shownOf returns what is shown of an instance. An instance that cannot be described has nothing to
// show; a decision asks describe.
func shownOf(f factor.Factor, state []byte) factor.Description {
	d, _ := describe(f, state)
	return d
}

// callIdentity returns the identity of an instance, or nil if it has none.
func callIdentity(f factor.Identifier, state []byte) (id []byte, err error) {
	defer caught(f, "identify an instance", &err)
	return f.Identity(state), nil
}

// callIdentify returns the identity that a response names.
func callIdentify(f factor.Identifier, response string) (id []byte, err error) {
	defer caught(f, "read the response", &err)
	if id = f.Identify(response); len(id) == 0 || len(id) > maxIdentity {
		return nil, fmt.Errorf("%w: the response names no instance", factor.ErrMalformed)
	}
	return id, nil
}

// importParams is the method that package factor documents at Traits.Importable.
type importParams interface {
	ImportParams(state []byte) (map[string]secret.Text, error)
}

// callImportParams asks f for the parameters that make an instance anew where it is imported.
func callImportParams(
	f factor.Factor, with importParams, state []byte,
) (_ map[string]secret.Text, err error) {
	defer caught(f, "export", &err)
	params, err := with.ImportParams(state)
	return params, failed(f, "export", err)
}

// consistent refuses a new instance that ends or runs out without a trait that says so: the
// Manager would never ask it again.
func consistent(f factor.Factor, state []byte) error {
	t := f.Traits()
	d, err := describe(f, state)
	if err != nil {
		return err
	}
	if !t.Temporary && !d.Ends.IsZero() {
		return errors.New("an instance ends and its kind is not Traits.Temporary")
	}
	if !t.Limited && d.Remaining != 0 {
		return errors.New("an instance runs out and its kind is not Traits.Limited")
	}
	return nil
}

func (m *Manager) callIssue(ctx context.Context, f factor.Challenger, in factor.IssueInput) (
	_ *factor.Issue, err error,
) {
	ctx, end := m.calling(ctx, f, "issue")
	defer func() { end(err) }()
	defer caught(f, "make a challenge", &err)
	is, err := f.Issue(ctx, in)
	if err == nil && is == nil {
		err = errors.New("it returned neither a challenge nor an error")
	}
	return is, refusedOrFailed(f, "make a challenge", err)
}

func (m *Manager) callDeliver(
	ctx context.Context, f factor.Challenger, in factor.Message,
) (err error) {
	ctx, end := m.calling(ctx, f, "deliver")
	defer func() { end(err) }()
	defer caught(f, "send", &err)
	return refusedOrFailed(f, "send", f.Deliver(ctx, in))
}

func (m *Manager) callNotify(
	ctx context.Context, f factor.Notifier, in factor.Message,
) (err error) {
	ctx, end := m.calling(ctx, f, "notify")
	defer func() { end(err) }()
	defer caught(f, "notify", &err)
	return refusedOrFailed(f, "notify", f.Notify(ctx, in))
}

// callVerify keeps the verdict of a refusal, and nothing else that f says about it. An ErrPending
// is one only of a kind that is Polled, and beside no refusal.
func (m *Manager) callVerify(ctx context.Context, f factor.Factor, in factor.VerifyInput) (
	v *factor.Verdict, err error,
) {
	ctx, end := m.calling(ctx, f, "verify")
	defer func() { end(err) }()
	defer caught(f, "verify", &err)
	v, err = f.Verify(ctx, in)
	switch {
	case err == nil && v == nil:
		return &factor.Verdict{}, nil
	case err == nil:
		return v, nil
	}
	if v != nil && v.Cloned && errors.Is(err, factor.ErrReplayed) {
		return nil, quiet.New(factor.ErrReplayed.Error(), factor.ErrReplayed, decided(err),
			decide.ErrCloned)
	}
	if v != nil && v.Outdated && errors.Is(err, factor.ErrExpired) {
		return nil, quiet.New(factor.ErrExpired.Error(), factor.ErrExpired, decided(err),
			decide.ErrOutdated)
	}
	for _, known := range []error{factor.ErrIncorrect, factor.ErrExpired, factor.ErrReplayed} {
		if err == known { //nolint:errorlint // the very error, which is in our words
			return nil, err
		}
		if errors.Is(err, known) {
			return nil, quiet.New(known.Error(), known, decided(err))
		}
	}
	if f.Traits().Polled && errors.Is(err, factor.ErrPending) {
		return nil, factor.ErrPending
	}
	return nil, failed(f, "verify", err)
}

// callImplied returns the instance that the application vouches for. A nil state with a nil
// error means that the user has none; an error never means that.
func callImplied(f factor.Implier, p factor.User) (state []byte, masked string, err error) {
	defer caught(f, "read the address", &err)
	state, masked, err = f.Implied(p)
	switch {
	case err == nil:
		return state, masked, nil
	case errors.Is(err, factor.ErrUndeliverable):
		text := fmt.Sprintf("%v of the %s factor", factor.ErrUndeliverable, f.Kind())
		return nil, "", quiet.New(text, factor.ErrUndeliverable, decided(err))
	default:
		return nil, "", failed(f, "read the address", err)
	}
}
