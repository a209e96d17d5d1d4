package envelope

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"regexp"

	"github.com/secondgate/secondgate/secret"
)

// googleKMS is Google Cloud KMS.
type googleKMS struct {
	CloudKey
	token func(context.Context) (secret.Text, error)
}

var googleName = regexp.MustCompile(
	`^projects/[a-z0-9.:-]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]+/cryptoKeys/[A-Za-z0-9_-]+$`)

// GoogleKMS returns a vault whose key is a symmetric one in Google Cloud KMS. Its Name is the
// resource name: projects/P/locations/L/keyRings/R/cryptoKeys/K.
//
// The Name and the Context are the additional authenticated data of the service.
//
// It calls token for each request, for an access token with the scope
// https://www.googleapis.com/auth/cloudkms of an account that may encrypt and decrypt with the key.
// With the packages of Google, token is a function that calls Token of an oauth2.TokenSource.
func GoogleKMS(
	key CloudKey, token func(context.Context) (secret.Text, error),
) (Vault, error) {
	key, err := key.check()
	if err != nil {
		return nil, err
	}
	if !googleName.MatchString(key.Name) || token == nil {
		return nil, errors.New("envelope: GoogleKMS needs the name of a key, such as " +
			"projects/P/locations/L/keyRings/R/cryptoKeys/K, and a function for tokens")
	}
	return &googleKMS{key, token}, nil
}

// Encrypt implements [Vault]. The checksums find what was damaged between the service and this
// process, as Google advises.
func (v *googleKMS) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	var reply struct {
		Ciphertext   []byte
		Sum          uint32 `json:"ciphertextCrc32c,string"`
		SawPlaintext bool   `json:"verifiedPlaintextCrc32c"`
		SawBound     bool   `json:"verifiedAdditionalAuthenticatedDataCrc32c"`
	}
	err := v.call(ctx, "encrypt", v.with("plaintext", key), &reply)
	switch {
	case err != nil:
		return nil, err
	case len(reply.Ciphertext) == 0 || !reply.SawPlaintext || !reply.SawBound ||
		reply.Sum != checksum(reply.Ciphertext):
		return nil, errors.New("envelope: the reply of Google Cloud KMS was damaged on its way")
	}
	return reply.Ciphertext, nil
}

// Decrypt implements [Vault].
func (v *googleKMS) Decrypt(ctx context.Context, encrypted []byte) ([]byte, error) {
	var reply struct {
		Plaintext []byte
		Sum       uint32 `json:"plaintextCrc32c,string"`
	}
	err := v.call(ctx, "decrypt", v.with("ciphertext", encrypted), &reply)
	switch {
	case err != nil:
		return nil, err
	case len(reply.Plaintext) == 0 || reply.Sum != checksum(reply.Plaintext):
		return nil, errors.New("envelope: the reply of Google Cloud KMS was damaged on its way")
	}
	return reply.Plaintext, nil
}

// with returns the body of a request. Its JSON has numbers of 64 bits as text.
func (v *googleKMS) with(field string, data []byte) map[string]any {
	bound := v.bound()
	return map[string]any{field: data, field + "Crc32c": fmt.Sprint(checksum(data)),
		"additionalAuthenticatedData":       bound,
		"additionalAuthenticatedDataCrc32c": fmt.Sprint(checksum(bound))}
}

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

func (v *googleKMS) call(ctx context.Context, operation string, in, out any) error {
	return exchange{vault: "Google Cloud KMS", operation: operation + " a key",
		url:    v.at("https://cloudkms.googleapis.com", "/v1/"+v.Name+":"+operation),
		client: v.Client, authorize: bearer(ctx, v.token),
		code: func(_ http.Header, body []byte) string {
			var reply struct{ Error struct{ Status string } }
			_ = json.Unmarshal(body, &reply)
			return reply.Error.Status
		},
	}.do(ctx, in, out)
}
