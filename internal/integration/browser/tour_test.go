package browser_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tourNow is the tour on the home page: which parts are ticked.
func (b *tab) tourNow() (done []string) {
	b.t.Helper()
	b.visit("/")
	b.eval(`[...document.querySelectorAll(".acme-tour li.acme-done")].map(e =>
		e.id.replace("tour-", ""))`, &done)
	return done
}

// begins presses what begins a part of the tour.
func (b *tab) begins(part string) {
	b.t.Helper()
	b.visit("/")
	b.press("#tour-" + part + " .acme-acts :is(a, button)")
}

// appWithCodes enrols an authenticator app, and returns the recovery codes of its set-up.
func (b *tab) appWithCodes() (codes []string) {
	b.t.Helper()
	b.press(`form[action="/mfa/enroll/totp"] button`)
	var secret string
	b.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
	b.fill("code", b.shown(secret))
	b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
	b.eval(`[...document.querySelectorAll("#recovery-codes code")].map(e => e.innerText)`, &codes)
	require.Len(b.t, codes, 10)
	b.saveCodes()
	return codes
}

// changesThePolicy does what an owner does on the page of policies.
func (b *tab) changesThePolicy() {
	b.t.Helper()
	b.visit("/admin/mfa/policies/edit?type=manager")
	b.set("#preset", "own")
	b.press(`form[action$="policies/preview"] button`)
	b.fill("reason", "the tour")
	b.press(`form[action$="policies"] button`)
}

// A visitor goes through the tour of the demonstration: each part begins where its button leads,
// and is ticked by what the visitor does there.
func TestTour_IsWalkedInABrowser(t *testing.T) {
	needChromium(t)
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		portal := startPortal(t)
		s := in.start(t, "-addr", "localhost:0", "-portal", portal[0])
		b := s.open(in.script)
		b.signIn("anna")
		require.Empty(t, b.tourNow())
		require.LessOrEqual(t, b.narrow(), 320)
		b.shots("tour")

		b.begins("expiry")
		b.press(sendForm)
		code := b.code("anna@acme.example")
		s.expireInOutbox()
		b.answer(code)
		require.Equal(t, []string{"expiry"}, b.tourNow())

		b.begins("lost")
		require.Equal(t, "/mfa/enroll", b.path())
		codes := b.appWithCodes()
		b.signOut()
		b.firstFactor("anna")
		b.visit("/mfa/verify?kind=recovery")
		b.answer(codes[0])
		require.Equal(t, []string{"expiry", "lost"}, b.tourNow())

		b.signOut()
		b.signIn("emma")
		done := []string{"expiry", "lost"}
		if in.script && !in.firefox { // TestPasskey_SignsInWithFirefox has its own
			b.addsAPasskey("emma")
			done = append(done, "passkey")
			require.Equal(t, done, b.tourNow())
		}
		b.begins("lock")
		b.visit("/mfa/verify?kind=email&purpose=step-up")
		b.press(sendForm)
		for range 5 {
			b.answer("000000")
		}
		done = slices.Insert(done, 1, "lock")
		require.Equal(t, done, b.tourNow())

		b.begins("policy") // which signs in as the owner
		b.press(sendForm)
		b.answer(b.code("olivia@acme.example"))
		b.begins("policy")
		require.Equal(t, "/admin/mfa/policies", b.path())
		b.changesThePolicy()
		require.Equal(t, append(done, "policy"), b.tourNow())
		b.begins("administration")
		require.Equal(t, "/admin/mfa/", b.path())
		require.Equal(t, 200, b.client().post("/api/admin/unlock",
			map[string]string{"username": "emma"}))
		require.Equal(t, append(done, "policy", "administration"), b.tourNow())

		b.portalMail(portal)
		require.Equal(t, append(done, "policy", "administration", "portal"), b.tourNow())
		require.Contains(t, b.text(".acme-tour"), fmt.Sprintf("Done: %d of 7.", len(done)+3))
		b.shots("tour-done")
		if in.script && !in.firefox {
			seen := known{}
			b.passesAxe(seen, s.base+"/", s.base+"/outbox", portal[0]+"/", portal[0]+"/outbox",
				portal[1]+"/", portal[1]+"/goodbye", portal[2]+"/login")
			b.signOut()
			b.passesAxe(seen, s.base+"/login", s.base+"/outbox")
		}
	})
}

// addsAPasskey adds a passkey as a part of the tour, and signs in with it.
func (b *tab) addsAPasskey(username string) {
	b.t.Helper()
	d := b.device()
	b.begins("passkey")
	require.Equal(b.t, "/mfa/enroll", b.path())
	d.enrol("Laptop")
	d.present(false) // nobody touches it while the sign-in page offers it
	d.signOut()
	d.firstFactor(username)
	d.present(true)
	d.press(useButton)
	require.Equal(b.t, "/", d.path())
	d.run(webauthn.Disable()) // or every sign-in page would sign in with it
}

// passesAxe opens pages in a window of 320 pixels, and fails for what axe-core finds wrong.
func (b *tab) passesAxe(seen known, urls ...string) {
	b.t.Helper()
	script := axe(b.t)
	b.run(viewport(320, 800))
	defer b.run(emulation.SetEmulatedMedia().WithFeatures(nil),
		viewport(1100, 900))
	for _, u := range urls {
		b.run(navigate(u), chromedp.Evaluate(script+";0", nil))
		if found := b.axeFinds(seen); len(found) > 0 {
			b.t.Errorf("%s:\n%s", u, strings.Join(found, "\n"))
		}
	}
}

// The document of a mail is in a frame of another origin, whose link opens a page in a new tab.
func TestOutbox_ShowsAMailInAFrame(t *testing.T) {
	s := start(t)
	b := s.open(true)
	require.Equal(t, 202, b.client().post("/api/password/forgot",
		map[string]string{"email": "anna@acme.example"}))
	s.waitFor("the mail", func() bool {
		b.visit("/outbox")
		return b.has(`.acme-rendered[open] iframe`)
	})
	var sealed bool
	b.eval(`document.querySelector(".acme-rendered iframe").contentDocument === null`, &sealed)
	require.True(t, sealed, "the page cannot read what it frames")
	var frame string
	b.eval(`document.querySelector(".acme-rendered iframe").src`, &frame)
	b.run(navigate(frame))
	opened := chromedp.WaitNewTarget(b.ctx, func(i *target.Info) bool { return i.URL != "" })
	b.click("a")
	select {
	case id := <-opened:
		ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
		defer cancel()
		w := &window{ctx: ctx}
		next := &tab{site: s, window: w, engine: inChromium{w}, script: true}
		next.becomes(`document.querySelector("#password")`, "the page of the link")
	case <-b.ctx.Done():
		t.Fatal("the link opens no tab")
	}
}

// expireInOutbox moves the clock by the button of the outbox.
func (s *site) expireInOutbox() {
	s.t.Helper()
	b := s.open(false)
	b.visit("/outbox")
	b.press(`form[action="/outbox/clock"] button[value="91s"]`)
	require.Contains(s.t, b.text("main"), "moved forward")
}
