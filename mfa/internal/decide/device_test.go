package decide_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// A token is that of a device, its last one for a moment, or a copy, which ends the device.
func TestViewRecognise_TellsTokensApart(t *testing.T) {
	secret, before, next := [16]byte{1}, [16]byte{2}, [16]byte{3}
	for name, c := range map[string]struct {
		id      byte
		secret  [16]byte
		rotated time.Duration // how long ago
		has     string
		ended   bool
		want    decide.Recognition
		write   bool
		stays   bool
	}{
		"the present token": {id: 7, secret: secret, want: decide.DeviceRecognised, write: true,
			stays: true},
		"the last one, in the same moment": {id: 7, secret: before,
			rotated: 10*time.Second - time.Millisecond, want: decide.DeviceRotated, stays: true},
		"the last one, later": {id: 7, secret: before, rotated: 10 * time.Second,
			want: decide.DeviceCopied, write: true},
		"neither": {id: 7, secret: next,
			want: decide.DeviceCopied, write: true},
		"of another device":                {id: 8, secret: secret, stays: true},
		"of one that has ended":            {id: 7, secret: secret, ended: true, write: true},
		"beside a key that alone signs in": {id: 7, secret: secret, has: "key", stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, "app")
			if c.has != "" {
				v = having(t, c.has)
			}
			v.Claims.NoDowngrade, v.Claims.Remember = true, time.Hour.Milliseconds()
			d := record.Device{ID: [8]byte{7}, Created: start.UnixMilli(),
				Expires: start.Add(time.Hour).UnixMilli()}
			if c.ended {
				d.Expires = start.UnixMilli()
			}
			d.SetSecret(before)
			d.Rotate(secret, start.Add(-c.rotated).UnixMilli())
			v.Record.Devices = []record.Device{d}
			got, until, write := v.Recognise([8]byte{c.id}, c.secret, next)
			require.Equal(t, c.want, got)
			require.Equal(t, c.write, write)
			require.Equal(t, c.stays, len(v.Record.Devices) == 1)
			require.Equal(t, c.want == decide.DeviceRecognised, !until.IsZero())
			if c.want == decide.DeviceRecognised {
				present, old := v.Record.Devices[0].HasSecret(next)
				require.True(t, present)
				require.False(t, old)
			}
		})
	}
}

// A device is remembered if it has a name, the policy remembers some, and no key alone signs in.
func TestViewDecide_RemembersADevice(t *testing.T) {
	for _, c := range []struct {
		name     string
		remember time.Duration
		has      string
		want     bool
	}{
		{"laptop", time.Hour, "app", true},
		{"", time.Hour, "app", false},
		{"laptop", 0, "app", false},
		{"laptop", -1, "app", false},
		{"laptop", time.Hour, "key", false},
		{"laptop", time.Hour, "codes", false},
	} {
		v := having(t, c.has)
		v.Claims.NoDowngrade, v.Claims.Remember = true, c.remember.Milliseconds()
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: c.has,
			Remember: &decide.NewDevice{Name: c.name, ID: [8]byte{7}, Secret: [16]byte{1}}},
			accepted(&v.Record.Factors[0], verdict))
		require.Equal(t, c.want, len(v.Record.Devices) == 2, "%+v", c)
		if !c.want {
			require.Zero(t, o.Verification.DeviceExpires)
			continue
		}
		require.Equal(t, start.Add(time.Hour), o.Verification.DeviceExpires)
		d := v.Record.Devices[1]
		require.Equal(t, start.Add(time.Hour).UnixMilli(), d.Expires)
		present, _ := d.HasSecret([16]byte{1})
		require.True(t, present)
	}
}
