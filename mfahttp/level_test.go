package mfahttp_test

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

// leveled is a site with a page that wants a level, and the browser of a user with a PIN, two apps
// and a passkey.
type leveled struct {
	*site
	*browser
	level mfahttp.Level
	code  int // the next of the app
}

func newLeveled(t *testing.T) *leveled {
	t.Helper()
	s := newKeySite(t)
	l := &leveled{site: s, browser: s.browser("ann"), code: 100003}
	pages := s.srv.Config.Handler
	page := s.withSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.h.RequireLevel(l.level)(http.NotFoundHandler()).ServeHTTP(w, r)
	}))
	s.srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/level" {
			page.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	l.withPasskey("k1")
	l.enroll("100001")
	l.enroll("100002")
	e := l.api("POST", "enroll", m{"kind": "pin", "pin": "739162"}).is(t, 200, "")
	l.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "739162"}).is(t, 200, "")
	return l
}

// verifies steps up by a kind.
func (l *leveled) verifies(kind string) {
	t := l.site.t
	t.Helper()
	l.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	switch kind {
	case "passkey":
		l.signed("k1").is(t, 200, "")
	case "pin":
		l.api("POST", "verify", m{"kind": "pin", "code": "739162"}).is(t, 200, "")
	default:
		l.api("POST", "verify", m{"kind": kind, "code": strconv.Itoa(l.code)}).is(t, 200, "")
		l.code++
	}
}

// asked requests the page of a level as a program does.
func (l *leveled) asked(level mfahttp.Level) *response {
	l.site.t.Helper()
	l.level = level
	return l.do("GET", "/level", "", nil)
}

// A page that wants a level serves a session that was verified by a factor of that level. Any other
// session is asked for a kind that meets the level, and the user who has none learns that.
func TestRequireLevel_ServesWhatMeetsIt(t *testing.T) {
	l := newLeveled(t)
	phr := mfahttp.Level{PhishingResistant: true}
	two := mfahttp.Level{Assurance: 2}
	const none = "not available"
	for kind, tests := range map[string][]struct {
		level mfahttp.Level
		acr   string // that is asked for; none: the user has no such factor
		kinds []any  // that meet the level; nil: the page is served
	}{
		"pin": {
			{mfahttp.Level{}, "", nil},
			{mfahttp.Level{Assurance: 1}, "", nil},
			{two, "aal2", []any{"passkey", "totp"}},
			{phr, "phr", []any{"passkey"}},
			{mfahttp.Level{PhishingResistant: true, Assurance: 2}, "phr", []any{"passkey"}},
			{mfahttp.Level{Kinds: []string{"pin"}}, "", nil},
			{mfahttp.Level{Kinds: []string{"totp", "pin"}}, "", nil},
			{mfahttp.Level{Kinds: []string{"totp"}}, "", []any{"totp"}},
			{mfahttp.Level{Kinds: []string{"totp"}, Assurance: 1}, "aal1", []any{"totp"}},
			{mfahttp.Level{Kinds: []string{"pin"}, Assurance: 2}, none, nil},
			{mfahttp.Level{Kinds: []string{"sms"}}, none, nil},
		},
		"totp": {
			{two, "", nil},
			{phr, "phr", []any{"passkey"}},
			{mfahttp.Level{Kinds: []string{"totp"}, PhishingResistant: true}, none, nil},
			{mfahttp.Level{Kinds: []string{"pin"}}, "", []any{"pin"}},
		},
		"passkey": {
			{two, "", nil},
			{phr, "", nil},
			{mfahttp.Level{Kinds: []string{"totp"}, Assurance: 2}, "aal2", []any{"totp"}},
		},
	} {
		l.verifies(kind)
		for _, test := range tests {
			a := l.asked(test.level)
			switch {
			case test.acr == none:
				a.is(t, 409, "not_available")
			case test.kinds == nil:
				require.Equal(t, 404, a.StatusCode, "%s for %+v: %s", kind, test.level, a.Text)
			default:
				a.is(t, 401, "step_up")
				require.ElementsMatch(t, test.kinds, a.JSON["kinds"], "%+v", test.level)
				acr, _ := a.JSON["acr_values"].(string)
				require.Equal(t, test.acr, acr, "%+v", test.level)
			}
		}
	}
}

