package cloudtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The keys of the stand-in for Azure Key Vault.
const (
	AzureKey      = "https://acme.vault.azure.net/keys/secondgate"
	AzureOtherKey = "https://acme.vault.azure.net/keys/other"
)

// rsaKeys are the versions that a key of Azure has. It takes long to make them.
var rsaKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// Azure starts a stand-in for Azure Key Vault that has two names for an RSA key. It can be rotated
// once. As with the real service, a disabled key still wraps and verifies, which need its public
// part alone.
func Azure(t testing.TB) *Service {
	s := new(Service)
	a := &azureKeyVault{s}
	s.start(t, a.handle, map[Fault]refusal{
		Denied:    {403, "Forbidden"},
		Throttled: {429, "Throttled"},
		Down:      {503, "ServiceUnavailable"},
	}, func(w http.ResponseWriter, no refusal) {
		if no.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.`+
				`com/tenant", resource="https://vault.azure.net"`)
		}
		reply := map[string]any{"code": no.code, "message": "message of the service"}
		if no.code == "KeyDisabled" {
			reply["code"], reply["innererror"] = "Forbidden", map[string]string{"code": no.code}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(no.status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": reply})
	})
	return s
}

type azureKeyVault struct{ service *Service }

// azureVersionID returns the ID of a version.
func azureVersionID(n int) string { return fmt.Sprintf("%032x", n+0xabc) }

func (a *azureKeyVault) handle(r *http.Request, body []byte) (any, *refusal) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		return nil, &refusal{401, "Unauthorized"}
	}
	parts := strings.Split(strings.ReplaceAll(r.URL.Path, "//", "/"), "/")
	if len(parts) == 4 { // without a version it is the newest one
		parts = []string{"", parts[1], parts[2], azureVersionID(int(a.service.newest.Load())),
			parts[3]}
	}
	if len(parts) != 5 || parts[1] != "keys" || parts[2] != "secondgate" && parts[2] != "other" {
		return nil, &refusal{404, "KeyNotFound"}
	}
	for n, key := range rsaKeys() {
		if n <= int(a.service.newest.Load()) && azureVersionID(n) == parts[3] {
			if r.URL.Query().Get("api-version") == "" {
				return nil, &refusal{400, "BadParameter"}
			}
			value, no := a.run(key, parts[4], body)
			return map[string]any{"value": value,
				"kid": "https://acme.vault.azure.net" + strings.Join(parts[:4], "/")}, no
		}
	}
	return nil, &refusal{404, "KeyNotFound"}
}

// run runs one operation with a version of the key.
func (a *azureKeyVault) run(key *rsa.PrivateKey, operation string, body []byte) (any, *refusal) {
	var in struct{ Alg, Value, Digest string }
	bad := &refusal{400, "BadParameter"}
	if json.Unmarshal(body, &in) != nil {
		return nil, bad
	}
	text := base64.RawURLEncoding
	value, err := text.DecodeString(in.Value)
	digest, err2 := text.DecodeString(in.Digest)
	if err != nil || err2 != nil {
		return nil, bad
	}
	disabled := Fault(a.service.fault.Load()) == Disabled
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	var out []byte
	switch operation + " " + in.Alg {
	case "wrapkey RSA-OAEP-256":
		out, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, value, nil)
	case "verify PS256":
		return rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest, value, options) == nil, nil
	case "unwrapkey RSA-OAEP-256":
		out, err = rsa.DecryptOAEP(sha256.New(), rand.Reader, key, value, nil)
	case "sign PS256":
		out, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, value, options)
	default:
		return nil, bad
	}
	switch {
	case disabled && operation != "wrapkey":
		return nil, &refusal{403, "KeyDisabled"}
	case err != nil:
		return nil, bad
	}
	return text.EncodeToString(out), nil
}
