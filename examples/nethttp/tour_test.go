package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

var (
	tourItem = regexp.MustCompile(`(?s)<li id="tour-([a-z]*)"( class="acme-done")?>(.*?)</li>`)
	tourLink = regexp.MustCompile(`<a class="sg-small acme-small" href="([^"]*)"`)
)

// toured returns the parts of the tour that are ticked on the home page.
func (c *client) toured() (done []string) {
	c.t.Helper()
	items := tourItem.FindAllStringSubmatch(c.get(200, "/").text, -1)
	require.Len(c.t, items, len(tourParts))
	for _, item := range items {
		if item[2] != "" {
			done = append(done, item[1])
		}
	}
	return done
}

// fakePortal stands in for examples/portal, whose own test tests what it says.
func fakePortal(t *testing.T, status string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != portalStatusPath {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, status)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Each part of the tour is ticked by what a user does, and by nothing else: not by a visit to where
// it begins. It is ticked for every user, and is so after a restart of the program.
func TestTour_TicksWhatHappened(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	signed := fakePortal(t, `{"program":"examples/portal","signed_in":1}`)
	s := start(t, data, "-portal="+fakePortal(t, `{"program":"examples/portal","signed_in":0}`))
	c := s.client(t)
	c.signIn("anna")
	owner := s.client(t)
	owner.signIn("olivia")
	for _, visitor := range []*client{c, owner} {
		for _, item := range tourItem.FindAllStringSubmatch(visitor.get(200, "/").text, -1) {
			link := tourLink.FindStringSubmatch(item[3])
			if link == nil || strings.HasPrefix(link[1], "http://") {
				continue
			}
			a, err := visitor.try("GET", strings.ReplaceAll(link[1], "&amp;", "&"), nil)
			require.NoError(t, err)
			if a.status != 200 { // a step-up goes on to its question
				require.Equal(t, "/mfa/verify?purpose=step-up&return=%2F",
					a.header.Get("Location"), link[1])
			}
		}
	}
	require.Empty(t, c.toured())

	code := c.send("email", "anna@acme.example")
	c.advance("91s")
	c.verify(401, "email", code)
	require.Equal(t, []string{"expiry"}, c.toured())

	_, _ = c.enrollTOTP()
	codes := c.post(200, "/mfa/api/recovery-codes", obj{}).body["codes"].([]any)
	require.Equal(t, []string{"expiry"}, c.toured())
	c.post(303, "/logout", url.Values{})
	c.password("anna")
	c.verify(200, "recovery", codes[0].(string))
	require.Equal(t, []string{"expiry", "lost"}, c.toured())

	d := s.client(t)
	d.password("ben")
	for range 4 {
		d.verify(401, "email", "000000") // no code was sent, so none is correct
	}
	require.Equal(t, []string{"expiry", "lost"}, c.toured())
	d.verify(401, "email", "000000")
	require.Equal(t, []string{"expiry", "lock", "lost"}, c.toured())

	owner = s.client(t) // the clock has moved
	owner.signIn("olivia")
	owner.post(200, "/api/admin/unlock", obj{"username": "ben"})
	require.Equal(t, []string{"expiry", "lock", "lost", "administration"}, owner.toured())
	owner.do(200, "PUT", "/api/admin/policy", obj{"type": "manager", "policy": obj{
		"mode": "required", "kinds": []string{"pin"}}})
	all := []string{"expiry", "lock", "lost", "policy", "administration"}
	require.Equal(t, all, owner.toured())
	require.NoError(t, s.end(syscall.SIGTERM))

	s = start(t, data, "-portal="+signed)
	again := s.client(t)
	again.signIn("emma")
	require.Equal(t, append(all, "portal"), again.toured())
	again.has(again.get(200, "/"), "Done: 6 of 7.")
	s.client(t).to(again.post(303, "/tour/restart", url.Values{}), "/")
	again.has(again.get(200, "/"), "The tour starts again.", "Done: 1 of 7.") // the portal says so
	require.Equal(t, []string{"portal"}, again.toured())
}

// Which events tick which part, of all that are like them.
func TestTour_KnowsTheEventsOfEachPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    mfa.Event
		want string
	}{
		{mfa.Event{Name: "verify.failure", Reason: "expired"}, "expiry"},
		{mfa.Event{Name: "confirm.failure", Reason: "expired"}, "expiry"},
		{mfa.Event{Name: "verify.failure", Reason: "incorrect"}, ""},
		{mfa.Event{Name: "lockout.locked"}, "lock"},
		{mfa.Event{Name: "lockout.unlocked"}, ""},
		{mfa.Event{Name: "recovery.used"}, "lost"},
		{mfa.Event{Name: "recovery.replacement"}, "lost"},
		{mfa.Event{Name: "setup.opened"}, "lost"},
		{mfa.Event{Name: "recovery.regenerated"}, ""},
		{mfa.Event{Name: "verify.success", Kind: "passkey", Purpose: "sign-in"}, "passkey"},
		{mfa.Event{Name: "verify.success", Kind: "passkey", Purpose: "step-up"}, ""},
		{mfa.Event{Name: "verify.success", Kind: "totp", Purpose: "sign-in"}, ""},
		{mfa.Event{Name: "factor.added", Kind: "passkey"}, ""},
		{mfa.Event{Name: "admin.set-policy"}, "policy"},
		{mfa.Event{Name: "admin.unlock"}, "administration"},
		{mfa.Event{Name: "admin.reset"}, "administration"},
		{mfa.Event{Name: "admin.remove"}, "administration"},
		{mfa.Event{Name: "admin.access"}, "administration"},
		{mfa.Event{Name: "admin.send-confirmation"}, ""},
	} {
		var got []string
		for _, p := range tourParts {
			if p.happened != nil && p.happened(c.e) {
				got = append(got, p.ID)
			}
		}
		require.Equal(t, c.want, strings.Join(got, " "), "%+v", c.e)
	}
}

