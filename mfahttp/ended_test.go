package mfahttp_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/questions"
)

// typeInto is a page's form: what a browser would submit, with what the user typed.
func typeInto(t *testing.T, page string, typed url.Values) url.Values {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="keep" value="`)
	require.True(t, ok, page)
	value, _, _ := strings.Cut(rest, `"`)
	form := url.Values{"keep": {value}}
	for name, list := range typed {
		form[name] = list
	}
	return form
}

// expire ends the application's session of a browser.
func (p *browser) expire() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	clear(p.s.sessions)
}

// ended has what a page's form takes when the session ends: the user types into it, the session
// ends, and the user submits it.
func (p *browser) ended(page, post string, typed url.Values) *response {
	p.s.t.Helper()
	form := typeInto(p.s.t, p.get(page).page(p.s.t, 200).Text, typed)
	p.expire()
	return p.post(post, form)
}

// again signs in by the app, which accepts a code that is greater than the one before.
func (p *browser) again(user string) {
	p.s.t.Helper()
	p.user = user
	p.login()
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {p.s.nextCode()}})
	p.get("/home").page(p.s.t, 200, "welcome")
}

// nextCode is a code of the app that is greater than all before.
func (s *site) nextCode() string {
	s.clock.Advance(time.Second)
	return fmt.Sprint(200_000 + s.clock.Now().Unix()%100_000)
}

// What a user typed into a form whose session has ended is there again after the sign-in: once, in
// that form alone, and without secrets.
func TestEnded_ShowsAgainWhatWasTyped(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	s := newSite(t, nil, f)
	p := s.browser("ann").signIn()
	id := p.enroll("100001")
	for name, test := range map[string]struct {
		page, post string
		typed      url.Values
		kept       []string
		never      []string
	}{
		"a number": {"enroll/sms?return=%2Flinks", "enroll/sms", url.Values{
			"number": {"06 12345678"}, "region": {"NO"}, "password": {"correct horse"}},
			[]string{`value="06 12345678"`, `value="NO" selected`}, []string{"correct horse"}},
		"a new name": {"factors", "factors/" + id + "/rename",
			url.Values{"name": {"Blue phone"}}, []string{`value="Blue phone"`,
				`<details class="sg-rename" open>`}, nil},
		"questions": {"enroll/questions?return=%2Flinks&setup=yes", "enroll/questions", url.Values{
			"question1": {"Which sea?"}, "answer1": {"The Wadden Sea"}},
			[]string{`value="Which sea?"`}, []string{"Wadden"}},
		"a PIN": {"enroll/pin", "enroll/pin",
			url.Values{"pin": {"728391"}, "pin2": {"728391"}}, nil, []string{"728391"}},
	} {
		t.Run(name, func(t *testing.T) {
			p.again("ann")
			a := p.ended("/mfa/"+test.page, "/mfa/"+test.post, test.typed)
			back := "/login?" + url.Values{"return": {"/mfa/" + test.page}}.Encode()
			a.goes(t, back)
			p.again("ann")
			p.get("/mfa/enroll/email").page(t, 200) // another form
			after := p.get("/mfa/"+test.page).page(t, 200, test.kept...).Text
			for _, secret := range test.never {
				require.NotContains(t, after, secret)
			}
			for _, shown := range test.kept {
				require.NotContains(t, p.get("/mfa/"+test.page).Text, shown, "shown once")
			}
		})
	}
}

// What was typed is shown to nobody but the user who has signed in again as completely as before,
// and for half an hour.
func TestEnded_IsForTheSameUserAlone(t *testing.T) {
	const page, typed = "/mfa/enroll/sms", "+31 6 12345678"
	s := newSite(t, nil)
	for _, user := range []string{"ann", "bob"} {
		s.browser(user).signIn().enroll(s.nextCode())
	}
	number := url.Values{"number": {typed}}
	endsFor := func(t *testing.T) *browser {
		p := s.browser("ann")
		p.again("ann")
		p.ended(page, page, number).goes(t, "/login?return=%2Fmfa%2Fenroll%2Fsms")
		return p
	}
	t.Run("another user", func(t *testing.T) {
		p := endsFor(t)
		p.again("bob")
		require.NotContains(t, p.get(page).page(t, 200).Text, typed)
		p.again("ann")
		require.NotContains(t, p.get(page).page(t, 200).Text, typed, "forgotten")
	})
	t.Run("the password alone", func(t *testing.T) {
		p := endsFor(t)
		p.login()
		require.NotContains(t, p.follow(p.get(page)).Text, typed)
		p.again("ann")
		require.Contains(t, p.get(page).page(t, 200).Text, typed)
	})
	t.Run("a form that claims to be the user's", func(t *testing.T) {
		p := s.browser("bob")
		p.again("bob")
		form := typeInto(t, p.get(page).page(t, 200).Text, number)
		p.expire()
		p.post(page, form)
		p.again("ann")
		require.NotContains(t, p.get(page).page(t, 200).Text, typed)
	})
	t.Run("another field than the page has said", func(t *testing.T) {
		p := s.browser("ann")
		p.again("ann")
		form := typeInto(t, p.get(page).page(t, 200).Text, number)
		text, mac, _ := strings.Cut(form.Get("keep"), ".")
		b, err := base64.RawURLEncoding.DecodeString(text)
		must(t, err)
		b = bytes.Replace(b, []byte(`"region"`), []byte(`"password"`), 1)
		form.Set("keep", base64.RawURLEncoding.EncodeToString(b)+"."+mac)
		p.expire()
		p.post(page, form)
		p.again("ann")
		require.NotContains(t, p.get(page).page(t, 200).Text, typed)
	})
	t.Run("later", func(t *testing.T) {
		p := endsFor(t)
		s.clock.Advance(30 * time.Minute)
		p.again("ann")
		require.NotContains(t, p.get(page).page(t, 200).Text, typed)
	})
	t.Run("in time", func(t *testing.T) {
		p := endsFor(t)
		s.clock.Advance(29 * time.Minute)
		p.again("ann")
		require.Contains(t, p.get(page).page(t, 200).Text, typed)
	})
}

