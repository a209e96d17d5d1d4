package firstedition_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Every user's security page shows what it showed in the first edition.
func TestOverview_IsAsTheFirstEditionLeftIt(t *testing.T) {
	each(t, 0, func(t *testing.T, r *rig) {
		kinds := make(map[string]bool)
		for _, id := range slices.Sorted(maps.Keys(r.Users)) {
			was := r.Users[id]
			o, err := r.Overview(t.Context(), r.user(id))
			require.NoError(t, err, id)
			require.Len(t, o.Factors, len(was.Factors), id)
			for i, f := range o.Factors {
				w := was.Factors[i]
				require.Equal(t, []any{w.ID, w.Kind, w.Name, w.Hint, w.Implicit, w.Stopped},
					[]any{f.ID, f.Kind, f.Name, f.MaskedDestination, f.Implicit, f.Disabled}, id)
				require.Equal(t, []any{w.Created, w.LastUsed, w.CodesLeft},
					[]any{f.Created, f.LastUsed, f.Remaining}, id)
				require.Zero(t, f.HeldUntil, id)
				kinds[f.Kind] = true
			}
			require.Len(t, o.Devices, len(was.Devices), id)
			for i, d := range o.Devices {
				w := was.Devices[i]
				require.Equal(t, mfa.DeviceInfo{ID: w.ID, Name: w.Name, Created: w.Created,
					LastUsed: w.LastUsed, Expires: w.Expires}, d, id)
			}
			require.Equal(t, was.Locked, o.LockedUntil, id)
		}
		require.ElementsMatch(t, r.Kinds(), slices.Collect(maps.Keys(kinds)),
			"each factor has a user in the dump")
	})
}

// device is the authenticator that holds the first edition's passkey.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func (r *rig) device() *device {
	r.t.Helper()
	d := &device{rp: virtualwebauthn.RelyingParty{ID: "example.com", Name: "Acme",
		Origin: "https://www.example.com"}}
	require.NoError(r.t, json.Unmarshal([]byte(r.secret("ivy", "credential")), &d.cred))
	require.NoError(r.t, json.Unmarshal([]byte(r.secret("ivy", "authenticator")), &d.auth))
	return d
}

// get responds to request options as navigator.credentials.get does.
func (d *device) get(t *testing.T, options []byte) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	require.NoError(t, err)
	d.cred.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.cred, *o)
}

// way is how one user of the dump signs in.
type way struct {
	user, kind string
	// correct returns a correct response, and each time another one.
	correct func(ch *mfa.Challenge) string
	// incorrect returns one that is not correct.
	incorrect func() string
}

func (r *rig) ways() []way {
	r.t.Helper()
	app := func(id, secret string) way {
		return way{id, "totp", func(*mfa.Challenge) string { return r.code(r.secret(id, secret)) },
			func() string { return other(r.code(r.secret(id, secret))) }}
	}
	fixed := func(id, kind, incorrect string) way {
		return way{id, kind, func(*mfa.Challenge) string { return r.secret(id, kind) },
			func() string { return incorrect }}
	}
	sent := func(id, kind string, code func() string) way {
		return way{id, kind, func(ch *mfa.Challenge) string {
			_, err := r.session(id).Send(r.t.Context(), ch, kind)
			require.NoError(r.t, err)
			return code()
		}, nil}
	}
	mailed := func(to string) func() string {
		return func() string { code, _ := r.mail(to); return code }
	}
	texted := func() string {
		m, ok := r.texts.Last()
		require.True(r.t, ok)
		require.Equal(r.t, r.secret("dan", "number"), m.To)
		return sixDigits.FindString(m.Text)
	}
	d, unused := r.device(), r.Users["fay"].Unused
	return []way{
		app("ann", "totp"), app("tia", "totp"), app("tia", "totp2"), app("jon", "totp"),
		sent("bea", "email", mailed("bea@work.example")),
		sent("cas", "email", mailed("cas@example.com")),
		sent("dan", "sms", texted),
		fixed("eve", "pin", "846013"),
		{"fay", "recovery", func(*mfa.Challenge) (code string) {
			code, unused = unused[0], unused[1:]
			return code
		}, func() string { return "0000-0000-0000-0000" }},
		fixed("hal", "access", "0000-0000-0000-0000"),
		{"ivy", "passkey", func(ch *mfa.Challenge) string {
			del, err := r.session("ivy").Send(r.t.Context(), ch, "passkey")
			require.NoError(r.t, err)
			return d.get(r.t, del.Prompt.Data)
		}, nil},
	}
}

// A correct response signs in, days later, and an incorrect one counts. After what today's
// Manager wrote, another Manager reads the record, and the user signs in again.
func TestVerify_AcceptsEachFactorOfTheFirstEdition(t *testing.T) {
	each(t, 2*24*time.Hour, func(t *testing.T, r *rig) {
		for _, w := range r.ways() {
			s, u := r.session(w.user), r.user(w.user)
			before, err := r.Overview(t.Context(), u)
			require.NoError(t, err)
			for range 2 {
				if w.incorrect != nil {
					_, err := s.Verify(t.Context(), r.begin(s), w.kind, secret.New(w.incorrect()))
					var a *mfa.AttemptError
					require.ErrorAs(t, err, &a, "%s of %s", w.kind, w.user)
					require.ErrorIs(t, err, factor.ErrIncorrect)
					require.Equal(t, 4, a.Remaining)
				}
				ch := r.begin(s)
				v, err := s.Verify(t.Context(), ch, w.kind, secret.New(w.correct(ch)))
				require.NoError(t, err, "%s of %s", w.kind, w.user)
				require.Equal(t, []string{w.user, u.Tenant, u.UserType, w.kind, "sign-in"},
					[]string{v.UserID, v.Tenant, v.UserType, v.Kind, v.Purpose})
				r.sameBut(u, before, v.FactorID, v.Time)
				r.clock.Advance(31 * time.Second)
				r.restart()
			}
		}
	})
}

