// Package cloudtest has stand-ins for the key services of three clouds, after their documented
// APIs. They are no emulators: they have the operations that package seal/envelope uses, and refuse
// what the services refuse. Tests alone import it.
package cloudtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/secondgate/secondgate/seal"
)

// Fault is a state in which a service refuses.
type Fault int32

// The faults.
const (
	None Fault = iota
	// Disabled is a key that an administrator disabled.
	Disabled
	// Denied is an account without the permission.
	Denied
	// Throttled is a service that gets too many requests.
	Throttled
	// Down is a service that fails.
	Down
)

// Token is the access token that the stand-ins for Google and Azure accept.
const Token = "token-of-the-test"

// Service is a stand-in for a key service.
type Service struct {
	*httptest.Server
	// Calls counts the requests.
	Calls atomic.Int64
	// Body is the body of the last request.
	Body  atomic.Pointer[[]byte]
	fault atomic.Int32
	// newest is the number of the newest version of the key.
	newest atomic.Int32
}

// Set sets the fault that the service has from now on.
func (s *Service) Set(f Fault) { s.fault.Store(int32(f)) }

// Rotate makes a new version of the key, which encrypts from now on. It returns its number.
func (s *Service) Rotate() int { return int(s.newest.Add(1)) }

// refusal is a response of an error.
type refusal struct {
	status int
	code   string
}

// operation handles the body of a request.
type operation func(r *http.Request, body []byte) (reply any, no *refusal)

// start starts a service over HTTP. It ends with the test.
func (s *Service) start(
	t testing.TB, do operation, faults map[Fault]refusal, write func(http.ResponseWriter, refusal),
) {
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Calls.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		s.Body.Store(&body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if no, ok := faults[Fault(s.fault.Load())]; ok {
			write(w, no)
			return
		}
		reply, no := do(r, body)
		if no != nil {
			write(w, *no)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply)
	}))
	t.Cleanup(s.Close)
}

// aesKeys are the versions of a symmetric key, up to 256.
type aesKeys struct {
	service *Service
	secret  []byte
}

func newAESKeys(s *Service) aesKeys { return aesKeys{s, seal.GenerateKey()} }

// version returns the cipher of a version.
func (k aesKeys) version(n byte) cipher.AEAD {
	key := bytes.Clone(k.secret)
	key[0] ^= n
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// encrypt returns the number of the newest version and the ciphertext.
func (k aesKeys) encrypt(plain, bound []byte) []byte {
	n := byte(k.service.newest.Load())
	return k.version(n).Seal([]byte{n}, nil, plain, bound)
}

// decrypt decrypts with the version that encrypted.
func (k aesKeys) decrypt(encrypted, bound []byte) ([]byte, bool) {
	if len(encrypted) == 0 || int32(encrypted[0]) > k.service.newest.Load() {
		return nil, false
	}
	plain, err := k.version(encrypted[0]).Open(nil, nil, encrypted[1:], bound)
	return plain, err == nil
}
