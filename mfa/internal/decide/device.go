package decide

import (
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides whether a remembered device is recognised.

// rotationGrace is how long the token before the present one is still taken for a device that
// sent two requests at once. After that it was copied.
const rotationGrace = 10 * time.Second

// Recognition is what became of the token of a device.
type Recognition uint8

const (
	// DeviceUnknown means that the user has no such device, or none any more.
	DeviceUnknown Recognition = iota
	// DeviceRecognised means that the device is remembered, and has a new secret.
	DeviceRecognised
	// DeviceRotated means that the device is remembered, and that another request of the same
	// moment has given it a new secret.
	DeviceRotated
	// DeviceCopied means that a token that was replaced came back: it, or the one that replaced
	// it, is in other hands. Which of them cannot be known, so the device is forgotten.
	DeviceCopied
)

// Recognise decides about the token of a device, which holds its ID and a secret; next is the
// secret that it gets. expires is when the device must prove a factor again. write says whether
// the record is to be written.
func (v View) Recognise(
	id [8]byte, secret, next [16]byte,
) (r Recognition, expires time.Time, write bool) {
	now := v.Now.UnixMilli()
	if v.resists() {
		return DeviceUnknown, time.Time{}, false
	}
	i := slices.IndexFunc(v.Record.Devices, func(d record.Device) bool { return d.ID == id })
	if i < 0 {
		return DeviceUnknown, time.Time{}, false
	}
	d := &v.Record.Devices[i]
	until := min(d.Expires, d.Created+v.Claims.Remember)
	switch present, before := d.HasSecret(secret); {
	case now >= until:
		v.Record.Devices = slices.Delete(v.Record.Devices, i, i+1)
		return DeviceUnknown, time.Time{}, true
	case present:
		d.Rotate(next, now)
		return DeviceRecognised, record.Instant(until), true
	case before && now < d.Rotated+rotationGrace.Milliseconds():
		return DeviceRotated, time.Time{}, false
	default:
		v.Record.Devices = slices.Delete(v.Record.Devices, i, i+1)
		return DeviceCopied, time.Time{}, true
	}
}
