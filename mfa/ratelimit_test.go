package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// messages is how many messages the rig has sent, codes and notices.
func (r *rig) messages() int {
	r.mail.mu.Lock()
	defer r.mail.mu.Unlock()
	return r.mail.sent + len(r.mail.told)
}

// nuisance is an act by which an attacker with a user's password, or an administrator for
// them, has a message sent to a user.
type nuisance struct {
	name string
	do   func(r *nuisanceRig) error
	// byAdmin acts are not refused because the user is locked, unless they send a code.
	byAdmin bool
}

// nuisanceRig has what the acts need: a challenge, a grant and a pending enrolment, from
// before the user's allowance was used up.
type nuisanceRig struct {
	*rig
	ch      *mfa.Challenge
	pending *mfa.Enrollment
	other   string // an attacker's address
}

var nuisances = []nuisance{
	{"Send", func(r *nuisanceRig) error {
		_, err := r.of(r.ch).Send(r.t.Context(), r.ch, "mail")
		return err
	}, false},
	{"Enroll", func(r *nuisanceRig) error {
		_, err := r.begun(r.grant, "mail", r.other)
		return err
	}, false},
	{"ResendEnrollment", func(r *nuisanceRig) error {
		_, err := r.Session(ann, binding).Resend(r.t.Context(), r.pending)
		return err
	}, false},
	{"SendSetupLink", func(r *nuisanceRig) error {
		_, err := r.Session(ann, binding).SendRecoveryLink(r.t.Context(), r.ch)
		return err
	}, false},
	{"RequestSupport", func(r *nuisanceRig) error {
		return r.Session(ann, binding).RequestSupport(r.t.Context(), r.ch,
			report.Case{Message: fmt.Sprint("help ", r.store.Calls(mfatest.OpGet))})
	}, false},
	{"SendSetupLinkTo", func(r *nuisanceRig) error {
		_, err := r.Admin(mfa.System("root"), "").SendRecoveryLink(r.t.Context(), ann)
		return err
	}, true},
	{"SendConfirmation", func(r *nuisanceRig) error {
		_, err := r.Admin(mfa.System("root"), "").SendVerificationLink(r.t.Context(), ann)
		return err
	}, false},
}

// newNuisanceRig is a rig with every allowance limited.
func newNuisanceRig(t *testing.T) *nuisanceRig {
	t.Helper()
	r := &nuisanceRig{other: "stranger@example.net", rig: newRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
		c.RateLimits = mfa.RateLimits{PerUser: 6, PerDestination: 20, PerKind: 40}
	})}
	r.grant = r.signIn(ann).Grant
	var err error
	r.pending, err = r.begun(r.grant, "mail", r.other)
	require.NoError(t, err)
	r.ch = r.begin(ann)
	return r
}

// shared is what the shared allowances hold, as it is stored.
func (r *nuisanceRig) shared() map[string]string {
	all := dump(r.t, r.store)
	maps.DeleteFunc(all, func(key, _ string) bool { return !strings.HasPrefix(key, "b/") })
	return all
}

func (r *nuisanceRig) writes() int {
	return r.store.Calls(mfatest.OpSwap) + r.store.Calls(mfatest.OpDelete)
}

// TestRateLimit_ARefusalChargesNoWiderLimit calls every act a thousand times: for a user who has
// used up their own allowance, and for one who is locked. No call writes anything, sends
// anything, or costs anything that others share.
func TestRateLimit_ARefusalChargesNoWiderLimit(t *testing.T) {
	for _, act := range nuisances {
		t.Run(act.name+", used up", func(t *testing.T) {
			r := newNuisanceRig(t)
			for range 6 {
				_ = act.do(r) // up to the limit
			}
			before, writes, sent := r.shared(), r.writes(), r.messages()
			var over *mfa.RateLimitError
			for _, each := range nuisances {
				// replaced
				if err := each.do(r); act.name != "Enroll" || each.name != "ResendEnrollment" {
					require.ErrorAs(t, err, &over, "%s after %s", each.name, act.name)
					require.Positive(t, over.RetryAfter)
				}
			}
			for range 1000 {
				require.ErrorAs(t, act.do(r), &over)
			}
			require.Equal(t, writes, r.writes(), "writes")
			require.Equal(t, sent, r.messages(), "messages")
			require.Equal(t, before, r.shared())
		})
		t.Run(act.name+", locked", func(t *testing.T) {
			if act.byAdmin {
				t.Skip("an administrator helps locked users")
			}
			r := newNuisanceRig(t)
			for range 5 {
				_, err := r.verify(r.ch, "mail", secret.New("000000"))
				require.ErrorIs(t, err, factor.ErrIncorrect)
			}
			before, writes, sent := r.shared(), r.writes(), r.messages()
			for range 1000 {
				requireLocked(t, act.do(r))
			}
			require.Equal(t, writes, r.writes(), "writes")
			require.Equal(t, sent, r.messages(), "messages")
			require.Equal(t, before, r.shared())
			require.NoError(t, r.Admin(mfa.System("root"), "").Unlock(t.Context(), ann))
			require.NoError(t, act.do(r),
				"the lock cost nothing of the user's own allowance either")
		})
	}
}

