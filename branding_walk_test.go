package secondgate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/mfatest"
)

// passkeys stands for package passkey, which is a module of its own. Its prompt has the name that
// an application shows to authenticators.
type passkeys struct{}

func (passkeys) Kind() string { return "passkey" }

func (passkeys) Traits() factor.Traits {
	return factor.Traits{AMR: "pop", Level: factor.LevelPhishingResistant, SharedChallenge: true}
}

func (passkeys) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("-"), Name: "Passkey"}, nil
}

func (passkeys) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	name := in.Brand.ProductOr("Configured")
	if in.Discoverable { // no user, and no name, is known yet
		name = ""
	}
	data, err := json.Marshal(name)
	return &factor.Issue{Keep: []byte("x"), Expires: in.Now.Add(time.Minute),
		Prompt: factor.Prompt{Data: data}}, err
}

func (passkeys) Deliver(context.Context, factor.Message) error { return nil }

func (passkeys) Verify(context.Context, factor.VerifyInput) (*factor.Verdict, error) {
	return nil, factor.ErrIncorrect
}

func (passkeys) Identity([]byte) []byte { return nil }

func (passkeys) Identify(string) []byte { return nil }

// colleagues is a Directory with one user in each tenant.
type colleagues struct{}

func (colleagues) Search(_ context.Context, q admin.Query) (admin.Page, error) {
	e, err := colleagues{}.User(context.Background(), mfa.User{ID: "bob", Tenant: q.Tenant})
	return admin.Page{Users: []admin.Entry{e}}, err
}

func (colleagues) User(_ context.Context, named mfa.User) (admin.Entry, error) {
	u := userOf(named.Tenant)
	u.ID, u.Email = "bob", "bob@example.com"
	return admin.Entry{User: u, Name: "Bob"}, nil
}

// walker is a browser that can also make requests without keeping what they change.
type walker struct {
	app     http.Handler
	cookies map[string]string
}

func (w *walker) request(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, path,
		strings.NewReader(form.Encode()))
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if strings.Contains(path, "/api/") {
		r.Body = http.NoBody
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}
	for name, value := range w.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	w.app.ServeHTTP(rec, r)
	return rec
}

// keep makes a request and keeps the cookies of the response.
func (w *walker) keep(method, path string, form url.Values) *httptest.ResponseRecorder {
	rec := w.request(method, path, form)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(w.cookies, c.Name)
		} else {
			w.cookies[c.Name] = c.Value
		}
	}
	return rec
}

func (s *twoTenants) walker(cookies map[string]string) *walker {
	return &walker{s.handler, cookies}
}

