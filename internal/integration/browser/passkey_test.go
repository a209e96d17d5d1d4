package browser_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// device is an authenticator that Chromium plays in one tab. It keeps passkeys and knows its
// owner, as a laptop with a fingerprint reader does.
type device struct {
	*tab
	id webauthn.AuthenticatorID
}

func (b *tab) device() *device { return b.authenticator(webauthn.AuthenticatorTransportInternal) }

// securityKey is an authenticator on USB.
func (b *tab) securityKey() *device { return b.authenticator(webauthn.AuthenticatorTransportUsb) }

func (b *tab) authenticator(transport webauthn.AuthenticatorTransport) *device {
	b.t.Helper()
	d := &device{tab: b}
	b.run(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		d.id, err = webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol:       webauthn.AuthenticatorProtocolCtap2,
			Transport:      transport,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true,
			AutomaticPresenceSimulation: true}).Do(ctx)
		return err
	}))
	return d
}

// credentials are those that the authenticator has.
func (d *device) credentials() (list []*webauthn.Credential) {
	d.t.Helper()
	d.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		list, err = webauthn.GetCredentials(d.id).Do(ctx)
		return err
	}))
	return list
}

// forgets waits for the browser to have thrown its passkeys away.
func (d *device) forgets() {
	d.t.Helper()
	d.waitFor("no passkey is left", func() bool { return len(d.credentials()) == 0 })
}

// arrives waits for a page that the browser goes to by itself.
func (d *device) arrives(path string) {
	d.t.Helper()
	d.waitFor("at "+path, func() bool { return d.path() == path })
}

// present says whether a user touches the authenticator when it asks.
func (d *device) present(yes bool) {
	d.t.Helper()
	d.run(webauthn.SetAutomaticPresenceSimulation(d.id, yes))
}

const (
	createButton = `form[data-passkey=create] [data-passkey-ask]`
	useButton    = `form[data-passkey=get] [data-passkey-ask]`
	openButton   = `form[data-passkey=open] [data-passkey-ask]`
	saysVisible  = `!document.querySelector("[data-passkey-says]").hidden`
)

// opens signs in by the passkey alone. The list under the field can be quicker than the button.
func (d *device) opens() {
	d.t.Helper()
	d.present(true)
	_ = d.try(chromedp.Evaluate("document.querySelector(`"+openButton+"`)?.click()", nil))
	d.arrives("/")
}

// enrol creates a passkey with a name, as a user who is signed in.
func (d *device) enrol(name string) {
	d.t.Helper()
	d.visit("/mfa/enroll")
	d.press(`form[action="/mfa/enroll/passkey"] button`)
	if d.path() == "/mfa/verify" { // a fresh proof first
		d.press(useButton)
		d.press(`form[action="/mfa/enroll/passkey"] button`)
	}
	require.LessOrEqual(d.t, d.narrow(), 320)
	d.fill("name", name)
	d.press(createButton)
	d.saveCodes()
	require.Equal(d.t, "/mfa/factors", d.path())
	require.Contains(d.t, d.text("main"), name)
}

