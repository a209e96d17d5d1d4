// Package transittest has a stand-in for a transit engine. Tests alone import it.
package transittest

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/secondgate/secondgate/seal"
)

// Token is the token that an Engine accepts.
const Token = "s.token"

// Engine is a stand-in for the transit engine of OpenBao, after its documented API: what it
// encrypts begins with vault:v1:, a token is required, and errors are a list.
type Engine struct {
	*httptest.Server
	aead cipher.AEAD
	// Calls counts the requests.
	Calls atomic.Int64
	// Down makes the engine refuse every request, as a sealed vault does.
	Down atomic.Bool
}

// New starts an engine that has the key "secondgate". It ends with the test.
func New(t testing.TB) *Engine {
	block, err := aes.NewCipher(seal.GenerateKey())
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{aead: aead}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/transit/encrypt/secondgate", e.handle(e.encrypt))
	mux.HandleFunc("POST /v1/transit/decrypt/secondgate", e.handle(e.decrypt))
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

func (e *Engine) handle(do func(map[string]string) (map[string]string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.Calls.Add(1)
		reply := func(status int, v any) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v)
		}
		var body map[string]string
		switch err := json.NewDecoder(r.Body).Decode(&body); {
		case e.Down.Load():
			reply(503, map[string]any{"errors": []string{"Vault is sealed"}})
		case r.Header.Get("X-Vault-Token") != Token:
			reply(403, map[string]any{"errors": []string{"permission denied"}})
		case err != nil:
			reply(400, map[string]any{"errors": []string{"invalid JSON"}})
		default:
			data, err := do(body)
			if err != nil {
				reply(400, map[string]any{"errors": []string{err.Error()}})
				return
			}
			reply(200, map[string]any{"data": data})
		}
	}
}

func (e *Engine) encrypt(body map[string]string) (map[string]string, error) {
	plain, err := base64.StdEncoding.DecodeString(body["plaintext"])
	sealed := e.aead.Seal(nil, nil, plain, nil)
	return map[string]string{
		"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(sealed)}, err
}

func (e *Engine) decrypt(body map[string]string) (map[string]string, error) {
	encoded, ok := strings.CutPrefix(body["ciphertext"], "vault:v1:")
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, errors.New("invalid ciphertext")
	}
	plain, err := e.aead.Open(nil, nil, sealed, nil)
	return map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain)}, err
}
