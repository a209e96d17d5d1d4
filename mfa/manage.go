package mfa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
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
	r, err := m.read(ctx, s.compact().key())
	if err != nil {
		return nil, err
	}
	if r == nil && s.Enrolled {
		return nil, ErrRecordMissing
	}
	if r == nil {
		r = newRecord()
	}
	now := r.at(m.now())
	c := &claims{Subject: s.compact(), Purpose: purposeSignIn, Kinds: p.Kinds, Implicit: p.Implicit, Keep: p.KeepImplicit}
	o := &Overview{Policy: p, Kinds: m.enrollable(p.Kinds), RecoveryCodesRemaining: -1}
	if p.Remember > 0 {
		o.Devices = r.deviceInfo(p.Remember, now)
	}
	list, err := m.candidates(r, c)
	if err != nil && !errors.Is(err, ErrKindNotConfigured) && !errors.Is(err, factor.ErrUndeliverable) {
		return nil, err
	}
	o.LockedUntil = m.lockedUntil(r, m.options(r, slices.Clone(list), p.Default, now), now)
	for _, in := range r.Factors {
		if in.Implicit {
			continue
		}
		info := m.info(r, candidate{&in, true}, now)
		o.add(info)
	}
	for _, k := range list {
		if !k.own {
			o.Factors = append(o.Factors, m.info(r, k, now))
		}
	}
	return o, nil
}

// add puts a factor into the overview.
func (o *Overview) add(f FactorInfo) {
	o.Factors = append(o.Factors, f)
	if f.Remaining >= 0 {
		o.RecoveryCodesRemaining = max(0, o.RecoveryCodesRemaining) + f.Remaining
	}
}

func (m *Manager) info(r *record, k candidate, now time.Time) FactorInfo {
	info := FactorInfo{ID: k.ID, Kind: k.Kind, Name: k.Name, MaskedDestination: k.Hint,
		Created: instant(k.Created), LastUsed: instant(k.Used), Implicit: !k.own, Remaining: -1,
		HeldUntil: instant(r.Holds[k.ID].Until),
		Disabled:  m.cfg.Lockout.Status(r.Lockout, k.Kind, now).Disabled}
	f := m.factors[k.Kind]
	if f == nil {
		return info
	}
	t := f.Traits()
	info.Recovery = t.Recovery
	d := describe(f, k.State)
	if info.Data = d.Public; t.Limited {
		info.Remaining = d.Remaining
	}
	return info
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
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
	p, err := m.Policy(ctx, c.Subject.scope())
	if err != nil {
		return err
	}
	return m.change(ctx, c, request{act: actRemove, target: factorID}, func(r *record, in *instance) (string, error) {
		if p.Mode == policy.ModeRequired && m.last(r, c, p, in.ID) {
			return "", ErrLastFactor
		}
		id := in.ID
		m.endFactors(r, func(i instance) bool { return i.ID == id })
		return "factor.removed", nil
	})
}

// last says whether a factor is the last one with which the user meets the policy.
func (m *Manager) last(r *record, c *claims, p policy.Policy, id string) bool {
	meets := false
	for _, k := range m.allOwn(r) {
		if !p.Allows(k.Kind) {
			continue
		}
		if k.ID != id {
			return false
		}
		meets = true
	}
	now := *c
	now.Kinds, now.Implicit = p.Kinds, p.Implicit
	implied, err := m.implied(r, &now)
	return meets && (err != nil || len(implied) == 0)
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
	return m.change(ctx, c, request{act: actRename, target: f.ID}, func(_ *record, in *instance) (string, error) {
		in.Name = f.Name
		return "factor.renamed", nil
	})
}

