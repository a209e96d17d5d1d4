package mfa

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/secret"
)

const (
	sealDevice = "device"
	// maxDevices is how many a user may have; of more, the one not used for longest is
	// forgotten.
	maxDevices = 10
	// rotationGrace is how long the token before the present one is still taken for a device
	// that sent two requests at once. After that it was copied.
	rotationGrace = 10 * time.Second
)

// DeviceInfo describes one remembered device, for a list.
type DeviceInfo struct {
	ID   string
	Name string
	// Created is when it was remembered, LastUsed when it last signed the user in (zero:
	// never), and Expires when it must prove a factor again.
	Created, LastUsed, Expires time.Time
}

// device is one remembered device. Its token holds the ID and a secret, of which the hash is
// kept here; each use makes a new secret.
type device struct {
	ID      [8]byte `cbor:"0,keyasint"`
	Name    string  `cbor:"1,keyasint,omitempty"`
	Secret  []byte  `cbor:"2,keyasint"`
	Before  []byte  `cbor:"3,keyasint,omitempty"` // the hash before the last rotation
	Rotated int64   `cbor:"4,keyasint,omitempty"`
	Created int64   `cbor:"5,keyasint"`
	Used    int64   `cbor:"6,keyasint,omitempty"`
	Expires int64   `cbor:"7,keyasint"`
}

// rotate gives the device a new secret and returns its token.
func (m *Manager) rotate(d *device, s subject) secret.Text {
	fresh := random16()
	hash := sha256.Sum256(fresh[:])
	d.Secret = hash[:16]
	token := append(d.ID[:], fresh[:]...)
	return secret.New(base64.RawURLEncoding.EncodeToString(m.cfg.Keys.Seal(sealDevice, s.key(), token)))
}

// remember adds a device to the user's, if the policy that the challenge was begun under
// allows it, and says whether it did.
func (m *Manager) remember(r *record, c *claims, name string, v *Verification, now time.Time) bool {
	if c.Remember <= 0 || name == "" {
		return false
	}
	d := device{ID: random8(), Name: name, Created: now.UnixMilli(), Expires: now.UnixMilli() + c.Remember}
	v.Device, v.DeviceExpires = m.rotate(&d, c.Subject), instant(d.Expires)
	if len(r.Devices) >= maxDevices {
		oldest := 0
		for i, d := range r.Devices {
			if max(d.Used, d.Created) < max(r.Devices[oldest].Used, r.Devices[oldest].Created) {
				oldest = i
			}
		}
		r.Devices = slices.Delete(r.Devices, oldest, oldest+1)
	}
	r.Devices = append(r.Devices, d)
	return true
}

// recognise looks at the token of a device that may be remembered, and sets in ch what
// follows. Only a store's failure is an error: a user who is not recognised proves a factor.
func (m *Manager) recognise(ctx context.Context, token secret.Text, c *claims, clock time.Time, ch *Challenge) error {
	sealed, err := decodeToken(token.Reveal())
	if err != nil {
		return nil
	}
	plain, err := m.cfg.Keys.Open(sealDevice, c.Subject.key(), sealed)
	if err != nil || len(plain) != 8+16 {
		return nil // another user's of the same browser, or from before a key was retired
	}
	hash := sha256.Sum256(plain[8:])
	presented := hash[:16]
	var events []Event
	err = m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		ch.Device, ch.DeviceExpires, ch.Remembered, events = secret.Text{}, time.Time{}, false, nil
		now := r.at(clock)
		i := slices.IndexFunc(r.Devices, func(d device) bool { return string(d.ID[:]) == string(plain[:8]) })
		if i < 0 {
			return false, nil
		}
		d := &r.Devices[i]
		note := func(name string) {
			events = []Event{m.event(name, c.Subject, now, nil)}
		}
		expires := min(d.Expires, d.Created+c.Remember)
		switch {
		case now.UnixMilli() >= expires:
			r.Devices = slices.Delete(r.Devices, i, i+1)
			return true, nil
		case subtle.ConstantTimeCompare(presented, d.Secret) == 1:
			d.Before, d.Rotated, d.Used = d.Secret, now.UnixMilli(), now.UnixMilli()
			ch.Device, ch.DeviceExpires, ch.Remembered = m.rotate(d, c.Subject), instant(expires), true
			note("device.used")
			return true, nil
		case subtle.ConstantTimeCompare(presented, d.Before) == 1 && now.UnixMilli() < d.Rotated+rotationGrace.Milliseconds():
			ch.Remembered = true
			return false, nil
		default:
			// A token that was replaced comes back: it, or the one that replaced it, is in
			// other hands. Which of them cannot be known, so neither is good any more.
			r.Devices = slices.Delete(r.Devices, i, i+1)
			note("device.reused")
			events[0] = m.withNotice(r, c.Subject, "", events[0])
			return true, nil
		}
	})
	if err != nil {
		return err
	}
	m.emit(ctx, events)
	return nil
}

func (r *record) deviceInfo(remember time.Duration, now time.Time) (list []DeviceInfo) {
	for _, d := range r.Devices {
		expires := min(d.Expires, d.Created+remember.Milliseconds())
		if now.UnixMilli() < expires {
			list = append(list, DeviceInfo{ID: fmt.Sprintf("%x", d.ID), Name: d.Name, Created: instant(d.Created),
				LastUsed: instant(d.Used), Expires: instant(expires)})
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
	return m.revoke(ctx, c.Subject, deviceID, func(r *record, now time.Time) error {
		_, err := m.permits(r, c, request{act: actManage}, now)
		return err
	})
}

// PasswordChanged forgets a user's remembered devices and ends their recovery links, because
// the application says that their password has changed: an attacker who knew the old one may
// have had the device, or have asked for the link.
func (m *Manager) PasswordChanged(ctx context.Context, s User) error {
	if err := s.check(); err != nil {
		return err
	}
	return m.revoke(ctx, s.compact(), "", func(r *record, _ time.Time) error {
		if r.fresh && s.Enrolled {
			return ErrRecordMissing
		}
		return nil
	})
}

func (m *Manager) revoke(ctx context.Context, s subject, id string, may func(*record, time.Time) error) error {
	clock := m.now()
	var events []Event
	err := m.update(ctx, s, clock, func(r *record) (bool, error) {
		events = nil
		now := r.at(clock)
		if err := may(r, now); err != nil {
			return false, err
		}
		linked := id == "" && (r.Setup != nil || r.Recovering != nil)
		if id == "" {
			r.Setup, r.Recovering = nil, nil
		}
		before, label := len(r.Devices), ""
		for _, d := range r.Devices {
			if id != "" && fmt.Sprintf("%x", d.ID) == id {
				label = d.Name
			}
		}
		r.Devices = slices.DeleteFunc(r.Devices, func(d device) bool { return id == "" || fmt.Sprintf("%x", d.ID) == id })
		if len(r.Devices) == before {
			if id != "" {
				return false, fmt.Errorf("%w: no such device", ErrNotAvailable)
			}
			return linked, nil
		}
		events = []Event{m.withNotice(r, s, label, m.event("device.revoked", s, now, nil))}
		return true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, events)
	return nil
}
