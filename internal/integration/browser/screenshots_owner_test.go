package browser_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/storage/memory"
)

// shooters returns one for each language in which pictures are wanted, or for the first alone if
// none are.
func shooters(langs ...string) (list []shooter) {
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" {
		return []shooter{{lang: langs[0]}}
	}
	for _, lang := range pictured(langs...) {
		list = append(list, shooter{dir, lang})
	}
	return list
}

// pictured returns the languages in which pictures are wanted: those that
// SECONDGATE_SCREENSHOTS_IN names, such as "fi pl", or usual ones.
func pictured(usual ...string) []string {
	if named := strings.Fields(os.Getenv("SECONDGATE_SCREENSHOTS_IN")); len(named) > 0 {
		return named
	}
	return usual
}

// take checks that the page fits into a narrow window. It saves a picture of it in each setting if
// pictures are wanted: in English in all, in other languages in the narrow one, or in those that
// SECONDGATE_SCREENSHOTS_OF names.
func (s shooter) take(b *tab, name string) {
	b.t.Helper()
	b.run(viewport(320, 800))
	for _, script := range []string{geometry, cut} {
		var found []string
		b.eval(script, &found)
		require.Empty(b.t, found, name)
	}
	for _, set := range settings {
		if s.dir != "" && wanted(b.t, path.Join(set.name, s.lang, name), "*/en/* 360/*/*") {
			b.run(set.apply())
			b.shoot(set, filepath.Join(s.dir, set.name, s.lang, name+".png"))
		}
	}
	b.run(usual.apply())
}

// What an account owner sees before and after an act fits into a narrow window: the preview of a
// policy, mails to many users, and the example's own pages for owners. SECONDGATE_SCREENSHOTS names
// a directory for pictures of them, and SECONDGATE_SCREENSHOTS_IN other languages.
func TestOwner_PagesFitANarrowWindow(t *testing.T) {
	for _, s := range shooters("en", "de", "ar", "ja") {
		t.Run(s.lang, func(t *testing.T) {
			site := start(t, "-people", "45")
			b := s.in(site)
			b.signIn("olivia")
			s.policies(b)
			s.mails(b)
			s.ownPages(b)
		})
	}
}

// What an owner sees of an exception from the second step, and of what a policy asks of passkeys,
// fits into a narrow window. The application offers passkeys on localhost alone.
func TestOwner_PagesOfExceptionsAndPasskeysFitANarrowWindow(t *testing.T) {
	for _, s := range shooters("en", "de", "ar", "ja") {
		t.Run(s.lang, func(t *testing.T) {
			b := s.in(start(t, "-addr", "localhost:0"))
			b.signIn("olivia")
			b.visit("/admin/mfa/policies/edit?type=employee")
			require.True(t, b.has("#certified"), "the application offers passkeys")
			s.take(b, "owner-policy-keys")
			b.run(chromedp.Click("#device_bound", chromedp.ByQuery))
			b.press(`form[action*="policies/preview"] button`)
			s.take(b, "owner-preview-keys")
			s.exceptions(b)
		})
	}
}

// exceptions takes what an owner sees of an exception from the second step, from the offer to its
// end.
func (s shooter) exceptions(b *tab) {
	const user = "/admin/mfa/user?id=acct-lena"
	b.visit(user)
	s.take(b, "owner-exception-offered")
	b.press(`a[href*="user/exception"]`)
	s.take(b, "owner-exception-form")
	b.run(chromedp.SetValue("#ends", "2020-01-01", chromedp.ByQuery))
	b.fill("approver", "Maria da Silva")
	b.fill("reason", "broken arm")
	b.press(`form[action*="user/exception"] button`)
	s.take(b, "owner-exception-refused")
	b.run(chromedp.SetValue("#ends", b.site.now().AddDate(0, 1, 0).Format(time.DateOnly),
		chromedp.ByQuery))
	b.press(`form[action*="user/exception"] button`)
	s.take(b, "owner-exception-granted")
	b.visit("/admin/mfa/audit")
	s.take(b, "owner-exception-found")
	b.visit(user)
	b.press(`a[href*="user/end-exception"]`)
	s.take(b, "owner-exception-ending")
	b.fill("reason", "healed")
	b.press(`form[action*="user/end-exception"] button`)
	s.take(b, "owner-exception-ended")
}

