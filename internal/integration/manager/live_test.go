package manager_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// Users sign in while all records are re-encrypted, again and again, and replies to batches are
// lost. Of two who have the same code one gets in, and what is written of it stays: afterwards the
// code is used, and nobody needs the key that was taken away.
func TestReencrypt_BesideSignIns(t *testing.T) {
	const users = 24
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			open := place.start(t)(t)
			c := newCrowd(t, open(), users)
			second := seal.GenerateKey()
			old, err := seal.NewKeyring(c.key, second)
			require.NoError(t, err)
			c.keys = old
			signIn := []*mfa.Manager{c.manager(open()), c.manager(open())}
			c.keys, err = seal.NewKeyring(second, c.key)
			require.NoError(t, err)
			faulty := mfatest.NewFaultyStore(open())
			walks := c.manager(faulty)

			for range 2 * rounds() {
				c.clock.Advance(time.Minute)
				codes := make([]secret.Text, users)
				for i := range codes {
					codes[i] = c.code(i)
				}
				stop, walked := make(chan struct{}), make(chan error, 1)
				go func() { walked <- walkUntil(t.Context(), stop, walks, faulty) }()
				accepted := make([]atomic.Int32, users)
				together(2*users, func(i int) {
					user, m := i/2, signIn[i%2]
					s := m.Session(c.users[user], binding)
					ch, err := s.Begin(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := s.Verify(t.Context(), ch, "totp", codes[user]); err == nil {
						accepted[user].Add(1)
					} else if errors.Is(err, mfa.ErrUnavailable) {
						t.Error(err)
					}
				})
				close(stop)
				require.NoError(t, <-walked)
				for i := range accepted {
					require.EqualValues(t, 1, accepted[i].Load(), "user %d", i)
				}
				replayed(t, signIn[0], c, codes)
			}
			for p, err := range walks.Reencrypt(t.Context(), "") {
				require.NoError(t, err)
				require.Empty(t, p.Unreadable)
			}
			c.keys, err = seal.NewKeyring(second)
			require.NoError(t, err)
			c.clock.Advance(time.Minute)
			c.m = c.manager(open())
			c.round(t, 4)
		})
	}
}

// walkUntil re-encrypts all records until it is stopped, once at least. The reply to one write of
// each walk is lost, and the walk is taken up again where it was.
func walkUntil(
	ctx context.Context, stop chan struct{}, m *mfa.Manager, store *mfatest.FaultyStore,
) error {
	lost, cursor := errors.New("the reply is lost"), ""
	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: lost})
	defer store.Heal()
	for {
		for p, err := range m.Reencrypt(ctx, cursor) {
			if err != nil && !errors.Is(err, lost) {
				return err
			}
			cursor = p.Cursor
		}
		select {
		case <-stop:
			return nil
		default:
		}
		if cursor == "" && store.Pending() == 0 {
			store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: lost})
		}
	}
}

// replayed uses each code once more, which must not be accepted.
func replayed(t *testing.T, m *mfa.Manager, c *crowd, codes []secret.Text) {
	t.Helper()
	for i, u := range c.users {
		s := m.Session(u, binding)
		ch, err := s.Begin(t.Context())
		require.NoError(t, err)
		_, err = s.Verify(t.Context(), ch, "totp", codes[i])
		require.Error(t, err, "the code of user %d is accepted again", i)
	}
}
