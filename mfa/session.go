package mfa

import (
	"cmp"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// Session is the second factor of one user in one session of the application. Everything that
// it issues is valid for that user, in that session and for its purpose; presented anywhere
// else it is ErrToken. A Session is a value: making one costs nothing, and it may be copied and
// used by several goroutines.
//
// [Manager.Session] returns one for signing in. [Session.StepUp], [Session.ManageFactors] and
// [Session.Recovery] return one for another purpose.
type Session struct {
	m           *Manager
	user        User
	id          token.SessionID
	purpose     token.Purpose
	firstFactor time.Time
	device      secret.Text
	remember    string
}

// Session returns the handle for a user in a session of the application, for signing in. It
// does no I/O. The session ID is any string that only this session presents, 1 to 512 bytes. A
// user or a session ID that is not valid makes every call fail with factor.ErrMalformed.
func (m *Manager) Session(user User, sessionID string) Session {
	return Session{m: m, user: user, id: token.NewSessionID(sessionID),
		purpose: token.PurposeSignIn}
}

// StepUp returns a handle for proving presence again, before something sensitive.
func (s Session) StepUp() Session { return s.withPurpose(token.PurposeStepUp) }

// ManageFactors returns a handle for proving what it takes to change factors.
func (s Session) ManageFactors() Session { return s.withPurpose(token.PurposeManage) }

// Recovery returns a handle for replacing a lost factor, after a recovery link.
func (s Session) Recovery() Session { return s.withPurpose(token.PurposeRecover) }

func (s Session) withPurpose(p token.Purpose) Session { s.purpose = p; return s }

// FirstFactorAt returns the handle with the time at which the user last gave the first factor
// in this session. It is what a user who has nothing else proves to enrol a first factor, and
// must be minutes ago (Config.ChallengeTTL). By default it is now for a sign-in, since Begin is
// called as the password is checked, and unknown, which is never recent, for every other
// purpose. Set it wherever Begin may be called later in a session.
func (s Session) FirstFactorAt(t time.Time) Session { s.firstFactor = t; return s }

// OnDevice returns the handle with the token that the browser has kept since the device was
// remembered. Begin ignores a token that is not valid or that is another user's.
func (s Session) OnDevice(token secret.Text) Session { s.device = token; return s }

// RememberDevice returns the handle with a name for the device, at most 64 bytes. Verify then
// remembers the device, as far as Policy.Remember allows, for a sign-in that is no recovery.
func (s Session) RememberDevice(name string) Session { s.remember = name; return s }

// User returns the user of the handle, for a package that keeps more of a user than factors. It
// is the zero User for the zero Session.
func (s Session) User() User { return s.user }

// SessionHash returns a hash of the session ID, for a package that ties what it begins to the
// session. It is nil if the session ID is not valid.
func (s Session) SessionHash() []byte {
	if s.id.Check() != nil {
		return nil
	}
	return s.id.Bind()
}

// check refuses a handle for no user or no session.
func (s Session) check() error {
	if err := s.user.check(); err != nil {
		return err
	}
	return s.id.Check()
}

// open returns what a token of a kind says, if it is this user's in this session.
func (s Session) open(kind seal.Purpose, token token.Token) (*token.Claims, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c, err := token.Open(s.m.cfg.Keys, kind, s.id)
	if err != nil {
		return nil, err
	}
	if c.Subject.ID != s.user.ID || c.Subject.Tenant != s.user.Tenant {
		return nil, ErrToken
	}
	// The user may have changed their address since: nothing is sent to the one before. A handle
	// that knows no address, as at a sign-out, leaves the one of the token.
	if s.user.Email != "" {
		c.Subject.Email, c.Subject.Confirmed = s.user.Email, s.user.EmailVerified
	}
	c.Subject.Locale = cmp.Or(s.user.Locale, c.Subject.Locale)
	return c, nil
}

// openChallenge returns what a challenge says, if it is for this handle's purpose.
func (s Session) openChallenge(ch *Challenge) (*token.Claims, error) {
	if ch == nil {
		return nil, ErrToken
	}
	c, err := s.open(token.KindChallenge, ch.token)
	if err != nil {
		return nil, err
	}
	if c.Purpose != s.purpose {
		return nil, ErrToken
	}
	return c, nil
}

// openFor returns what a challenge says, and the factor that is to verify a response to it.
func (s Session) openFor(ch *Challenge, kind string) (*token.Claims, factor.Factor, error) {
	c, err := s.openChallenge(ch)
	if err != nil {
		return nil, nil, err
	}
	f := s.m.factors[kind]
	if f == nil {
		return nil, nil, fmt.Errorf("%w: no such kind", ErrNotAvailable)
	}
	return c, f, nil
}

// openGrant returns what a grant says; what it permits is for authority to decide.
func (s Session) openGrant(g Grant) (*token.Claims, error) {
	return s.open(token.KindGrant, g.token)
}

// RestoreChallenge fills in the fields of a challenge that was stored, except Device. A challenge
// that this process made, and that was not stored, keeps its fields. ErrToken means that the
// challenge is not this user's, not this session's, or for another purpose. RestoreChallenge does
// no I/O and does not say whether the challenge may still be responded to.
func (s Session) RestoreChallenge(ch *Challenge) error {
	c, err := s.openChallenge(ch)
	if err != nil && ch != nil {
		if c, err = s.open(token.KindMustEnroll, ch.token); err == nil && c.Purpose != s.purpose {
			err = ErrToken
		}
	}
	if err != nil || c.Shown == nil {
		return err
	}
	token := ch.token
	*ch = shownChallenge(c.Shown)
	ch.token = token
	return nil
}

// RestoreEnrollment fills in the fields of an enrolment that was stored. The errors are those of
// RestoreChallenge.
func (s Session) RestoreEnrollment(e *Enrollment) error {
	if e == nil {
		return ErrToken
	}
	c, err := s.open(token.KindEnrollment, e.token)
	if err != nil || c.Shown == nil {
		return err
	}
	token := e.token
	*e = shownEnrollment(c.Shown)
	e.token = token
	return nil
}
