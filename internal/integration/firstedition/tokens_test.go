package firstedition_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// A link that the first edition mailed verifies the address of record, until it expires.
func TestConfirmLink_AcceptsALinkOfTheFirstEdition(t *testing.T) {
	each(t, 12*time.Hour, func(t *testing.T, r *rig) {
		link := secret.New(r.secret("cyd", "link"))
		c, err := r.ConfirmLink(t.Context(), link)
		require.NoError(t, err)
		require.Equal(t, "cyd", c.UserID)
		ch := r.begin(r.session("cyd"))
		require.Equal(t, "email", ch.Options[0].Kind)
		_, err = r.ConfirmLink(t.Context(), link)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		_, err := r.ConfirmLink(t.Context(), secret.New(r.secret("cyd", "link")))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
}

// A recovery link that the first edition mailed recovers, once and within its hour.
func TestOpenRecoveryLink_AcceptsALinkOfTheFirstEdition(t *testing.T) {
	each(t, 30*time.Minute, func(t *testing.T, r *rig) {
		link := secret.New(r.secret("rae", "link"))
		s := r.session("rae")
		ch, err := s.OpenRecoveryLink(t.Context(), link)
		require.NoError(t, err)
		_, err = s.OpenRecoveryLink(t.Context(), link)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
		code := secret.New(r.Users["rae"].Unused[0])
		v, err := s.Recovery().Verify(t.Context(), ch, "recovery", code)
		require.NoError(t, err)
		e, err := s.Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "totp"})
		require.NoError(t, err)
		_, err = s.Confirm(t.Context(), e, secret.New(r.code(e.Prompt.Secret.Reveal())))
		require.NoError(t, err)
	})
	each(t, time.Hour, func(t *testing.T, r *rig) {
		link := secret.New(r.secret("rae", "link"))
		_, err := r.session("rae").OpenRecoveryLink(t.Context(), link)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
}

// A pending enrolment and a sent code end with the minutes that they were valid for. The record
// is valid: what waits in it is superseded by what today's Manager begins, and nothing of it signs
// in later.
func TestEnroll_TakesThePlaceOfWhatWasPending(t *testing.T) {
	each(t, time.Minute, func(t *testing.T, r *rig) {
		s := r.session("nia")
		v, err := s.Verify(t.Context(), r.begin(s), "totp",
			secret.New(r.code(r.secret("nia", "totp"))))
		require.NoError(t, err)
		address := map[string]secret.Text{"address": secret.New(r.secret("nia", "address"))}
		e, err := s.Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "email", Params: address})
		require.NoError(t, err)
		_, err = s.Confirm(t.Context(), e, secret.New(r.secret("nia", "code")))
		require.Error(t, err, "the first edition's code")
		code, _ := r.mail("nia@work.example")
		_, err = s.Confirm(t.Context(), e, secret.New(code))
		require.NoError(t, err)

		s = r.session("uma")
		ch, err := s.Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, mfa.NextEnroll, ch.Next)
		params := map[string]secret.Text{"secret": secret.New(r.secret("uma", "totp"))}
		e, err = s.Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "totp", Params: params})
		require.NoError(t, err)
		c, err := s.Confirm(t.Context(), e, secret.New(r.code(r.secret("uma", "totp"))))
		require.NoError(t, err)
		require.NotNil(t, c.Verification)
	})
}

