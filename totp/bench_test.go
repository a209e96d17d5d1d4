package totp_test

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/skip2/go-qrcode"

	"github.com/secondgate/secondgate/totp"
)

// The ratio is to pquerna's own validation of an incorrect code over the same three steps, which
// remembers nothing: times-bare.
func BenchmarkVerify(b *testing.B) {
	f, state := newFactor(b), fresh()
	for b.Loop() {
		if _, err := at(f, state, 59, "287082"); err != nil {
			b.Fatal(err)
		}
	}
	ours, secret := b.Elapsed(), base32.StdEncoding.EncodeToString(seeds[totp.SHA1])
	bare := elapsed(b.N, func() {
		ok, err := otptotp.ValidateCustom("000000", secret, time.Unix(59, 0),
			otptotp.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix})
		if ok || err != nil {
			b.Fatal(ok, err)
		}
	})
	b.ReportMetric(float64(ours)/float64(bare), "times-bare")
}

// The ratio is to the modules alone, by skip2/go-qrcode, without drawing them: times-bare.
func BenchmarkQR(b *testing.B) {
	for _, form := range []struct {
		name string
		draw func() error
	}{
		{"png", func() error { _, err := totp.QRPNG(uri); return err }},
		{"svg", func() error { _, err := totp.QRSVG(uri); return err }},
		{"terminal", func() error { _, err := totp.QRTerminal(uri); return err }},
	} {
		b.Run(form.name, func(b *testing.B) {
			for b.Loop() {
				if err := form.draw(); err != nil {
					b.Fatal(err)
				}
			}
			ours := b.Elapsed()
			bare := elapsed(b.N, func() {
				q, err := qrcode.New(uri, qrcode.Medium)
				if err != nil {
					b.Fatal(err)
				}
				q.Bitmap()
			})
			b.ReportMetric(float64(ours)/float64(bare), "times-bare")
		})
	}
}

func elapsed(n int, run func()) time.Duration {
	start := time.Now()
	for range n {
		run()
	}
	return time.Since(start)
}
