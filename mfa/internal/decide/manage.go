package decide

import (
	"fmt"
	"slices"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// ErrLastFactor refuses the removal of the last factor that a policy requires.
var ErrLastFactor = fmt.Errorf("%w: the policy requires a factor, and this is the last one",
	ErrNotAvailable)

// FactorChange is a change to one factor: its removal, or another name.
type FactorChange struct {
	Request authority.Request
	// Name is the new name; Policy is what a removal must leave met.
	Name   string
	Policy policy.Policy
}

// Change makes a change to one factor, and returns the factor as it was.
func (v View) Change(ch FactorChange) (record.Instance, error) {
	if _, err := v.Permits(ch.Request); err != nil {
		return record.Instance{}, err
	}
	in := v.Record.Factor(ch.Request.Target)
	if in == nil {
		return record.Instance{}, fmt.Errorf("%w: no such factor", ErrNotAvailable)
	}
	was := *in
	if ch.Request.Act == authority.ActRename {
		in.Name = ch.Name
		return was, nil
	}
	if ch.Policy.Mode == policy.ModeRequired && v.isLast(ch.Policy, was.ID) {
		return was, ErrLastFactor
	}
	v.EndFactors(v.Record, func(i record.Instance) bool { return i.ID == was.ID })
	return was, nil
}

// Cancel uses a challenge that the user will not respond to. warn says that the user is to be
// notified that an attacker may know their password, and write that the record is to be written.
func (v View) Cancel() (write, warn bool, err error) {
	c, r := v.Claims, v.Record
	if err := c.SameRecord(r); err != nil {
		return false, false, err
	}
	usedSince := func(in record.Instance) bool { return in.Used > c.Issued }
	if r.IsUsed(c.ID, c.Issued) || slices.ContainsFunc(r.Factors, usedSince) {
		return false, false, token.ErrExpired
	}
	// Of too many used challenges the oldest is dropped, and all before it with it: an attacker
	// who knows the password could end the user's sign-ins by cancelling their own. One that
	// cannot be remembered expires by itself.
	r.Tidy(v.Now, v.Lifetimes.FirstFactor)
	if write = !r.UsedFull(); write {
		r.Use(c.ID, c.Issued)
	}
	warn = c.Purpose == token.PurposeSignIn && v.Warn(r, v.Now)
	return write || warn, warn, nil
}
