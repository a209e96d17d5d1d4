package mfa

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

// This file is how challenges, enrolments and grants are kept between two requests. In the
// process that made them they hold what they say; their stored form is sealed.

// MarshalText returns the sealed form of the challenge, at most 8 KiB of URL-safe characters.
// It is an error for a challenge with NextDone, which leaves nothing to keep, and for one that
// does not fit.
func (ch Challenge) MarshalText() ([]byte, error) {
	s := ch.shown()
	grant, err := ch.Grant.MarshalText()
	if err != nil {
		return nil, err
	}
	s.Grant = string(grant)
	return ch.token.Text(s)
}

// UnmarshalText takes the sealed form. The fields stay empty until [Session.RestoreChallenge].
func (ch *Challenge) UnmarshalText(text []byte) (err error) {
	*ch = Challenge{}
	ch.token, err = token.Stored(text)
	return err
}

// MarshalBinary is MarshalText, for encoding/gob.
func (ch Challenge) MarshalBinary() ([]byte, error) { return ch.MarshalText() }

// UnmarshalBinary is UnmarshalText, for encoding/gob.
func (ch *Challenge) UnmarshalBinary(data []byte) error { return ch.UnmarshalText(data) }

// MarshalText returns the sealed form of the enrolment, at most 8 KiB of URL-safe characters.
// It is an error for an enrolment that is confirmed already, and for one that does not fit.
func (e Enrollment) MarshalText() ([]byte, error) { return e.token.Text(e.shown()) }

// UnmarshalText takes the sealed form. The fields stay empty until
// [Session.RestoreEnrollment].
func (e *Enrollment) UnmarshalText(text []byte) (err error) {
	*e = Enrollment{}
	e.token, err = token.Stored(text)
	return err
}

// MarshalBinary is MarshalText, for encoding/gob.
func (e Enrollment) MarshalBinary() ([]byte, error) { return e.MarshalText() }

// UnmarshalBinary is UnmarshalText, for encoding/gob.
func (e *Enrollment) UnmarshalBinary(data []byte) error { return e.UnmarshalText(data) }

// Grant is the only key to changing a user's factors. It may be used several times until it
// expires, by the user and in the session that it was made for. Its text and JSON forms are
// sealed; it prints as "[redacted]".
type Grant struct{ token token.Token }

// IsZero says whether there is no grant.
func (g Grant) IsZero() bool { return g.token.IsZero() }

// MarshalText returns the sealed form, or nothing for the zero Grant.
func (g Grant) MarshalText() ([]byte, error) {
	if g.IsZero() {
		return nil, nil
	}
	return g.token.Text(nil)
}

// UnmarshalText takes the sealed form. An empty text is the zero Grant.
func (g *Grant) UnmarshalText(text []byte) (err error) {
	g.token = token.Token{}
	if len(text) > 0 {
		g.token, err = token.Stored(text)
	}
	return err
}

// MarshalBinary is MarshalText, for encoding/gob.
func (g Grant) MarshalBinary() ([]byte, error) { return g.MarshalText() }

// UnmarshalBinary is UnmarshalText, for encoding/gob.
func (g *Grant) UnmarshalBinary(data []byte) error { return g.UnmarshalText(data) }

// Format writes "[redacted]" for every verb.
func (g Grant) Format(f fmt.State, verb rune) { secret.Text{}.Format(f, verb) }

// LogValue implements slog.LogValuer.
func (g Grant) LogValue() slog.Value { return secret.Text{}.LogValue() }

func (ch Challenge) shown() *token.Shown {
	s := &token.Shown{Next: string(ch.Next), Kinds: ch.Kinds, Expires: milliseconds(ch.Expires),
		LockedUntil: milliseconds(ch.LockedUntil), Data: ch.Prompt.Data}
	for _, o := range ch.Options {
		s.Options = append(s.Options, token.ShownOption{Kind: o.Kind, FactorID: o.FactorID,
			Name: o.Name, Destination: o.MaskedDestination, Default: o.Default, Sends: o.Sends,
			Class: token.ClassOf(o.Recovery, o.Knowledge), Disabled: o.Disabled,
			Questions: o.Questions, Polled: o.Polled, Assurance: o.AssuranceLevel, ACR: o.ACR})
	}
	s.Due, s.Postpone = milliseconds(ch.PostponeUntil), ch.PostponesRemaining
	return s
}

func shownChallenge(s *token.Shown) Challenge {
	ch := Challenge{Next: Next(s.Next), Kinds: s.Kinds, Expires: record.Instant(s.Expires),
		LockedUntil: record.Instant(s.LockedUntil), Prompt: factor.Prompt{Data: s.Data}}
	for _, o := range s.Options {
		ch.Options = append(ch.Options, Option{o.Kind, o.FactorID, o.Name, o.Destination,
			o.Default, o.Sends, o.Polled, o.Class == token.ClassRecovery,
			o.Class == token.ClassKnowledge, o.Assurance, o.ACR, o.Disabled, o.Questions})
	}
	if s.Grant != "" {
		ch.Grant = Grant{token.Sealed(s.Grant)}
	}
	ch.PostponeUntil, ch.PostponesRemaining = record.Instant(s.Due), s.Postpone
	return ch
}

func (e Enrollment) shown() *token.Shown {
	return &token.Shown{Kind: e.Kind, Expires: milliseconds(e.Expires),
		CodeExpires: milliseconds(e.CodeExpires), Secret: e.Prompt.Secret.Reveal(),
		URI: e.Prompt.URI.Reveal(), Destination: e.Prompt.MaskedDestination, Data: e.Prompt.Data,
		Polled: e.Polled, Address: e.Address.Reveal()}
}

func shownEnrollment(s *token.Shown) Enrollment {
	return Enrollment{Kind: s.Kind, Expires: record.Instant(s.Expires),
		Address:     secret.New(s.Address),
		CodeExpires: record.Instant(s.CodeExpires), Polled: s.Polled,
		Prompt: factor.Prompt{Secret: secret.New(s.Secret), URI: secret.New(s.URI),
			MaskedDestination: s.Destination, Data: s.Data}}
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
