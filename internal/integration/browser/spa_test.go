package browser_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/programs"
)

// startSPA starts the single-page application of examples/spa.
func startSPA(t *testing.T) *site {
	t.Helper()
	needChromium(t)
	path := filepath.Join(t.TempDir(), "spa")
	require.NoError(t, programs.Build(path, "examples/spa"))
	base := programs.Listen(t, path, "-addr", "localhost:0")
	return &site{t: t, base: base}
}

// spa is the application's page in a browser that has an authenticator.
type spa struct {
	*device
	key string // of the authenticator app
}

func (p *spa) click(id string) {
	p.t.Helper()
	p.run(chromedp.Click("#"+id, chromedp.ByQuery))
}

func (p *spa) types(selector, value string) {
	p.t.Helper()
	p.run(chromedp.SetValue(selector, value, chromedp.ByQuery))
}

// sees waits for a part of the page that is shown to have a text.
func (p *spa) sees(id, text string) {
	p.t.Helper()
	p.becomes(`(e => e.checkVisibility() && e.textContent.includes("`+text+`"))`+
		`(document.getElementById("`+id+`"))`, "#"+id+" says "+text)
}

// code returns what the app shows, as users paste it. Each time step is accepted once.
func (p *spa) code(later time.Duration) string {
	p.t.Helper()
	c, err := totp.GenerateCode(p.key, time.Now().Add(later))
	require.NoError(p.t, err)
	return c[:3] + " " + c[3:]
}

func (p *spa) password() {
	p.t.Helper()
	p.sees("login", "Password")
	p.types("[name=email]", "ann@example.com")
	p.types("[name=password]", "ann-demo-password")
	p.run(chromedp.Click("#login-form button", chromedp.ByQuery))
}

// A single-page application enrols an authenticator app and a passkey, signs in with each, and
// shows recovery codes, by the modules of package js.
func TestSPA_EnrolsAndSignsIn(t *testing.T) {
	s := startSPA(t)
	p := &spa{device: s.open(true).device()}
	p.visit("/")
	p.password()
	p.sees("settings", "Signed in: not yet")
	p.click("add-app")
	p.becomes(`document.getElementById("qr").naturalWidth > 0`, "the QR code is drawn")
	p.key = p.text("#key")
	require.Len(t, p.key, 32)
	p.types("#app-code", p.code(0))
	p.run(chromedp.Click("#app-form button", chromedp.ByQuery))
	p.sees("settings", "Signed in: ann@example.com")
	p.sees("factors", "totp:")
	require.Empty(t, p.text("#key"), "the key is gone")

	p.click("make-codes")
	p.becomes(`document.querySelectorAll("#codes li").length === 10`, "recovery codes")
	require.Regexp(t, regexp.MustCompile(`^[0-9A-Z-]{19,}`), p.text("#codes li"))
	p.becomes(`!document.getElementById("codes-saved").hidden`, "a button")
	p.click("codes-saved")
	p.becomes(`document.querySelectorAll("#codes li").length === 0`, "no codes")
	p.becomes(`/recovery: (?!.*not saved)/.test(document.getElementById("factors").textContent)`,
		"saved codes")
	p.click("add-passkey")
	p.sees("factors", "passkey: This device")
	require.Len(t, p.credentials(), 1)
	p.click("add-passkey")
	p.sees("problem", "This device has a passkey already.")
	require.Len(t, p.credentials(), 1)

	t.Run("by code", func(t *testing.T) {
		p.click("sign-out")
		p.password()
		p.sees("verify-form", "authenticator app")
		p.types("#code", "000 000")
		p.run(chromedp.Click("#verify-form button", chromedp.ByQuery))
		p.sees("problem", "Wrong code. Attempts left: 4.")
		p.types("#code", p.code(30*time.Second))
		p.run(chromedp.Click("#verify-form button", chromedp.ByQuery))
		p.sees("settings", "Signed in: ann@example.com")
	})
	t.Run("by passkey after the password", func(t *testing.T) {
		p.click("sign-out")
		p.password()
		p.sees("verify", "Use a passkey")
		p.verified(false)
		p.click("verify-passkey")
		p.sees("problem", "You cancelled.")
		p.verified(true)
		p.click("verify-passkey")
		p.sees("settings", "Signed in: ann@example.com")
	})
	t.Run("by passkey alone", func(t *testing.T) {
		p.click("sign-out")
		p.sees("login", "Sign in with a passkey")
		p.click("login-passkey")
		p.sees("settings", "Signed in: ann@example.com")
	})
	t.Run("in a browser that has no JSON of passkeys", func(t *testing.T) {
		p.run(chromedp.Evaluate(`delete PublicKeyCredential.parseCreationOptionsFromJSON;
			delete PublicKeyCredential.parseRequestOptionsFromJSON;
			delete PublicKeyCredential.prototype.toJSON`, nil),
			webauthn.ClearCredentials(p.id))
		p.click("add-passkey")
		p.becomes(`document.querySelectorAll("#factors li").length === 4`, "a second passkey")
		require.Len(t, p.credentials(), 1)
		p.click("sign-out")
		p.sees("login", "Sign in with a passkey")
		p.click("login-passkey")
		p.sees("settings", "Signed in: ann@example.com")
	})
}

// verified says whether the authenticator recognises its user, who otherwise cannot go on.
func (d *device) verified(yes bool) {
	d.t.Helper()
	d.run(webauthn.SetUserVerified(d.id, yes))
}

// The application makes no call of WebAuthn of its own, and neither encodes nor decodes for one.
func TestSPA_HasNoCeremonyOfItsOwn(t *testing.T) {
	files, err := filepath.Glob("../../../examples/spa/page/*")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, word := range []string{"navigator.credentials", "PublicKeyCredential", "atob",
			"btoa", "ArrayBuffer", "Uint8Array", "publicKey"} {
			require.NotContains(t, string(text), word, file)
		}
	}
}
