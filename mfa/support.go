package mfa

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
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

// kase is SupportCase as it is kept.
type supportCase struct {
	ID       string `cbor:"0,keyasint"`
	UserType string `cbor:"1,keyasint,omitempty"`
	Account  string `cbor:"2,keyasint,omitempty"`
	Time     int64  `cbor:"3,keyasint"`
	From     string `cbor:"4,keyasint,omitempty"`
	Message  string `cbor:"5,keyasint,omitempty"`
	// Told is when the user was last notified of the request.
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
	if len(r.From) > 64 || len(r.Message) > 500 || !utf8.ValidString(r.From) || !utf8.ValidString(r.Message) {
		return fmt.Errorf("%w: From has at most 64 and Message at most 500 bytes of UTF-8", factor.ErrMalformed)
	}
	clock, who := m.now(), c.Subject
	var now time.Time
	var event, noticed Event
	var epoch [8]byte
	err = m.update(ctx, who, clock, func(r *record.Record) (bool, error) {
		now = r.At(clock)
		if err := c.Answerable(r, now, m.cfg.ChallengeTTL); err != nil {
			return false, err
		}
		if err := m.lockedOut(r, c, now); err != nil {
			return false, err
		}
		event = m.event("support.requested", who, now, func(e *Event) { e.Purpose = string(c.Purpose) })
		noticed, epoch = m.withNotice(r, who, "", event), r.Epoch
		return true, m.userSends(r, now)
	})
	if err != nil {
		return err
	}
	entry := supportCase{ID: who.ID, UserType: who.UserType, Account: who.FactorUser().Account, Time: now.UnixMilli(), From: r.From, Message: r.Message}
	notify := false
	err = m.cases(ctx, who.Tenant, func(list []supportCase) []supportCase {
		notify, entry.Notified = true, now.UnixMilli()
		if i := slices.IndexFunc(list, func(k supportCase) bool { return k.ID == who.ID }); i >= 0 {
			if told := list[i].Notified; told != 0 && now.UnixMilli() < told+warnEvery.Milliseconds() {
				notify, entry.Notified = false, told
			}
			list = slices.Delete(list, i, i+1)
		}
		list = append(list, entry)
		return list[max(0, len(list)-maxCases):]
	})
	if err == nil {
		err = m.standing(ctx, who, epoch)
	}
	if err != nil {
		return err
	}
	if notify {
		event = noticed
	}
	m.emit(ctx, []Event{event})
	return nil
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

// lockedOut returns a *LockedError while a lock leaves the user nothing to verify with. What
// would be a way around a lock, or would let an attacker annoy a locked user, asks it.
func (m *Manager) lockedOut(r *record.Record, c *token.Claims, now time.Time) error {
	until := m.cfg.Lockout.Status(r.Lockout, "", now).LockedUntil
	if until.IsZero() {
		list, err := m.candidates(r, c)
		if err != nil {
			return err
		}
		until = m.lockedUntil(r, m.options(r, list, "", now), now)
	}
	if until.IsZero() {
		return nil
	}
	return &LockedError{Until: until, RetryAfter: until.Sub(now)}
}

// SupportCases lists the users of a tenant who have asked for help, the latest first.
// Config.Authorize is asked whether the actor may see it, as "support-cases"; reading needs no
// fresh proof.
func (a Admin) SupportCases(ctx context.Context, tenant string) ([]report.Case, error) {
	m := a.m
	if err := m.allowed(ctx, a.actor, AdminAction{Reason: a.reason, Name: "support-cases", Tenant: tenant}); err != nil {
		return nil, err
	}
	var out []report.Case
	err := m.cases(ctx, tenant, func(list []supportCase) []supportCase {
		out = nil
		for _, k := range slices.Backward(list) {
			out = append(out, report.Case{UserID: k.ID, Tenant: tenant, UserType: k.UserType, Account: k.Account,
				Time: record.Instant(k.Time), From: k.From, Message: k.Message})
		}
		return list
	})
	if err != nil {
		return nil, err
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
		return fmt.Errorf("%w: the person is not on the list", ErrNotAvailable)
	}
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{m.event("admin.close-support", u.compact(), m.now(), func(e *Event) { e.Actor, e.Note = a.actor.name, a.reason })})
	return nil
}

func (m *Manager) closeCase(ctx context.Context, s token.Subject) (closed bool, err error) {
	err = m.cases(ctx, s.Tenant, func(list []supportCase) []supportCase {
		n := len(list)
		list = slices.DeleteFunc(list, func(k supportCase) bool { return k.ID == s.ID })
		closed = len(list) < n
		return list
	})
	return closed, err
}

// cases lets change work on the list of a tenant; what it leaves as long and as late as it
// was is not written.
func (m *Manager) cases(ctx context.Context, tenant string, change func([]supportCase) []supportCase) error {
	key := supportKey(tenant)
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		var list []supportCase
		if data != nil {
			plain, err := m.cfg.Keys.Open(sealSupport, key, data)
			if err == nil {
				err = cbor.Unmarshal(plain, &list)
			}
			if err != nil {
				return storage.Change{}, err
			}
		}
		before := slices.Clone(list)
		list = change(list)
		switch {
		case slices.Equal(before, list):
			return storage.Change{}, nil
		case len(list) == 0:
			return storage.Change{Delete: true}, nil
		}
		plain, err := record.Marshal(list)
		for err == nil && len(plain) > maxCasesLen {
			list = list[1+len(list)/20:]
			plain, err = record.Marshal(list)
		}
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(sealSupport, key, plain)}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	return nil
}
