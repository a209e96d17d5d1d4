package mfa

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

const sealDevice = "device"

// DeviceInfo describes one remembered device, for a list.
type DeviceInfo struct {
	ID   string
	Name string
	// Created is when it was remembered, LastUsed when it last signed the user in (zero:
	// never), and Expires when it must prove a factor again.
	Created, LastUsed, Expires time.Time
}

// deviceToken returns the token of a device.
func (m *Manager) deviceToken(s token.Subject, id [8]byte, fresh [16]byte) secret.Text {
	sealed := m.cfg.Keys.Seal(sealDevice, s.Key(), append(id[:], fresh[:]...))
	return secret.New(base64.RawURLEncoding.EncodeToString(sealed))
}

// recognition is what became of the token of a device.
type recognition struct {
	is      decide.Recognition
	expires time.Time
	events  []Event
}

// recognise looks at the token of a device that may be remembered, and sets in ch what
// follows. Only a store's failure is an error: a user who is not recognised proves a factor.
func (m *Manager) recognise(
	ctx context.Context, presented secret.Text, c *token.Claims, clock time.Time, ch *Challenge,
) error {
	sealed, err := token.Decode(presented.Reveal())
	if err != nil {
		return nil
	}
	plain, err := m.cfg.Keys.Open(sealDevice, c.Subject.Key(), sealed)
	if err != nil || len(plain) != 8+16 {
		return nil // another user's of the same browser, or from before a key was retired
	}
	id, secret, next := [8]byte(plain[:8]), [16]byte(plain[8:]), record.Random16()
	found, err := update(ctx, m, c.Subject, clock,
		func(r *record.Record) (out recognition, write bool, _ error) {
			v := m.view(r, c, r.At(clock))
			out.is, out.expires, write = v.Recognise(id, secret, next)
			switch out.is {
			case decide.DeviceRecognised:
				out.events = []Event{m.event("device.used", c.Subject, v.Now, func(e *Event) {
					e.Write = r.NextWrite(v.Now)
				})}
			case decide.DeviceCopied:
				out.events = []Event{m.withNotice(r, c.Subject, "",
					m.event("device.reused", c.Subject, v.Now, nil))}
			}
			return out, write, nil
		})
	if err != nil {
		return err
	}
	switch found.is {
	case decide.DeviceRecognised:
		ch.Device, ch.DeviceExpires = m.deviceToken(c.Subject, id, next), found.expires
		ch.Remembered = true
	case decide.DeviceRotated:
		ch.Remembered = true
	}
	m.emit(ctx, found.events)
	return nil
}

func deviceInfo(r *record.Record, remember time.Duration, now time.Time) (list []DeviceInfo) {
	for _, d := range r.Devices {
		expires := min(d.Expires, d.Created+remember.Milliseconds())
		if now.UnixMilli() < expires {
			list = append(list, DeviceInfo{ID: fmt.Sprintf("%x", d.ID), Name: d.Name,
				Created:  record.Instant(d.Created),
				LastUsed: record.Instant(d.Used), Expires: record.Instant(expires)})
		}
	}
	return list
}

// ForgetDevice ends a remembered device, or all of them if the ID is empty. ErrNotAvailable
// means that there is no such device.
func (s Session) ForgetDevice(ctx context.Context, g Grant, deviceID string) error {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return err
	}
	return m.revoke(ctx, revocation{claims: c, deviceID: deviceID})
}

// PasswordChanged forgets a user's remembered devices and ends their recovery links, because
// the application says that their password has changed: an attacker who knew the old one may
// have had the device, or have asked for the link.
func (m *Manager) PasswordChanged(ctx context.Context, s User) error {
	if err := s.check(); err != nil {
		return err
	}
	return m.revoke(ctx, revocation{claims: &token.Claims{Subject: s.compact()},
		byApplication: true,
		enrolled:      s.Enrolled})
}

// revocation is what ends a remembered device, or all of them if the ID is empty, and then
// recovery links too.
type revocation struct {
	claims   *token.Claims // of the grant
	deviceID string
	// byApplication says that the application revokes, and no grant.
	byApplication bool
	// enrolled says that the application knows the user to have enrolled.
	enrolled bool
}

// admitRevocation refuses a revocation.
func admitRevocation(v decide.View, w revocation) error {
	if w.byApplication {
		if v.Record.Fresh && w.enrolled {
			return ErrRecordMissing
		}
		return nil
	}
	_, err := v.Permits(authority.Request{Act: authority.ActManage})
	return err
}

func (m *Manager) revoke(ctx context.Context, w revocation) error {
	clock, s := m.now(), w.claims.Subject
	events, err := update(ctx, m, s, clock, func(r *record.Record) ([]Event, bool, error) {
		now := r.At(clock)
		if err := admitRevocation(m.view(r, w.claims, now), w); err != nil {
			return nil, false, err
		}
		all := w.deviceID == ""
		linked := all && (r.RecoveryLink != nil || r.Recovery != nil)
		if all {
			r.RecoveryLink, r.Recovery = nil, nil
		}
		forgotten := r.ForgetDevices(func(d record.Device) bool {
			return all || fmt.Sprintf("%x", d.ID) == w.deviceID
		})
		switch {
		case len(forgotten) == 0 && !all:
			return nil, false, fmt.Errorf("%w: no such device", ErrNotAvailable)
		case len(forgotten) == 0:
			return nil, linked, nil
		}
		label := ""
		if !all {
			label = forgotten[0].Name
		}
		return []Event{m.withNotice(r, s, label, m.event("device.revoked", s, now, nil))}, true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, events)
	return nil
}
