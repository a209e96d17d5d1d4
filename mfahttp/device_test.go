package mfahttp_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// A device has the name of its browser and its system. A browser that names others as well has its
// own name, and a program that is no browser has the name "Browser".
func TestDeviceName_IsThatOfTheBrowserAndItsSystem(t *testing.T) {
	const ios, windows = " like Mac OS X) AppleWebKit/605.1.15 ", "(Windows NT 10.0; Win64; x64) "
	for _, test := range []struct{ want, agent string }{
		{"Safari, iPhone", "(iPhone; CPU iPhone OS 18_0" + ios + "Version/18.0 Safari/604.1"},
		{"Firefox, iPhone", "(iPhone; CPU iPhone OS 18_0" + ios + "FxiOS/130.0 Safari/605.1"},
		{"Chrome, iPad", "(iPad; CPU OS 18_0" + ios + "CriOS/129.0 Safari/604.1"},
		{"Samsung Internet, Android", "(Linux; Android 14) SamsungBrowser/25 Chrome/121 Safari/537"},
		{"Edge, Windows", windows + "Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0"},
		{"Opera, Windows", windows + "Chrome/127.0.0.0 Safari/537.36 OPR/113.0.0.0"},
		{"Firefox, Linux", "(X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"},
		{"Safari, macOS", "(Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15"},
		{"Chrome, ChromeOS", "(X11; CrOS x86_64 14541.0.0) Chrome/129.0.0.0 Safari/537.36"},
		{"Browser, Windows", "Backup/1.0 (Windows)"},
		{"Browser", "curl/8.9.1"},
		{"Browser", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User-Agent", test.agent)
		require.Equal(t, test.want, mfahttp.DeviceName(r), test.agent)
	}
}

// remembers signs in on a browser that is remembered.
func (s *site) remembers(user string) *browser {
	s.t.Helper()
	p := s.browser(user)
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(s.t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code,
		"remember": "Laptop"}).is(s.t, 200, "")
	return p
}

// The page of settings forgets one device or all, for a user who has just verified. A forgotten
// device asks for the second factor again.
func TestPages_ForgetDevices(t *testing.T) {
	s := newSite(t, nil)
	s.policy.Remember = 24 * time.Hour
	p, other, third := s.remembers("ann"), s.remembers("ann"), s.remembers("ann")
	devices := func() (ids []string) {
		for _, d := range p.api("GET", "devices", nil).is(t, 200, "").JSON["devices"].([]any) {
			ids = append(ids, d.(m)["id"].(string))
		}
		return ids
	}
	all := devices()
	require.Len(t, all, 3)
	p.do("POST", "/mfa/devices/all/forget", "x=1", map[string]string{"Content-Type": "text/plain",
		"Sec-Fetch-Site": "same-origin"}).page(t, 415)
	half := s.browser("ann")
	half.login()
	half.post("/mfa/devices/all/forget", nil)
	s.browser("").post("/mfa/devices/all/forget", nil)
	require.Equal(t, all, devices())
	p.post("/mfa/devices/"+all[1]+"/forget", nil).goes(t, "/mfa/factors")
	require.ElementsMatch(t, []string{all[0], all[2]}, devices())
	asked := 0
	for _, b := range []*browser{p, other, third} {
		if b.login().Text != "{\"Next\":\"done\"}\n" {
			asked++
		}
	}
	require.Equal(t, 1, asked)

	s.clock.Advance(time.Hour)
	p.login()
	p.post("/mfa/devices/all/forget", nil).goes(t,
		"/mfa/step-up?purpose=manage&return=%2Fmfa%2Ffactors")
	require.Len(t, devices(), 2)
	s.remembers("ann").post("/mfa/devices/all/forget", nil).goes(t, "/mfa/factors")
	require.Empty(t, devices())
}

// A user who has to enrol another kind before the sign-in is complete forgets no device.
func TestPages_ForgetNoDeviceBeforeTheSignIn(t *testing.T) {
	s := newSite(t, nil)
	s.policy.Remember = 24 * time.Hour
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "100002", "remember": "Laptop"}).
		is(t, 200, "")
	half := s.browser("ann")
	s.policy = policy.Policy{Kinds: []string{"sms"}, Remember: 24 * time.Hour}
	half.login()
	half.api("POST", "verify", m{"kind": "totp", "code": "100003"})
	require.Equal(t, "enroll", half.api("GET", "state", nil).is(t, 200, "").JSON["next"])
	half.post("/mfa/devices/all/forget", nil)
	require.Len(t, p.api("GET", "devices", nil).is(t, 200, "").JSON["devices"], 1)
}
