package mfa_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// signInBench is a user with the factors of the budget, and a factor that never runs out, over the
// memory store itself.
func signInBench(b testing.TB) *rig {
	r := newRig(b, func(c *mfa.Config) { c.Events, c.Store = nil, memory.New() })
	r.app.once = false
	g := r.withApp(ann, "tulip").Grant
	r.enroll(g, "pin", "123456")
	for _, w := range []string{"rose", "lily", "iris"} {
		g = r.enroll(g, "app", w).Grant
	}
	e, err := r.Session(ann, binding).NewRecoveryCodes(b.Context(), g)
	require.NoError(b, err)
	require.NoError(b, r.Session(ann, binding).RecoveryCodesSaved(b.Context(),
		e.Confirmed.Factor.ID))
	return r
}

// baseline is a read and a write of a record of the same size over the same store: the
// least that a sign-in can cost.
func baseline(b *testing.B, store storage.Store, n int) time.Duration {
	data := make([]byte, 900)
	rec := storage.Record{Revision: "0", Data: data}
	require.NoError(b, store.Swap(b.Context(), "baseline", "", rec))
	start := time.Now()
	for i := range n {
		old, err := store.Get(b.Context(), "baseline")
		require.NoError(b, err)
		next := storage.Record{Revision: storage.Revision(fmt.Sprint(i + 1)), Data: data}
		require.NoError(b, store.Swap(b.Context(), "baseline", old.Revision, next))
	}
	return time.Since(start)
}

// BenchmarkSignIn is Begin and Verify of one response over the memory store; DESIGN: at most
// 25 µs and 45 allocations. times-bare is the ratio to a bare read and write.
func BenchmarkSignIn(b *testing.B) {
	r := signInBench(b)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		r.clock.Advance(time.Minute)
		s := r.Session(ann, binding)
		ch, err := s.Begin(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Verify(b.Context(), ch, "app", secret.New("tulip")); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	ours := b.Elapsed()
	b.ReportMetric(float64(ours)/float64(baseline(b, memory.New(), b.N)), "times-bare")
}

// TestSignIn_AllocatesWithinItsLimit holds the other half of the budget, where the race
// detector does not add its own.
func TestSignIn_AllocatesWithinItsLimit(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := signInBench(t)
	allocs := testing.AllocsPerRun(200, func() {
		r.clock.Advance(time.Minute)
		if _, err := r.verify(r.begin(ann), "app", secret.New("tulip")); err != nil {
			t.Fatal(err)
		}
	})
	require.LessOrEqual(t, allocs, 45.0)
}

func BenchmarkBegin(b *testing.B) {
	r := signInBench(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Session(ann, binding).Begin(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	ours := b.Elapsed()
	b.ReportMetric(float64(ours)/float64(baseline(b, memory.New(), b.N)), "times-bare")
}

func BenchmarkSend(b *testing.B) {
	r := signInBench(b)
	b.ReportAllocs()
	for b.Loop() {
		r.clock.Advance(10 * time.Minute) // within the budget
		ch := r.begin(ann)
		if _, err := r.Session(ann, binding).Send(b.Context(), ch, "mail"); err != nil {
			b.Fatal(err)
		}
	}
	ours := b.Elapsed()
	b.ReportMetric(float64(ours)/float64(baseline(b, memory.New(), b.N)), "times-bare")
}

// A sign-in costs one read at Begin and one read and one write at Verify; a sent code one
// read and one write more. Policies are static here; stored ones are one more read.
func TestSignIn_NeedsOneReadAndOneWrite(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(impliedMail) })
	r.withApp(ann, "tulip")
	count := func(do func()) (reads, writes int) {
		reads, writes = r.store.Calls(mfatest.OpGet), r.store.Calls(mfatest.OpSwap)
		do()
		return r.store.Calls(mfatest.OpGet) - reads, r.store.Calls(mfatest.OpSwap) - writes
	}
	var ch *mfa.Challenge
	reads, writes := count(func() { ch = r.begin(ann) })
	require.Equal(t, []int{1, 0}, []int{reads, writes}, "Begin")
	reads, writes = count(func() { r.send(ch) })
	require.Equal(t, []int{2, 1}, []int{reads, writes}, "Send")
	reads, writes = count(func() {
		_, err := r.verify(ch, "app", secret.New("tulip"))
		require.NoError(t, err)
	})
	require.Equal(t, []int{1, 1}, []int{reads, writes}, "Verify")
}