// A form that keeps nothing, or whose input was made up, is as before: the user signs in and goes
// to the settings. A page of another site is no page to come back to.
func TestEnded_TakesNoMadeUpForm(t *testing.T) {
	s := newSite(t, nil)
	for _, keep := range []string{"", "x", "e30.", "bnVsbA.AAAA",
		base64.RawURLEncoding.EncodeToString([]byte(`{"Page":"//evil.example/"}`)) + ".AAAA",
		base64.RawURLEncoding.EncodeToString([]byte(`{"Page":"https://evil.example/"}`)) + "."} {
		a := s.browser("").post("/mfa/factors/f1/rename", url.Values{"keep": {keep},
			"name": {"Phone"}})
		a.goes(t, "/login?return=%2Fmfa%2Ffactors")
		require.NotContains(t, fmt.Sprint(a.Cookies()), "typed", keep)
	}
	for _, cookie := range []string{"x", strings.Repeat("A", 200)} {
		p := s.browser("ann").signIn()
		p.setCookie("secondgate_typed", cookie)
		p.get("/mfa/factors").page(t, 200)
	}
}

// What is too long for a cookie is not kept, and the user comes back to the form.
func TestEnded_KeepsNoMoreThanACookieHas(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	const page = "/mfa/enroll/sms"
	a := p.ended(page, page, url.Values{"number": {strings.Repeat("1", 3000)}})
	a.goes(t, "/login?return=%2Fmfa%2Fenroll%2Fsms")
	require.NotContains(t, fmt.Sprint(a.Cookies()), "typed")
}

// A page that the application guards keeps what was typed too, and returns to it. A page that it
// does not guard shows nothing of it to a user who has given the password alone.
func TestEnded_KeepsAFormOfTheApplication(t *testing.T) {
	s := newSite(t, nil)
	form := mfahttp.Form{Page: "/own?of=1", Fields: []string{"address"}}
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, s.h.KeptForm(w, r, form), s.h.KeepForm(r, form))
	})
	mux := http.NewServeMux()
	mux.Handle("/own", s.h.Require(own))
	mux.Handle("/unguarded", own)
	srv := httptest.NewServer(s.withSession(mux))
	t.Cleanup(srv.Close)
	mfaPages := s.srv.URL
	p := s.browser("ann").signIn()
	s.srv.URL = srv.URL
	typed := typeInto(t, p.get("/own?of=1").page(t, 200, "map[]").Text,
		url.Values{"address": {"ann@new.example"}, "code": {"123456"}})
	p.expire()
	p.post("/own", typed).goes(t, "/login?return=%2Fown%3Fof%3D1")
	s.srv.URL = mfaPages
	p.login()
	s.srv.URL = srv.URL
	p.get("/unguarded").page(t, 200, "map[]")
	s.srv.URL = mfaPages
	p.signIn()
	s.srv.URL = srv.URL
	p.get("/own?of=1").page(t, 200, "map[address:[ann@new.example]]")
	p.get("/own?of=1").page(t, 200, "map[]")
}

// Without keys a Handler keeps nothing, and pages are as before.
func TestEnded_KeepsNothingWithoutKeys(t *testing.T) {
	if inCookies {
		return // which need keys
	}
	s := newSite(t, func(c *mfahttp.Config) { c.Keys = nil })
	p := s.browser("ann").signIn()
	require.NotContains(t, p.get("/mfa/enroll/sms").page(t, 200).Text, `name="keep"`)
}
