package passkey_test

import (
	"testing"

	"github.com/secondgate/secondgate/mfa/factor"
)

// FuzzAnswer sends what a browser may: nothing panics, and nothing but the device's own response
// is accepted.
func FuzzAnswer(f *testing.F) {
	k, d := newFactor(f), newDevice()
	state := enrolled(f, k, d)
	in, options := challenge(f, k, state, false)
	pending, creation := begun(f, k)
	right, made := d.get(f, options), newDevice().create(f, creation)
	other := newDevice()
	for _, s := range []string{right, made, other.get(f, options), "{}",
		`{"response":{"signature":"AA"}}`,
		`{"id":"AA","rawId":"AA","type":"public-key","response":{"attestationObject":"oA","clientDataJSON":"e30"}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, response string) {
		if len(response) > 8192 {
			return
		}
		if _, err := k.Normalize(response); err != nil {
			return
		}
		k.Identify(response)
		for _, in := range []factor.VerifyInput{in, pending} {
			v, err := verify(k, in, response)
			if err == nil && len(v) == 0 {
				t.Fatal("accepted, and nothing is kept")
			}
		}
	})
}

// FuzzState: what is stored may be corrupted.
func FuzzState(f *testing.F) {
	k, d := newFactor(f), newDevice()
	state := enrolled(f, k, d)
	in, options := challenge(f, k, state, false)
	response := newDevice().get(f, options)
	f.Add(state, []byte(in.Issued))
	f.Fuzz(func(t *testing.T, state, issued []byte) {
		in := in
		in.State, in.Issued = state, issued
		_, _ = verify(k, in, response)
		k.Identity(state)
		k.Describe(state)
	})
}
