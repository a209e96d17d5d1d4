package mfa

import "context"

// CheckPasswordChange says whether a user who has just given the present password may choose
// another, for a package that keeps passwords. A user who has a second factor needs the same
// grant as for [Manager.CheckGrant], whose errors these are: an attacker who knows the password
// alone must not change it. A user who has none needs nothing more, and may pass an empty
// grant. It changes nothing.
func (m *Manager) CheckPasswordChange(ctx context.Context, s User, grant Grant, binding string) error {
	if err := s.check(); err != nil {
		return err
	}
	p, err := m.Policy(ctx, s.Tenant, s.UserType)
	if err != nil {
		return err
	}
	now := m.now()
	r, err := m.read(ctx, s.compact().key())
	if err != nil {
		return err
	}
	if r == nil && s.Enrolled {
		return ErrRecordMissing
	}
	if r == nil {
		r = newRecord()
	}
	c := claimsOf(s.compact(), p, PurposeManage, r.at(now))
	if h := m.holding(r, &c); len(h.own) == 0 && h.implied != impliedUsable {
		return nil
	}
	return m.CheckGrant(ctx, s, grant, binding)
}
