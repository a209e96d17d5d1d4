package record

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// Device is one remembered device. Its token holds the ID and a secret, of which the hash is
// kept here; each use makes a new secret.
type Device struct {
	ID      [8]byte `cbor:"0,keyasint"`
	Name    string  `cbor:"1,keyasint,omitempty"`
	Secret  []byte  `cbor:"2,keyasint"`
	Before  []byte  `cbor:"3,keyasint,omitempty"` // the hash before the last rotation
	Rotated int64   `cbor:"4,keyasint,omitempty"`
	Created int64   `cbor:"5,keyasint"`
	Used    int64   `cbor:"6,keyasint,omitempty"`
	Expires int64   `cbor:"7,keyasint"`
}

// maxDevices is how many a user may have; of more, the one not used for longest is forgotten.
const maxDevices = 10

// SetSecret makes a secret the one that the device's token has.
func (d *Device) SetSecret(secret [16]byte) { d.Secret = deviceHash(secret[:]) }

// deviceHash returns what is kept of a device's secret.
func deviceHash(secret []byte) []byte {
	hash := sha256.Sum256(secret)
	return hash[:16]
}

// AddDevice adds a remembered device.
func (r *Record) AddDevice(d Device) {
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
}

// HasSecret reports whether a secret is the device's present one, or the one before it.
func (d *Device) HasSecret(secret [16]byte) (present, before bool) {
	hash := deviceHash(secret[:])
	return subtle.ConstantTimeCompare(hash, d.Secret) == 1,
		subtle.ConstantTimeCompare(hash, d.Before) == 1
}

// Rotate gives the device, which was used at a time, a new secret.
func (d *Device) Rotate(next [16]byte, now int64) {
	d.Before, d.Rotated, d.Used = d.Secret, now, now
	d.SetSecret(next)
}

// ForgetDevices ends remembered devices, and returns them.
func (r *Record) ForgetDevices(which func(Device) bool) (forgotten []Device) {
	r.Devices = slices.DeleteFunc(r.Devices, func(d Device) bool {
		if which(d) {
			forgotten = append(forgotten, d)
			return true
		}
		return false
	})
	return forgotten
}
