package mfa_test

import (
	"fmt"
	"testing"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/stretchr/testify/require"
)

// A store that fails at any access never lets a message through that was not paid for, and
// never lets more through than any limit.
func TestRateLimit_OverAStoreThatFails(t *testing.T) {
	for _, op := range []mfatest.Op{mfatest.OpGet, mfatest.OpSwap, mfatest.OpDelete} {
		for _, fault := range []mfatest.Fault{{Before: errDisk}, {After: errDisk}} {
			if op == mfatest.OpGet && fault.After != nil {
				continue
			}
			for i := range 18 {
				skip, limits := i/3, []mfa.RateLimits{ // each alone is what bounds
					{PerUser: 4, PerDestination: 40, PerKind: 40},
					{PerUser: 40, PerDestination: 4, PerKind: 40},
					{PerUser: 40, PerDestination: 40, PerKind: 4}}[i%3]
				t.Run(fmt.Sprint(op, fault, skip, limits), func(t *testing.T) {
					r := newRig(t, func(c *mfa.Config) { c.RateLimits = limits })
					ch := r.begin(ann)
					send := func() error {
						_, err := r.of(ch).Send(t.Context(), ch, "mail")
						return err
					}
					require.NoError(t, send())
					if skip > 0 {
						r.store.Inject(op, skip, mfatest.Fault{})
					}
					r.store.Inject(op, 1, fault)
					before := r.messages()
					if err := send(); err == nil {
						require.Equal(t, before+1, r.messages())
					} else {
						require.ErrorIs(t, err, mfa.ErrUnavailable)
						require.Equal(t, before, r.messages(),
							"an error before the delivery delivers nothing")
					}
					r.store.Heal()
					for range 8 {
						_ = send()
					}
					require.LessOrEqual(t, r.messages(), 4)
					require.GreaterOrEqual(t, r.messages(), 3, "one may be lost, and no more")
				})
			}
		}
	}
}
