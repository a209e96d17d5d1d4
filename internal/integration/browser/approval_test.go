package browser_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// phone is a factor that a user approves on another device, by typing the number of the page.
type phone struct {
	mu      sync.Mutex
	number  string // of the latest request
	decided map[string]error
	polls   int
}

func (*phone) Kind() string { return "phone" }
func (*phone) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "pop", Polled: true}
}

func (*phone) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("phone"), Name: "Ann’s phone",
		Prompt: factor.Prompt{URI: secret.New("https://example.com/device?code=K7QX")}}, nil
}

func (f *phone) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	number := fmt.Sprintf("%02d", rand.IntN(100))
	data := []byte(fmt.Sprintf(`{"number":%q}`, number))
	return &factor.Issue{Keep: []byte(number), Expires: in.Now.Add(90 * time.Second),
		Payload: secret.New(number), Prompt: factor.Prompt{Data: data}}, nil
}

func (f *phone) Deliver(_ context.Context, in factor.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.number, f.decided, f.polls = in.Payload.Reveal(), map[string]error{}, 0
	return nil
}

func (f *phone) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
	err, decided := f.decided[string(in.Issued)]
	switch {
	case !in.Now.Before(in.Expires):
		return nil, factor.ErrExpired
	case !decided:
		return nil, factor.ErrPending
	case err != nil:
		return nil, err
	}
	return &factor.Verdict{}, nil
}

// types is what the user types on the device: the number of the page, or another.
func (f *phone) types(number string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	if number != f.number {
		err = factor.ErrIncorrect
	}
	f.decided[f.number] = err
}

func (f *phone) polled() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.polls
}

// phonePages describes the phone as examples/customfactor describes an approval.
var phonePages = mfahttp.Kind{Kind: "phone",
	Files: os.DirFS("../../../examples/customfactor/pages/approval")}

// phoneSite is a site with the phone as its only second factor. login begins another session.
type phoneSite struct {
	*site
	phone *phone
	clock *mfatest.Clock
	mu    sync.Mutex
	n     int
	since time.Time
}

func (s *phoneSite) login() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	s.since = s.clock.Now()
}

func newPhoneSite(t *testing.T) *phoneSite {
	t.Helper()
	needChromium(t)
	s := &phoneSite{phone: &phone{decided: map[string]error{}},
		clock: mfatest.NewClock(time.Now())}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: s.clock,
		Factors: []factor.Factor{s.phone}})
	require.NoError(t, err)
	h, err := mfahttp.New(mfahttp.Config{Manager: m, Keys: keys, Clock: s.clock,
		ProductName: "Acme", LoginURL: "/login", HomeURL: "/home",
		Kinds: []mfahttp.Kind{phonePages},
		Identify: func(*http.Request) (mfahttp.Identity, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return mfahttp.Identity{User: mfa.User{ID: "ann", Account: "ann"},
				SessionID: fmt.Sprint("session ", s.n), SignedInAt: s.since}, nil
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/home", func(w http.ResponseWriter, r *http.Request) {
		_ = h.Render(w, r, mfahttp.Page{Title: "Welcome"})
	})
	srv := httptest.NewServer(h.Require(mux))
	t.Cleanup(srv.Close)
	s.site = &site{t: t, base: srv.URL}
	return s
}

// decided waits until the page has gone on after a decision: by itself with a script, and by the
// button without.
func (b *tab) decided(selector string) {
	b.t.Helper()
	if !b.script {
		require.NoError(b.t, b.follow(chromedp.Click(selector, chromedp.ByQuery)))
		return
	}
	b.waitFor("the page goes on by itself", func() (gone bool) {
		const js = `!document.querySelector("form[data-wait]") && document.readyState == "complete"`
		// An error means that the page has gone while it was asked.
		return b.try(chromedp.Evaluate(js, &gone)) == nil && gone
	})
}

// comesBack is a user who has decided on the device and comes back to the page, which asks at once.
func (b *tab) comesBack() {
	b.t.Helper()
	if b.script {
		b.eval(`document.dispatchEvent(new Event("visibilitychange"))`, nil)
	}
	b.decided(waitButton)
}

const waitButton = `form[data-wait] button`

