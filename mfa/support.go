package mfa

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/storage"
)

// maxCases is how many users of a tenant may wait for support; of more, the user who has waited
// longest goes, and can ask again. The list is one record, so its length is bounded too.
const (
	maxCases    = 250
	maxCasesLen = 60_000
)

// supportCase is report.Case as it is stored.
type supportCase struct {
	ID       string `cbor:"0,keyasint"`
	UserType string `cbor:"1,keyasint,omitempty"`
	Account  string `cbor:"2,keyasint,omitempty"`
	Time     int64  `cbor:"3,keyasint"`
	From     string `cbor:"4,keyasint,omitempty"`
	Message  string `cbor:"5,keyasint,omitempty"`
	// Notified is when the user was last notified of the request.
	Notified int64 `cbor:"6,keyasint,omitempty"`
}

func supportKey(tenant string) string { return "s/" + tenant }

const sealSupport = "support"

// RequestSupport puts a user who has passed the first factor, and no second one, on the list
// of those who ask for help; asking again replaces the earlier request. Of the case, From and
// Message are used. It permits nothing: an administrator who has made sure who asks calls
// Reset or Enroll, which take the user off the list.
//
// Each request counts against the user's rate limit: after a *RateLimitError nothing has
// changed. While the user is locked it returns a *LockedError. Config.Notify notifies the user
// of a request, at most once a day.
func (s Session) RequestSupport(ctx context.Context, ch *Challenge, r report.Case) error {
	m := s.m
	c, err := s.openChallenge(ch)
	if err != nil {
		return err
	}
	if len(r.From) > 64 || len(r.Message) > 500 || !utf8.ValidString(r.From) ||
		!utf8.ValidString(r.Message) {
		return fmt.Errorf("%w: From has at most 64 and Message at most 500 bytes of UTF-8",
			factor.ErrMalformed)
	}
	clock, who := m.now(), c.Subject
	q, err := update(ctx, m, who, clock, func(rec *record.Record) (supportRequest, bool, error) {
		v := m.view(rec, c, rec.At(clock))
		if err := v.Answerable(); err != nil {
			return supportRequest{}, false, err
		}
		if err := lockedOut(v); err != nil {
			return supportRequest{}, false, err
		}
		q := supportRequest{now: v.Now, epoch: rec.Epoch}
		q.event = m.event("support.requested", who, v.Now, func(e *Event) {
			e.Purpose = string(c.Purpose)
		})
		q.noticed = m.withNotice(rec, who, "", q.event).causedBy(c)
		return q, true, m.chargeUser(rec, v.Now)
	})
	if err != nil {
		return err
	}
	entry := supportCase{ID: who.ID, UserType: who.UserType, Account: who.FactorUser().Account,
		Time: q.now.UnixMilli(), From: r.From, Message: r.Message}
	cases, err := m.changeCases(ctx, who.Tenant, caseChange{add: &entry})
	if err == nil {
		err = m.standing(ctx, who, q.epoch)
	}
	if err != nil {
		return err
	}
	if cases.notify {
		q.event = q.noticed
	}
	m.emit(ctx, []Event{q.event})
	return nil
}

// supportRequest is a request for support that was admitted.
type supportRequest struct {
	now            time.Time
	epoch          [8]byte
	event, noticed Event
}

// standing takes a case off the list again whose user was deleted or reset while it was put on.
// What deletes and resets takes the case off after it changed the record, so one of the two
// finds it.
func (m *Manager) standing(ctx context.Context, who token.Subject, epoch [8]byte) error {
	r, err := m.read(ctx, who.Key())
	if err != nil || r != nil && r.Epoch == epoch {
		return err
	}
	if _, err := m.closeCase(ctx, who); err != nil {
		return err
	}
	return ErrTokenExpired
}

// lockedOut returns a *LockedError while a lock leaves the user nothing to verify with.
func lockedOut(v decide.View) error {
	until, err := v.LockedOut()
	if err == nil && !until.IsZero() {
		err = lockedUntil(until, v.Now)
	}
	return err
}

