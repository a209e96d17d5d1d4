package mfa_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// challengeCalls are all calls that take a challenge of NextVerify.
var challengeCalls = map[string]func(context.Context, mfa.Session, *mfa.Challenge) error{
	"RestoreChallenge": func(_ context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return s.RestoreChallenge(ch)
	},
	"Send": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return second(s.Send(ctx, ch, "mail"))
	},
	"SendTo": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return second(s.SendTo(ctx, ch, mfa.Option{Kind: "mail"}))
	},
	"SendFirst": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return second(s.SendFirst(ctx, ch, mfa.Option{Kind: "mail"}))
	},
	"Verify": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return second(s.Verify(ctx, ch, "app", secret.New("word")))
	},
	"UnlockByProof": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return second(s.UnlockByProof(ctx, ch, "app", secret.New("word")))
	},
	"Cancel": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return s.Cancel(ctx, ch)
	},
	"SendRecoveryLink": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return second(s.SendRecoveryLink(ctx, ch))
	},
	"Postpone": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return s.Postpone(ctx, ch)
	},
	"RequestSupport": func(ctx context.Context, s mfa.Session, ch *mfa.Challenge) error {
		return s.RequestSupport(ctx, ch, report.Case{})
	},
}

// enrollmentCalls are all calls that take an enrolment.
var enrollmentCalls = map[string]func(context.Context, mfa.Session, *mfa.Enrollment) error{
	"RestoreEnrollment": func(_ context.Context, s mfa.Session, e *mfa.Enrollment) error {
		return s.RestoreEnrollment(e)
	},
	"Resend": func(ctx context.Context, s mfa.Session, e *mfa.Enrollment) error {
		return second(s.Resend(ctx, e))
	},
	"SendElsewhere": func(ctx context.Context, s mfa.Session, e *mfa.Enrollment) error {
		return second(s.SendElsewhere(ctx, e))
	},
	"ConfirmAddress": func(ctx context.Context, s mfa.Session, e *mfa.Enrollment) error {
		return second(s.ConfirmAddress(ctx, e, secret.New("rose"), stored))
	},
	"Confirm": func(ctx context.Context, s mfa.Session, e *mfa.Enrollment) error {
		return second(s.Confirm(ctx, e, secret.New("rose")))
	},
}

// grantCalls are all calls that take a grant.
var grantCalls = map[string]func(context.Context, mfa.Session, mfa.Grant) error{
	"Enroll": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return second(s.Enroll(ctx, g, mfa.EnrollRequest{Kind: "mail",
			Params: map[string]secret.Text{"address": secret.New("x@example.com")}}))
	},
	"NewRecoveryCodes": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return second(s.NewRecoveryCodes(ctx, g))
	},
	"Remove": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return s.Remove(ctx, g, "one")
	},
	"Rename": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return s.Rename(ctx, g, mfa.FactorInfo{ID: "one", Name: "x"})
	},
	"Prefer": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return s.Prefer(ctx, g, "app")
	},
	"UseImplied": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return s.UseImplied(ctx, g, true)
	},
	"ChangeAddress": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return second(s.ChangeAddress(ctx, g, secret.New("x@example.com")))
	},
	"ForgetDevice": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return s.ForgetDevice(ctx, g, "")
	},
	"Check": func(ctx context.Context, s mfa.Session, g mfa.Grant) error {
		return s.Check(ctx, g)
	},
}

// The lists above are complete: every method of a Session that takes one is in them, but
// CheckPasswordChange, which asks for no grant of a user without factors.
func TestKept_EveryCallIsListed(t *testing.T) {
	for i := range reflect.TypeFor[mfa.Session]().NumMethod() {
		m := reflect.TypeFor[mfa.Session]().Method(i)
		for j := range m.Type.NumIn() {
			listed := true
			switch m.Type.In(j) {
			case reflect.TypeFor[*mfa.Challenge]():
				listed = challengeCalls[m.Name] != nil
			case reflect.TypeFor[*mfa.Enrollment]():
				listed = enrollmentCalls[m.Name] != nil
			case reflect.TypeFor[mfa.Grant]():
				listed = grantCalls[m.Name] != nil || m.Name == "Actor" ||
					m.Name == "CheckPasswordChange"
			}
			require.True(t, listed, m.Name)
		}
	}
}

