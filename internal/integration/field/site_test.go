package field_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// site is an application with the ready pages, whose users sign in by their name alone.
type site struct {
	*testing.T
	app   http.Handler
	m     *mfa.Manager
	clock *mfatest.Clock
	mails *mfatest.Outbox[email.Message]
	// users are those who are not told apart by their ID alone.
	users map[string]mfa.User
	// verified are the users who were signed in, in order.
	verified []string
	key      secret.Text // of the app that was enrolled last
	// counted is how many failed attempts were counted.
	counted int
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)),
		mails: &mfatest.Outbox[email.Message]{}, users: make(map[string]mfa.User)}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	to := func(page string) func(string) string {
		return func(token string) string {
			return "https://example.com/mfa/" + page + "?token=" + url.QueryEscape(token)
		}
	}
	mail, err := email.New(email.Config{Sender: s.mails, ServiceName: "Acme",
		ConfirmURL: to("confirm"), SetupURL: to("setup")})
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	number, err := pin.New(pin.Config{})
	require.NoError(t, err)
	paper, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	s.m, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: s.clock,
		Factors: []factor.Factor{app, mail, number, paper}, Events: s.count,
		Notify:    func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) },
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}, KeepImplicit: true,
			SkipRecoveryCodes: true})})
	require.NoError(t, err)
	h, err := mfahttp.New(mfahttp.Config{Manager: s.m, Keys: keys, Clock: s.clock,
		ProductName: "Acme", LoginURL: "/login", HomeURL: "/home", Identify: s.identify,
		Verified: func(_ http.ResponseWriter, _ *http.Request, v *mfa.Verification) (string,
			error) {
			s.verified = append(s.verified, v.UserID)
			return "", nil
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", h)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /login", say("Who are you?"))
	mux.Handle("GET /home", h.Require(say("You are signed in.")))
	s.app = mux
	return s
}

func (s *site) count(_ context.Context, e mfa.Event) {
	if e.Name == "verify.failure" && e.Reason != "expired" {
		s.counted++
	}
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, text) }
}

// login begins a session for a user.
func (s *site) login(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", Secure: true, HttpOnly: true,
		Value: url.QueryEscape(r.FormValue("user")) + " " + rand.Text()})
	http.Redirect(w, r, "/home", http.StatusSeeOther)
}

func (s *site) identify(r *http.Request) (mfahttp.Identity, error) {
	c, err := r.Cookie("session")
	if err != nil {
		return mfahttp.Identity{}, nil //nolint:nilerr // a visitor
	}
	name, id, _ := strings.Cut(c.Value, " ")
	if name, err = url.QueryUnescape(name); err != nil {
		return mfahttp.Identity{}, err
	}
	return mfahttp.Identity{User: s.user(name), SessionID: id, SignedInAt: s.clock.Now()}, nil
}

func (s *site) user(name string) mfa.User {
	if u, ok := s.users[name]; ok {
		return u
	}
	return mfa.User{ID: name, Email: name + "@example.com", EmailVerified: true}
}

// visitor is a browser.
type visitor struct {
	*mfatest.Client
	s    *site
	page mfatest.Page
}

func (s *site) visitor() *visitor {
	s.Helper()
	return &visitor{Client: mfatest.NewClient(s, s.app), s: s}
}

// get goes to a page.
func (v *visitor) get(path string) *visitor {
	v.s.Helper()
	v.page = v.Get(v.s, strings.TrimPrefix(path, "https://example.com"))
	return v
}

// post submits a form of name and value pairs.
func (v *visitor) post(path string, pairs ...string) *visitor {
	v.s.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	v.page = v.Post(v.s, strings.TrimPrefix(path, "https://example.com"), form)
	return v
}

// shows checks what the page says.
func (v *visitor) shows(text string) *visitor {
	v.s.Helper()
	require.Contains(v.s, html.UnescapeString(v.page.Text), text, "%d %s", v.page.Status,
		v.page.Path)
	return v
}

// login gives the first factor.
func (v *visitor) login(user string) *visitor {
	v.s.Helper()
	return v.post("/login", "user", user)
}

// code sends a code by mail and returns it.
func (v *visitor) code() string {
	v.s.Helper()
	v.post("/mfa/send", "kind", "email")
	m, ok := v.s.mails.Last()
	require.True(v.s, ok)
	return mfatest.Code(v.s, m.Text)
}

// signIn signs in by a code by mail.
func (v *visitor) signIn(user string) *visitor {
	v.s.Helper()
	v.login(user)
	return v.post("/mfa/verify", "kind", "email", "code", v.code(), "return", "/home").
		shows("You are signed in.")
}

var links = regexp.MustCompile(`https://example\.com/mfa/\S+`)

// link is the link of the latest mail.
func (s *site) link() string {
	s.Helper()
	m, ok := s.mails.Last()
	require.True(s, ok)
	found := links.FindString(m.Text.Reveal())
	require.NotEmpty(s, found)
	return found
}

// token is the token of a link.
func (s *site) token(link string) string {
	s.Helper()
	u, err := url.Parse(link)
	require.NoError(s, err)
	return u.Query().Get("token")
}
