package firstedition_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// lookUp returns the user whom a passkey names.
func (r *rig) lookUp(_ context.Context, named mfa.User) (mfa.User, error) {
	return r.user(named.ID), nil
}

// rotate puts another key first, and re-encrypts all records with it.
func (r *rig) rotate() {
	r.t.Helper()
	keys, err := seal.NewKeyring(bytes.Repeat([]byte{0xa5}, seal.KeyLen), r.Key)
	require.NoError(r.t, err)
	r.cfg.Keys = keys
	r.restart()
	r.reencrypt()
}

func (r *rig) reencrypt() (last report.Progress) {
	r.t.Helper()
	for p, err := range r.Reencrypt(r.t.Context(), "") {
		require.NoError(r.t, err)
		require.Empty(r.t, p.Unreadable)
		last = p
	}
	return last
}

func (r *rig) entries() []storage.Entry {
	r.t.Helper()
	page, next, err := r.store.List(r.t.Context(), "", "", 1000)
	require.NoError(r.t, err)
	require.Empty(r.t, next)
	return page
}

// Reencrypt reads every record that the first edition's package mfa wrote, of every sort, and
// leaves none that needs the first edition's key.
func TestReencrypt_ReadsEveryRecord(t *testing.T) {
	for _, after := range []time.Duration{0, 48 * time.Hour} {
		r := newRig(t, after)
		keys, err := seal.NewKeyring(bytes.Repeat([]byte{0xa5}, seal.KeyLen), r.Key)
		require.NoError(t, err)
		r.cfg.Keys = keys
		r.restart()
		sorts := make(map[byte]int)
		of := 0
		for _, e := range r.Entries {
			if e.Key[1] == '/' { // package password's are its own to re-encrypt
				sorts[e.Key[0]]++
				of++
			}
		}
		for _, sort := range "bipst" {
			require.NotZero(t, sorts[byte(sort)], string(sort))
		}
		p := r.reencrypt()
		require.Equal(t, of, p.Records)
		require.Equal(t, of, p.Reencrypted+p.Removed)
		if after == 0 {
			require.NotZero(t, p.Removed, "rate limits of an hour that has passed")
			require.Less(t, p.Removed, sorts['b'], "and of this hour")
		} else {
			require.Equal(t, sorts['b'], p.Removed)
		}
		for _, e := range r.entries() {
			if e.Key[1] == '/' {
				require.True(t, keys.Primary(e.Record.Data), e.Key)
			}
		}
		require.Zero(t, r.reencrypt().Reencrypted)

		// Without the first edition's key everything is as it was.
		r.cfg.Keys, err = seal.NewKeyring(bytes.Repeat([]byte{0xa5}, seal.KeyLen))
		require.NoError(t, err)
		r.restart()
		s, err := r.Admin(mfa.System("report"), "").Report(t.Context())
		require.NoError(t, err)
		require.Zero(t, s.Unreadable)
		_, err = r.verify("ann", "totp", r.code(r.secret("ann", "totp")))
		require.NoError(t, err)
	}
}

// Report counts the first edition's users.
func TestReport_CountsTheFirstEditionsUsers(t *testing.T) {
	each(t, time.Hour, func(t *testing.T, r *rig) {
		s, err := r.Admin(mfa.System("report"), "").Report(t.Context())
		require.NoError(t, err)
		require.Zero(t, s.Unreadable)
		records := 0
		for _, e := range r.Entries {
			if e.Key[0] == 'p' && e.Key[1] == '/' {
				records++
			}
		}
		users, disabled, types := 0, 0, make(map[string]int)
		for _, g := range s.Groups {
			users += g.Users
			types[g.Tenant+"/"+g.UserType] = g.Users
			disabled += g.Disabled
		}
		require.Equal(t, records, users)
		require.Equal(t, 2, disabled, "max and mia")
		require.Equal(t, map[string]int{"/": records - 6, "/mailed": 4, "acme/staff": 2}, types)
	})
}
