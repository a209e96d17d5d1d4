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
	// What users of other systems sent: padded base64, and a passkey that its manager changed.
	changed := d.forgery(options, "webauthn.get")
	changed.flags |= be | bs
	app := newDeviceAt("android:apk-key-hash:7NBwAoMM7d0sDnSQCbVHDm5ANpaVu6n2EKu3b5QhgFI")
	for _, s := range []string{paddedBase64(f, right), paddedBase64(f, made), d.sign(f, changed),
		app.create(f, creation)} {
		f.Add(s)
	}
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
