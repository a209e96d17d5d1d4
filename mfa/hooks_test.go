package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// hookError is what an application's function says, with what it should not have said.
type hookError struct{ text string }

func (e *hookError) Error() string { return e.text }

// failingSource is a policy.Source that fails.
type failingSource func() error

func (f failingSource) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return policy.Policy{}, f()
}

// What an application's function says, or throws, is in no error and in no event. The cause is
// there for errors.As, and the act is not done.
func TestErrors_HoldNothingThatTheApplicationSaid(t *testing.T) {
	const said = "postgres://app:hunter2@db"
	for name, c := range map[string]struct {
		fail func(r *rig, hook func() error)
		do   func(r *rig, hook func() error) error
		want error
	}{
		"Authorize": {
			fail: func(r *rig, hook func() error) {
				r.cfg.Authorize = func(context.Context, mfa.AdminAction) error { return hook() }
			},
			do: func(r *rig, _ func() error) error {
				return r.Admin(mfa.System("boss"), "").Reset(t.Context(), ann)
			},
			want: mfa.ErrForbidden,
		},
		"Policies": {
			fail: func(r *rig, hook func() error) { r.cfg.Policies = failingSource(hook) },
			do: func(r *rig, _ func() error) error {
				_, err := r.Session(ann, binding).Begin(t.Context())
				return err
			},
			want: mfa.ErrUnavailable,
		},
		"Policies under policy.Stored": {
			fail: func(r *rig, hook func() error) {
				r.cfg.Policies = policy.Stored(failingSource(hook))
			},
			do: func(r *rig, _ func() error) error {
				_, err := r.Overview(t.Context(), ann)
				return err
			},
			want: mfa.ErrUnavailable,
		},
		"lookup": {
			fail: func(*rig, func() error) {},
			do: func(r *rig, hook func() error) error {
				ch := r.open()
				_, err := r.Passwordless(binding).Verify(t.Context(), ch,
					secret.New("k1 "+string(ch.Prompt.Data)), func(context.Context,
						mfa.User) (mfa.User, error) {
						return ann, hook()
					})
				return err
			},
		},
	} {
		for _, throws := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " panics: ", throws), func(t *testing.T) {
				r, _ := keyRig(t)
				r.withKey(ann, "k1")
				hook := func() error {
					if throws {
						panic(said)
					}
					return fmt.Errorf("%s: %w", said, &hookError{said})
				}
				c.fail(r, hook)
				r.Manager = r.another()
				r.events = nil
				err := c.do(r, hook)
				require.Error(t, err)
				for _, verb := range strings.Fields("%v %+v %#v %s %q %x") {
					require.NotContains(t, fmt.Sprintf(verb, err), "hunter2")
					require.NotContains(t, fmt.Sprintf(verb, fmt.Errorf("around: %w", err)),
						"hunter2")
				}
				require.NotContains(t, fmt.Sprintf("%+v", r.events), "hunter2")
				if throws {
					require.ErrorIs(t, err, mfa.ErrUnavailable)
					return
				}
				var cause *hookError
				require.ErrorAs(t, err, &cause)
				require.True(t, c.want == nil || errors.Is(err, c.want))
			})
		}
	}
}
