package mfa

import (
	"cmp"
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

// Overview tells what a person has, for a security page. The caller has made sure that who
// asks may see it. For a person without a record it is empty, unless the application says
// that there should be one: then it fails with ErrStateLost.
func (m *Manager) Overview(ctx context.Context, s Subject) (*Overview, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p, err := m.Policy(ctx, s.Tenant, s.UserType)
	if err != nil {
		return nil, err
	}
	r, err := m.read(ctx, s.compact().key())
	if err != nil {
		return nil, err
	}
	if r == nil && s.Enrolled {
		return nil, ErrStateLost
	}
	if r == nil {
		r = newRecord()
	}
	now := r.at(m.now())
	c := &claims{Subject: s.compact(), Purpose: SignIn, Kinds: p.Kinds, Implicit: p.Implicit, Keep: p.KeepImplicit}
	o := &Overview{Policy: p, Kinds: m.enrollable(p.Kinds)}
	if p.Remember > 0 {
		o.Devices = r.deviceInfo(p.Remember, now)
	}
	list, err := m.candidates(r, c)
	if err != nil && !errors.Is(err, ErrKindNotConfigured) && !errors.Is(err, ErrUndeliverable) {
		return nil, err
	}
	o.LockedUntil = m.lockedUntil(r, m.options(r, slices.Clone(list), p.Default, now), now)
	for _, in := range r.Factors {
		if in.Implicit {
			continue
		}
		info := m.info(r, candidate{&in, true}, now)
		o.RecoveryLeft += max(0, info.CodesLeft)
		o.Factors = append(o.Factors, info)
	}
	for _, k := range list {
		if !k.own {
			o.Factors = append(o.Factors, m.info(r, k, now))
		}
	}
	return o, nil
}

func (m *Manager) info(r *record, k candidate, now time.Time) FactorInfo {
	info := FactorInfo{ID: k.ID, Kind: k.Kind, Name: k.Name, Hint: k.Hint,
		Created: instant(k.Created), LastUsed: instant(k.Used), Implicit: !k.own, CodesLeft: -1,
		HeldUntil: instant(r.Holds[k.ID].Until),
		Stopped:   m.cfg.Lockout.Status(r.Lockout, k.Kind, now).Stopped}
	f := m.factors[k.Kind]
	if f == nil {
		return info
	}
	t := f.Traits()
	info.Class = t.Class
	d := describe(f, k.State)
	if info.Data = d.Public; t.Limited {
		info.CodesLeft = d.Remaining
	}
	return info
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Remove ends a factor at once, and with it every code sent for it; with the last own factor
// the recovery codes end too. ErrLastFactor means that the policy requires a factor and that
// this is the last one it allows.
func (m *Manager) Remove(ctx context.Context, grant Grant, binding, factorID string) error {
	c, err := m.openGrant(grant, binding)
	if err != nil {
		return err
	}
	p, err := m.Policy(ctx, c.Subject.Tenant, c.Subject.UserType)
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

// Rename gives a factor another name: at most 64 bytes of visible characters, with nothing in
// it that mail programs make a link of. Another is a *factor.Problem with the reason "name_form".
func (m *Manager) Rename(ctx context.Context, grant Grant, binding, factorID, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	c, err := m.openGrant(grant, binding)
	if err != nil {
		return err
	}
	return m.change(ctx, c, request{act: actRename, target: factorID}, func(_ *record, in *instance) (string, error) {
		in.Name = name
		return "factor.renamed", nil
	})
}

// change applies do, which returns the name of the event, to one factor of the user that the grant is for, if authority permits it.
func (m *Manager) change(ctx context.Context, c *claims, q request, do func(*record, *instance) (string, error)) error {
	clock := m.now()
	var e Event
	err := m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		now := r.at(clock)
		if _, err := m.may(r, c, q, now); err != nil {
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
	if len(a.Reason) > 1024 {
		return fmt.Errorf("%w: a Reason has at most 1024 bytes", ErrMalformed)
	}
	key := ""
	if a.SubjectID != "" {
		key = subject{ID: a.SubjectID, Tenant: a.Tenant}.key()
	}
	if err := m.proven(ctx, actor, key); err != nil {
		return err
	}
	return m.allowed(ctx, actor, a)
}

// allowed asks the application whether the act may be done.
func (m *Manager) allowed(ctx context.Context, actor Actor, a AdminAction) error {
	if err := actor.check(); err != nil {
		return err
	}
	a.Actor, a.System = actor.name, actor.system
	if m.cfg.Authorize == nil {
		return fmt.Errorf("%w: Config.Authorize is nil, so nobody may %s", ErrForbidden, a.Name)
	}
	return callAuthorize(ctx, m.cfg.Authorize, a)
}

func (m *Manager) authorizeFor(ctx context.Context, name string, r AdminRequest) error {
	if err := r.Subject.check(); err != nil {
		return err
	}
	return m.authorize(ctx, r.Actor, AdminAction{Name: name, Reason: r.Reason,
		SubjectID: r.Subject.ID, Tenant: r.Subject.Tenant, UserType: r.Subject.UserType})
}

// Reset removes a person's factors, locks and counts, on behalf of an administrator who has
// made sure who asks. Everything issued before is void. A confirmed address of record stays.
// The next sign-in enrols anew where the policy requires a factor.
func (m *Manager) Reset(ctx context.Context, r AdminRequest) error {
	return m.administer(ctx, "reset", r, func(r *record) {
		r.removeFactors(func(in instance) bool { return !in.Implicit })
		r.Lockout, r.Live, r.Pending, r.Spent, r.Charge = lockout.State{}, nil, nil, nil, nil
		r.Devices, r.Proofs, r.Superseded = nil, nil, nil
		r.Setup, r.Recovering, r.Holds = nil, nil, nil
		r.Seen, r.Void, r.Epoch, r.Born = 0, 0, random8(), -1
	})
}

// Unlock ends a person's locks, counts and stops, on behalf of an administrator.
func (m *Manager) Unlock(ctx context.Context, r AdminRequest) error {
	return m.administer(ctx, "unlock", r, func(r *record) {
		// What a clock that ran ahead left behind must not outlast the unlocking.
		r.Void = min(r.Void, m.now().UnixMilli())
		r.Lockout, r.Charge, r.Proofs, r.Seen = lockout.State{}, nil, nil, 0
	})
}

func (m *Manager) administer(ctx context.Context, name string, req AdminRequest, do func(*record)) error {
	if err := m.authorizeFor(ctx, name, req); err != nil {
		return err
	}
	now, s := m.now(), req.Subject.compact()
	e := m.event("admin."+name, s, now, func(e *Event) { e.Actor, e.Note = req.Actor.name, req.Reason })
	err := m.update(ctx, s, now, func(r *record) (bool, error) {
		if r.fresh && req.Subject.Enrolled {
			return false, ErrStateLost
		}
		if r.fresh {
			return false, nil // nothing to undo
		}
		e = m.notable(r, s, "", e)
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

// ForgetSubject deletes everything kept of a person, on behalf of an administrator, because
// the application deletes them. Tokens of theirs are good for nothing afterwards, also those
// from before there was anything to keep. For that a tombstone is left: a digest, a random
// number and a time, which Reseal removes after a few hours. After an error something may be
// left: do it again. The last notice goes to the addresses that were known before; an
// application that queues notices has them in the queue until then.
func (m *Manager) ForgetSubject(ctx context.Context, r AdminRequest) error {
	if err := m.authorizeFor(ctx, "forget", r); err != nil {
		return err
	}
	s := r.Subject.compact()
	if err := m.releaseAll(ctx, s); err != nil {
		return err
	}
	// First, so that whoever makes a record meanwhile finds it afterwards.
	if err := m.bury(ctx, s.key(), m.now()); err != nil {
		return unavailable(err)
	}
	e := m.event("admin.forget", s, m.now(), func(e *Event) { e.Actor, e.Note = r.Actor.name, r.Reason })
	err := m.records.Update(ctx, s.key(), func(data []byte) (storage.Change, error) {
		e.notice = nil
		if data != nil {
			e = m.notableLast(data, s, e)
		}
		return storage.Change{Delete: true}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	m.emit(ctx, []Event{e})
	return nil
}

// SendConfirmation mails a person a link that confirms Subject.Email as their address of
// record, on behalf of an administrator or of the application itself. Once confirmed, it is
// an implicit factor where the policy has the kind as implicit, and takes the place of an
// address confirmed before. The kind is the first configured one that can be implied.
func (m *Manager) SendConfirmation(ctx context.Context, r AdminRequest) (*Delivery, error) {
	if err := m.authorizeFor(ctx, "send-confirmation", r); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(m.kinds, func(k string) bool {
		_, implied := m.factors[k].(factor.Implicit)
		_, sends := m.factors[k].(factor.Challenger)
		return implied && sends
	})
	if i < 0 {
		return nil, fmt.Errorf("%w: no kind confirms an address", ErrNotAvailable)
	}
	kind, s, clock := m.kinds[i], r.Subject.compact(), m.now()
	out, err := callEnroll(ctx, m.factors[kind], factor.EnrollInput{Person: s.person(), Now: clock})
	if err != nil {
		return nil, err
	}
	p := pending{In: instance{ID: newID(), Kind: kind, Name: out.Name, Hint: out.Hint, State: out.State, Implicit: true}}
	c := &claims{ID: random16(), Issued: clock.UnixMilli(), Subject: s, Purpose: SignIn, Pending: p.In.ID}
	admit := func(rec *record, now time.Time) error {
		if rec.fresh && r.Subject.Enrolled {
			return ErrStateLost
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
		e.Kind, e.Actor, e.Note = kind, r.Actor.name, cmp.Or(r.Reason, e.Note)
	})})
	return d, nil
}

// CheckGrant says whether a grant opens changes to what a person has, for a package that keeps
// more of a person than factors (linked accounts, say) and guards it in the same way: the
// person's own grant, in its session, fresh, and of a proof as strong as the strongest factor
// that they have. The errors are those of Remove. It changes nothing.
func (m *Manager) CheckGrant(ctx context.Context, s Subject, grant Grant, binding string) error {
	if err := s.check(); err != nil {
		return err
	}
	c, err := m.openGrant(grant, binding)
	if err != nil {
		return err
	}
	if key := s.compact().key(); c.Subject.key() != key {
		return ErrToken
	}
	clock := m.now()
	r, err := m.read(ctx, c.Subject.key())
	if err == nil && r == nil {
		r, err = m.unborn(ctx, c.Subject.key(), clock)
	}
	if err != nil {
		return err
	}
	_, err = m.may(r, c, request{act: actManage}, r.at(clock))
	return err
}