// A passkey is set up, is asked for after the password, and is the first that is offered.
func TestPasskey_SignsIn(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	laptop := s.open(true).device()
	laptop.present(false) // nobody touches it while the sign-in page offers it
	laptop.signIn("anna")
	laptop.present(true)
	laptop.enrol("Laptop")
	require.Len(t, laptop.credentials(), 1)
	require.True(t, laptop.credentials()[0].IsResidentCredential)
	require.NotContains(t, string(laptop.credentials()[0].UserHandle), "anna")

	laptop.present(false)
	laptop.signOut()
	laptop.firstFactor("anna")
	require.Equal(t, "/mfa/verify", laptop.path())
	require.True(t, laptop.has(`form[data-passkey=get]`), "it is offered first")
	require.LessOrEqual(t, laptop.narrow(), 320)
	laptop.present(true)
	laptop.press(useButton)
	require.Equal(t, "/", laptop.path())

	// A second device, whose owner signs in on it by mail.
	phone := s.open(true).device()
	phone.present(false)
	phone.firstFactor("anna")
	require.Equal(t, "/mfa/verify", phone.path())
	phone.present(true)
	phone.run(chromedp.Click(useButton, chromedp.ByQuery))
	phone.becomes(saysVisible, "a device without the passkey says so")
	phone.visit("/mfa/verify?kind=email")
	phone.press(sendForm)
	phone.answer(s.code("anna@acme.example"))

	// The one that has it makes another on a second authenticator: the first says that it has one.
	laptop.visit("/mfa/enroll")
	laptop.press(`form[action="/mfa/enroll/passkey"] button`)
	laptop.run(chromedp.Click(createButton, chromedp.ByQuery))
	laptop.becomes(saysVisible, "one is enough")
	require.Contains(t, laptop.text("[data-passkey-says]"), "already")
	require.Len(t, laptop.credentials(), 1)
}

// Without JavaScript the page says that it is needed, and the other ways are there.
func TestPasskey_WithoutScriptOffersOtherWays(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("ben")
	d.present(true)
	d.enrol("Laptop")
	b := s.open(false)
	b.visit("/login")
	require.False(t, b.has(`form[data-passkey=open]:not([hidden])`))
	b.firstFactor("ben")
	require.True(t, b.has("[data-passkey-missing]"))
	require.True(t, b.has(`a[href^="/mfa/verify?kind=email"]`))
	require.False(t, b.has(useButton+":not([hidden])"))
}

// The sign-in page lets in by passkey alone: by the button, and by the list under the field.
func TestPasskey_SignsInWithoutAPassword(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("emma")
	d.present(true)
	d.enrol("Laptop")
	d.signOut()

	// The list under the field: Chromium's authenticator takes the first entry by itself.
	require.Equal(t, "/login", d.path())
	d.arrives("/")
	d.waitFor("the page of the user", func() bool {
		return strings.Contains(d.text("main"), "Emma")
	})

	d.present(false)
	d.visit("/mfa/factors")
	d.press(`form[action="/mfa/sign-out"] button`)
	require.True(t, d.has(openButton))
	require.LessOrEqual(t, d.narrow(), 320)
	d.opens()
	d.visit("/mfa/factors")

	// The owner may want a password first.
	owner := s.open(true)
	owner.signIn("olivia")
	owner.setsPolicy("employee", "email", func() { owner.click("#passwordless") })
	d.present(false)
	d.signOut()
	d.present(true)
	d.run(chromedp.Click(openButton, chromedp.ByQuery))
	d.becomes(saysVisible+` && document.querySelector("[data-passkey-says]").innerText.includes(`+
		`"password")`, "the policy wants the password")
	require.Equal(t, "/login", d.path())
}

// What was removed is no way in, and the page has the browser forget it.
func TestPasskey_RemovedOneIsRefused(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("david")
	d.present(true)
	d.enrol("Laptop")
	d.visit("/mfa/factors")
	d.press(`a[href$="/remove"]`)
	d.press(`form[action$="/remove"] button`)
	require.Equal(t, "/mfa/factors", d.path())
	require.True(t, d.has("[data-passkey-gone]"))
	d.forgets()

	// A browser that was not there learns it when it tries.
	d.enrol("Laptop")
	d.visit("/mfa/factors")
	d.eval(
		`fetch("/mfa/api/factors/" + document.querySelector('a[href$="/remove"]').pathname.split("/")[3], {method: "DELETE"}).then(r => { window.gone = r.status })`, nil)
	d.becomes(`window.gone === 200`, "it is removed by a program")
	require.Len(t, d.credentials(), 1, "nobody told the browser")
	d.signOut()
	d.becomes(saysVisible, "it is unknown")
	require.Contains(t, d.text("[data-passkey-says]"), "removed")
	require.Equal(t, "/login", d.path())
	d.forgets()
}

