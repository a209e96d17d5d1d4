// Package authenticator_test holds package totp against programs that others wrote:
// oathtool computes codes, zbarimg reads QR codes, KeePassXC is an authenticator.
package authenticator_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
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

func enroll(t *testing.T, cfg totp.Config, p factor.Person) (*totp.Factor, *factor.EnrollOutput, string) {
	t.Helper()
	f, err := totp.New(cfg)
	require.NoError(t, err)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Person: p})
	require.NoError(t, err)
	return f, out, out.Prompt.URI.Reveal()
}

var ann = factor.Person{ID: "42", Account: "ann+x@example.com"}

// oathtool's codes are accepted, for every algorithm and length, at many times; and what
// we accept is only what it computes: the codes of other steps are refused.
func TestOathtool(t *testing.T) {
	oathtool := tool(t, "oathtool")
	for _, a := range []totp.Algorithm{totp.SHA1, totp.SHA256, totp.SHA512} {
		for _, digits := range []int{6, 7, 8} {
			t.Run(fmt.Sprint(a, " ", digits), func(t *testing.T) {
				f, out, _ := enroll(t, totp.Config{Issuer: "Acme", Algorithm: a, Digits: digits, Strict: true}, ann)
				state := out.State
				for i := range 20 {
					now := time.Unix(59+int64(i)*77_777_777, 0)
					args := []string{"--totp=" + strings.ToLower(a.String()), "-b", "-d", fmt.Sprint(digits), "-N", now.UTC().Format("2006-01-02 15:04:05 UTC"), out.Prompt.Secret.Reveal()}
					if digits == 7 && i > 2 {
						break
					}
					code := run(t, "", oathtool, args...)
					_, err := f.Verify(t.Context(), factor.VerifyInput{State: state, Response: code, Now: now.Add(30 * time.Second)})
					require.ErrorIs(t, err, factor.ErrIncorrect)
					v, err := f.Verify(t.Context(), factor.VerifyInput{State: state, Response: code, Now: now})
					require.NoError(t, err, "%s at %s", code, now)
					state = v.State
				}
			})
		}
	}
}

// A whole sign-in, with oathtool as the phone.
func TestSignInWithOathtool(t *testing.T) {
	oathtool := tool(t, "oathtool")
	clock := mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: clock, Factors: []mfa.Factor{f}})
	require.NoError(t, err)
	subject := mfa.Subject{ID: "42", Account: "ann@example.com"}
	begin := func() *mfa.Challenge {
		ch, err := m.Begin(t.Context(), mfa.BeginRequest{Subject: subject, Binding: "b"})
		require.NoError(t, err)
		return ch
	}
	e, err := m.Enroll(t.Context(), mfa.EnrollRequest{Grant: begin().Grant, Binding: "b", Kind: "totp"})
	require.NoError(t, err)
	shown := func() mfa.Secret {
		return mfa.Secret(run(t, "", oathtool, "--totp", "-b", "-N", clock.Now().Format("2006-01-02 15:04:05 UTC"), e.Prompt.Secret.Reveal()))
	}
	code := shown()
	_, err = m.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: "b", Response: code})
	require.NoError(t, err)
	verify := func(code mfa.Secret) error {
		_, err := m.Verify(t.Context(), mfa.VerifyRequest{Challenge: begin().Token, Binding: "b", Kind: "totp", Response: code})
		return err
	}
	require.ErrorIs(t, verify(code), mfa.ErrReplayed, "the code that confirmed does not sign in")
	clock.Advance(30 * time.Second)
	require.NoError(t, verify(shown()))
	require.ErrorIs(t, verify(shown()), mfa.ErrReplayed)
}

// Every form of the QR code reads as exactly the URI.
func TestZbarimg(t *testing.T) {
	zbarimg := tool(t, "zbarimg")
	read := func(t *testing.T, image []byte) string {
		path := filepath.Join(t.TempDir(), "qr.png")
		require.NoError(t, os.WriteFile(path, image, 0o600))
		return run(t, "", zbarimg, "--raw", "-q", "-Sdisable", "-Sqrcode.enable", path)
	}
	for _, issuer := range []string{"Acme", "Ünï & Cö=1", strings.Repeat("long name ", 6) + "x"} {
		for _, a := range []totp.Algorithm{totp.SHA1, totp.SHA512} {
			_, out, uri := enroll(t, totp.Config{Issuer: issuer, Algorithm: a}, ann)
			t.Run("PNG", func(t *testing.T) { require.Equal(t, uri, read(t, []byte(out.Prompt.PNG.Reveal()))) })
			t.Run("SVG", func(t *testing.T) {
				convert := tool(t, "rsvg-convert")
				require.Equal(t, uri, read(t, []byte(run(t, out.Prompt.SVG.Reveal(), convert, "-w", "600"))))
			})
			t.Run("terminal", func(t *testing.T) {
				text, err := totp.QRTerminal(uri)
				require.NoError(t, err)
				require.Equal(t, uri, read(t, screenshot(t, text)))
			})
		}
	}
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
func TestKeePassXC(t *testing.T) {
	cli := tool(t, "keepassxc-cli")
	for _, cfg := range []totp.Config{{Issuer: "Acme & Söhne"}, {Issuer: "Acme", Algorithm: totp.SHA256, Digits: 8}} {
		f, out, uri := enroll(t, cfg, ann)
		db := filepath.Join(t.TempDir(), "test.kdbx")
		xml := filepath.Join(t.TempDir(), "test.xml")
		require.NoError(t, os.WriteFile(xml, []byte(`<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile><Meta><DatabaseName>t</DatabaseName></Meta><Root><Group><UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID><Name>Root</Name><Entry><UUID>AAAAAAAAAAAAAAAAAAAAAg==</UUID>
<String><Key>Title</Key><Value>acme</Value></String>
<String><Key>otp</Key><Value>`+strings.ReplaceAll(uri, "&", "&amp;")+`</Value></String>
</Entry></Group></Root></KeePassFile>`), 0o600))
		t.Setenv("QT_QPA_PLATFORM", "offscreen")
		run(t, "test-password\ntest-password\n", cli, "import", "-p", xml, db)
		v, err := func() (*factor.Verdict, error) {
			code := run(t, "test-password\n", cli, "show", "-q", "-t", db, "acme")
			require.Len(t, code, len(strings.TrimSpace(code)))
			return f.Verify(t.Context(), factor.VerifyInput{State: out.State, Response: code, Now: time.Now()})
		}()
		require.NoError(t, err)
		require.NotNil(t, v.State)
		u, err := url.Parse(uri)
		require.NoError(t, err)
		require.Equal(t, "/"+cfg.Issuer+":"+ann.Account, u.Path)
	}
}
