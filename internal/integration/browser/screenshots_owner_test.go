package browser_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// An album is a directory for pictures of pages in one language.
type album struct {
	dir, lang string
}

// needAlbums returns an album for each language, or skips the test if no pictures are wanted.
func needAlbums(t *testing.T, langs ...string) (list []album) {
	t.Helper()
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" {
		t.Skip("SECONDGATE_SCREENSHOTS is not set")
	}
	for _, lang := range langs {
		list = append(list, album{dir, lang})
	}
	return list
}

// take saves a picture of the page in each setting: in English all, in other languages the narrow
// one.
func (a album) take(b *tab, name string) {
	b.t.Helper()
	for _, s := range settings {
		if a.lang == "en" || s.name == "360" {
			b.run(s.apply())
			b.shoot(s, filepath.Join(a.dir, s.name, a.lang, name+".png"))
		}
	}
	b.run(usual.apply())
}

// TestOwner_Screenshots saves pictures of what an account owner sees before and after an act: the
// preview of a policy, mails to many users, and the example's own pages for owners.
func TestOwner_Screenshots(t *testing.T) {
	for _, a := range needAlbums(t, "en", "de", "ar", "ja") {
		t.Run(a.lang, func(t *testing.T) {
			site := start(t, "-people", "45")
			b := shooter{"", a.lang}.in(site)
			b.signIn("olivia")
			a.policies(b)
			a.mails(b)
			a.ownPages(b)
		})
	}
}

// policies takes the previews: of a user type, of all, and of the switch.
func (a album) policies(b *tab) {
	preview := func(path, name string, change ...chromedp.Action) {
		b.visit(path)
		b.run(change...)
		b.press(`form[action*="policies/preview"] button`)
		a.take(b, name)
	}
	preview("/admin/mfa/policies/edit?type=employee", "owner-preview",
		chromedp.SetValue("#preset", "only-pin", chromedp.ByQuery))
	b.fill("reason", " ")
	b.press(`form[action$="policies"] button`)
	a.take(b, "owner-preview-no-reason")
	preview("/admin/mfa/policies/edit", "owner-preview-all",
		chromedp.SetValue("#preset", "own", chromedp.ByQuery),
		chromedp.SetValue("#within", "7", chromedp.ByQuery),
		chromedp.SetValue("#remember", "14", chromedp.ByQuery))
	preview("/admin/mfa/policies", "owner-preview-switch",
		chromedp.SetValue("#switch", "optional", chromedp.ByQuery))
	b.fill("reason", "new rules")
	b.press(`form[action$="policies"] button`)
	a.take(b, "owner-policies-set")
	b.visit("/admin/mfa/policies/edit?type=employee")
	b.run(chromedp.SetValue("#preset", "custom", chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelector("details").open = true`, nil))
	a.take(b, "owner-policy-custom")
}

// mails takes the steps of a mail to many users: the form, the count, and the results.
func (a album) mails(b *tab) {
	b.visit("/admin/mfa/mails")
	a.take(b, "owner-mails")
	b.visit("/admin/mfa/mails?status=none&text=crowd&type=employee")
	b.run(chromedp.SetValue("#mail", "enrollment", chromedp.ByQuery))
	b.press(`form[action*="mails/preview"] button`)
	a.take(b, "owner-mails-counted")
	b.fill("reason", "they begin on Monday")
	b.press(`form[action*="mails"] button`)
	b.waitFor("all mails", func() bool { return b.has(`.sg-good[role=status]`) })
	a.take(b, "owner-mails-sent")
	for range 6 { // until the limit for one address
		b.visit("/admin/mfa/mails/resend?status=unverified")
		b.fill("reason", "asked again")
		b.press(`form[action*="mails"] button`)
	}
	a.take(b, "owner-mails-refused")
	b.visit("/admin/mfa/mails/resend?text=nobody-has-this-name")
	a.take(b, "owner-mails-nobody")
}

// ownPages takes the pages that the example has for its owners.
func (a album) ownPages(b *tab) {
	b.visit("/")
	a.take(b, "owner-home")
	b.visit("/admin/account?id=acct-ben")
	a.take(b, "owner-account")
	b.fill("password", "short")
	b.fill("reason", "asked")
	b.press(`form[action="/admin/password"] button`)
	a.take(b, "owner-account-refused")
	b.fill("password", "a password of some length")
	b.fill("reason", "asked")
	b.press(`form[action="/admin/password"] button`)
	a.take(b, "owner-account-done")
	b.visit("/admin/sign-on")
	a.take(b, "owner-sign-on")
	b.fill("organization", "acme")
	b.fill("reason", "ours")
	b.press(`form[action="/admin/sign-on/activate"] button`)
	a.take(b, "owner-sign-on-refused")
	b.fill("organization", "72f988bf-86f1-41af-91ab-2d7cd011db47")
	b.fill("reason", "ours")
	b.press(`form[action="/admin/sign-on/activate"] button`)
	a.take(b, "owner-sign-on-active")
}

// TestFrontDoor_Screenshots saves pictures of the pages of package secondgate in an application
// with a name, colours, a logo and texts of its own.
func TestFrontDoor_Screenshots(t *testing.T) {
	for _, a := range needAlbums(t, "en", "de", "ar") {
		t.Run(a.lang, func(t *testing.T) {
			needChromium(t)
			b := shooter{"", a.lang}.in(startBranded(t))
			b.run(chromedp.Navigate(b.base + "/login?as=new"))
			b.visit("/")
			a.take(b, "front-enroll")
			b.press(`form[action="/mfa/enroll/totp"] button`)
			a.take(b, "front-app")
			b.run(chromedp.Navigate(b.base + "/login?as=mailed"))
			b.visit("/")
			a.take(b, "front-code")
			b.fill("code", "000000")
			b.press(`form[action="/mfa/verify"] button[type=submit]`)
			a.take(b, "front-wrong")
			b.visit("/mfa/lost")
			a.take(b, "front-help")
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