// issued is one of each, made for ann in the session of most tests.
type issued struct {
	challenge  *mfa.Challenge
	enrollment *mfa.Enrollment
	grant      mfa.Grant
}

func (r *rig) issued() issued {
	r.t.Helper()
	g := r.withApp(ann, "word").Grant
	e, err := r.begun(g, "mail", "home@example.com")
	require.NoError(r.t, err)
	return issued{r.begin(ann), e, g}
}

// stored is the same as another process reads it.
func (i issued) stored(t *testing.T) issued {
	t.Helper()
	return issued{challengeOf(textOf(t, i.challenge)), enrollmentOf(textOf(t, i.enrollment)),
		grantOf(textOf(t, i.grant))}
}

// Whatever is wrong with where something is presented, it is ErrToken, stored or not.
func TestKept_IsForOneUserSessionAndPurpose(t *testing.T) {
	r := newRig(t)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r.cfg.Keys, keys = keys, r.cfg.Keys
	stranger := r.another()
	r.cfg.Keys = keys
	fresh := r.issued()
	tenant := ann
	tenant.Tenant = "other"
	for name, s := range map[string]mfa.Session{
		"another key":           stranger.Session(ann, binding),
		"another user":          r.Session(person(1), binding),
		"another tenant's user": r.Session(tenant, binding),
		"another session":       r.Session(ann, "session-2"),
	} {
		for state, i := range map[string]issued{"fresh": fresh, "stored": fresh.stored(t)} {
			before := dump(t, r.store)
			for call, do := range challengeCalls {
				require.ErrorIs(t, do(t.Context(), s, i.challenge), mfa.ErrToken,
					"%s %s in %s", state, name, call)
			}
			for call, do := range enrollmentCalls {
				require.ErrorIs(t, do(t.Context(), s, i.enrollment), mfa.ErrToken,
					"%s %s in %s", state, name, call)
			}
			for call, do := range grantCalls {
				require.ErrorIs(t, do(t.Context(), s, i.grant), mfa.ErrToken,
					"%s %s in %s", state, name, call)
			}
			require.Equal(t, before, dump(t, r.store))
		}
	}
	for _, purpose := range []string{"step-up", "manage", "replace"} {
		s := withPurpose(r.Session(ann, binding), purpose)
		for _, ch := range []*mfa.Challenge{fresh.challenge, fresh.stored(t).challenge} {
			for call, do := range challengeCalls {
				require.ErrorIs(t, do(t.Context(), s, ch), mfa.ErrToken, "%s in %s", purpose, call)
			}
		}
	}
}

// So is a NextEnroll challenge of another purpose, and one of them with which one responds.
func TestKept_MustEnrollIsNoChallengeToRespondTo(t *testing.T) {
	r := newRig(t)
	ch := r.begin(bea)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	stored := challengeOf(textOf(t, ch))
	require.ErrorIs(t, r.Session(bea, binding).StepUp().RestoreChallenge(stored), mfa.ErrToken)
	require.ErrorIs(t, r.Session(ann, binding).RestoreChallenge(stored), mfa.ErrToken)
	for call, do := range challengeCalls {
		if call != "RestoreChallenge" && call != "Postpone" {
			require.ErrorIs(t, do(t.Context(), r.Session(bea, binding), stored), mfa.ErrToken, call)
			require.ErrorIs(t, do(t.Context(), r.Session(bea, binding), ch), mfa.ErrToken, call)
		}
	}
	require.NoError(t, r.Session(bea, binding).RestoreChallenge(stored))
	require.Equal(t, ch.Kinds, stored.Kinds)
}

