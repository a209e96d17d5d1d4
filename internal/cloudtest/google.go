package cloudtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// The keys of the stand-in for Google Cloud KMS.
const (
	GoogleKey      = "projects/acme/locations/europe-west3/keyRings/mfa/cryptoKeys/secondgate"
	GoogleOtherKey = "projects/acme/locations/europe-west3/keyRings/mfa/cryptoKeys/other"
)

// Google starts a stand-in for the REST API of Google Cloud KMS that has two symmetric keys.
func Google(t testing.TB) *Service {
	s := new(Service)
	g := &googleKMS{newAESKeys(s)}
	s.start(t, g.handle, map[Fault]refusal{
		Disabled:  {400, "FAILED_PRECONDITION"},
		Denied:    {403, "PERMISSION_DENIED"},
		Throttled: {429, "RESOURCE_EXHAUSTED"},
		Down:      {503, "UNAVAILABLE"},
	}, func(w http.ResponseWriter, no refusal) {
		w.WriteHeader(no.status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": no.status,
			"status": no.code, "message": "message of the service"}})
	})
	return s
}

type googleKMS struct{ keys aesKeys }

type googleRequest struct {
	Plaintext     []byte
	PlaintextSum  *string `json:"plaintextCrc32c"`
	Ciphertext    []byte
	CiphertextSum *string `json:"ciphertextCrc32c"`
	Bound         []byte  `json:"additionalAuthenticatedData"`
	BoundSum      *string `json:"additionalAuthenticatedDataCrc32c"`
}

func (g *googleKMS) handle(r *http.Request, body []byte) (any, *refusal) {
	invalid := &refusal{400, "INVALID_ARGUMENT"}
	if r.Header.Get("Authorization") != "Bearer "+Token {
		return nil, &refusal{401, "UNAUTHENTICATED"}
	}
	name, operation, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), ":")
	if name != GoogleKey && name != GoogleOtherKey || r.Method != http.MethodPost {
		return nil, &refusal{404, "NOT_FOUND"}
	}
	var in googleRequest
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields() // as the service does
	if dec.Decode(&in) != nil || !sumFits(in.Plaintext, in.PlaintextSum) ||
		!sumFits(in.Ciphertext, in.CiphertextSum) || !sumFits(in.Bound, in.BoundSum) {
		return nil, invalid
	}
	bound := append([]byte(name+"\x00"), in.Bound...)
	switch operation {
	case "encrypt":
		out := g.keys.encrypt(in.Plaintext, bound)
		return map[string]any{"name": fmt.Sprintf("%s/cryptoKeyVersions/%d", name, out[0]+1),
			"ciphertext": out, "ciphertextCrc32c": sumOf(out),
			"verifiedPlaintextCrc32c":                   in.PlaintextSum != nil,
			"verifiedAdditionalAuthenticatedDataCrc32c": in.BoundSum != nil,
			"protectionLevel":                           "SOFTWARE"}, nil
	case "decrypt":
		plain, ok := g.keys.decrypt(in.Ciphertext, bound)
		if !ok {
			return nil, invalid
		}
		return map[string]any{"plaintext": plain, "plaintextCrc32c": sumOf(plain),
			"usedPrimary": true, "protectionLevel": "SOFTWARE"}, nil
	}
	return nil, &refusal{404, "NOT_FOUND"}
}

// sumOf returns a checksum in the form that JSON has for 64 bits: a text.
func sumOf(b []byte) string {
	return strconv.FormatUint(uint64(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))), 10)
}

func sumFits(b []byte, sum *string) bool { return sum == nil || *sum == sumOf(b) }
