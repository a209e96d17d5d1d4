package mfahttp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/internal/strictb64"
)

// shown is a value that a page shows once and that cannot be read later: the key of a new
// authenticator, recovery codes. Between the post that created it and the page that shows it, it
// lies in the session, encrypted under a key that only the user's browser has, in a cookie.
// Neither a copy of the sessions nor one of the cookies is enough to read it.
type shown struct {
	For     string   // the enrolment, or showCodes
	Secret  string   `json:",omitempty"`
	URI     string   `json:",omitempty"`
	SVG     string   `json:",omitempty"`
	Data    string   `json:",omitempty"`
	Codes   []string `json:",omitempty"`
	Expires time.Time
}

const (
	showCookie = "secondgate_shown"
	showCodes  = "recovery-codes"
	showFor    = 15 * time.Minute
)

func (v *visit) show(s shown) {
	plain, err := json.Marshal(s)
	if err != nil {
		return // plain data: cannot fail
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	sealed := showAEAD(key).Seal(nil, nil, plain, []byte(v.who()))
	v.h.cfg.Session.Put(v.r.Context(), keyShown, sealed)
	v.showCookie(base64.RawURLEncoding.EncodeToString(key), int(showFor/time.Second))
}

func (v *visit) showCookie(value string, maxAge int) {
	http.SetCookie(v.w, &http.Cookie{Name: showCookie, Value: value, Path: v.h.cfg.BasePath,
		MaxAge:   maxAge,
		HttpOnly: true, Secure: v.secureCookies(), SameSite: http.SameSiteStrictMode})
}

// toShow returns the values to show for an enrolment, each time that the page is requested.
func (v *visit) toShow(what string) (*shown, bool) {
	c, err := v.r.Cookie(showCookie)
	if err != nil {
		return nil, false
	}
	key, err := strictb64.DecodeURL(c.Value)
	if err != nil || len(key) != 32 {
		return nil, false
	}
	sealed := v.h.cfg.Session.Get(v.r.Context(), keyShown)
	plain, err := showAEAD(key).Open(nil, nil, sealed, []byte(v.who()))
	if err != nil {
		return nil, false
	}
	var s shown
	if json.Unmarshal(plain, &s) != nil || s.For != what || !v.now.Before(s.Expires) {
		return nil, false
	}
	return &s, true
}

// hide forgets the values that were to be shown.
func (v *visit) hide() {
	v.drop(keyShown)
	if _, err := v.r.Cookie(showCookie); err == nil {
		v.showCookie("", -1)
	}
}

// showAEAD draws its own nonces. key has 32 bytes.
func showAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("mfahttp: " + err.Error()) // the length is fixed
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("mfahttp: " + err.Error())
	}
	return aead
}