// A verification meets a level for as long as the page says, or else the policy, to the moment.
func TestRequireLevel_EndsAtItsAge(t *testing.T) {
	l := newLeveled(t)
	l.verifies("totp")
	minute := mfahttp.Level{MaxAge: time.Minute}
	l.Advance(time.Minute)
	require.Equal(t, 404, l.asked(minute).StatusCode)
	l.Advance(1)
	require.EqualValues(t, 60, l.asked(minute).is(t, 401, "step_up").JSON["max_age"])
	l.Advance(4*time.Minute - 1)
	require.Equal(t, 404, l.asked(mfahttp.Level{}).StatusCode, "the policy has five minutes")
	l.Advance(1)
	l.asked(mfahttp.Level{}).is(t, 401, "step_up")
}

func (l *leveled) Advance(d time.Duration) { l.clock.Advance(d) }

// A visitor, and a user who has only given the password, are asked to sign in. What cannot be found
// out is an outage, and no missing verification.
func TestRequireLevel_ServesNobodyInAnOutage(t *testing.T) {
	l := newLeveled(t)
	l.level = mfahttp.Level{Kinds: []string{"passkey"}, MaxAge: time.Minute}
	visitor, half := l.site.browser(""), l.site.browser("ann")
	half.login()
	for _, p := range []*browser{visitor, half} {
		p.do("GET", "/level", "", nil).is(t, 401, "unauthorized")
	}
	l.verifies("pin")
	l.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errors.New("down")})
	l.asked(l.level).is(t, 503, "unavailable")
	l.store.Heal()
	l.policyErr = errors.New("down")
	l.asked(mfahttp.Level{}).is(t, 503, "unavailable")
	l.asked(mfahttp.Level{Kinds: []string{"pin"}}).is(t, 503, "unavailable")
}

// A page serves a session that meets its level without a look at the user's record, also if the
// factor was removed since.
func TestRequireLevel_ServesWithoutTheRecord(t *testing.T) {
	l := newLeveled(t)
	l.verifies("totp")
	l.storeDown()
	totp := mfahttp.Level{Kinds: []string{"totp"}, MaxAge: time.Minute}
	require.Equal(t, 404, l.asked(totp).StatusCode)
}

// A level that no verification meets is a mistake in the program, and a list of kinds that the
// program changes later changes no page.
func TestRequireLevel_IsFixedAtTheStart(t *testing.T) {
	l := newLeveled(t)
	for _, level := range []mfahttp.Level{{Assurance: -1}, {Assurance: 3}, {MaxAge: -1}} {
		require.Panics(t, func() { l.h.RequireLevel(level) }, "%+v", level)
	}
	kinds := []string{"passkey"}
	page := l.h.RequireLevel(mfahttp.Level{Kinds: kinds})(http.NotFoundHandler())
	kinds[0] = "pin"
	l.verifies("pin")
	l.srv.Config.Handler = l.withSession(page)
	l.do("GET", "/level", "", nil).is(t, 401, "step_up")
}

// A disabled kind meets no level: the user cannot verify by it.
func TestRequireLevel_OffersNoDisabledKind(t *testing.T) {
	l := newLeveled(t)
	l.verifies("pin")
	l.disable("ann")
	l.verifies("pin")
	l.asked(mfahttp.Level{Kinds: []string{"totp"}}).is(t, 409, "not_available")
	require.Equal(t, []any{"passkey"}, l.asked(mfahttp.Level{Assurance: 2}).JSON["kinds"])
}
