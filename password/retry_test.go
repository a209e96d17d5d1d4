package password_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// away is a mail server that is away for the next few mails.
type away struct {
	email.Sender
	left int
}

func (s *away) Send(ctx context.Context, m email.Message) error {
	if s.left > 0 {
		s.left--
		return errors.New("away")
	}
	return s.Sender.Send(ctx, m)
}

// Work that is run again mails the link that it made: another for each try would use up the
// account's places, and then nothing would be mailed at all.
func TestLink_RetriesMakeOne(t *testing.T) {
	s := &away{left: 7}
	r := newRig(t, func(c *password.Config) { s.Sender, c.Sender = c.Sender, s })
	require.NoError(t, r.forgot("olivia@acme.example"))
	for range 7 {
		require.Error(t, r.later[0](t.Context()))
	}
	require.NoError(t, r.later[0](t.Context()))
	require.Len(t, r.mails.All(), 1)
	require.NoError(t, r.later[0](t.Context()))
	require.Len(t, r.mails.All(), 1, "mailed again")

	// One that has become void meanwhile is not mailed.
	s.left = 1
	require.NoError(t, r.forgot("olivia@acme.example"))
	require.Error(t, r.later[1](t.Context()))
	r.clock.Advance(time.Hour)
	require.NoError(t, r.later[1](t.Context()))
	m, _ := r.mails.Last()
	_, err := r.CheckLink(t.Context(), token(t, m))
	require.NoError(t, err)
}

// Links that a change has made void take no places from those that are asked for after it.
func TestLink_VoidOnesDoNotCount(t *testing.T) {
	for name, change := range map[string]func(r *rig){
		"address": func(r *rig) {
			r.people.change("acme/1", func(a *password.Account) { a.Email = "new@acme.example" })
		},
		"password": func(r *rig) {
			r.people.change("acme/1", func(a *password.Account) {
				a.Hash = secret.New(a.Hash.Reveal() + "x")
				a.Email = "new@acme.example"
			})
		},
	} {
		r := newRig(t, nil)
		for range 5 {
			r.link("olivia@acme.example")
		}
		before := len(r.mails.All())
		change(r)
		require.NoError(t, r.forgot("new@acme.example"), name)
		require.NoError(t, r.work())
		require.Len(t, r.mails.All(), before+1, name)
	}
}

// As long as a rate limit keeps a user from asking, there are valid links in their mailbox.
func TestForgot_RateLimitsEndWithTheLinks(t *testing.T) {
	for _, ttl := range []time.Duration{5 * time.Minute, 30 * time.Minute} {
		r := newRig(t, func(c *password.Config) { c.TTL = ttl })
		var last secret.Text
		for range 5 {
			last = r.link("olivia@acme.example")
		}
		r.clock.Advance(ttl - time.Minute)
		require.Error(t, r.forgot("olivia@acme.example"))
		_, err := r.CheckLink(t.Context(), last)
		require.NoError(t, err)
		r.clock.Advance(time.Minute)
		require.NoError(t, r.forgot("olivia@acme.example"))
	}
}
