package mfa

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
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
	o.LockedUntil = m.lockedUntil(r, m.options(r, c, p.Default, now), now)
	for _, in := range r.Factors {
		if m.factors[in.Kind] == nil || in.Implicit {
			continue
		}
		info := m.info(r, candidate{&in, true}, now)
		o.RecoveryLeft += max(0, info.CodesLeft)
		o.Factors = append(o.Factors, info)
	}
	for _, k := range m.candidates(r, c) {
		if !k.mine {
			o.Factors = append(o.Factors, m.info(r, k, now))
		}
	}
	return o, nil
}

func (m *Manager) info(r *record, k candidate, now time.Time) FactorInfo {
	f := m.factors[k.Kind]
	info := FactorInfo{ID: k.ID, Kind: k.Kind, Name: k.Name, Hint: k.Hint, Class: f.Traits().Class,
		Created: instant(k.Created), LastUsed: instant(k.Used), Implicit: !k.mine, CodesLeft: -1,
		Stopped: m.cfg.Lockout.Status(r.Lockout, k.Kind, now).Stopped}
	if n, ok := f.(factor.Counter); ok {
		info.CodesLeft = n.Left(k.State)
	}
	if p, ok := f.(factor.Publisher); ok {
		info.Data = p.Public(k.State)
	}
	return info
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Remove ends a factor at once, and with it every code sent for it. Removing the last one
// is allowed: under a policy that requires a factor the next sign-in enrols another.
func (m *Manager) Remove(ctx context.Context, grant Grant, binding, factorID string) error {
	return m.change(ctx, grant, binding, factorID, "factor.removed", func(r *record, in *instance) {
		r.removeFactors(func(i instance) bool { return i.ID == in.ID })
	})
}

// Rename gives a factor another name, at most 64 bytes.
func (m *Manager) Rename(ctx context.Context, grant Grant, binding, factorID, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return m.change(ctx, grant, binding, factorID, "factor.renamed", func(_ *record, in *instance) { in.Name = name })
}

// change applies do to one factor of the person the grant is for.
func (m *Manager) change(ctx context.Context, grant Grant, binding, factorID, name string, do func(*record, *instance)) error {
	c, err := m.openGrant(grant, binding)
	if err != nil {
		return err
	}
	clock := m.now()
	var e Event
	err = m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		now := r.at(clock)
		if err := m.may(r, c, "", now); err != nil {
			return false, err
		}
		in := r.factor(factorID)
		if in == nil {
			return false, fmt.Errorf("%w: no such factor", ErrNotAvailable)
		}
		e = m.event(name, c.Subject, now, func(e *Event) { e.Kind, e.FactorID = in.Kind, in.ID })
		if name == "factor.removed" {
			e = m.notable(r, c.Subject, in.Name, e)
		}
		do(r, in)
		return true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	return nil
}

// authorize asks the application whether the act may be done.
func (m *Manager) authorize(ctx context.Context, a AdminAction) error {
	if a.Actor == "" || len(a.Actor) > 256 || len(a.Reason) > 1024 {
		return fmt.Errorf("%w: an administrator's act needs an Actor of at most 256 bytes, and a Reason of at most 1024", ErrMalformed)
	}
	if m.cfg.Authorize == nil {
		return fmt.Errorf("%w: Config.Authorize is nil, so nobody may %s", ErrForbidden, a.Name)
	}
	if err := m.cfg.Authorize(ctx, a); err != nil {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return nil
}

func (m *Manager) authorizeFor(ctx context.Context, name string, r AdminRequest) error {
	if err := r.Subject.check(); err != nil {
		return err
	}
	return m.authorize(ctx, AdminAction{Name: name, Actor: r.Actor, Reason: r.Reason,
		SubjectID: r.Subject.ID, Tenant: r.Subject.Tenant, UserType: r.Subject.UserType})
}

// Reset removes a person's factors, locks and counts, on behalf of an administrator who has
// made sure who asks. Everything issued before is void. A confirmed address of record stays.
// The next sign-in enrols anew where the policy requires a factor.
func (m *Manager) Reset(ctx context.Context, r AdminRequest) error {
	return m.administer(ctx, "reset", r, func(r *record) {
		r.removeFactors(func(in instance) bool { return !in.Implicit })
		r.Superseded = nil
		r.Lockout, r.Live, r.Pending, r.Spent, r.Charge, r.Devices, r.Proofs, r.Setup = lockout.State{}, nil, nil, nil, nil, nil, nil, nil
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
	e := m.event("admin."+name, s, now, func(e *Event) { e.Actor, e.Note = req.Actor, req.Reason })
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
// left: do it again.
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
	err := m.records.Update(ctx, s.key(), func([]byte) (storage.Change, error) { return storage.Change{Delete: true}, nil })
	if err != nil {
		return unavailable(err)
	}
	m.emit(ctx, []Event{m.event("admin.forget", s, m.now(), func(e *Event) { e.Actor, e.Note = r.Actor, r.Reason })})
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
	out, err := m.factors[kind].Enroll(ctx, factor.EnrollInput{Person: s.person(), Now: clock})
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
		e.Kind, e.Actor, e.Note = kind, r.Actor, cmp.Or(r.Reason, e.Note)
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
	return m.may(r, c, "", r.at(clock))
}
