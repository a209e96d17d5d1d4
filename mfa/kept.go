package mfa

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// This file is how challenges, enrolments and grants are kept between two requests. In the
// process that made them they hold what they say; their stored form is sealed.

const (
	sealChallenge  = "challenge"
	sealEnrollment = "enrollment"
	sealGrant      = "grant"
	// sealMustEnroll seals a challenge that is met by an enrolment, so that nobody can respond
	// to it with a code.
	sealMustEnroll = "must-enroll"
	// sealPasswordless seals challenges that are for no user in particular.
	sealPasswordless = "passwordless"
)

// kept is what a token says, or the sealed form that an application has stored.
type kept struct {
	self   *kept // what tokens point to
	kind   seal.Purpose
	m      *Manager // nil for one that was stored
	claims claims
	sealed string
}

// token refers to something kept; the zero token, to nothing. It is a pointer to a pointer,
// because fmt prints the struct that a pointer in a field points to when it does not know the
// verb for pointers, as %s, and calls no method of a field that is not exported.
type token struct{ at **kept }

func newToken(k kept) token {
	k.self = &k
	return token{&k.self}
}

func (t token) isZero() bool { return t.at == nil }

// keep returns a token of a kind.
func (m *Manager) keep(kind seal.Purpose, c claims) token {
	return newToken(kept{kind: kind, m: m, claims: c})
}

// openKept returns what a token says, if it has the kind and was made in the session.
func (m *Manager) openKept(kind seal.Purpose, t token, id sessionID) (*claims, error) {
	if t.isZero() {
		return nil, ErrToken
	}
	k := *t.at
	switch {
	case k.m == nil:
		return m.openToken(kind, k.sealed, id)
	case k.m.cfg.Keys != m.cfg.Keys:
		// The Manager that made it seals it, so that this one opens it only with the same keys.
		return m.openToken(kind, k.m.sealToken(k.kind, k.claims), id)
	case k.kind != kind || !id.made(&k.claims):
		return nil, ErrToken
	}
	c := k.claims
	return &c, nil
}

// text returns the sealed form.
func (t token) text(s *shown) ([]byte, error) {
	if t.isZero() {
		return nil, errors.New("mfa: there is nothing to keep")
	}
	k := *t.at
	if k.m == nil {
		return []byte(k.sealed), nil
	}
	c := k.claims
	c.Shown = s
	text := k.m.sealToken(k.kind, c)
	if len(text) > maxToken {
		return nil, fmt.Errorf("mfa: the sealed form has %d bytes, and at most %d are taken back",
			len(text), maxToken)
	}
	return []byte(text), nil
}

func storedToken(text []byte) (token, error) {
	if len(text) == 0 || len(text) > maxToken {
		return token{}, fmt.Errorf("%w: it has %d bytes", ErrToken, len(text))
	}
	return newToken(kept{sealed: string(text)}), nil
}

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
	return ch.token.text(s)
}

// UnmarshalText takes the sealed form. The fields stay empty until [Session.RestoreChallenge].
func (ch *Challenge) UnmarshalText(text []byte) (err error) {
	*ch = Challenge{}
	ch.token, err = storedToken(text)
	return err
}

// MarshalBinary is MarshalText, for encoding/gob.
func (ch Challenge) MarshalBinary() ([]byte, error) { return ch.MarshalText() }

// UnmarshalBinary is UnmarshalText, for encoding/gob.
func (ch *Challenge) UnmarshalBinary(data []byte) error { return ch.UnmarshalText(data) }

// MarshalText returns the sealed form of the enrolment, at most 8 KiB of URL-safe characters.
// It is an error for an enrolment that is confirmed already, and for one that does not fit.
func (e Enrollment) MarshalText() ([]byte, error) { return e.token.text(e.shown()) }

// UnmarshalText takes the sealed form. The fields stay empty until
// [Session.RestoreEnrollment].
func (e *Enrollment) UnmarshalText(text []byte) (err error) {
	*e = Enrollment{}
	e.token, err = storedToken(text)
	return err
}

// MarshalBinary is MarshalText, for encoding/gob.
func (e Enrollment) MarshalBinary() ([]byte, error) { return e.MarshalText() }

// UnmarshalBinary is UnmarshalText, for encoding/gob.
func (e *Enrollment) UnmarshalBinary(data []byte) error { return e.UnmarshalText(data) }

// Grant is the only key to changing a user's factors. It may be used several times until it
// expires, by the user and in the session that it was made for. Its text and JSON forms are
// sealed; it prints as "[redacted]".
type Grant struct{ token token }

// IsZero says whether there is no grant.
func (g Grant) IsZero() bool { return g.token.isZero() }