// Whatever listens at the address of the portal, and however it responds, the home page is there,
// and only the portal's own program ticks its part.
func TestTour_ServesTheHomePageWithoutAPortal(t *testing.T) {
	t.Parallel()
	db, err := openDatabase(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer db.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	defer silent.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(fakePortal(t,
		`{"program":"examples/portal","signed_in":1}`)+portalStatusPath, http.StatusFound))
	defer elsewhere.Close()
	for name, where := range map[string]string{
		"no program":      "http://127.0.0.1:1",
		"another program": fakePortal(t, `{"program":"other","signed_in":1}`),
		"no JSON":         fakePortal(t, `<!doctype html>`),
		"endless":         fakePortal(t, `{"program":"`+strings.Repeat("x", 1<<20)),
		"silent":          silent.URL,
		"a redirect":      elsewhere.URL,
	} {
		at, err := url.Parse(where)
		require.NoError(t, err)
		a := &app{cfg: config{portal: at}}
		a.tour, err = openTour(t.Context(), db, nil)
		require.NoError(t, err)
		require.False(t, a.askPortal(t.Context()), name)
		require.False(t, a.tour.isDone(portalPart), name)
	}
}

// A user who is not the owner is offered to sign in as the owner for the parts that only the owner
// can do. Parts that cannot begin say why.
func TestTour_SaysWhereEachPartBegins(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "-portal=http://127.0.0.1:1")
	c := s.client(t)
	c.signIn("anna")
	page := c.get(200, "/").text
	require.Contains(t, page, "Browsers have no passkeys at this address")
	require.Contains(t, page, "It is not running yet")
	require.Contains(t, page, `<code class="acme-command" dir="ltr">go run ./examples/portal</code>`)
	require.NotContains(t, page, `href="/admin/`)
	require.Equal(t, 2, strings.Count(page, "Sign in as Olivia Berg, owner"))
	c.to(c.post(303, "/login", url.Values{"username": {"olivia"},
		"password": {"olivia-demo-password"}}), "/mfa/")
	owner := s.client(t)
	owner.signIn("olivia")
	page = owner.get(200, "/").text
	for _, item := range tourItem.FindAllStringSubmatch(page, -1) {
		if strings.Contains(item[3], "As the owner") {
			require.Contains(t, tourLink.FindStringSubmatch(item[3])[1], "/admin/mfa/")
		}
	}
	require.NotContains(t, page, "Sign in as Olivia")
}

// The terminal says where the demonstration is, who to sign in as, where the codes are and what to
// try; the first line is for programs.
func TestStart_SaysWhatToTry(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, ended := new(logBuffer), make(chan error, 1)
	data := t.TempDir()
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-data", data}, func(string) string {
			return ""
		}, out, io.Discard)
	}()
	for began := time.Now(); !strings.Contains(out.String(), "Ctrl+C") &&
		time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
	}
	stop()
	require.NoError(t, <-ended)
	first, rest, _ := strings.Cut(out.String(), "\n")
	base, ok := strings.CutPrefix(first, "listening on ")
	require.True(t, ok, first)
	for _, want := range []string{base, base + "/outbox", "olivia   password olivia-demo-password",
		"anna     password anna-demo-password", "all 18 users", "tour", "./examples/portal",
		data} {
		require.Contains(t, rest, want)
	}
	for line := range strings.Lines(rest) {
		require.LessOrEqual(t, len(line), 100+len(data), line)
	}
}
