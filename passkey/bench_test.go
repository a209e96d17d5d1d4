package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkVerify is the judgement of one assertion, beside the one verification of a signature
// (ECDSA with P-256) without which there is none.
func BenchmarkVerify(b *testing.B) {
	f, d := newFactor(b), newDevice()
	in, options := challenge(b, f, enrolled(b, f, d), false)
	response := d.get(b, options)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	digest := sha256.Sum256([]byte(response))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	require.NoError(b, err)

	b.ReportAllocs()
	for b.Loop() {
		if _, err := verify(f, in, response); err != nil {
			b.Fatal(err)
		}
	}
	ours := b.Elapsed()
	began := time.Now()
	for range b.N {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			b.Fatal("not verified")
		}
	}
	b.ReportMetric(float64(ours)/float64(time.Since(began)), "times-bare")
}