// MarshalText returns the sealed form, or nothing for the zero Grant.
func (g Grant) MarshalText() ([]byte, error) {
	if g.IsZero() {
		return nil, nil
	}
	return g.token.text(nil)
}

// UnmarshalText takes the sealed form. An empty text is the zero Grant.
func (g *Grant) UnmarshalText(text []byte) (err error) {
	g.token = token{}
	if len(text) > 0 {
		g.token, err = storedToken(text)
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

// shown is what a stored challenge or enrolment shows again. A challenge is shown with Next; an
// enrolment without.
type shown struct {
	Next        Next          `cbor:"0,keyasint,omitempty"`
	Options     []shownOption `cbor:"1,keyasint,omitempty"`
	Kinds       []string      `cbor:"2,keyasint,omitempty"`
	Grant       string        `cbor:"3,keyasint,omitempty"`
	Expires     int64         `cbor:"4,keyasint,omitempty"`
	LockedUntil int64         `cbor:"5,keyasint,omitempty"`
	Kind        string        `cbor:"6,keyasint,omitempty"`
	CodeExpires int64         `cbor:"7,keyasint,omitempty"`
	Secret      string        `cbor:"8,keyasint,omitempty"`
	URI         string        `cbor:"9,keyasint,omitempty"`
	Destination string        `cbor:"10,keyasint,omitempty"`
	Data        []byte        `cbor:"11,keyasint,omitempty"`
}

type shownOption struct {
	Kind        string   `cbor:"0,keyasint"`
	FactorID    string   `cbor:"1,keyasint,omitempty"`
	Name        string   `cbor:"2,keyasint,omitempty"`
	Destination string   `cbor:"3,keyasint,omitempty"`
	Default     bool     `cbor:"4,keyasint,omitempty"`
	Sends       bool     `cbor:"5,keyasint,omitempty"`
	Class       class    `cbor:"6,keyasint,omitempty"`
	Disabled    bool     `cbor:"7,keyasint,omitempty"`
	Questions   []string `cbor:"8,keyasint,omitempty"`
}

// class is the stored form of Option.Recovery and Option.Knowledge, which exclude each other. No
// number may change.
type class uint8

const (
	classPossession class = iota + 1
	classKnowledge
	classRecovery
)

func classOf(o Option) class {
	switch {
	case o.Recovery:
		return classRecovery
	case o.Knowledge:
		return classKnowledge
	}
	return classPossession
}

func (ch Challenge) shown() *shown {
	s := &shown{Next: ch.Next, Kinds: ch.Kinds, Expires: milliseconds(ch.Expires),
		LockedUntil: milliseconds(ch.LockedUntil), Data: ch.Prompt.Data}
	for _, o := range ch.Options {
		s.Options = append(s.Options, shownOption{o.Kind, o.FactorID, o.Name, o.MaskedDestination,
			o.Default, o.Sends, classOf(o), o.Disabled, o.Questions})
	}
	return s
}

func (s *shown) challenge() Challenge {
	if s == nil {
		return Challenge{}
	}
	ch := Challenge{Next: s.Next, Kinds: s.Kinds, Expires: instant(s.Expires),
		LockedUntil: instant(s.LockedUntil), Prompt: factor.Prompt{Data: s.Data}}
	for _, o := range s.Options {
		ch.Options = append(ch.Options, Option{o.Kind, o.FactorID, o.Name, o.Destination,
			o.Default, o.Sends, o.Class == classRecovery, o.Class == classKnowledge, o.Disabled, o.Questions})
	}
	if s.Grant != "" {
		ch.Grant = Grant{newToken(kept{sealed: s.Grant})}
	}
	return ch
}

func (e Enrollment) shown() *shown {
	return &shown{Kind: e.Kind, Expires: milliseconds(e.Expires),
		CodeExpires: milliseconds(e.CodeExpires), Secret: e.Prompt.Secret.Reveal(),
		URI: e.Prompt.URI.Reveal(), Destination: e.Prompt.MaskedDestination, Data: e.Prompt.Data}
}

func (s *shown) enrollment() Enrollment {
	if s == nil {
		return Enrollment{}
	}
	return Enrollment{Kind: s.Kind, Expires: instant(s.Expires), CodeExpires: instant(s.CodeExpires),
		Prompt: factor.Prompt{Secret: secret.New(s.Secret), URI: secret.New(s.URI),
			MaskedDestination: s.Destination, Data: s.Data}}
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// sealToken returns the sealed form of what a token says.
func (m *Manager) sealToken(kind seal.Purpose, c claims) string {
	data, err := cborEnc.Marshal(c)
	if err != nil {
		panic("mfa: " + err.Error()) // plain data: cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(m.cfg.Keys.Seal(kind, "", data))
}