// change applies do, which returns the name of the event, to one factor of the user that the grant is for, if authority permits it.
func (m *Manager) change(ctx context.Context, c *claims, q request, do func(*record, *instance) (string, error)) error {
	clock := m.now()
	var e Event
	err := m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		now := r.at(clock)
		if _, err := m.permits(r, c, q, now); err != nil {
			return false, err
		}
		in := r.factor(q.target)
		if in == nil {
			return false, fmt.Errorf("%w: no such factor", ErrNotAvailable)
		}
		kind, id := in.Kind, in.ID
		told := m.addressed(r, c.Subject, in.Name) // before the change takes an address away
		name, err := do(r, in)
		if err != nil {
			return false, err
		}
		if q.act == actRename && told != nil {
			told.label = r.factor(id).Name
		}
		e = r.noticed(told, m.event(name, c.Subject, now, func(e *Event) {
			e.Kind, e.FactorID = kind, id
		}))
		return true, nil
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
		key = subject{ID: a.UserID, Tenant: a.Tenant}.key()
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
	a.Actor, a.System = actor.name, actor.system
	if m.cfg.Authorize == nil {
		return fmt.Errorf("%w: Config.Authorize is nil, so nobody may %s", ErrForbidden, a.Name)
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
// asks. Everything issued before is void. A verified address of record stays. The next sign-in
// enrols anew where the policy requires a factor.
func (a Admin) Reset(ctx context.Context, u User) error {
	return a.administer(ctx, "reset", u, func(r *record) {
		r.removeFactors(func(in instance) bool { return !in.Implicit })
		r.Lockout, r.Live, r.Pending, r.Spent, r.Charge = lockout.State{}, nil, nil, nil, nil
		r.Devices, r.Proofs, r.Superseded = nil, nil, nil
		r.Setup, r.Recovering, r.Holds = nil, nil, nil
		r.Seen, r.Void, r.Epoch, r.Born = 0, 0, random8(), -1
	})
}

// Unlock ends a user's locks and counts, and enables the kinds that were disabled.
func (a Admin) Unlock(ctx context.Context, u User) error {
	return a.administer(ctx, "unlock", u, func(r *record) {
		// What a clock that ran ahead left behind must not outlast the unlocking.
		r.Void = min(r.Void, a.m.now().UnixMilli())
		r.Lockout, r.Charge, r.Proofs, r.Seen = lockout.State{}, nil, nil, 0
	})
}

func (a Admin) administer(ctx context.Context, name string, u User, do func(*record)) error {
	m := a.m
	if err := a.authorizeFor(ctx, name, u); err != nil {
		return err
	}
	now, s := m.now(), u.compact()
	e := m.event("admin."+name, s, now, func(e *Event) { e.Actor, e.Note = a.actor.name, a.reason })
	err := m.update(ctx, s, now, func(r *record) (bool, error) {
		if r.fresh && u.Enrolled {
			return false, ErrRecordMissing
		}
		if r.fresh {
			return false, nil // nothing to undo
		}
		e = m.withNotice(r, s, "", e)
		do(r)
		return true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	if name == "reset" {
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
	if err := m.bury(ctx, s.key(), m.now()); err != nil {
		return unavailable(err)
	}
	e := m.event("admin.delete", s, m.now(), func(e *Event) { e.Actor, e.Note = a.actor.name, a.reason })
	err := m.records.Update(ctx, s.key(), func(data []byte) (storage.Change, error) {
		e.notice = nil
		if data != nil {
			e = m.withLastNotice(data, s, e)
		}
		return storage.Change{Delete: true}, nil
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
	i := slices.IndexFunc(m.kinds, func(k string) bool {
		_, implied := m.factors[k].(factor.Implier)
		_, sends := m.factors[k].(factor.Challenger)
		return implied && sends
	})
	if i < 0 {
		return nil, fmt.Errorf("%w: no kind confirms an address", ErrNotAvailable)
	}
	kind, s, clock := m.kinds[i], u.compact(), m.now()
	out, err := callEnroll(ctx, m.factors[kind], factor.EnrollInput{User: s.person(), Now: clock})
	if err != nil {
		return nil, err
	}
	p := pending{In: instance{ID: newID(), Kind: kind, Name: out.Name, Hint: out.MaskedDestination, State: out.State, Implicit: true}}
	c := &claims{ID: random16(), Issued: clock.UnixMilli(), Subject: s, Purpose: purposeSignIn, Pending: p.In.ID}
	admit := func(rec *record, now time.Time) error {
		if rec.fresh && u.Enrolled {
			return ErrRecordMissing
		}
		p.In.Created, p.Expires = now.UnixMilli(), now.Add(m.cfg.LinkTTL).UnixMilli()
		return nil
	}
	d, err := m.issueFirst(ctx, m.factors[kind].(factor.Challenger), c, &p, admit,
		func(*record, time.Time) []Event { return nil })
	if err != nil {
		return nil, err
	}
	d.Expires = time.UnixMilli(p.Expires).UTC()
	m.emit(ctx, []Event{m.event("admin.send-confirmation", s, clock, func(e *Event) {
		e.Kind, e.Actor, e.Note = kind, a.actor.name, a.reason
	})})
	return d, nil
}

// Check says whether a grant permits changes to how the user gets in, for a package that keeps
// more of a user than factors, such as linked accounts, and guards it in the same way. The
// errors are those of Remove. It changes nothing.
func (s Session) Check(ctx context.Context, g Grant) error {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return err
	}
	clock := m.now()
	r, err := m.read(ctx, c.Subject.key())
	if err == nil && r == nil {
		r, err = m.unborn(ctx, c.Subject.key(), clock)
	}
	if err != nil {
		return err
	}
	_, err = m.permits(r, c, request{act: actManage}, r.at(clock))
	return err
}