// A text with another character anywhere, one less or one more, is ErrToken, and so is a text
// of one thing that is read as another.
func TestKept_AlteredIsRefused(t *testing.T) {
	r := newRig(t)
	i := r.issued()
	s := r.Session(ann, binding)
	for _, v := range []secret.Text{textOf(t, i.challenge), textOf(t, i.enrollment),
		textOf(t, i.grant)} {
		text := v.Reveal()
		altered := []string{text[1:], text[:len(text)-1], text + "A", text + text, "A" + text,
			text + "\n", text[:9] + "\r\n" + text[9:], text + "=", " " + text}
		for at := range text {
			other := "A"
			if text[at] == 'A' {
				other = "B"
			}
			altered = append(altered, text[:at]+other+text[at+1:])
		}
		for _, bad := range altered {
			bad := secret.New(bad)
			require.ErrorIs(t, s.RestoreChallenge(challengeOf(bad)), mfa.ErrToken)
			require.ErrorIs(t, s.RestoreEnrollment(enrollmentOf(bad)), mfa.ErrToken)
			require.ErrorIs(t, s.Check(t.Context(), grantOf(bad)), mfa.ErrToken)
		}
	}
	for _, other := range []secret.Text{textOf(t, i.enrollment), textOf(t, i.grant)} {
		require.ErrorIs(t, s.RestoreChallenge(challengeOf(other)), mfa.ErrToken)
	}
	for _, other := range []secret.Text{textOf(t, i.challenge), textOf(t, i.grant)} {
		require.ErrorIs(t, s.RestoreEnrollment(enrollmentOf(other)), mfa.ErrToken)
	}
	for _, other := range []secret.Text{textOf(t, i.challenge), textOf(t, i.enrollment)} {
		require.ErrorIs(t, s.Check(t.Context(), grantOf(other)), mfa.ErrToken)
	}
}

// What is stored can be read by nobody without the key: neither the secret of an authenticator
// app nor anything that the user is shown, in any form that it might have.
func TestKept_StoredFormIsSealed(t *testing.T) {
	r := newKeptRig(t)
	c := r.withApp(ann, "word")
	s := r.Session(ann, binding)
	require.NoError(t, s.Rename(t.Context(), c.Grant,
		mfa.FactorInfo{ID: c.Factor.ID, Name: "Grandmother's telephone"}))
	e, err := s.Enroll(t.Context(), c.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	ch := r.begin(ann)
	hidden := []string{e.Prompt.Secret.Reveal(), e.Prompt.URI.Reveal(), ann.ID + "\x00", ann.Email,
		binding, "totp", "otpauth", "secret="}
	for _, o := range ch.Options {
		hidden = append(hidden, o.FactorID, o.Name, o.MaskedDestination)
	}
	require.Contains(t, hidden, "Grandmother's telephone")
	for _, coding := range codings {
		var all []byte
		for _, encode := range []func() ([]byte, error){
			func() ([]byte, error) { return encode(coding, *ch) },
			func() ([]byte, error) { return encode(coding, *e) },
			func() ([]byte, error) { return encode(coding, c.Grant) },
		} {
			data, err := encode()
			require.NoError(t, err)
			all = append(all, data...)
		}
		for _, v := range []secret.Text{textOf(t, ch), textOf(t, e), textOf(t, c.Grant)} {
			sealed, err := base64.RawURLEncoding.DecodeString(v.Reveal())
			require.NoError(t, err)
			all = append(append(all, sealed...), v.Reveal()...)
		}
		for _, h := range hidden {
			if len(h) < 4 {
				continue // it may be there by chance
			}
			require.NotContains(t, string(all), h)
			require.NotContains(t, string(all), hex.EncodeToString([]byte(h)))
			for shift := range 3 { // at any place in what base64 encodes
				b := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + h))
				if b = b[4 : len(b)-2]; len(b) >= 4 {
					require.NotContains(t, string(all), b)
				}
			}
		}
	}
}

// The handles that are zero refuse everything, and panic at nothing.
func TestHandles_ZeroIsRefused(t *testing.T) {
	for _, handle := range []any{mfa.Session{}, mfa.Passwordless{}, mfa.Admin{},
		new(mfa.Manager).Session(ann, ""), new(mfa.Manager).Session(mfa.User{}, binding)} {
		v := reflect.ValueOf(handle)
		for i := range v.NumMethod() {
			m := v.Method(i)
			if n := m.Type().NumOut(); n == 0 || m.Type().Out(n-1) != reflect.TypeFor[error]() {
				continue
			}
			var in []reflect.Value
			for j := range m.Type().NumIn() {
				arg := reflect.Zero(m.Type().In(j))
				if arg.Type() == reflect.TypeFor[context.Context]() {
					arg = reflect.ValueOf(t.Context())
				}
				in = append(in, arg)
			}
			name := v.Type().Name() + "." + v.Type().Method(i).Name
			require.NotPanics(t, func() {
				out := m.Call(in)
				err, _ := out[len(out)-1].Interface().(error)
				require.Error(t, err, name)
			}, name)
		}
	}
}
