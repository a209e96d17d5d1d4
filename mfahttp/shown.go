package mfahttp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/secondgate/secondgate/internal/strictb64"
)

// shown permits a page to show what it shows for a short time and what no other page shows: the
// prompt of an enrolment, which the sealed enrolment holds, or recovery codes. Between the post
// that created them and the page that shows them, it lies in the state, encrypted under a key that
// only the user's browser has, in a cookie. Neither a copy of the application's sessions nor one
// of the cookies is enough.
type shown struct {
	For     string   // the enrolment, or showCodes
	Codes   []string `json:",omitempty"`
	Set     string   `json:",omitempty"` // the ID for the codes
	Expires time.Time
}

const (
	showCookie browserCookie = "shown"
	showCodes                = "recovery-codes"
	showFor                  = 15 * time.Minute
)

func (v *visit) show(s shown) {
	plain, err := json.Marshal(s)
	if err != nil {
		return // plain data: cannot fail
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	sealed := showAEAD(key).Seal(nil, nil, plain, []byte(v.who()))
	v.change(keyShown, sealed)
	showCookie.set(v, base64.RawURLEncoding.EncodeToString(key), int(showFor/time.Second))
}

// toShow returns what may be shown for an enrolment or for showCodes, each time that the page is
// requested.
func (v *visit) toShow(what string) (*shown, bool) {
	key, err := strictb64.DecodeURL(showCookie.of(v))
	if err != nil || len(key) != 32 {
		return nil, false
	}
	sealed := v.raw(keyShown)
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

// hide forgets what was to be shown.
func (v *visit) hide() {
	v.drop(keyShown)
	if showCookie.of(v) != "" {
		showCookie.set(v, "", -1)
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