// A challenge that was begun before the change, and the code that was sent for it, are responded
// to after it, once.
func TestVerify_AcceptsAChallengeOfTheFirstEdition(t *testing.T) {
	each(t, 30*time.Second, func(t *testing.T, r *rig) {
		s, code := r.session("pat"), secret.New(r.secret("pat", "code"))
		ch := &mfa.Challenge{}
		require.NoError(t, ch.UnmarshalText([]byte(r.secret("pat", "challenge"))))
		_, err := s.StepUp().Verify(t.Context(), ch, "email", code)
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.Session(r.user("pat"), "another").Verify(t.Context(), ch, "email", code)
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.Session(r.user("ann"), session).Verify(t.Context(), ch, "email", code)
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = s.Verify(t.Context(), ch, "email", code)
		require.NoError(t, err)
		_, err = s.Verify(t.Context(), ch, "email", code)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
}

// A grant of the first edition does not say what was proven, and permits nothing.
func TestGrant_OfTheFirstEditionPermitsNothing(t *testing.T) {
	each(t, 10*time.Second, func(t *testing.T, r *rig) {
		for _, id := range []string{"nia", "uma"} {
			var g mfa.Grant
			require.NoError(t, g.UnmarshalText([]byte(r.secret(id, "grant"))))
			s := r.session(id)
			_, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "totp"})
			require.ErrorIs(t, err, mfa.ErrTokenExpired, id)
			require.ErrorIs(t, s.Check(t.Context(), g), mfa.ErrTokenExpired, id)
			_, err = s.NewRecoveryCodes(t.Context(), g)
			require.ErrorIs(t, err, mfa.ErrTokenExpired, id)
			for _, f := range r.Users[id].Factors {
				require.ErrorIs(t, s.Remove(t.Context(), g, f.ID), mfa.ErrTokenExpired)
			}
		}
	})
}

// A challenge that was responded to before the change is not responded to after it, also where the
// record has forgotten it because there were too many.
func TestVerify_RefusesAUsedChallengeOfTheFirstEdition(t *testing.T) {
	each(t, 0, func(t *testing.T, r *rig) {
		enrolled := r.Users["una"].Factors[0].Created // before the first one was begun
		require.Less(t, r.clock.Now().Sub(enrolled), 15*time.Minute, "no challenge has expired")
		for _, which := range []string{"first challenge", "last challenge"} {
			ch := &mfa.Challenge{}
			require.NoError(t, ch.UnmarshalText([]byte(r.secret("una", which))))
			s, code := r.session("una"), secret.New(r.code(r.secret("una", "totp")))
			_, err := s.Verify(t.Context(), ch, "totp", code)
			require.ErrorIs(t, err, mfa.ErrTokenExpired)
		}
		_, err := r.verify("una", "totp", r.code(r.secret("una", "totp")))
		require.NoError(t, err)
	})
}

// What the first edition sent within the hour counts against the rate limits, of the user and of
// the destination.
func TestSend_CountsWhatTheFirstEditionSent(t *testing.T) {
	var limited *mfa.RateLimitError
	each(t, time.Minute, func(t *testing.T, r *rig) {
		r.cfg.RateLimits.PerUser = 2
		r.restart()
		s := r.session("pat")
		_, err := s.Send(t.Context(), r.begin(s), "email")
		require.ErrorAs(t, err, &limited)
		r.clock.Advance(time.Hour)
		_, err = s.Send(t.Context(), r.begin(s), "email")
		require.NoError(t, err)
	})
	// The names of these records change with the primary key, so only the same key finds them.
	r := newRig(t, time.Minute)
	r.cfg.RateLimits.PerDestination = 1
	r.restart()
	s, g := r.manage("ann")
	address := map[string]secret.Text{"address": secret.New(r.secret("nia", "address"))}
	_, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "email", Params: address})
	require.ErrorAs(t, err, &limited)
	address["address"] = secret.New("ann@work.example")
	_, err = s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "email", Params: address})
	require.NoError(t, err)
}

// A challenge from before there was a record is valid for the record that its own use made, and not
// for one that an administrator reset since.
func TestVerify_KnowsTheRecordThatAChallengeMade(t *testing.T) {
	each(t, 20*time.Second, func(t *testing.T, r *rig) {
		verify := func(id string) error {
			ch := &mfa.Challenge{}
			require.NoError(t, ch.UnmarshalText([]byte(r.secret(id, "challenge"))))
			code := secret.New(r.secret(id, "code"))
			_, err := r.session(id).Verify(t.Context(), ch, "email", code)
			return err
		}
		require.NoError(t, verify("pia"))
		require.ErrorIs(t, verify("pip"), mfa.ErrTokenExpired)
	})
}
