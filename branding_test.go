package secondgate_test

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// brands are two tenants of one Manager. Each value has a word of its tenant alone.
var brands = map[string]brand.Brand{
	"north": {Product: "Northwind Bank", Issuer: "Northwind", ShortName: "NorthBank",
		MailFrom: "Northwind <codes@northwind.example>", Accent: "#7a1fa2", AccentDark: "#d9a6f0",
		Logo:  "/assets/northwind.svg",
		Texts: map[string]map[string]string{"en": {"factors.title": "Northwind safety"}}},
	"south": {Product: "Southridge Clinic", MailFrom: "codes@southridge.example",
		Accent: "#0b5394", Logo: "/assets/southridge.svg",
		Texts: map[string]map[string]string{"en": {"factors.title": "Southridge safety"}}},
}

// marks match what only pages, mails and messages of a tenant have.
var marks = map[string]*regexp.Regexp{
	"north": regexp.MustCompile(`(?i)north|7a1fa2|d9a6f0`),
	"south": regexp.MustCompile(`(?i)south|0b5394`),
}

// twoTenants is an application of two tenants, with what it sent.
type twoTenants struct {
	manager *mfa.Manager
	handler http.Handler
	mail    *mfatest.Outbox[email.Message]
	text    *mfatest.Outbox[sms.Message]
	// asked are the scopes that the hook was called with.
	asked asked
	// fails lets the hook fail, and hostile lets it return a brand that is not valid.
	fails, hostile atomic.Bool
}

// asked collects scopes.
type asked struct {
	mutex sync.Mutex
	list  []policy.Scope
}

func (a *asked) add(s policy.Scope) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.list = append(a.list, s)
}

func (a *asked) all() []policy.Scope {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.list)
}

func (a *asked) reset() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.list = nil
}

var errBrands = errors.New("the table of brands at 10.0.0.7 is gone")

func (s *twoTenants) brand(_ context.Context, scope policy.Scope) (brand.Brand, error) {
	s.asked.add(scope)
	switch {
	case s.fails.Load():
		return brand.Brand{}, errBrands
	case s.hostile.Load():
		return brand.Brand{Product: "Acme\r\nBcc: all@example.com"}, nil
	}
	return brands[scope.Tenant], nil
}

func userOf(tenant string) mfa.User {
	return mfa.User{ID: "ann", Tenant: tenant, Email: "ann@example.com", EmailVerified: true}
}

func newTwoTenants(t *testing.T) *twoTenants {
	t.Helper()
	s := &twoTenants{mail: &mfatest.Outbox[email.Message]{}, text: &mfatest.Outbox[sms.Message]{}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	s.manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Brand: s.brand,
		Factors:  s.factors(t),
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}}),
		Authorize: func(_ context.Context, act mfa.AdminAction) error {
			if act.System || act.ActorTenant == act.Tenant && act.Tenant != "" {
				return nil
			}
			return errors.New("not an administrator of this tenant")
		},
		Notify: func(ctx context.Context, send func(context.Context) error) {
			_ = send(ctx)
		}})
	require.NoError(t, err)
	pages, err := mfahttp.New(mfahttp.Config{Manager: s.manager, Keys: keys,
		ProductName: "Configured", LoginURL: "/login", SetupLinks: true, Support: true,
		Public: []string{"/own"}, Identify: identify,
		Account: func(_ context.Context, u mfa.User) (mfa.User, error) { return u, nil },
		Verified: func(http.ResponseWriter, *http.Request, *mfa.Verification) (string, error) {
			return "", nil
		}})
	require.NoError(t, err)
	administration, err := admin.New(admin.Config{Handler: pages, Manager: s.manager,
		Users: colleagues{}})
	require.NoError(t, err)
	whole := http.NewServeMux()
	whole.Handle("/admin/mfa/", administration)
	whole.Handle("/", pages.Require(ownPages(pages)))
	s.handler = whole
	return s
}

// factors are all those of the module, configured with a name that no tenant has.
func (s *twoTenants) factors(t *testing.T) []factor.Factor {
	t.Helper()
	link := func(path string) func(string) string {
		return func(token string) string {
			return "https://example.com/mfa/" + path + "?token=" + token
		}
	}
	app, err := totp.New(totp.Config{Issuer: "Configured"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: s.mail, ServiceName: "Configured",
		ConfirmURL: link("confirm"), SetupURL: link("setup")})
	require.NoError(t, err)
	text, err := sms.New(sms.Config{Sender: s.text, ServiceName: "Configured",
		Origin: "example.com", Allow: []string{"+31"}})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	number, err := pin.New(pin.Config{})
	require.NoError(t, err)
	asks, err := questions.New(questions.Config{})
	require.NoError(t, err)
	made, err := access.New(access.Config{})
	require.NoError(t, err)
	return []factor.Factor{app, mail, text, codes, passkeys{}, number, asks, made}
}