// stages are visitors and users of a tenant, each as far as a sign-in goes.
func (s *twoTenants) stages(t *testing.T, tenant string) map[string]*walker {
	t.Helper()
	visitor := s.walker(map[string]string{"at": tenant})
	begun := s.walker(map[string]string{"tenant": tenant})
	begun.keep("GET", "/mfa/verify", nil)
	sent := s.walker(map[string]string{"tenant": tenant})
	sent.keep("GET", "/mfa/verify", nil)
	sent.keep("POST", "/mfa/send", url.Values{"kind": {"email"}})
	code := mfatest.Code(t, last(t, s.mail).Text)
	in := s.walker(map[string]string{"tenant": tenant})
	in.cookies = mapsClone(sent.cookies)
	in.keep("POST", "/mfa/verify", url.Values{"kind": {"email"}, "code": {code}})
	require.Equal(t, http.StatusOK, in.request("GET", "/mfa/factors", nil).Code)
	enrolling := s.walker(mapsClone(in.cookies))
	enrolling.keep("POST", "/mfa/enroll/totp", nil)
	_, err := s.manager.Admin(mfa.System("test"), "because").SendRecoveryLink(t.Context(),
		userOf(tenant))
	require.NoError(t, err)
	to, err := url.Parse(mfatest.Link(t, last(t, s.mail).Text))
	require.NoError(t, err)
	recovering := s.walker(map[string]string{})
	rec := recovering.keep("POST", "/mfa/setup", url.Values{"token": {to.Query().Get("token")}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	return map[string]*walker{"visitor": visitor, "begun": begun, "sent": sent, "in": in,
		"enrolling": enrolling, "recovering": recovering}
}

func mapsClone(m map[string]string) map[string]string {
	c := map[string]string{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

var (
	registers = regexp.MustCompile(
		`\bh\.(route|either|public|api|act|page|pageActor)\("([A-Z]+)", (?:"([^"]*)"|(\w+))`)
	reads = regexp.MustCompile(`\bh\.read\("([^"]*)"`)
	acts  = regexp.MustCompile(`"([a-z-]+)": +[a-z]\w+[,}]`)
)

// entryPoints are all routes that the sources of mfahttp and mfahttp/admin register, as method and
// path, with each kind in place of {kind}.
func entryPoints(t *testing.T, kinds []string) (list []string) {
	t.Helper()
	add := func(method, path string) {
		path = strings.NewReplacer("{$}", "", "{id}", "x").Replace(path)
		for _, kind := range kinds {
			list = append(list, method+" "+strings.ReplaceAll(path, "{kind}", kind))
		}
	}
	for dir, base := range map[string]string{"mfahttp": "/mfa/", "mfahttp/admin": "/admin/mfa/"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range registers.FindAllStringSubmatch(string(b), -1) {
				path := m[3]
				if m[4] == "purposeStepUp" {
					path = "step-up"
				}
				if dir == "mfahttp/admin" && !strings.HasPrefix(m[1], "page") {
					path = "api/" + path
				}
				add(m[2], base+path)
			}
			for _, m := range reads.FindAllStringSubmatch(string(b), -1) {
				add("GET", base+"api/"+m[1])
			}
			if _, body, ok := strings.Cut(string(b), "var deeds = "); ok {
				body, _, _ = strings.Cut(body, "\n}")
				for _, m := range acts.FindAllStringSubmatch(body+",", -1) {
					add("GET", base+"user/"+m[1]+"?id=bob&factor=x")
					add("POST", base+"user/"+m[1])
					add("POST", base+"api/user/"+m[1])
				}
			}
		}
	}
	list = append(list, "GET /mfa/no-such-page", "DELETE /mfa/factors", "GET /", "GET /login",
		"GET /own", "GET /admin/mfa/no-such-page", "GET /admin/mfa/user?id=bob",
		"GET /mfa/enrollments/x", "GET /mfa/confirm?token=none", "GET /mfa/setup?token=none")
	slices.Sort(list)
	list = slices.Compact(list)
	require.Greater(t, len(list), 90, "routes that the sources register")
	return list
}

// Whatever a visitor or a user of a tenant requests, at each stage of a sign-in: the response has
// no name but that of the tenant, and the hook is asked for that tenant alone.
func TestBrand_NoEntryPointShowsAnother(t *testing.T) {
	brief.SkipOneGoroutine(t)
	s := newTwoTenants(t)
	points := entryPoints(t, s.manager.Kinds())
	shown := map[string]bool{}
	for tenant, b := range brands {
		for stage, w := range s.stages(t, tenant) {
			for _, point := range points {
				method, path, _ := strings.Cut(point, " ")
				if stage == "recovering" && path == "/own" {
					continue // a page of the application, which has not said whose it is
				}
				s.asked.reset()
				rec := w.request(method, path, url.Values{"id": {"bob"}, "factor": {"x"}})
				at := tenant + ", " + stage + ": " + point
				for other, mark := range marks {
					if other != tenant {
						require.NotRegexp(t, mark, s.allOf(rec), at)
					}
				}
				require.NotContains(t, s.allOf(rec), "Configured", at)
				for _, scope := range s.asked.all() {
					require.Equal(t, tenant, scope.Tenant, at)
				}
				if strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") &&
					rec.Code != http.StatusSeeOther && path != "/login" {
					require.Contains(t, rec.Body.String(), b.Product, at)
					require.Contains(t, rec.Body.String(), b.Logo, at)
					shown[titleOf(rec.Body.String())] = true
				}
			}
		}
	}
	require.Greater(t, len(shown), 60, "different pages: %v", shown)
}

var title = regexp.MustCompile(`(?s)<title>(.*?)</title>`)

func titleOf(page string) string {
	m := title.FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return m[1]
}

// allOf is all that a response tells.
func (*twoTenants) allOf(rec *httptest.ResponseRecorder) string {
	var b strings.Builder
	_ = rec.Header().Write(&b)
	return b.String() + rec.Body.String()
}

// While the hook fails, no entry point shows a page but that of the error, or sends anything. A
// user can sign out all the same.
func TestBrand_FailureOfTheHookShowsNoPage(t *testing.T) {
	brief.SkipOneGoroutine(t)
	s := newTwoTenants(t)
	points := entryPoints(t, s.manager.Kinds())
	stages := s.stages(t, "north")
	mails, texts := len(s.mail.All()), len(s.text.All())
	s.fails.Store(true)
	for stage, w := range stages {
		for _, point := range points {
			method, path, _ := strings.Cut(point, " ")
			rec := w.request(method, path, nil)
			at := stage + ": " + point
			for _, mark := range marks {
				require.NotRegexp(t, mark, rec.Body.String(), at)
			}
			require.NotContains(t, s.allOf(rec), "10.0.0.7", at)
			if strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") &&
				path != "/login" {
				require.True(t, rec.Code >= 300, "%s: %d %s", at, rec.Code, rec.Body)
			}
		}
	}
	require.Len(t, s.mail.All(), mails)
	require.Len(t, s.text.All(), texts)
	out := stages["in"].keep("POST", "/mfa/sign-out", nil)
	require.Equal(t, http.StatusSeeOther, out.Code)
	s.fails.Store(false)
	require.Equal(t, http.StatusSeeOther, stages["in"].request("GET", "/mfa/factors", nil).Code)
}
