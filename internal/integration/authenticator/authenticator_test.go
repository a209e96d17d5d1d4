// Package authenticator_test holds package totp against programs that others wrote:
// oathtool computes codes, zbarimg reads QR codes, KeePassXC is an authenticator.
package authenticator_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/qr"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// tool skips the test without the program, or fails it where all tools must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed; see scripts/tools.sh", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s", name, stderr.String())
	return strings.TrimRight(string(out), "\n")
}

func enroll(
	t *testing.T, cfg totp.Config, p factor.User,
) (*totp.Factor, *factor.EnrollOutput, string) {
	t.Helper()
	f, err := totp.New(cfg)
	require.NoError(t, err)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: p})
	require.NoError(t, err)
	return f, out, out.Prompt.URI.Reveal()
}

var ann = factor.User{ID: "42", Account: "ann+x@example.com"}

// oathtool's codes are accepted and ours are accepted by it, for every algorithm, length and
// several periods, from 1970 to far beyond 32 bits of steps; and the code belongs to that step
// alone.
func TestVerify_AgreesWithOathtool(t *testing.T) {
	oathtool := tool(t, "oathtool")
	for _, a := range []totp.Algorithm{totp.SHA1, totp.SHA256, totp.SHA512} {
		for digits, period := range map[int]time.Duration{6: 30 * time.Second, 7: 120 * time.Second,
			8: 15 * time.Second} {
			t.Run(fmt.Sprint(a, " ", digits, " ", period), func(t *testing.T) {
				f, out, _ := enroll(t, totp.Config{Issuer: "Acme", Algorithm: a, Digits: digits,
					Period: period, Strict: true}, ann)
				state := out.State
				args := func(now time.Time, more ...string) []string {
					return append([]string{"--totp=" + strings.ToLower(a.String()), "-b", "-d",
						fmt.Sprint(digits), "-s", period.String(),
						"-N", now.UTC().Format("2006-01-02 15:04:05 UTC"),
						out.Prompt.Secret.Reveal()}, more...)
				}
				for _, unix := range []int64{59, 1111111109, 1234567890, 1800000000, 1 << 31,
					20000000000, 1 << 37} {
					now := time.Unix(unix, 0)
					code := run(t, "", oathtool, args(now)...)
					for _, other := range []time.Duration{-period, period} {
						_, err := f.Verify(t.Context(), factor.VerifyInput{State: state,
							Response: secret.New(code), Now: now.Add(other)})
						require.ErrorIs(t, err, factor.ErrIncorrect)
					}
					v, err := f.Verify(t.Context(), factor.VerifyInput{State: state,
						Response: secret.New(code),
						Now:      now})
					require.NoError(t, err, "%s at %s", code, now)
					state = v.State

					// A code of ours, of the step after, in the other direction.
					now = now.Add(period)
					ours, err := otptotp.GenerateCodeCustom(out.Prompt.Secret.Reveal(), now,
						otptotp.ValidateOpts{Period: uint(period / time.Second),
							Digits: otp.Digits(digits),
							Algorithm: map[totp.Algorithm]otp.Algorithm{totp.SHA256: otp.
								AlgorithmSHA256, totp.SHA512: otp.AlgorithmSHA512}[a]})
					require.NoError(t, err)
					v, err = f.Verify(t.Context(), factor.VerifyInput{State: state,
						Response: secret.New(ours),
						Now:      now})
					require.NoError(t, err)
					state = v.State
					require.Equal(t, "0", run(t, "", oathtool, args(now, "-w", "0", ours)...),
						"oathtool validates it, zero steps away")
				}
			})
		}
	}
}

// A whole sign-in, with oathtool as the phone.
func TestSignIn_WithOathtool(t *testing.T) {
	oathtool := tool(t, "oathtool")
	clock := mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: clock,
		Factors: []factor.Factor{f}})
	require.NoError(t, err)
	subject := mfa.User{ID: "42", Account: "ann@example.com"}
	begin := func() *mfa.Challenge {
		ch, err := m.Session(subject, "b").Begin(t.Context())
		require.NoError(t, err)
		return ch
	}
	e, err := m.Session(subject, "b").Enroll(t.Context(), begin().Grant,
		mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	shown := func() secret.Text {
		return secret.New(run(t, "", oathtool, "--totp", "-b", "-N",
			clock.Now().Format("2006-01-02 15:04:05 UTC"), e.Prompt.Secret.Reveal()))
	}
	code := shown()
	_, err = m.Session(subject, "b").Confirm(t.Context(), e, code)
	require.NoError(t, err)
	verify := func(code secret.Text) error {
		_, err := m.Session(subject, "b").Verify(t.Context(), begin(), "totp", code)
		return err
	}
	require.ErrorIs(t, verify(code), factor.ErrReplayed, "the code that confirmed does not sign in")
	clock.Advance(30 * time.Second)
	require.NoError(t, verify(shown()))
	require.ErrorIs(t, verify(shown()), factor.ErrReplayed)
}