// A user adds a phone, and approves sign-ins on it: the page shows a number, waits, and goes on.
// A wrong number and the end of the request are reported.
func TestApproval_GoesOnWhenTheUserDecides(t *testing.T) {
	bothAtLength(t, func(t *testing.T, script bool) {
		s := newPhoneSite(t)
		s.login()
		b := s.open(script)
		b.visit("/home")
		require.Contains(t, b.text("main"), "Approval on your phone")
		b.shots("approval-choose")
		b.press(`form[action="/mfa/enroll/phone"] button`)
		require.Equal(t, "Add your phone", b.text("h1"))
		require.True(t, b.has(".sg-qr img"))
		require.LessOrEqual(t, b.narrow(), 320)
		b.shots("approval-add")
		s.phone.types(b.text(".sg-number"))
		b.decided(waitButton)
		require.Equal(t, "Welcome", b.text("h1"))

		s.login()
		b.visit("/home")
		b.shots("approval-send")
		b.press(sendForm)
		require.Equal(t, "Approve on your phone", b.text("h1"))
		require.Contains(t, b.text("main"), "Waiting for your approval")
		require.Contains(t, b.text("main"), "Send again")
		require.LessOrEqual(t, b.narrow(), 320)
		b.shots("approval-wait")
		if script {
			b.becomes(`[...document.querySelectorAll(".sg-time")].some(
				(e) => e.textContent.startsWith("1:2"))`, "the time runs")
			s.waitFor("the page asks", func() bool { return s.phone.polled() > 1 })
			require.Equal(t, "/mfa/verify", b.path())
			require.False(t, b.has(".sg-notice:not([hidden])"))
		} else {
			b.press(waitButton)
			require.Contains(t, b.text(".sg-notice"), "Not approved yet.")
		}
		number := b.text(".sg-number")
		require.Regexp(t, `^\d\d$`, number)

		s.phone.types("no number")
		b.run(language("de"))
		b.comesBack()
		require.Contains(t, b.text(".sg-notice"),
			"Die Anfrage wurde auf Ihrem Telefon abgelehnt.")
		b.run(language("en"))
		b.visit("/mfa/verify?kind=phone")
		b.press(sendForm)
		s.phone.types(b.text(".sg-number"))
		b.comesBack()
		require.Equal(t, "Welcome", b.text("h1"))

		s.login()
		b.visit("/home")
		b.press(sendForm)
		s.clock.Advance(91 * time.Second)
		b.comesBack()
		require.Contains(t, b.text(".sg-notice"), "The request has expired. Send a new one.")
		b.shots("approval-expired")
		b.check()
	})
}

// The page asks less often as time passes, and not at all once the request has expired.
func TestApproval_AsksLessOftenAndStops(t *testing.T) {
	s := newPhoneSite(t)
	s.login()
	b := s.open(true)
	b.visit("/home")
	b.press(`form[action="/mfa/enroll/phone"] button`)
	s.phone.types(b.text(".sg-number"))
	b.comesBack()
	s.login()
	b.visit("/home")
	b.press(sendForm)
	var delays []float64
	// The clock of the page is the test's: each timer that asks runs at once, and says how long it
	// waits. The page has other timers, such as the one of the time that is left.
	b.eval(`(() => {
	window.delays = [];
	const now = Date.now();
	let passed = 0;
	Date.now = () => Math.round(now + passed); // whole milliseconds, as a clock gives
	const after = setTimeout;
	window.setTimeout = (f, ms) => {
		if (f.name !== "ask") return after(f, ms);
		delays.push(ms);
		passed += ms;
		return after(f, 0);
	};
	document.dispatchEvent(new Event("visibilitychange"));
	return [];
})()`, &delays)
	s.waitFor("it says that the request has expired", func() bool {
		return strings.Contains(b.text("[data-wait-says]"), "has expired")
	})
	b.eval(`delays`, &delays)
	require.Greater(t, len(delays), 5)
	for i := 1; i < len(delays)-1; i++ { // the last one is what remains
		require.GreaterOrEqual(t, delays[i], delays[i-1])
		require.LessOrEqual(t, delays[i], 10000.0)
	}
	asked := s.phone.polled()
	b.eval(`document.dispatchEvent(new Event("visibilitychange")); []`, &delays)
	b.eval(`[]`, &delays)
	require.Equal(t, asked, s.phone.polled())
	require.Contains(t, b.text("main"), "Send again")
}