// identify takes the user from the cookie "tenant", and the tenant of a visitor, for which a host
// name could stand, from the cookie "at".
func identify(r *http.Request) (mfahttp.Identity, error) {
	if c, err := r.Cookie("tenant"); err == nil {
		return mfahttp.Identity{User: userOf(c.Value), SessionID: "session of " + c.Value,
			SignedInAt: time.Now()}, nil
	}
	if c, err := r.Cookie("at"); err == nil {
		return mfahttp.Identity{User: mfa.User{Tenant: c.Value}}, nil
	}
	return mfahttp.Identity{}, nil
}

// ownPages are those of the application.
func ownPages(pages *mfahttp.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if as := r.URL.Query().Get("as"); as != "" {
			http.SetCookie(w, &http.Cookie{Name: "tenant", Value: as, Path: "/"})
		}
		_, _ = io.WriteString(w, "hello")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_ = pages.Render(w, r, mfahttp.Page{Title: "Home", Body: "<p>welcome</p>"})
	})
	mux.HandleFunc("/own", func(w http.ResponseWriter, r *http.Request) {
		_ = pages.Render(w, r, mfahttp.Page{Title: "Welcome",
			Body: pages.PasswordlessForm(r, "/")})
	})
	return mux
}

// requireMarks checks that a text shows its tenant and no other.
func requireMarks(t *testing.T, tenant, text string) {
	t.Helper()
	require.Regexp(t, marks[tenant], text)
	for other, mark := range marks {
		if other != tenant {
			require.NotRegexp(t, mark, text)
		}
	}
	require.NotContains(t, text, "Configured")
}

func last[M any](t *testing.T, sent *mfatest.Outbox[M]) M {
	t.Helper()
	m, ok := sent.Last()
	require.True(t, ok)
	return m
}

// mailOf returns all that a reader of a mail sees.
func mailOf(m email.Message) string {
	return m.From + "\n" + m.Subject + "\n" + m.Text.Reveal() + "\n" + m.HTML.Reveal()
}

var stylesheet = regexp.MustCompile(`href="(/mfa/static/[0-9a-f]+/colours-[^"]+)"`)

// Two tenants see their own brand on each page, in the app's label, in mails and messages.
func TestBrand_EachTenantSeesItsOwn(t *testing.T) {
	s := newTwoTenants(t)
	sheets := map[string]string{}
	for tenant, b := range brands {
		browser := mfatest.NewClient(t, s.handler)
		browser.Get(t, "/login?as="+tenant)
		seen := func(path string) string {
			t.Helper()
			page := browser.Get(t, path)
			requireMarks(t, tenant, page.Text)
			require.Contains(t, page.Text, `src="`+b.Logo+`"`)
			require.Contains(t, page.Text, b.Product)
			return page.Text
		}
		found := stylesheet.FindStringSubmatch(seen("/mfa/verify"))
		require.NotNil(t, found)
		css := browser.Get(t, found[1]).Text
		requireMarks(t, tenant, css)
		sheets[tenant] = found[1]
		seen("/mfa/lost")
		seen("/mfa/no-such-page")
		browser.PassSecondFactor(t, s.mail)
		sent := last(t, s.mail)
		requireMarks(t, tenant, mailOf(sent))
		require.Equal(t, b.MailFrom, sent.From)
		require.Contains(t, sent.Subject, b.Product)
		for _, path := range []string{"/", "/mfa/enroll", "/mfa/enroll/sms", "/mfa/enroll/email",
			"/mfa/recovery-codes", "/mfa/no-such-page"} {
			seen(path)
		}
		require.Contains(t, seen("/mfa/factors"), b.Texts["en"]["factors.title"])
		created := browser.Post(t, "/mfa/enroll/passkey", url.Values{})
		requireMarks(t, tenant, created.Text)
		require.Contains(t, html.UnescapeString(created.Text), `"`+b.Product+`"`)
		enrolling := browser.Post(t, "/mfa/enroll/totp", url.Values{})
		requireMarks(t, tenant, enrolling.Text)
		require.Contains(t, enrolling.Text, "issuer="+url.PathEscape(b.IssuerOr("")))
		requireMarks(t, tenant, browser.Post(t, "/mfa/enroll/sms",
			url.Values{"number": {"+31612345678"}}).Text)
		text := last(t, s.text)
		require.Contains(t, text.Text, b.ShortNameOr(""))
		requireMarks(t, tenant, text.Text)
		s.requireLinks(t, tenant)
	}
	require.NotEqual(t, sheets["north"], sheets["south"])
}

