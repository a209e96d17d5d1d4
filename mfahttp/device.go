package mfahttp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// A browser keeps one cookie for each user who is remembered on it, so that two users who share
// the browser keep both.
const deviceCookie = "secondgate_device_"

func (v *visit) deviceCookieName(s mfa.User) string {
	sum := sha256.Sum256([]byte(subjectKey(s)))
	return v.host(deviceCookie + hex.EncodeToString(sum[:6]))
}

// device returns the token that the browser keeps for a user.
func (v *visit) device(s mfa.User) secret.Text {
	token, _ := v.cookie(v.deviceCookieName(s))
	return secret.New(token)
}

// setDevice gives the browser a token to keep. Its path is the whole site, because the first
// factor is asked for outside of BasePath.
func (v *visit) setDevice(s mfa.User, token secret.Text, expires time.Time) {
	if token.IsZero() {
		return
	}
	http.SetCookie(v.w, &http.Cookie{Name: v.deviceCookieName(s), Value: token.Reveal(),
		Path: "/", HttpOnly: true, MaxAge: v.secondsTo(expires), Secure: v.secureCookies(),
		SameSite: http.SameSiteLaxMode})
}

func (v *visit) secureCookies() bool { return v.r.TLS != nil || v.h.cfg.SecureCookies }

// DeviceName returns a name for the device that makes a request, such as "Firefox, Windows".
// Users see it in their list of devices. It comes from the User-Agent header, which is no secret
// and no proof. An application that lists a user's sessions can use the same names.
func DeviceName(r *http.Request) string {
	agent := r.UserAgent()
	find := func(otherwise string, pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return otherwise
	}
	browser := find("Browser", "Edg", "Edge", "OPR/", "Opera", "SamsungBrowser", "Samsung Internet",
		"Firefox", "Firefox", "FxiOS", "Firefox",
		"Chrome", "Chrome", "CriOS", "Chrome", "Safari", "Safari")
	system := find("", "iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows",
		"Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if system == "" {
		return browser
	}
	return browser + ", " + system
}

func postForget(v *visit) error {
	if _, err := v.form(); err != nil {
		return err
	}
	if err := v.mustBeSignedIn(); err != nil {
		return v.changed("", err, v.at("factors"), "")
	}
	id := v.r.PathValue("id")
	if id == "all" {
		id = ""
	}
	return v.changed("", v.forgetDevice(id), v.at("factors"), noteForgotten)
}

// forgetDevice forgets a remembered device, or all of them if id is empty.
func (v *visit) forgetDevice(id string) error {
	g, err := v.grant()
	if err != nil {
		return err
	}
	return v.refused(v.handle(purposeManage).ForgetDevice(v.r.Context(), g, id))
}

// verifyURL returns the URL of the page that asks for a response of a kind.
func (v *visit) verifyURL(f url.Values, kind, back string) string {
	return v.at("verify", "purpose", f.Get("purpose"), "kind", kind, "return", back)
}
