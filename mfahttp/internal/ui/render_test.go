package ui_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// A failure leaves nothing half written, and a failing writer is reported.
func TestRender_LeavesNothingHalfWritten(t *testing.T) {
	r, err := ui.New(fstest.MapFS{"confirmed.html": {Data: []byte(
		"much text{{if eq .Product \"Acme Rockets\"}}{{index .Product 99}}{{end}}")}})
	require.NoError(t, err)
	var b bytes.Buffer
	f := frame("en")
	f.Product = "Acme Rockets" // no sample of New has this name
	require.ErrorContains(t, r.Render(&b, ui.Link{Frame: f}), "confirmed.html")
	require.Zero(t, b.Len())
	broken := errors.New("broken pipe")
	require.ErrorIs(t, r.Render(writer{broken}, ui.Error{Frame: frame("en")}), broken)
}

type writer struct{ err error }

func (w writer) Write([]byte) (int, error) { return 0, w.err }

func TestRender_InParallel(t *testing.T) {
	r := newUI(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for _, s := range samples() {
				if err := r.Render(io.Discard, s.make(frame(langs[i%len(langs)]))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// A page costs little beside what it takes to write its bytes escaped.
func BenchmarkRender(b *testing.B) {
	r := newUI(b)
	p := ui.Verify{Frame: frame("en"), Option: ui.Option{Kind: "totp"},
		Others: []ui.Option{{Kind: "email"}, {Kind: "recovery"}}}
	size := len(render(b, r, p))
	const rounds = 2000
	start := time.Now()
	for range rounds {
		var buf bytes.Buffer
		xml.Escape(&buf, make([]byte, size))
	}
	baseline := time.Since(start) / rounds
	for b.Loop() {
		if err := r.Render(io.Discard, p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(baseline), "x-escape")
}
