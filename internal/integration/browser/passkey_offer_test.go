package browser_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const offerQuarter = "2160h"

// A user who signs in by a code is offered a passkey, declines, is not asked again, and takes the
// offer when it comes back.
func TestOffer_IsDeclinedAndComesBack(t *testing.T) {
	s := start(t, "-addr", "localhost:0", "-offer-passkeys", offerQuarter)
	d := s.open(true).device()
	d.present(false)
	d.byMail("anna")
	require.Equal(t, "/mfa/offer", d.path())
	require.LessOrEqual(t, d.narrow(), 320)
	d.press(`form[action="/mfa/offer"] button`)
	require.Equal(t, "/", d.path())

	d.signOut()
	d.byMail("anna")
	require.Equal(t, "/", d.path(), "not soon")

	d.signOut()
	s.advance(2200 * time.Hour)
	d.byMail("anna")
	require.Equal(t, "/mfa/offer", d.path())
	d.press(`form[data-passkey-offer] button`)
	d.present(true)
	d.press(createButton)
	d.saveCodes()
	require.Len(t, d.credentials(), 1)
}

// before runs a script before those of each page that follows in the test. The next test has the
// window without it.
func (b *tab) before(script string) {
	b.t.Helper()
	var id page.ScriptIdentifier
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		id, err = page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	}))
	b.t.Cleanup(func() {
		b.run(chromedp.ActionFunc(func(ctx context.Context) error {
			return page.RemoveScriptToEvaluateOnNewDocument(id).Do(ctx)
		}))
	})
}

// byMail signs in on the pages by a code in a mail.
func (d *device) byMail(username string) {
	d.t.Helper()
	d.typesCode(username)
	d.press(verifyForm)
}

// typesCode types the code of a sign-in by mail.
func (d *device) typesCode(username string) {
	d.t.Helper()
	d.login(username)
	if d.has(sendForm) {
		d.press(sendForm)
	}
	d.fill("code", d.code(username+"@acme.example"))
}

// A browser that has no passkeys passes the offer by, with a script and without one.
func TestOffer_IsForBrowsersWithPasskeys(t *testing.T) {
	both(t, func(t *testing.T, script bool) {
		s := start(t, "-addr", "localhost:0", "-offer-passkeys", offerQuarter)
		b := s.open(script)
		if script {
			b.before(`delete window.PublicKeyCredential`)
		}
		d := &device{tab: b}
		d.typesCode("anna")
		d.run(chromedp.Click(verifyForm, chromedp.ByQuery)) // two pages go on by themselves
		d.arrives("/")
	})
}

// A browser that creates passkeys without a prompt does so after the sign-in, and the page goes on.
// Chromium's virtual authenticator cannot, so the page's calls are replaced: the options ask for
// it, and what the server takes is in package passkey.
func TestOffer_AsksTheBrowserFirst(t *testing.T) {
	s := start(t, "-addr", "localhost:0", "-offer-passkeys", offerQuarter)
	d := s.open(true).device()
	d.present(false)
	d.before(`
		PublicKeyCredential.getClientCapabilities = async () => ({conditionalCreate: true});
		const create = CredentialsContainer.prototype.create;
		CredentialsContainer.prototype.create = function ({publicKey, mediation}) {
			sessionStorage.mediation = mediation;
			return create.call(this, {publicKey});
		};`)
	d.present(true)
	d.byMail("anna")
	d.waitFor("the passkey is made", func() bool { return len(d.credentials()) == 1 })
	d.waitFor("the page goes on", func() bool { return d.path() != "/mfa/offer" })
	var mediation string
	d.eval(`sessionStorage.mediation`, &mediation)
	require.Equal(t, "conditional", mediation)
}