// requireLinks checks the mails with links, the notices, and the pages that the links lead to for
// a visitor whom the application does not know.
func (s *twoTenants) requireLinks(t *testing.T, tenant string) {
	t.Helper()
	admin := s.manager.Admin(mfa.System("test"), "because")
	_, err := admin.SendRecoveryLink(t.Context(), userOf(tenant))
	require.NoError(t, err)
	visitor := mfatest.NewClient(t, s.handler)
	for _, send := range []func() error{
		func() error { return nil },
		func() error {
			_, err := admin.SendVerificationLink(t.Context(), userOf(tenant))
			return err
		},
	} {
		require.NoError(t, send())
		sent := last(t, s.mail)
		requireMarks(t, tenant, mailOf(sent))
		to, err := url.Parse(mfatest.Link(t, sent.Text))
		require.NoError(t, err)
		page := visitor.Get(t, to.RequestURI())
		requireMarks(t, tenant, page.Text)
	}
	require.NoError(t, admin.Reset(t.Context(), userOf(tenant)))
	notice := last(t, s.mail)
	require.NotContains(t, notice.Text.Reveal(), "https://")
	requireMarks(t, tenant, mailOf(notice))
}

// A failure of the hook, or a brand that is not valid, lets no user in, sends nothing, quotes
// nothing, and loses nothing: what was begun goes on when the hook works again.
func TestBrand_FailureOfTheHookChangesNothing(t *testing.T) {
	for name, broken := range map[string]func(s *twoTenants) *atomic.Bool{
		"error":   func(s *twoTenants) *atomic.Bool { return &s.fails },
		"hostile": func(s *twoTenants) *atomic.Bool { return &s.hostile },
	} {
		t.Run(name, func(t *testing.T) {
			s := newTwoTenants(t)
			off := broken(s)
			browser := mfatest.NewClient(t, s.handler)
			browser.Get(t, "/login?as=north")
			browser.Get(t, "/mfa/verify")
			send := url.Values{"kind": {"email"}}
			off.Store(true)
			refused := func(page mfatest.Page) {
				t.Helper()
				require.Equal(t, http.StatusServiceUnavailable, page.Status)
				require.NotContains(t, page.Text, "10.0.0.7")
				require.NotContains(t, page.Text, "Bcc")
			}
			refused(browser.Get(t, "/mfa/verify"))
			refused(browser.Post(t, "/mfa/send", send))
			require.Empty(t, s.mail.All())
			off.Store(false)
			browser.Post(t, "/mfa/send", send)
			code := mfatest.Code(t, last(t, s.mail).Text)
			verify := url.Values{"kind": {"email"}, "code": {code}}
			off.Store(true)
			refused(browser.Post(t, "/mfa/verify", verify))
			refused(browser.Get(t, "/mfa/factors"))
			off.Store(false)
			require.Contains(t, browser.Get(t, "/mfa/factors").Path, "/mfa/verify",
				"the correct code let nobody in")
			browser.Post(t, "/mfa/verify", verify)
			require.Contains(t, browser.Get(t, "/mfa/factors").Text, "Northwind safety")
			off.Store(true)
			refused(browser.Post(t, "/mfa/enroll/totp", url.Values{}))
			s.requireManagerRefuses(t)
			require.Len(t, s.mail.All(), 1)
		})
	}
}

// requireManagerRefuses calls each operation that needs a brand.
func (s *twoTenants) requireManagerRefuses(t *testing.T) {
	t.Helper()
	admin := s.manager.Admin(mfa.System("test"), "because")
	_, links := admin.SendRecoveryLink(t.Context(), userOf("north"))
	_, confirms := admin.SendVerificationLink(t.Context(), userOf("north"))
	_, brands := s.manager.Brand(t.Context(), policy.Scope{Tenant: "north"})
	for _, err := range []error{links, confirms, brands} {
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.NotContains(t, err.Error(), "10.0.0.7")
	}
}