// Every form of the QR code reads as exactly the URI.
func TestQR_IsReadByZbarimg(t *testing.T) {
	zbarimg := tool(t, "zbarimg")
	read := func(t *testing.T, image []byte) string {
		path := filepath.Join(t.TempDir(), "qr.png")
		require.NoError(t, os.WriteFile(path, image, 0o600))
		return run(t, "", zbarimg, "--raw", "-q", "-Sdisable", "-Sqrcode.enable", path)
	}
	for name, c := range map[string]struct {
		cfg    totp.Config
		in     factor.EnrollInput
		longer int
	}{
		"default": {totp.Config{Issuer: "Acme"}, factor.EnrollInput{User: ann}, 100},
		"SHA512": {totp.Config{Issuer: "Acme", Algorithm: totp.SHA512, Digits: 8},
			factor.EnrollInput{User: ann}, 180},
		"escapes": {totp.Config{Issuer: "Ünï & Cö=1+2#%/?"},
			factor.EnrollInput{User: ann, Name: "my phone"}, 150},
		"long name": {totp.Config{Issuer: strings.Repeat("long name ", 6) + "x"},
			factor.EnrollInput{User: ann}, 250},
		"longest": {totp.Config{Issuer: strings.Repeat("日", 21)},
			factor.EnrollInput{User: factor.User{Account: strings.Repeat("本", 200)},
				Name:   strings.Repeat("電", 100),
				Params: map[string]secret.Text{"secret": secret.New(strings.Repeat("A2", 102))}},
			1200},
	} {
		f, err := totp.New(c.cfg)
		require.NoError(t, err)
		out, err := f.Enroll(t.Context(), c.in)
		require.NoError(t, err)
		uri := out.Prompt.URI.Reveal()
		require.Greater(t, len(uri), c.longer)
		t.Run(name+"/PNG", func(t *testing.T) {
			image, err := totp.QRPNG(uri)
			require.NoError(t, err)
			require.Equal(t, uri, read(t, image))
		})
		t.Run(name+"/SVG", func(t *testing.T) {
			convert := tool(t, "rsvg-convert")
			svg, err := totp.QRSVG(uri)
			require.NoError(t, err)
			require.Equal(t, uri, read(t, []byte(run(t, svg, convert, "-w", "1000"))))
		})
		t.Run(name+"/page", func(t *testing.T) {
			code, err := qr.New(uri)
			require.NoError(t, err)
			page, err := code.DataURI()
			require.NoError(t, err)
			require.Less(t, len(page), 4000)
			require.Equal(t, uri, read(t, enlarged(t, page)))
		})
		t.Run(name+"/terminal", func(t *testing.T) {
			text, err := totp.QRTerminal(uri)
			require.NoError(t, err)
			require.Equal(t, uri, read(t, screenshot(t, text)))
		})
	}
}

// enlarged draws an image of a data: URI as the pages do: 400 pixels wide, without smoothing.
func enlarged(t *testing.T, uri string) []byte {
	t.Helper()
	data, ok := strings.CutPrefix(uri, "data:image/png;base64,")
	require.True(t, ok)
	raw, err := base64.StdEncoding.DecodeString(data)
	require.NoError(t, err)
	small, err := png.Decode(bytes.NewReader(raw))
	require.NoError(t, err)
	const px = 400
	n := small.Bounds().Dx()
	img := image.NewGray(image.Rect(0, 0, px, px))
	for y := range px {
		for x := range px {
			img.Set(x, y, small.At(x*n/px, y*n/px))
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// screenshot draws block characters as a terminal with light text on a dark ground does.
func screenshot(t *testing.T, text string) []byte {
	t.Helper()
	const px = 6
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	img := image.NewGray(image.Rect(0, 0, len([]rune(lines[0]))*px, len(lines)*2*px))
	fill := func(x, y int, light bool) {
		c := color.Gray{}
		if light {
			c.Y = 255
		}
		for dx := range px {
			for dy := range px {
				img.SetGray(x*px+dx, y*px+dy, c)
			}
		}
	}
	for y, line := range lines {
		for x, r := range []rune(line) {
			fill(x, 2*y, r == '█' || r == '▀')
			fill(x, 2*y+1, r == '█' || r == '▄')
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// KeePassXC takes our URI as it is, and the code it shows is accepted now.
func TestURI_IsReadByKeePassXC(t *testing.T) {
	cli := tool(t, "keepassxc-cli")
	t.Setenv("QT_QPA_PLATFORM", "offscreen")
	for name, cfg := range map[string]totp.Config{
		"default":       {Issuer: "Acme & Söhne"},
		"SHA256, 8":     {Issuer: "Acme", Algorithm: totp.SHA256, Digits: 8},
		"SHA512, 7, 60": {Issuer: "Acme", Algorithm: totp.SHA512, Digits: 7, Period: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			f, out, uri := enroll(t, cfg, ann)
			db := filepath.Join(t.TempDir(), "test.kdbx")
			document := filepath.Join(t.TempDir(), "test.xml")
			var escaped bytes.Buffer
			require.NoError(t, xml.EscapeText(&escaped, []byte(uri)))
			require.NoError(t, os.WriteFile(document, []byte(`<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile><Meta><DatabaseName>t</DatabaseName></Meta><Root><Group><UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID><Name>Root</Name><Entry><UUID>AAAAAAAAAAAAAAAAAAAAAg==</UUID>
<String><Key>Title</Key><Value>acme</Value></String>
<String><Key>otp</Key><Value>`+escaped.String()+`</Value></String>
</Entry></Group></Root></KeePassFile>`), 0o600))
			run(t, "test-password\ntest-password\n", cli, "import", "-p", document, db)
			code := run(t, "test-password\n", cli, "show", "-q", "-t", db, "acme")
			v, err := f.Verify(t.Context(), factor.VerifyInput{State: out.State,
				Response: secret.New(code),
				Now:      time.Now()})
			require.NoError(t, err, "%q", code)
			_, err = f.Verify(t.Context(), factor.VerifyInput{State: v.State,
				Response: secret.New(code),
				Now:      time.Now()})
			require.ErrorIs(t, err, factor.ErrReplayed)
		})
	}
}