// A wider allowance that is used up refuses without a write as well, and without a charge of
// a narrower one.
func TestRateLimit_AWiderRefusalChargesNothing(t *testing.T) {
	for name, sends := range map[string]mfa.RateLimits{
		"destination": {PerUser: 100, PerDestination: 3, PerKind: 100},
		"kind":        {PerUser: 100, PerDestination: 100, PerKind: 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := &nuisanceRig{rig: newRig(t, func(c *mfa.Config) { c.RateLimits = sends })}
			r.ch = r.begin(ann)
			for range 3 {
				r.send(r.ch)
			}
			all, writes := dump(t, r.store), r.writes()
			for range 1000 {
				_, err := r.of(r.ch).Send(t.Context(), r.ch, "mail")
				var over *mfa.RateLimitError
				require.ErrorAs(t, err, &over)
				require.Equal(t, 61*time.Minute, over.RetryAfter)
			}
			require.Equal(t, writes, r.writes())
			require.Equal(t, all, dump(t, r.store))
		})
	}
}

// A tenant's allowance that others use up between the look at it and the charge refuses as well,
// and what was charged of the narrower one is paid back.
func TestRateLimit_AWiderRefusalInARaceChargesNothing(t *testing.T) {
	r := &nuisanceRig{rig: newRig(t, func(c *mfa.Config) {
		c.RateLimits = mfa.RateLimits{PerUser: 100, PerDestination: 100, PerKind: 3}
	})}
	r.ch = r.begin(ann)
	between := &momentStore{Store: r.store, any: true}
	r.cfg.Store = between
	slow := r.another()
	between.arm(true, 0, func() { // before the first charge, the destination's
		for i := range 3 {
			_, err := r.Session(person(i), binding).Send(context.Background(), r.begin(person(i)),
				"mail")
			require.NoError(t, err)
		}
	})
	_, err := slow.Session(ann, binding).Send(t.Context(), r.ch, "mail")
	var over *mfa.RateLimitError
	require.ErrorAs(t, err, &over)
	require.Equal(t, []int{1, 1, 1, 3}, r.counted(),
		"of three other destinations, and of the tenant")
}

// One user who sends without end leaves to every other what is theirs.
func TestRateLimit_OneUserUsesUpNoOthers(t *testing.T) {
	r := newNuisanceRig(t)
	for range 1000 {
		for _, act := range nuisances {
			_ = act.do(r)
		}
	}
	sent := 0
	for i := range 40 {
		ch := r.begin(person(i))
		if _, err := r.of(ch).Send(t.Context(), ch, "mail"); err == nil {
			sent++
		}
	}
	require.GreaterOrEqual(t, sent, 40-6, "of the tenant's 40, the one user could use 6")
}

