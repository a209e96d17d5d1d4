package mfa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/storage"
)

// Overview returns what a user has, for a security page. The application must make sure that
// the caller may see it. It is empty for a user without a record, unless User.Enrolled says
// that there should be one: then it returns ErrRecordMissing.
func (m *Manager) Overview(ctx context.Context, s User) (*Overview, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p, err := m.Policy(ctx, s.scope())
	if err != nil {
		return nil, err
	}
	r, err := m.read(ctx, s.compact().Key())
	if err != nil {
		return nil, err
	}
	if r == nil && s.Enrolled {
		return nil, ErrRecordMissing
	}
	if r == nil {
		r = record.New()
	}
	now := r.At(m.now())
	c := &token.Claims{Subject: s.compact(), Purpose: token.PurposeSignIn}
	c.SetPolicy(p)
	v := m.view(r, c, now)
	o := &Overview{Policy: p, Kinds: m.rules.Enrollable(p.Kinds), RecoveryCodesRemaining: -1,
		Write: r.Writes, Devices: deviceInfo(r, p.Remember, now)}
	list, err := v.Candidates()
	if err != nil && !errors.Is(err, ErrKindNotConfigured) && !errors.Is(err,
		factor.ErrUndeliverable) {
		return nil, err
	}
	o.RecoveryCodesDue = v.CodesDue() != 0
	o.LockedUntil = v.LockedUntil(v.Options(slices.Clone(list), p.Default))
	m.addEnrolled(o, r, now)
	for _, k := range list {
		if !k.Own {
			o.Factors = append(o.Factors, m.infoNow(r, *k.Instance, false, now))
		}
	}
	m.addPreferences(o, v)
	return o, nil
}

// addEnrolled adds the factors that the user enrolled, and counts the recovery codes.
func (m *Manager) addEnrolled(o *Overview, r *record.Record, now time.Time) {
	for _, in := range r.Factors {
		if in.Implicit {
			continue
		}
		o.Factors = append(o.Factors, m.infoNow(r, in, true, now))
		if n := m.codesRemaining(in); n >= 0 {
			o.RecoveryCodesRemaining = max(0, o.RecoveryCodesRemaining) + n
		}
	}
	o.RecoveryCodesLow = low(o.RecoveryCodesRemaining)
}

// enrolledOf describes the factors of a kind that the user enrolled.
func (m *Manager) enrolledOf(r *record.Record, kind string, now time.Time) (list []FactorInfo) {
	for _, in := range r.Factors {
		if in.Kind == kind && !in.Implicit {
			list = append(list, m.infoNow(r, in, true, now))
		}
	}
	return list
}

// addPreferences adds what the user prefers, the addresses that the user has turned off, and an
// exception.
func (m *Manager) addPreferences(o *Overview, v decide.View) {
	p, r := o.Policy, v.Record
	o.Declined, o.Exception = declined(r), m.exceptionOf(r, v.Claims.Subject, v.Now)
	o.Preferred, o.ImpliedOff = r.Preferred, r.NoImplied && p.KeepImplicit
	o.CanTurnOffImplied = p.KeepImplicit && len(p.Implicit) > 0 && v.CanTurnOffImplied()
	for _, k := range v.TurnedOff() {
		info := m.infoNow(r, *k.Instance, false, v.Now)
		info.TurnedOff = true
		o.Factors = append(o.Factors, info)
	}
}

// infoNow describes a factor as the record has it.
func (m *Manager) infoNow(
	r *record.Record, in record.Instance, own bool, now time.Time,
) FactorInfo {
	info := m.info(in, own)
	info.Unsaved = m.codesRemaining(in) >= 0 && r.CodesDue == record.CodesToSave
	info.HeldUntil, info.Outdated = record.Instant(r.Holds[in.ID].Until), r.IsOutdated(in.ID)
	info.Renew = r.IsToRenew(in.ID)
	info.Disabled = m.cfg.Lockout.Status(r.Lockout, in.Kind, now).Disabled
	return info
}

// info describes a factor. own says that the user enrolled it.
func (m *Manager) info(in record.Instance, own bool) FactorInfo {
	info := FactorInfo{ID: in.ID, Kind: in.Kind, Name: in.Name,
		MaskedDestination: in.MaskedDestination, Created: record.Instant(in.Created),
		LastUsed: record.Instant(in.Used), Implicit: !own, Remaining: m.remaining(in)}
	if f := m.factors[in.Kind]; f != nil {
		info.Recovery, info.Data = f.Traits().Recovery, shownOf(f, in.State).Public
	}
	return info
}