// SupportCases lists the users of a tenant who have asked for help, the latest first.
// Config.Authorize is asked whether the actor may see it, as "support-cases"; reading needs no
// fresh proof.
func (a Admin) SupportCases(ctx context.Context, tenant string) ([]report.Case, error) {
	m := a.m
	if err := m.allowed(ctx, a.actor, AdminAction{Reason: a.reason, Name: "support-cases",
		Tenant: tenant}); err != nil {
		return nil, err
	}
	cases, err := m.changeCases(ctx, tenant, caseChange{})
	if err != nil {
		return nil, err
	}
	var out []report.Case
	for _, k := range slices.Backward(cases.list) {
		out = append(out, report.Case{UserID: k.ID, Tenant: tenant, UserType: k.UserType,
			Account: k.Account, Time: record.Instant(k.Time), From: k.From, Message: k.Message})
	}
	return out, nil
}

// CloseSupportCase takes a user off the list.
func (a Admin) CloseSupportCase(ctx context.Context, u User) error {
	m := a.m
	if err := a.authorizeFor(ctx, "close-support-case", u); err != nil {
		return err
	}
	closed, err := m.closeCase(ctx, u.compact())
	if err == nil && !closed {
		return fmt.Errorf("%w: the user is not on the list", ErrNotAvailable)
	}
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{m.event("admin.close-support", u.compact(), m.now(),
		func(e *Event) { e.Actor, e.Note = a.actor.name, a.reason })})
	return nil
}

// closeCase takes a user off the list of a tenant, and says whether they were on it.
func (m *Manager) closeCase(ctx context.Context, s token.Subject) (closed bool, err error) {
	cases, err := m.changeCases(ctx, s.Tenant, caseChange{remove: s.ID})
	return cases.removed, err
}

// caseChange is a change to the list of a tenant: a case to add, in place of the user's earlier
// one, or the ID of a user to remove, or nothing.
type caseChange struct {
	add    *supportCase
	remove string
}

// changedCases is a list after a change.
type changedCases struct {
	list []supportCase
	// removed says that the user was on the list; notify that the user is to be notified of the
	// case that was added, which happens once a day at most.
	removed, notify bool
}

// apply returns the list after a change. It does not touch the list before.
func (ch caseChange) apply(before []supportCase) (out changedCases) {
	gone, added := ch.remove, ch.add
	if added != nil {
		gone, out.notify = added.ID, true
	}
	var last int64
	for _, k := range before {
		if k.ID == gone {
			out.removed, last = true, k.Notified
			continue
		}
		out.list = append(out.list, k)
	}
	if added == nil {
		return out
	}
	entry := *added
	entry.Notified = entry.Time
	if entry.Time < last+warnEvery.Milliseconds() {
		out.notify, entry.Notified = false, last
	}
	out.list = append(out.list, entry)
	out.list = out.list[max(0, len(out.list)-maxCases):]
	return out
}

// changeCases changes the list of a tenant; a list that stays as it is is not written.
func (m *Manager) changeCases(
	ctx context.Context, tenant string, ch caseChange,
) (changedCases, error) {
	key := supportKey(tenant)
	out, err := swap(ctx, m.records, key, func(data []byte) (changedCases, storage.Change,
		error,
	) {
		before, err := m.openCases(key, data)
		if err != nil {
			return changedCases{}, storage.Change{}, err
		}
		out := ch.apply(before)
		switch {
		case slices.Equal(before, out.list):
			return out, storage.Change{}, nil
		case len(out.list) == 0:
			return out, storage.Change{Delete: true}, nil
		}
		plain, err := record.Marshal(out.list)
		for err == nil && len(plain) > maxCasesLen {
			out.list = out.list[1+len(out.list)/20:]
			plain, err = record.Marshal(out.list)
		}
		if err != nil {
			return out, storage.Change{}, err
		}
		return out, storage.Change{Data: m.cfg.Keys.Seal(sealSupport, key, plain)}, nil
	})
	if err != nil {
		return changedCases{}, unavailable(err)
	}
	return out, nil
}

func (m *Manager) openCases(key string, data []byte) (list []supportCase, err error) {
	if data == nil {
		return nil, nil
	}
	plain, err := m.cfg.Keys.Open(sealSupport, key, data)
	if err == nil {
		err = cbor.Unmarshal(plain, &list)
	}
	return list, err
}
