package mfa

import (
	"context"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// CheckPasswordChange says whether a user who has just given the present password may choose
// another, for a package that keeps passwords. A user who has a second factor needs the same
// grant as for [Session.Check], whose errors these are: an attacker who knows the password
// alone must not change it. A user who has none needs nothing more, and may pass the zero
// Grant. It changes nothing.
func (s Session) CheckPasswordChange(ctx context.Context, g Grant) error {
	m := s.m
	if err := s.check(); err != nil {
		return err
	}
	p, err := m.Policy(ctx, s.user.scope())
	if err != nil {
		return err
	}
	now := m.now()
	r, err := m.read(ctx, s.user.compact().Key())
	if err != nil {
		return err
	}
	if r == nil && s.user.Enrolled {
		return ErrRecordMissing
	}
	if r == nil {
		r = record.New()
	}
	c := token.ClaimsOf(s.user.compact(), p, token.PurposeManage, r.At(now))
	if h := m.view(r, &c, r.At(now)).Holding(); len(h.Own) == 0 &&
		h.Implied != authority.ImpliedUsable {
		return nil
	}
	return s.Check(ctx, g)
}