// Remove ends a factor at once, and with it every code that was sent for it. With the last own
// factor the recovery codes end too. ErrLastFactor means that the policy requires a factor and
// that this is the last one it allows.
func (s Session) Remove(ctx context.Context, g Grant, factorID string) error {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return err
	}
	p, err := m.Policy(ctx, c.Subject.Scope())
	if err != nil {
		return err
	}
	return m.change(ctx, c, decide.FactorChange{Policy: p,
		Request: authority.Request{Act: authority.ActRemove, Target: factorID}})
}

// Rename gives the factor with the ID of f the name of f: at most 64 bytes of visible
// characters, with nothing in it that mail programs make a link of. Another name is a
// *factor.Problem with the reason "name_form".
func (s Session) Rename(ctx context.Context, g Grant, f FactorInfo) error {
	if err := checkName(f.Name); err != nil {
		return err
	}
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return err
	}
	return m.change(ctx, c, decide.FactorChange{Name: f.Name,
		Request: authority.Request{Act: authority.ActRename, Target: f.ID}})
}

// change makes a change to one factor of the user that the grant is for.
func (m *Manager) change(ctx context.Context, c *token.Claims, ch decide.FactorChange) error {
	clock := m.now()
	e, err := update(ctx, m, c.Subject, clock, func(r *record.Record) (Event, bool, error) {
		v := m.view(r, c, r.At(clock))
		name, today := "factor.renamed", *c
		if ch.Request.Act == authority.ActRemove {
			name = "factor.removed"
			today.Kinds, today.Implicit = ch.Policy.Kinds, ch.Policy.Implicit
			v.Vouched = append(v.Vouched, m.vouched(&today)...)
		}
		n := m.addressed(r, c.Subject, ch.Name) // before the change takes an address away
		was, err := v.Change(ch)
		if err != nil {
			return Event{}, false, err
		}
		if n != nil && ch.Request.Act == authority.ActRemove {
			n.label = was.Name
		}
		return noticed(r, n, m.event(name, c.Subject, v.Now, func(e *Event) {
			e.Kind, e.FactorID = was.Kind, was.ID
		})), true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	return nil
}

// authorize asks authority whether the actor has proven enough, and then the application
// whether the act may be done.
func (m *Manager) authorize(ctx context.Context, actor Actor, a AdminAction) error {
	key := ""
	if a.UserID != "" {
		key = token.Subject{ID: a.UserID, Tenant: a.Tenant}.Key()
	}
	if err := m.proven(ctx, actor, key); err != nil {
		return err
	}
	return m.allowed(ctx, actor, a)
}

// allowed asks the application whether the act may be done.
func (m *Manager) allowed(ctx context.Context, actor Actor, a AdminAction) error {
	if len(a.Reason) > 1024 {
		return fmt.Errorf("%w: a Reason has at most 1024 bytes", factor.ErrMalformed)
	}
	if err := actor.check(); err != nil {
		return err
	}
	a.Actor, a.ActorTenant, a.System = actor.name, actor.Tenant(), actor.system
	if m.cfg.Authorize == nil {
		return fmt.Errorf("%w: Config.Authorize is nil, so no actor may %s", ErrForbidden, a.Name)
	}
	return callAuthorize(ctx, m.cfg.Authorize, a)
}

func (a Admin) authorizeFor(ctx context.Context, name string, u User) error {
	if err := u.check(); err != nil {
		return err
	}
	return a.m.authorize(ctx, a.actor, AdminAction{Name: name, Reason: a.reason,
		UserID: u.ID, Tenant: u.Tenant, UserType: u.UserType})
}

// Reset removes a user's factors, locks and counts. The administrator must have made sure who
// asks. Everything issued before is void, also what was issued before there was a record. A
// verified address of record stays. The next sign-in enrols anew where the policy requires a
// factor.
func (a Admin) Reset(ctx context.Context, u User) error {
	return a.administer(ctx, actReset, u)
}

// Unlock ends a user's locks and counts, and enables the kinds that were disabled.
func (a Admin) Unlock(ctx context.Context, u User) error {
	return a.administer(ctx, actUnlock, u)
}

// The acts of administrators that change the record of one user and need nothing else, as
// AdminAction.Name has them.
const (
	actReset  = "reset"
	actUnlock = "unlock"
)

func (a Admin) administer(ctx context.Context, act string, u User) error {
	m := a.m
	if err := a.authorizeFor(ctx, act, u); err != nil {
		return err
	}
	now, s := m.now(), u.compact()
	e, err := update(ctx, m, s, now, func(r *record.Record) (Event, bool, error) {
		e := m.event("admin."+act, s, now, func(e *Event) {
			e.Actor, e.Note = a.actor.name, a.reason
		})
		switch {
		case r.Fresh && u.Enrolled:
			return e, false, ErrRecordMissing
		case r.Fresh && act == actUnlock:
			return e, false, nil // nothing to undo
		}
		e = m.withNotice(r, s, "", e)
		switch act {
		case actReset:
			r.Reset()
		case actUnlock:
			r.Unlock(now)
		}
		return e, true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	if act == actReset {
		_, err = m.closeCase(ctx, s) // the reset stands; an error says to close the case by hand
	}
	return err
}

// Delete deletes everything stored of a user, because the application deletes the user. What
// was issued before is valid for nothing afterwards, also what was issued before there was a
// record. For that a tombstone is left: a digest, a random number and a time, which Reencrypt
// removes after a few hours. After an error something may be left; call Delete again. The last
// notice goes to the addresses that were known before; an application that queues notices has
// them in the queue until then.
func (a Admin) Delete(ctx context.Context, u User) error {
	m := a.m
	if err := a.authorizeFor(ctx, "delete", u); err != nil {
		return err
	}
	s := u.compact()
	if err := m.releaseAll(ctx, s); err != nil {
		return err
	}
	// First, so that a call that makes a record meanwhile finds it afterwards.
	if err := m.bury(ctx, s.Key(), m.now()); err != nil {
		return unavailable(err)
	}
	e, err := swap(ctx, m.records, s.Key(), func(data []byte) (Event, storage.Change, error) {
		e := m.event("admin.delete", s, m.now(), func(e *Event) {
			e.Actor, e.Note = a.actor.name, a.reason
		})
		if data != nil {
			e = m.withLastNotice(data, s, e)
		}
		return e, storage.Change{Delete: true}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	m.emit(ctx, []Event{e})
	_, err = m.closeCase(ctx, s) // after the record has gone: see standing
	return err
}

// SendVerificationLink mails a user a link that verifies User.Email as their address of
// record. Once verified, the address is an implied factor where the policy has the kind as
// implicit, and it takes the place of an address verified before. The kind is the first
// configured one that can be implied.
func (a Admin) SendVerificationLink(ctx context.Context, u User) (*Delivery, error) {
	m := a.m
	if err := a.authorizeFor(ctx, "send-verification-link", u); err != nil {
		return nil, err
	}
	kind, err := m.addressKind()
	if err != nil {
		return nil, err
	}
	s, clock := u.compact(), m.now()
	out, err := m.callEnroll(ctx, m.factors[kind], factor.EnrollInput{User: s.FactorUser(),
		Now: clock})
	if err != nil {
		return nil, err
	}
	p := record.Pending{Instance: record.Instance{ID: record.NewID(), Kind: kind, Name: out.Name,
		MaskedDestination: out.MaskedDestination, State: out.State, Implicit: true}}
	c := &token.Claims{ID: record.Random16(), Issued: clock.UnixMilli(), Subject: s,
		Purpose: token.PurposeSignIn, Pending: p.Instance.ID}
	d, err := m.send(ctx, &sending{to: toAddress, factor: m.factors[kind].(factor.Challenger),
		claims: c, enrolling: &decide.Enrolling{Pending: p}, enrolled: u.Enrolled})
	if err != nil {
		return nil, err
	}
	d.Expires = record.Instant(d.pending.Expires)
	m.emit(ctx, []Event{m.event("admin.send-confirmation", s, clock, func(e *Event) {
		e.Kind, e.Actor, e.Note = kind, a.actor.name, a.reason
	})})
	return &d.Delivery, nil
}

// addressKind returns the first configured kind that an address of record implies.
func (m *Manager) addressKind() (string, error) {
	i := slices.IndexFunc(m.kinds, func(k string) bool {
		_, implied := m.factors[k].(factor.Implier)
		_, sends := m.factors[k].(factor.Challenger)
		return implied && sends
	})
	if i < 0 {
		return "", fmt.Errorf("%w: no kind confirms an address", ErrNotAvailable)
	}
	return m.kinds[i], nil
}

// Check says whether a grant permits changes to how the user signs in. It is for a package that
// keeps more of a user than factors, such as linked accounts, and guards it in the same way. The
// errors are those of Remove. It changes nothing.
func (s Session) Check(ctx context.Context, g Grant) error {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return err
	}
	clock := m.now()
	r, err := m.readOrNew(ctx, c.Subject.Key(), clock)
	if err != nil {
		return err
	}
	_, err = m.view(r, c, r.At(clock)).Permits(authority.Request{Act: authority.ActManage})
	return err
}
