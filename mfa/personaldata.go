package mfa

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/report"
)

// PersonalData returns everything that the store has about a user but secrets, for a user who asks
// for their data. Addresses and numbers are in full. It changes nothing, and is the event
// admin.personal-data, because the actor sees what no page shows. Config.Authorize is asked as
// "personal-data". ErrRecordMissing means that there is no record of the user.
//
// Events, and what packages password and sso store, are the application's to add.
func (a Admin) PersonalData(ctx context.Context, u User) (*report.PersonalData, error) {
	m := a.m
	if err := a.authorizeFor(ctx, "personal-data", u); err != nil {
		return nil, err
	}
	clock, s := m.now(), u.compact()
	r, err := m.read(ctx, s.Key())
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, ErrRecordMissing
	}
	cases, err := m.changeCases(ctx, s.Tenant, caseChange{})
	if err != nil {
		return nil, err
	}
	d := m.personalData(r, r.At(clock))
	d.UserID, d.Tenant = s.ID, s.Tenant
	d.Exception = m.exceptionOf(r, s, r.At(clock))
	for _, k := range cases.list {
		if k.ID == s.ID {
			d.Support = &report.PersonalSupport{Time: record.Instant(k.Time), Account: k.Account,
				From: k.From, Message: k.Message}
		}
	}
	m.emit(ctx, []Event{m.event("admin.personal-data", s, clock, func(e *Event) {
		e.Actor, e.Note = a.actor.name, a.reason
	})})
	return d, nil
}

// personalData is what the record itself has. Born is negative where it says no time.
func (m *Manager) personalData(r *record.Record, now time.Time) *report.PersonalData {
	put := r.Postponement()
	d := &report.PersonalData{UserType: string(r.UserType), Since: record.Instant(max(r.Born, 0)),
		Changed: record.Instant(r.Seen), Imported: record.Instant(r.Imported),
		Factors: []report.PersonalFactor{}, Devices: []report.PersonalDevice{},
		LockedUntil: record.Instant(r.Lockout.LockedUntil), Preferred: r.Preferred,
		Declined: declined(r), Postponed: put.Times, FirstAsked: record.Instant(put.Asked)}
	for _, in := range r.Factors {
		d.Factors = append(d.Factors, m.personalFactor(in))
	}
	for _, v := range r.Devices {
		d.Devices = append(d.Devices, report.PersonalDevice{Name: v.Name,
			Created: record.Instant(v.Created), LastUsed: record.Instant(v.Used),
			Expires: record.Instant(v.Expires)})
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Lockout.Kinds)) {
		if n := r.Lockout.Kinds[kind].Streak; n > 0 {
			if d.FailedAttempts == nil {
				d.FailedAttempts = make(map[string]int)
			}
			d.FailedAttempts[kind] = n
		}
	}
	sends := r.Sends.Since(now)
	for i := 1; i < len(sends); i += 2 {
		d.Sent += int(sends[i])
	}
	return d
}

// personalFactor describes a factor with its whole destination.
func (m *Manager) personalFactor(in record.Instance) report.PersonalFactor {
	p := report.PersonalFactor{ID: in.ID, Kind: in.Kind, Name: in.Name,
		Destination: in.MaskedDestination, Created: record.Instant(in.Created),
		LastUsed: record.Instant(in.Used)}
	f := m.factors[in.Kind]
	if f == nil {
		return p // a kind that is not configured here; its state may be secret
	}
	about := shownOf(f, in.State)
	if !about.Destination.IsZero() {
		p.Destination = about.Destination.Reveal()
	}
	p.Questions, p.Data, p.Export = about.Questions, about.Public, about.Export
	if n := m.remaining(in); n >= 0 {
		p.Remaining = &n
	}
	return p
}
