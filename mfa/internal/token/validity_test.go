package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

const ttl = 10 * time.Minute

func TestClaimsExpired_AtTheMillisecond(t *testing.T) {
	c := claims(token.PurposeSignIn)
	end := start.Add(ttl)
	for at, want := range map[time.Time]bool{
		start.Add(-time.Hour):      false, // a clock that was set back
		start:                      false,
		end.Add(-time.Millisecond): false,
		end.Add(-1):                false, // the last millisecond has begun
		end:                        true,
		end.Add(time.Millisecond):  true,
	} {
		require.Equal(t, want, c.Expired(at, ttl), "%s", at)
		err := c.Answerable(epochRecord(c.Epoch), at, ttl)
		require.Equal(t, want, err != nil, "%s", at)
		if want {
			require.ErrorIs(t, err, token.ErrExpired)
		}
	}
}

// epochRecord is a record that was written before and has an epoch.
func epochRecord(epoch []byte) *record.Record {
	r := record.New()
	r.Fresh, r.Born = false, start.Add(-time.Hour).UnixMilli()
	copy(r.Epoch[:], epoch)
	return r
}

// A token is for the record that it was made for: another epoch, a reset and a deletion end it,
// and a record that is missing is an error.
func TestClaims_AreForOneRecord(t *testing.T) {
	tombstone := func(id string, after time.Duration) *record.Tombstone {
		return &record.Tombstone{ID: [8]byte([]byte(id)), Time: start.Add(after).UnixMilli()}
	}
	fresh := func(born int64, ts *record.Tombstone) *record.Record {
		r := record.New()
		r.Born, r.Tombstone = born, ts
		return r
	}
	before := tombstone("12345678", -time.Millisecond)
	after := tombstone("12345678", time.Millisecond)
	under := record.BornUnder([]byte("12345678"))
	bornLater := epochRecord([]byte("another!"))
	bornLater.Born = start.UnixMilli()
	for _, c := range []struct {
		name  string
		epoch string
		r     *record.Record
		want  error
	}{
		{"the same epoch", "12345678", epochRecord([]byte("12345678")), nil},
		{"another epoch", "12345678", epochRecord([]byte("12345679")), token.ErrExpired},
		{"another epoch, and a later record", "12345678", bornLater, token.ErrExpired},
		{"a record born under the tombstone", "12345678", epochRecord(under[:]), nil},
		{"no epoch, and an older record", "", epochRecord([]byte("another!")), token.ErrExpired},
		{"no epoch, and a record of its own use", "", bornLater, nil},
		{"no epoch and no record", "", fresh(0, nil), nil},
		{"no epoch, deleted before", "", fresh(0, before), nil},
		{"no epoch, deleted in the same millisecond", "", fresh(0, tombstone("12345678", 0)),
			token.ErrExpired},
		{"no epoch, soon after a deletion", "", fresh(-1, nil), token.ErrExpired},
		{"the record is missing", "12345678", fresh(0, nil), token.ErrRecordMissing},
		{"the tombstone's own", "12345678", fresh(-1, before), nil},
		{"deleted since", "87654321", fresh(-1, after), token.ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := claims(token.PurposeSignIn)
			of.Epoch = []byte(c.epoch)
			err := of.SameRecord(c.r)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
}

// A used challenge is refused, and so is a linked one whose recovery has ended.
func TestClaimsAnswerable_OnceAndWhileItsRecoveryLasts(t *testing.T) {
	c := claims(token.PurposeSignIn)
	r := epochRecord(c.Epoch)
	require.NoError(t, c.Answerable(r, start, ttl))
	r.Use(c.ID, c.Issued)
	require.ErrorIs(t, c.Answerable(r, start, ttl), token.ErrExpired, "used")

	r = epochRecord(c.Epoch)
	c.Linked = true
	require.ErrorIs(t, c.Answerable(r, start, ttl), token.ErrExpired, "no recovery")
	r.Recovery = &record.Recovery{ID: [16]byte{9}}
	require.ErrorIs(t, c.Answerable(r, start, ttl), token.ErrExpired, "a later link")
	r.Recovery.ID = c.ID
	require.NoError(t, c.Answerable(r, start, ttl))
}
