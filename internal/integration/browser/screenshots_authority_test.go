package browser_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"
)

// shooter takes pictures of one language.
type shooter struct {
	dir, lang string
}

// in opens a tab whose browser asks for the language.
func (s shooter) in(site *site) *tab {
	b := site.open(true)
	b.run(network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": s.lang}))
	return b
}

func (s shooter) shot(b *tab, name string) {
	b.t.Helper()
	require.LessOrEqual(b.t, b.narrow(), 320, name)
	if s.dir == "" {
		return
	}
	b.shootAll(map[string]int64{"": 900, "-360": 360}, func(scheme, size string) string {
		return filepath.Join(s.dir, name+"-"+s.lang+"-"+scheme+size+".png")
	})
}

// TestPages_OfAuthorityFitANarrowWindow walks through the pages that say what a user may change,
// and checks that each fits into a narrow window, in the language with the longer words; make
// test-long does so in English as well. It takes pictures of them in both if SECONDGATE_SCREENSHOTS
// names a directory.
func TestPages_OfAuthorityFitANarrowWindow(t *testing.T) {
	list := shooters("de", "en")
	if len(list) == 1 && atLength() {
		list = append(list, shooter{lang: "en"})
	}
	for _, s := range list {
		t.Run(s.lang, func(t *testing.T) {
			site := start(t)
			s.recovery(site)
			s.proofs(site)
		})
	}
}

// recovery takes what a user sees of a recovery, and of its hold.
func (s shooter) recovery(site *site) {
	phone := s.in(site)
	phone.signIn("ben")
	old := phone.hasApp()
	phone.visit("/mfa/recovery-codes")
	phone.press(`form[action="/mfa/recovery-codes"] button`)
	var codes []string
	phone.eval(
		`[...document.querySelector("main").innerText.matchAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b/g)].map(m => m[0])`, &codes)

	asking := s.in(site)
	asking.firstFactor("ben")
	asking.press(`a[href^="/mfa/lost"]`)
	asking.press(`form[action="/mfa/lost/link"] button`)
	s.shot(asking, "link-sent")
	other := s.in(site)
	other.visit(strings.TrimPrefix(setupLink.FindString(other.last("ben@acme.example").Text),
		other.base))
	other.press(`form[action="/mfa/setup"] button`)
	other.answer(codes[0])
	have := map[string]string{"en": "You already have one", "de": "Sie haben bereits"}
	require.NotContains(other.t, other.text("main"), have[s.lang], "what was lost is not there")
	s.shot(other, "recovered")
	secret := other.replaceApp()
	s.shot(other, "replaced")
	other.appCode("ben", secret)
	other.visit("/mfa/factors")
	s.shot(other, "held")
	other.press(`li:not(:has(.sg-chip)) a[href$="/remove"]`)
	other.press(`form[action$="/remove"] button`)
	s.shot(other, "on-hold")

	site.advance(30 * time.Second)
	phone = s.in(site) // the recovery ended the session
	phone.appCode("ben", old)
	phone.visit(site.settingsLink("ben@acme.example"))
	phone.press(`li:has(.sg-chip) a[href$="/remove"]`)
	s.shot(phone, "cancel")
	phone.press(`form[action$="/remove"] button`)
	cancelled := map[string]string{"en": "The recovery was cancelled.",
		"de": "Wiederherstellung wurde abgebrochen"}
	require.Contains(phone.t, phone.text("main"), cancelled[s.lang])
	s.shot(phone, "cancelled")
}

var settingsURL = regexp.MustCompile(`http://\S+?(/mfa/(?:factors)?)(?:\s|$)`)

// settingsLink returns the path to which the latest notice at an address leads: a user who did not
// do what it says presses its button.
func (s *site) settingsLink(to string) string {
	s.t.Helper()
	var all []message
	s.get("/demo/outbox", &all)
	for _, m := range all {
		if found := settingsURL.FindStringSubmatch(m.Text); m.To == to && found != nil {
			return found[1]
		}
	}
	s.t.Fatalf("no notice was sent to %s", to)
	return ""
}

// proofs takes what a user sees who has to prove more.
func (s shooter) proofs(site *site) {
	anna, olivia := s.in(site), s.in(site)
	anna.signIn("anna")
	olivia.signIn("olivia")
	key := olivia.hasApp()
	site.advance(5 * time.Hour)
	anna.visit("/mfa/enroll")
	s.shot(anna, "step-up-mail")
	anna.visit("/reauthenticate?return=/mfa/factors")
	s.shot(anna, "reauthenticate")
	olivia.visit("/mfa/enroll")
	s.shot(olivia, "step-up")
	olivia.visit("/admin/mfa/user?id=acct-anna")
	olivia.press(`a[href*="user/reset"]`)
	s.shot(olivia, "admin-proof")
	olivia.answer(olivia.shown(key))
	s.shot(olivia, "admin-proven")
	olivia.visit("/admin/mfa/user?id=acct-olivia")
	s.shot(olivia, "admin-self")
}