// sameBut requires that the user has what they had, and that one factor was used.
func (r *rig) sameBut(u mfa.User, before *mfa.Overview, factorID string, used time.Time) {
	r.t.Helper()
	now, err := r.Overview(r.t.Context(), u)
	require.NoError(r.t, err)
	require.Len(r.t, now.Factors, len(before.Factors))
	for i, f := range now.Factors {
		was := before.Factors[i]
		if f.ID == factorID {
			require.Equal(r.t, used, f.LastUsed)
			was.LastUsed = used
		}
		if f.Kind == "recovery" {
			was.Remaining = f.Remaining
		}
		if before.Factors[i].ID != factorID {
			was.LastUsed = f.LastUsed // by the round before
		}
		require.Equal(r.t, was, f)
	}
}

// A time step that the first edition accepted is refused, and so are earlier ones.
func TestVerify_RefusesATimeStepThatTheFirstEditionAccepted(t *testing.T) {
	each(t, 0, func(t *testing.T, r *rig) {
		for _, back := range []time.Duration{0, 30 * time.Second} {
			r.clock.Set(r.Users["ann"].At) // the code is that of now, or of the step before
			used := r.code(r.secret("ann", "totp"))
			require.Equal(t, r.Users["ann"].Used[0], used)
			r.clock.Advance(-back)
			used = r.code(r.secret("ann", "totp"))
			r.clock.Advance(back + time.Second)
			_, err := r.verify("ann", "totp", used)
			require.ErrorIs(t, err, factor.ErrReplayed)
		}
		r.clock.Advance(30 * time.Second)
		_, err := r.verify("ann", "totp", r.code(r.secret("ann", "totp")))
		require.NoError(t, err)
	})
}

// Recovery codes that were used stay used, and each of the others signs in once.
func TestVerify_KnowsWhichRecoveryCodesWereUsed(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		fay := r.Users["fay"]
		require.Len(t, fay.Used, 2)
		require.Len(t, fay.Unused, 8)
		for i, code := range fay.Unused {
			if i < len(fay.Used) {
				_, err := r.verify("fay", "recovery", fay.Used[i])
				require.ErrorIs(t, err, factor.ErrReplayed)
			}
			v, err := r.verify("fay", "recovery", code)
			require.NoError(t, err)
			require.Equal(t, len(fay.Unused)-i-1, v.RecoveryCodesRemaining)
			_, err = r.verify("fay", "recovery", code)
			require.Error(t, err)
		}
	})
}

// An access code for one use is accepted once, and none after it expires.
func TestVerify_HoldsAccessCodesToTheirBounds(t *testing.T) {
	each(t, 6*24*time.Hour, func(t *testing.T, r *rig) {
		_, err := r.verify("hope", "access", r.secret("hope", "access"))
		require.NoError(t, err)
		_, err = r.verify("hope", "access", r.secret("hope", "access"))
		require.Error(t, err)
		_, err = r.verify("hal", "access", r.secret("hal", "access"))
		require.NoError(t, err)
		r.clock.Advance(24 * time.Hour)
		_, err = r.verify("hal", "access", r.secret("hal", "access"))
		require.Error(t, err)
	})
}

// Security questions respond to a recovery link, with the texts that the user chose.
func TestOpenRecoveryLink_AsksTheFirstEditionsQuestions(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		u := r.user("gil")
		u.EmailVerified = true
		s := r.Session(u, session)
		_, err := s.SendRecoveryLink(t.Context(), r.begin(s))
		require.NoError(t, err)
		_, link := r.mail("gil@example.com")
		ch, err := s.OpenRecoveryLink(t.Context(), secret.New(link))
		require.NoError(t, err)
		require.Equal(t, mfa.NextVerify, ch.Next)
		i := slices.IndexFunc(ch.Options, func(o mfa.Option) bool { return o.Kind == "questions" })
		require.GreaterOrEqual(t, i, 0)
		require.Equal(t, []string{"First teacher?", "Street you grew up in?", "Best concert?"},
			ch.Options[i].Questions)
		incorrect := secret.New("Nobody\nNowhere\nNothing")
		_, err = s.Recovery().Verify(t.Context(), ch, "questions", incorrect)
		require.ErrorIs(t, err, factor.ErrIncorrect)
		correct := secret.New(r.secret("gil", "answers"))
		v, err := s.Recovery().Verify(t.Context(), ch, "questions", correct)
		require.NoError(t, err)
		require.NotEmpty(t, v.EnrollKinds)
	})
}

// The claim of a passkey holds: it signs its user in without a password.
func TestPasswordless_FindsTheUserOfAPasskey(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		d := r.device()
		p := r.Passwordless("another session")
		ch, err := p.Begin(t.Context(), "passkey")
		require.NoError(t, err)
		v, err := p.Verify(t.Context(), ch, secret.New(d.get(t, ch.Prompt.Data)), r.lookUp)
		require.NoError(t, err)
		require.Equal(t, "ivy", v.UserID)
		require.True(t, v.Passwordless)

		d.cred.Counter -= 2 // a copy of the authenticator is behind
		ch, err = p.Begin(t.Context(), "passkey")
		require.NoError(t, err)
		_, err = p.Verify(t.Context(), ch, secret.New(d.get(t, ch.Prompt.Data)), r.lookUp)
		require.ErrorIs(t, err, factor.ErrReplayed)
	})
}