// With parallel sends of several users through several Managers, no allowance is ever
// exceeded; and when it is over, exactly what was delivered has been charged.
func TestRateLimit_IsNeverExceededInParallel(t *testing.T) {
	for name, limits := range map[string]struct {
		sends mfa.RateLimits
		users int
		want  int
	}{
		"user":        {mfa.RateLimits{PerUser: 3, PerDestination: 50, PerKind: 100}, 4, 12},
		"destination": {mfa.RateLimits{PerUser: 40, PerDestination: 5, PerKind: 100}, 4, 20},
		"kind":        {mfa.RateLimits{PerUser: 40, PerDestination: 50, PerKind: 7}, 4, 7},
		"all":         {mfa.RateLimits{PerUser: 3, PerDestination: 3, PerKind: 12}, 4, 12},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *mfa.Config) { c.RateLimits = limits.sends })
			managers := []*mfa.Manager{r.Manager, r.another(), r.another()}
			var challenges []*mfa.Challenge
			for i := range limits.users {
				challenges = append(challenges, r.begin(person(i)))
			}
			var delivered atomic.Int32
			together(40*limits.users, func(i int) {
				_, err := managers[i%len(managers)].Session(person(i%limits.users), binding).
					Send(context.Background(), challenges[i%limits.users], "mail")
				var over *mfa.RateLimitError
				switch {
				case err == nil:
					delivered.Add(1)
				case !errors.As(err, &over):
					t.Errorf("got %v", err)
				}
			})
			require.LessOrEqual(t, int(delivered.Load()), limits.want)
			require.EqualValues(t, r.messages(), delivered.Load())
			// What a race refused in passing is there for the next, so the limit is reached.
			for i := range 40 * limits.users {
				ch := challenges[i%limits.users]
				if _, err := r.of(ch).Send(t.Context(), ch, "mail"); err == nil {
					delivered.Add(1)
				}
			}
			require.EqualValues(t, limits.want, delivered.Load())
		})
	}
}

// A user's allowance that a concurrent send uses up, between the look at it and the write, is
// found by the write; what was charged of the wider ones is then paid back.
func TestRateLimit_IsRefunded(t *testing.T) {
	r := newNuisanceRig(t)
	between := &momentStore{Store: r.store}
	r.cfg.Store = between
	slow := r.another()
	send := func(m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Send(context.Background(), r.ch, "mail")
		return err
	}
	for range 3 { // of six, two were used before
		require.NoError(t, send(r.Manager))
	}
	between.arm(true, 0, func() { require.NoError(t, send(r.Manager)) })
	var over *mfa.RateLimitError
	require.ErrorAs(t, send(slow), &over)
	sum := 0
	for range 100 {
		s := person(100)
		s.ID = fmt.Sprint("p", sum)
		if _, err := r.Session(s, binding).Send(t.Context(), r.begin(s), "mail"); err != nil {
			break
		}
		sum++
	}
	require.Equal(t, 20, sum, "of another destination")
	for i := range 100 {
		s := person(i)
		if _, err := r.Session(s, binding).Send(t.Context(), r.begin(s), "mail"); err != nil {
			break
		}
		sum++
	}
	require.Equal(t, 40-6, sum, "of the tenant: six messages were sent before")
}

// A send that is refused for another reason between the charge and the write is paid back
// too, and so is one whose caller leaves.
func TestRateLimit_IsRefundedWhateverRefuses(t *testing.T) {
	for name, meanwhile := range map[string]func(r *nuisanceRig, cancel func()){
		"the user was locked": func(r *nuisanceRig, _ func()) {
			for range 5 {
				_, _ = r.verify(r.ch, "mail", secret.New("000000"))
			}
		},
		"the challenge was answered": func(r *nuisanceRig, _ func()) {
			if _, err := r.verify(r.ch, "mail", r.mail.code(ann.Email)); err != nil {
				r.t.Error(err)
			}
		},
		"the caller left": func(_ *nuisanceRig, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newNuisanceRig(t)
			r.send(r.ch)
			between := &momentStore{Store: r.store}
			r.cfg.Store = between
			slow := r.another()
			before := r.counted()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			// The second read of the record is the one of the write, after the charges.
			between.arm(false, 1, func() { meanwhile(r, cancel) })
			_, err := slow.Session(ann, binding).Send(ctx, r.ch, "mail")
			require.Error(t, err)
			require.Equal(t, before, r.counted())
		})
	}
}

// counted is how much of each shared allowance is used.
func (r *nuisanceRig) counted() []int {
	var list []int
	for key, data := range r.shared() {
		plain, err := r.cfg.Keys.Open("budget", key, []byte(data))
		require.NoError(r.t, err)
		list = append(list, sends(r.t, plain))
	}
	slices.Sort(list)
	return list
}

// sends adds up the pairs of minute and count of an allowance.
func sends(t testing.TB, plain []byte) (n int) {
	t.Helper()
	var log []int
	require.NoError(t, cbor.Unmarshal(plain, &log))
	for i := 1; i < len(log); i += 2 {
		n += log[i]
	}
	return n
}
