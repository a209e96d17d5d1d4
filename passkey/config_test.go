package passkey_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

func TestNew_RefusesInvalidConfigs(t *testing.T) {
	good := passkey.Config{RPID: "example.com", RPName: "Acme",
		Origins: []string{"https://example.com"}}
	for name, c := range map[string]struct {
		change func(*passkey.Config)
		says   string // "" if it is valid
	}{
		"good": {func(*passkey.Config) {}, ""},
		"localhost": {func(c *passkey.Config) {
			c.RPID, c.Origins = "localhost", []string{"http://localhost:8080"}
		}, ""},
		"subdomain": {func(c *passkey.Config) {
			c.Origins = []string{"https://a.b.example.com:8443"}
		}, ""},
		"ten minutes": {func(c *passkey.Config) { c.Timeout = 10 * time.Minute }, ""},
		"no RPID":     {func(c *passkey.Config) { c.RPID = "" }, "RPID"},
		"RPID with a scheme": {func(c *passkey.Config) {
			c.RPID = "https://example.com"
		}, "RPID"},
		"RPID with a port": {func(c *passkey.Config) { c.RPID = "example.com:443" }, "RPID"},
		"RPID in capitals": {func(c *passkey.Config) { c.RPID = "Example.com" }, "RPID"},
		"RPID an address": {func(c *passkey.Config) {
			c.RPID, c.Origins = "127.0.0.1", []string{"https://127.0.0.1"}
		}, "RPID"},
		"RPID ends with a dot": {func(c *passkey.Config) { c.RPID = "example.com." }, "RPID"},
		"RPID too long": {func(c *passkey.Config) {
			c.RPID = strings.Repeat("a.", 127) + "com"
		}, "RPID"},
		"no name":           {func(c *passkey.Config) { c.RPName = "" }, "RPName"},
		"name of two lines": {func(c *passkey.Config) { c.RPName = "Acme\nInc" }, "RPName"},
		"no origins":        {func(c *passkey.Config) { c.Origins = nil }, "Origins"},
		"another domain": {func(c *passkey.Config) {
			c.Origins = []string{"https://example.org"}
		}, "subdomain"},
		"suffix of a domain": {func(c *passkey.Config) {
			c.Origins = []string{"https://badexample.com"}
		}, "subdomain"},
		"an Android app": {func(c *passkey.Config) {
			c.Origins = append(c.Origins,
				"android:apk-key-hash:7NBwAoMM7d0sDnSQCbVHDm5ANpaVu6n2EKu3b5QhgFI")
		}, ""},
		"an Android app in hex": {func(c *passkey.Config) {
			c.Origins = []string{"android:apk-key-hash:" + strings.Repeat("AB:", 31) + "AB"}
		}, "43 characters"},
		"an Android app with padding": {func(c *passkey.Config) {
			c.Origins = []string{"android:apk-key-hash:7NBwAoMM7d0sDnSQCbVHDm5ANpaVu6n2EKu3b5QhgFI="}
		}, "43 characters"},
		"an Android app by SHA-1": {func(c *passkey.Config) {
			c.Origins = []string{"android:apk-key-hash:7NBwAoMM7d0sDnSQCbVHDm5ANpY"}
		}, "43 characters"},
		"plain http": {func(c *passkey.Config) {
			c.Origins = []string{"http://example.com"}
		}, "https"},
		"origin with a path": {func(c *passkey.Config) {
			c.Origins = []string{"https://example.com/"}
		}, "scheme and host"},
		"origin with a user": {func(c *passkey.Config) {
			c.Origins = []string{"https://a@example.com"}
		}, "scheme and host"},
		"origin with a query": {func(c *passkey.Config) {
			c.Origins = []string{"https://example.com?x"}
		}, "scheme and host"},
		"origin's usual port": {func(c *passkey.Config) {
			c.Origins = []string{"https://example.com:443"}
		}, "port"},
		"origin in capitals": {func(c *passkey.Config) {
			c.Origins = []string{"https://EXAMPLE.com"}
		}, "lower case"},
		"origin is a wildcard": {func(c *passkey.Config) {
			c.Origins = []string{"https://*.example.com"}
		}, "lower case"},
		"verification unknown": {func(c *passkey.Config) {
			c.UserVerification = 9
		}, "UserVerification"},
		"clone outcome unknown": {func(c *passkey.Config) { c.OnClone = 9 }, "OnClone"},
		"W-12 too short": {func(c *passkey.Config) {
			c.Timeout = 5*time.Minute - 1
		}, "Timeout"},
		"W-12 too long": {func(c *passkey.Config) { c.Timeout = 10*time.Minute + 1 }, "Timeout"},
		"W-12 negative": {func(c *passkey.Config) { c.Timeout = -1 }, "Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			_, err := passkey.New(cfg)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

// N-25 and R-19: what a passkey is worth, and that only such a thing is worth it.
func TestFactor_StatesItsTraits(t *testing.T) {
	f := newFactor(t)
	require.Equal(t, "passkey", f.Kind())
	tr := f.Traits()
	require.Equal(t, factor.LevelPhishingResistant, tr.Level)
	require.True(t, tr.SharedChallenge)
	require.False(t, tr.Knowledge || tr.Recovery)
	require.Equal(t, 5*time.Minute, tr.Settings.Lifetime)
	require.False(t, tr.Settings.Hardware, "nothing proves it")
}

// The caller's slice may change after New.
func TestNew_CopiesItsConfig(t *testing.T) {
	origins := []string{origin}
	f := newFactor(t, func(c *passkey.Config) { c.Origins = origins })
	origins[0] = "https://evil.test"
	d := newDevice()
	enrolled(t, f, d)
}

// What cannot be read never verifies and never panics.
func TestVerify_RefusesAnUnreadableState(t *testing.T) {
	f, d := newFactor(t), newDevice()
	state := enrolled(t, f, d)
	in, options := challenge(t, f, state, false)
	response := d.get(t, options)
	for i := range len(state) {
		for _, bad := range [][]byte{state[:i], append([]byte{0xff}, state[i:]...)} {
			in.State = bad
			_, err := verify(f, in, response)
			require.Error(t, err)
			require.Nil(t, f.Identity(bad))
			require.Nil(t, f.Describe(bad).Public)
		}
	}
	in.State = state
	for i := range len(in.Issued) {
		cut := in
		cut.Issued = in.Issued[:i]
		_, err := verify(f, cut, response)
		require.Error(t, err)
	}
}

// A bit that flipped in what is kept makes no incorrect response correct, nor a panic.
func TestVerify_SurvivesFlippedBits(t *testing.T) {
	f, d, stranger := newFactor(t), newDevice(), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	stranger.cred.ID = d.cred.ID
	response := stranger.get(t, options)
	for i := range in.State {
		for bit := range 8 {
			flipped := append([]byte(nil), in.State...)
			flipped[i] ^= 1 << bit
			try := in
			try.State = flipped
			_, err := verify(f, try, response)
			require.Error(t, err)
		}
	}
}
