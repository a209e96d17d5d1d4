package mfa

import (
	"fmt"
	"log/slog"
)

// The handlers of package slog write the JSON or text form of a value, which for what an
// application stores is sealed and still opens what it opens. A log gets these instead.

// LogValue implements slog.LogValuer. The sealed form is for storing, and not for a log.
func (ch Challenge) LogValue() slog.Value {
	kinds := make([]string, 0, len(ch.Options))
	for _, o := range ch.Options {
		kinds = append(kinds, o.Kind)
	}
	return slog.GroupValue(slog.String("next", string(ch.Next)), slog.Any("kinds", kinds),
		slog.Time("expires", ch.Expires), slog.Time("locked_until", ch.LockedUntil))
}

// LogValue implements slog.LogValuer. The sealed form is for storing, and not for a log.
func (e Enrollment) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", e.Kind), slog.Time("expires", e.Expires),
		slog.Bool("confirmed", e.Confirmed != nil))
}

// LogValue implements slog.LogValuer. It leaves out the grant and the device's token.
func (v Verification) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user_id", v.UserID), slog.String("tenant", v.Tenant),
		slog.String("purpose", v.Purpose), slog.String("kind", v.Kind),
		slog.String("factor_id", v.FactorID), slog.Time("time", v.Time))
}

// LogValue implements slog.LogValuer. It leaves out the grants.
func (c Confirmation) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user_id", c.UserID), slog.String("tenant", c.Tenant),
		slog.String("kind", c.Factor.Kind), slog.String("factor_id", c.Factor.ID),
		slog.Bool("signed_in", c.Verification != nil))
}

// Format writes the user as [User.Format] does, and the purpose, for every verb. It leaves out the
// session and the device.
func (s Session) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{User:%v Purpose:%q}", s.user, s.purpose)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (s Session) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("user", s.user), slog.String("purpose", string(s.purpose)))
}

// Format writes the actor's name and whether it is a program's, for every verb. It leaves out the
// session and the grant.
func (a Actor) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Name:%q System:%t}", a.name, a.system)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (a Actor) LogValue() slog.Value {
	return slog.GroupValue(slog.String("name", a.name), slog.Bool("system", a.system))
}

// Format writes the actor as [Actor.Format] does, and the reason, for every verb.
func (a Admin) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Actor:%v Reason:%q}", a.actor, a.reason)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (a Admin) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("actor", a.actor), slog.String("reason", a.reason))
}

// Format writes the user's ID, tenant and type for every verb. It leaves out the name, the address
// and the number. Encoders write all fields, because the application may store a User.
func (s User) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{ID:%q Tenant:%q UserType:%q}", s.ID, s.Tenant, s.UserType)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (s User) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("tenant", s.Tenant),
		slog.String("user_type", s.UserType))
}