// policies takes the previews: of a user type, of all, and of the switch.
func (s shooter) policies(b *tab) {
	preview := func(path, name string, change ...chromedp.Action) {
		b.visit(path)
		b.run(change...)
		b.press(`form[action*="policies/preview"] button`)
		s.take(b, name)
	}
	preview("/admin/mfa/policies/edit?type=employee", "owner-preview",
		chromedp.SetValue("#preset", "only-pin", chromedp.ByQuery))
	b.fill("reason", " ")
	b.press(`form[action$="policies"] button`)
	s.take(b, "owner-preview-no-reason")
	preview("/admin/mfa/policies/edit", "owner-preview-all",
		chromedp.SetValue("#preset", "own", chromedp.ByQuery),
		chromedp.SetValue("#within", "7", chromedp.ByQuery),
		chromedp.SetValue("#remember", "14", chromedp.ByQuery))
	preview("/admin/mfa/policies", "owner-preview-switch",
		chromedp.SetValue("#switch", "optional", chromedp.ByQuery))
	b.fill("reason", "new rules")
	b.press(`form[action$="policies"] button`)
	s.take(b, "owner-policies-set")
	b.visit("/admin/mfa/policies/edit?type=employee")
	b.run(chromedp.SetValue("#preset", "custom", chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelector("details").open = true`, nil))
	s.take(b, "owner-policy-custom")
}

// mails takes the steps of a mail to many users: the form, the count, and the results.
func (s shooter) mails(b *tab) {
	b.visit("/admin/mfa/mails")
	s.take(b, "owner-mails")
	b.visit("/admin/mfa/mails?status=none&text=crowd&type=employee")
	b.run(chromedp.SetValue("#mail", "enrollment", chromedp.ByQuery))
	b.press(`form[action*="mails/preview"] button`)
	s.take(b, "owner-mails-counted")
	b.fill("reason", "they begin on Monday")
	b.press(`form[action*="mails"] button`)
	b.waitFor("all mails", func() bool { return b.has(`.sg-good[role=status]`) })
	s.take(b, "owner-mails-sent")
	if s.dir != "" {
		for tries := 0; tries < 40 && !b.has(".sg-warn[role=status]"); tries++ {
			b.visit("/admin/mfa/mails/resend?status=unverified") // until a limit refuses one
			b.fill("reason", "asked again")
			b.press(`form[action*="mails"] button`)
		}
		s.take(b, "owner-mails-refused")
	}
	b.visit("/admin/mfa/mails/resend?text=nobody-has-this-name")
	s.take(b, "owner-mails-nobody")
}

// ownPages takes the pages that the example has for its owners.
func (s shooter) ownPages(b *tab) {
	b.visit("/")
	s.take(b, "owner-home")
	b.visit("/admin/account?id=acct-ben")
	s.take(b, "owner-account")
	b.fill("password", "short")
	b.fill("reason", "asked")
	b.press(`form[action="/admin/password"] button`)
	s.take(b, "owner-account-refused")
	b.fill("password", "a password of some length")
	b.fill("reason", "asked")
	b.press(`form[action="/admin/password"] button`)
	s.take(b, "owner-account-done")
	b.visit("/admin/sign-on")
	s.take(b, "owner-sign-on")
	b.fill("organization", "acme")
	b.fill("reason", "ours")
	b.press(`form[action="/admin/sign-on/activate"] button`)
	s.take(b, "owner-sign-on-refused")
	b.fill("organization", "72f988bf-86f1-41af-91ab-2d7cd011db47")
	b.fill("reason", "ours")
	b.press(`form[action="/admin/sign-on/activate"] button`)
	s.take(b, "owner-sign-on-active")
}

// The pages of package secondgate fit into a narrow window in an application with a long name,
// colours and a logo of its own. SECONDGATE_SCREENSHOTS names a directory for pictures of them.
func TestFrontDoor_PagesFitANarrowWindow(t *testing.T) {
	for _, s := range shooters("en", "de", "ar") {
		t.Run(s.lang, func(t *testing.T) {
			needChromium(t)
			b := s.in(startBranded(t))
			b.run(navigate(b.base + "/login?as=new"))
			b.visit("/")
			s.take(b, "front-enroll")
			b.press(`form[action="/mfa/enroll/totp"] button`)
			s.take(b, "front-app")
			b.run(navigate(b.base + "/login?as=mailed"))
			b.visit("/")
			s.take(b, "front-code")
			b.fill("code", "000000")
			b.press(`form[action="/mfa/verify"] button[type=submit]`)
			s.take(b, "front-wrong")
			b.visit("/mfa/lost")
			s.take(b, "front-help")
		})
	}
}

// startBranded starts an application of one's own colours, in which "/login?as=" signs in.
func startBranded(t *testing.T) *site {
	t.Helper()
	began := time.Now()
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Northwind",
		Keys:   secondgate.KeyFile(filepath.Join(t.TempDir(), "key")),
		Mail:   email.SenderFunc(func(context.Context, email.Message) error { return nil }),
		Public: []string{"/assets/"},
		User: func(r *http.Request) (secondgate.User, error) {
			as, err := r.Cookie("as")
			if err != nil {
				return secondgate.User{}, nil
			}
			id, session := as.Value[26:], as.Value[:26]
			return secondgate.User{ID: id, Email: id + "@northwind.example",
				EmailVerified: id == "mailed", SessionID: session, SignedInAt: began}, nil
		},
		Brand: func(context.Context, policy.Scope) (brand.Brand, error) {
			return brand.Brand{Product: "Northwind Traders & Sons", Accent: "#7a1fa2",
				Logo: "/assets/northwind.svg"}, nil
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "as", Path: "/", HttpOnly: true,
			Value: rand.Text() + r.FormValue("as")})
	})
	mux.HandleFunc("/assets/northwind.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">` +
			`<path fill="#7a1fa2" d="M20 2 36 34H4z"/></svg>`))
	})
	server := httptest.NewServer(gate.Require(mux))
	t.Cleanup(server.Close)
	return &site{t: t, base: server.URL}
}
