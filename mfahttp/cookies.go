package mfahttp

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/seal"
)

const (
	// maxCookies limits the values of all cookies of one user together, in bytes. Browsers keep
	// 4096 for one cookie, and proxies take headers of 8 KiB.
	maxCookies = 4096
	// proofAge is Max-Age of the cookie that says by what a session was verified, in seconds. The
	// cookie is worthless once the application's session ends, so it may outlive it: 400 days is
	// the most that browsers keep (RFC 6265bis section 5.5).
	proofAge = 400 * 24 * 60 * 60
	// cookieAge is Max-Age of all others, in seconds. What they hold expires before it.
	cookieAge = 24 * 60 * 60
)

// errCookies is returned for a state that does not fit into cookies.
var errCookies = errors.New("the values do not fit into cookies: set Config.Session, which keeps " +
	"them on the server")

// cookies keeps the values of a visit in sealed cookies, one for each key. Each is sealed for its
// key, its user and the session ID of the application, so that a cookie that is copied to another
// key, user or session is ignored.
type cookies struct {
	keys *seal.Keyring
	// name distinguishes Handlers at several paths of one host, and is how each of names begins,
	// which are by key.
	name  string
	names map[string]string
}

func newCookies(keys *seal.Keyring, basePath string) cookies {
	k := cookies{keys, "secondgate", map[string]string{}}
	if basePath != defaultBasePath {
		sum := sha256.Sum256([]byte(basePath))
		k.name += "-" + hex.EncodeToString(sum[:4])
	}
	for _, key := range stateKeys {
		k.names[key] = k.name + "-" +
			strings.ReplaceAll(strings.TrimPrefix(key, "secondgate."), ".", "-")
	}
	return k
}

// cookieName returns the name of the cookie for a key of stateKeys.
func (k cookies) cookieName(v *visit, key string) string { return v.host(k.names[key]) }

// owner is what a value is sealed for. Before a recovery has a user, it belongs to the browser.
func (k cookies) owner(v *visit, key string) string {
	if key == keySetup {
		return ""
	}
	return v.id.owner()
}

func (k cookies) read(v *visit, key string) ([]byte, error) {
	value, ok := v.cookie(k.cookieName(v, key))
	if !ok {
		return nil, nil
	}
	sealed, err := strictb64.DecodeURL(value)
	if err != nil || len(sealed) > maxCookies {
		return nil, nil //nolint:nilerr // not ours, and worth no more than none
	}
	packed, err := k.keys.Open(cookiePurpose(key), k.owner(v, key), sealed)
	if err != nil {
		return nil, nil //nolint:nilerr // another session's, or altered
	}
	return unpack(packed), nil
}

func (k cookies) write(v *visit, changed map[string][]byte) error {
	if v.w == nil {
		return nil // nothing is lost: what is not kept is begun again
	}
	touched := changed
	for {
		written := changed
		values, total := k.encode(v, written, stored)
		if total > maxCookies {
			// All of them become shorter, those that this request has not touched as well. A cookie
			// of another session, which is nothing here, makes room.
			written = maps.Clone(changed)
			for _, key := range stateKeys {
				if _, ok := changed[key]; !ok {
					written[key] = v.raw(key)
				}
			}
			values, total = k.encode(v, written, pack)
		}
		if total <= maxCookies {
			for _, key := range slices.Sorted(maps.Keys(written)) {
				k.set(v, key, values[key])
			}
			return nil
		}
		if changed = v.spare(changed, touched); changed == nil {
			return errCookies
		}
	}
}

// encode returns the cookies of the changed values, and how long they are together with those
// that stay as they are.
func (k cookies) encode(
	v *visit, changed map[string][]byte, packed func([]byte) []byte,
) (values map[string]string, total int) {
	values = map[string]string{}
	for key, value := range changed {
		if value != nil {
			values[key] = k.seal(v, key, packed(value))
		}
	}
	for _, key := range stateKeys {
		value := values[key]
		if _, touched := changed[key]; !touched {
			value, _ = v.cookie(k.cookieName(v, key))
		}
		total += len(value)
	}
	return values, total
}

// spare returns the changes without one more value that can be spared, the least first: the oldest
// of several enrolments, what the user typed into a form that was refused, and then what another
// tab has under way and this request has not touched. It returns nil if there is none.
func (v *visit) spare(changed, touched map[string][]byte) map[string][]byte {
	changed = maps.Clone(changed)
	value := func(key string) []byte {
		if b, ok := changed[key]; ok {
			return b
		}
		return v.raw(key)
	}
	var list []json.RawMessage
	_ = json.Unmarshal(value(keyEnrollments), &list) // nil has none
	if len(list) > 1 {
		changed[keyEnrollments], _ = json.Marshal(list[1:]) // was encoded before
		return changed
	}
	if value(keyTyped) != nil {
		changed[keyTyped] = nil
		return changed
	}
	var n notice
	_ = json.Unmarshal(value(keyNotice), &n) // nil has none
	if n.Entered != nil {
		n.Entered = nil
		changed[keyNotice], _ = json.Marshal(n) // was encoded before
		return changed
	}
	for _, key := range []string{keyChallenge + purposeSignIn, keyChallenge + purposeStepUp,
		keyChallenge + purposeManage, keyEnrollments, keyGrant} {
		if _, ok := touched[key]; !ok && value(key) != nil {
			changed[key] = nil
			return changed
		}
	}
	return nil
}

func (k cookies) seal(v *visit, key string, packed []byte) string {
	return base64.RawURLEncoding.EncodeToString(
		k.keys.Seal(cookiePurpose(key), k.owner(v, key), packed))
}

// set gives the browser a cookie, or takes it away if value is empty. The path is the whole site,
// because Require guards pages outside of BasePath.
func (k cookies) set(v *visit, key, value string) {
	name, age := k.cookieName(v, key), cookieAge
	switch {
	case value == "":
		if _, ok := v.cookie(name); !ok {
			return
		}
		age = -1
	case key == keyProof:
		age = proofAge
	}
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: v.secureCookies(), SameSite: http.SameSiteLaxMode})
}

func cookiePurpose(key string) seal.Purpose { return seal.Purpose("mfahttp cookie " + key) }

// stored returns plain as a stream that unpack reads, without the time that compression takes. A
// value that is longer than a block of deflate (RFC 1951 section 3.2.4) fits no cookie.
func stored(plain []byte) []byte {
	n := uint16(len(plain)) //nolint:gosec // compared
	if int(n) != len(plain) {
		return pack(plain)
	}
	b := append(make([]byte, 0, 5+len(plain)), 1) // the last block, and not compressed
	b = binary.LittleEndian.AppendUint16(b, n)
	b = binary.LittleEndian.AppendUint16(b, ^n)
	return append(b, plain...)
}

// packers compress values that would not fit otherwise, by the frequency of bytes alone: tokens are
// base64, which makes them a third longer than they need be. What repeats is not searched for, so
// that the length of a cookie says nothing about a secret in it (CRIME).
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.HuffmanOnly)
	if err != nil {
		panic("mfahttp: " + err.Error()) // the level is fixed
	}
	return w
}}

func pack(plain []byte) []byte {
	var b bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(plain) // a Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

var unpackers = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// unpack returns nil for what neither pack nor stored made.
func unpack(packed []byte) []byte {
	r := unpackers.Get().(io.ReadCloser)
	defer unpackers.Put(r)
	_ = r.(flate.Resetter).Reset(bytes.NewReader(packed), nil) // which never fails
	plain, err := io.ReadAll(io.LimitReader(r, 4*maxCookies))
	if err != nil {
		return nil
	}
	return plain
}
