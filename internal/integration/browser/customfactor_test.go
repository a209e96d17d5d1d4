package browser_test

import (
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/internal/integration/programs"
)

// buildExample builds a program of the examples.
func buildExample(t *testing.T, name string) string {
	t.Helper()
	needChromium(t)
	program := filepath.Join(t.TempDir(), path.Base(name))
	require.NoError(t, programs.Build(program, "examples/"+name))
	return program
}

// startExample starts a program that listens at its first argument.
func startExample(t *testing.T, program string, args ...string) *site {
	t.Helper()
	addr := "127.0.0.1:" + strconv.Itoa(freeport.Reserve(t))
	cmd := exec.Command(program, append([]string{addr}, args...)...)
	cmd.Dir = t.TempDir() // where its key file is
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	s := &site{t: t, base: "http://" + addr}
	s.waitFor("the application listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return s
}

// pressToken presses the button of the token of examples/customfactor.
func (s *site) pressToken() string {
	s.t.Helper()
	b := s.open(false)
	b.run(navigate(s.base + "/token"))
	require.NoError(s.t, b.follow(chromedp.Click("main button", chromedp.ByQuery)))
	return b.text("output")
}

// enter signs a user in with the first factor.
func (b *tab) enter() {
	b.t.Helper()
	b.visit("/login")
	b.press("main button")
}

// shots saves pictures of the page, light and dark, wide and narrow, into the directory that
// SECONDGATE_SCREENSHOTS names.
func (b *tab) shots(name string) {
	b.t.Helper()
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" || !b.script || b.firefox != nil {
		return
	}
	b.shootAll(map[string]int64{"": 900, "-narrow": 360}, func(scheme, size string) string {
		return filepath.Join(dir, name+"-"+scheme+size+".png")
	})
}

// typeOnPhone opens the page that stands in for the user's phone, and types a number there.
func (s *site) typeOnPhone(link, number string) {
	s.t.Helper()
	b := s.open(false)
	b.visit(link)
	b.fill("number", number)
	b.press(`button[value="yes"]`)
	require.Contains(s.t, b.text("main"), "Done")
}

// A user adds a phone by the link of the QR code, and approves a sign-in by typing the number of
// the page on it. Another number is refused. TestApproval_GoesOnWhenTheUserDecides walks the same
// pages in every run.
func TestCustomFactor_SignsInByApproval(t *testing.T) {
	program := buildExample(t, "customfactor/site")
	bothAtLength(t, func(t *testing.T, script bool) {
		s := startExample(t, program)
		b := s.open(script)
		b.enter()
		b.press(`form[action="/mfa/enroll/approval"] button`)
		var link string
		b.eval(`document.querySelector('a[href^="/device"]').getAttribute("href")`, &link)
		s.typeOnPhone(link, b.text(".sg-number"))
		b.decided(waitButton)
		require.Equal(t, "Welcome", b.text("h1"))

		for _, correct := range []bool{false, true} {
			b.visit("/mfa/factors")
			b.press(`form[action="/mfa/sign-out"] button`)
			b.enter()
			b.press(sendForm)
			number := b.text(".sg-number")
			if !correct {
				number = "no"
			}
			s.typeOnPhone(link, number)
			b.decided(waitButton)
			if !correct {
				require.Contains(t, b.text(".sg-notice"), "denied on your phone")
				b.visit("/mfa/verify?kind=approval")
				b.press(sendForm)
				s.typeOnPhone(link, b.text(".sg-number"))
				b.decided(waitButton)
			}
			require.Equal(t, "Welcome", b.text("h1"))
		}
	})
}

const tokenForm = `form[action="/mfa/enroll/token"]`

// A third-party factor on the ready pages: a user sets up a hardware token by its serial number
// and a code, reads what is wrong in two languages, and signs in with it.
func TestCustomFactor_SignsInWithAToken(t *testing.T) {
	program := buildExample(t, "customfactor/site")
	bothAtLength(t, func(t *testing.T, script bool) {
		s := startExample(t, program)
		b := s.open(script)
		b.enter()
		require.Equal(t, "/mfa/enroll", b.path())
		require.Contains(t, b.text("main"), "Hardware token")
		require.NotContains(t, b.text("main"), "Another way")
		b.shots("token-choose")
		b.press(`a[href^="/mfa/enroll/token"]`)
		require.Equal(t, "Add a hardware token", b.text("h1"))
		require.LessOrEqual(t, b.narrow(), 320)

		b.fill("serial", "SN-999999")
		b.press(tokenForm + ` button`)
		require.Contains(t, b.text("#serial-error"), "no token with this number")
		b.shots("token-unknown")
		var typed string
		b.eval(`document.querySelector("[name=serial]").value`, &typed)
		require.Equal(t, "SN-999999", typed)
		b.becomes(`document.activeElement.name === "serial"`, "the error has the focus")
		b.run(language("de"))
		b.press(tokenForm + ` button`)
		require.Equal(t, "Hardware-Token hinzufügen", b.text("h1"))
		require.Contains(t, b.text("#serial-error"), "kein Token mit dieser Nummer")
		b.run(language("en"))

		b.fill("serial", "SN-000042")
		b.press(tokenForm + ` button`)
		require.Equal(t, "Confirm your token", b.text("h1"))
		b.shots("token-confirm")
		b.fill("code", "12345")
		b.press(`main form button[type=submit]`)
		require.Contains(t, b.text("#code-error"), "has six digits")
		b.fill("code", "000000")
		b.press(`main form button[type=submit]`)
		require.Contains(t, b.text("#code-error"), "The token does not show this code. "+
			"You have 4 attempts left.")
		b.fill("code", s.pressToken())
		b.fill("name", "Key ring")
		require.NoError(t, b.follow(chromedp.Click(`main form button[type=submit]`,
			chromedp.ByQuery)))
		require.Equal(t, "Welcome", b.text("h1"))
		b.visit("/mfa/factors")
		require.Contains(t, b.text("main"), "Key ring")
		b.shots("token-settings")
		require.Contains(t, b.text("main"), "Hardware token\u00a0· •••042")

		b.press(`form[action="/mfa/sign-out"] button`)
		b.enter()
		require.Equal(t, "Use your hardware token", b.text("h1"))
		require.Contains(t, b.text("main"), "enter the code for Acme")
		b.shots("token-verify")
		b.fill("code", "000000")
		b.run(language("nb"))
		b.press(`form[action="/mfa/verify"] button`)
		require.Contains(t, b.text("#code-error"), "Kodebrikken viser ikke denne koden.")
		b.fill("code", s.pressToken())
		require.NoError(t, b.follow(chromedp.Click(`form[action="/mfa/verify"] button`,
			chromedp.ByQuery)))
		require.Equal(t, "Welcome", b.text("h1"))
	})
}
