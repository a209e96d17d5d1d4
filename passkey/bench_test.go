package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkVerify is the verification of one assertion, in turns with the one verification of a
// signature (ECDSA with P-256) without which there is none. times-bare is the ratio of the medians.
func BenchmarkVerify(b *testing.B) {
	f, d := newFactor(b), newDevice()
	in, options := challenge(b, f, enrolled(b, f, d), false)
	response := d.get(b, options)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	digest := sha256.Sum256([]byte(response))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	require.NoError(b, err)

	var ours, bare []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := verify(f, in, response); err != nil {
			b.Fatal(err)
		}
		done := time.Now()
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			b.Fatal("not verified")
		}
		ours, bare = append(ours, done.Sub(began)), append(bare, time.Since(done))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(ours).Nanoseconds())/1000, "verify-p50-µs")
	b.ReportMetric(float64(median(ours))/float64(median(bare)), "times-bare")
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}