// What the browser signed is valid
// once: not in another tab, and not again.
func TestPasskey_AssertionIsUsedOnceAndInItsTab(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("anna")
	d.present(true)
	d.enrol("Laptop")
	d.present(false)
	d.signOut()
	d.firstFactor("anna")
	d.present(true)
	// The form is kept from going, so that its answer can be looked at.
	d.eval(
		`HTMLFormElement.prototype.submit = function() { window.answer = this.elements.code.value }`, nil)
	d.run(chromedp.Click(useButton, chromedp.ByQuery))
	d.becomes(`window.answer`, "the authenticator answers")
	d.run(chromedp.Evaluate(`(async () => {
		const send = () => fetch("/mfa/api/verify", {method: "POST", headers: {"Content-Type": "application/json"},
			body: JSON.stringify({kind: "passkey", code: window.answer})}).then(r => r.status);
		const all = await Promise.all(Array.from({length: 20}, send));
		window.statuses = all.filter(s => s === 200).length;
	})()`, nil))
	d.becomes(`window.statuses !== undefined`, "they are all answered")
	var won int
	d.eval(`window.statuses`, &won)
	require.Equal(t, 1, won, "twenty posts of one answer")

	// The tab that still shows the question is shown the way on.
	d.press(useButton)
	require.Equal(t, "/", d.path())
}

// A page of another origin, though it is on the same domain, gets nothing useful.
func TestPasskey_OfAnotherOriginIsUseless(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("ben")
	d.present(true)
	d.enrol("Laptop")
	u, err := url.Parse(s.base)
	require.NoError(t, err)
	d.present(false)
	d.signOut()
	forged := &tab{site: &site{t: t, base: "http://login.localhost:" + u.Port()}, window: d.window,
		engine: d.engine, script: true}
	forged.visit("/login")
	forged.fill("username", "ben")
	forged.fill("password", "ben-demo-password")
	forged.press(`form[action="/login"].acme-form button`)
	require.Equal(t, "/mfa/verify", forged.path())
	d.present(true)
	forged.run(chromedp.Click(useButton, chromedp.ByQuery))
	forged.becomes(`(document.querySelector("[data-passkey-says]") && `+saysVisible+
		`) || document.querySelector("main [role=alert]:not([hidden])")`, "it is refused")
	require.Equal(t, "/mfa/verify", forged.path())
}

// A manager of passkeys begins to copy them between devices. The user has an authenticator app
// beside the passkey, signs in with that, and adds the passkey again: it replaces the old one.
func TestPasskey_ChangedOneIsAddedAgain(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("anna")
	app := d.hasApp()
	d.present(true)
	d.enrol("Laptop")
	old := d.credentials()
	require.Len(t, old, 1)
	d.run(webauthn.SetCredentialProperties(d.id, old[0].CredentialID).WithBackupEligibility(true))

	d.present(false)
	d.signOut()
	d.firstFactor("anna")
	d.present(true)
	d.press(useButton)
	require.Equal(t, "/mfa/verify", d.path())
	require.Contains(t, d.text("main [role=alert]"), "has changed since you added it")
	d.visit("/mfa/verify?kind=totp")
	d.answer(s.shown(app))
	require.Equal(t, "/", d.path())

	d.visit("/mfa/factors")
	require.Contains(t, d.text("main"), "It has changed since you added it")
	d.enrol("Laptop again")
	require.NotContains(t, d.text("main"), "It has changed since you added it")
	now := d.credentials()
	require.Len(t, now, 1, "the device replaced it too")
	require.NotEqual(t, old[0].CredentialID, now[0].CredentialID)
	require.Equal(t, old[0].UserHandle, now[0].UserHandle)

	d.present(false)
	d.signOut()
	d.firstFactor("anna")
	d.present(true)
	d.press(useButton)
	require.Equal(t, "/", d.path())
}
