package cloudtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What the stand-in for AWS KMS accepts.
const (
	AWSRegion      = "eu-central-1"
	AWSKey         = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	AWSOtherKey    = "arn:aws:kms:eu-central-1:111122223333:key/ffffabcd-12ab-34cd-56ef-1234567890ab"
	AWSAccessKeyID = "AKIDEXAMPLE"
	AWSSecretKey   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	AWSSession     = "session-of-the-test"
)

// AWS starts a stand-in for AWS KMS that has two symmetric keys. It verifies the signature of each
// request.
func AWS(t testing.TB) *Service {
	s := new(Service)
	a := &awsKMS{newAESKeys(s)}
	s.start(t, a.handle, map[Fault]refusal{
		Disabled:  {400, "DisabledException"},
		Denied:    {400, "AccessDeniedException"},
		Throttled: {400, "ThrottlingException"},
		Down:      {500, "KMSInternalException"},
	}, func(w http.ResponseWriter, no refusal) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(no.status)
		// The real message may name the key and the caller.
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": no.code,
			"message": "message of the service"})
	})
	return s
}

type awsKMS struct{ keys aesKeys }

type awsRequest struct {
	KeyID             string `json:"KeyId"`
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string
}

func (a *awsKMS) handle(r *http.Request, body []byte) (any, *refusal) {
	if no := awsSignature(r, body); no != nil {
		return nil, no
	}
	var in awsRequest
	if r.Header.Get("Content-Type") != "application/x-amz-json-1.1" ||
		json.Unmarshal(body, &in) != nil {
		return nil, &refusal{400, "SerializationException"}
	}
	switch r.Header.Get("X-Amz-Target") {
	case "TrentService.Encrypt":
		return a.encrypt(in)
	case "TrentService.Decrypt":
		return a.decrypt(in)
	}
	return nil, &refusal{400, "UnknownOperationException"}
}

// bound is the authenticated data: the key and the context.
func (in awsRequest) bound(key string) []byte {
	text, _ := json.Marshal([]any{key, in.EncryptionContext})
	return text
}

func (a *awsKMS) encrypt(in awsRequest) (any, *refusal) {
	switch {
	case in.KeyID != AWSKey && in.KeyID != AWSOtherKey:
		return nil, &refusal{400, "NotFoundException"}
	case len(in.Plaintext) == 0 || len(in.Plaintext) > 4096:
		return nil, &refusal{400, "ValidationException"}
	}
	blob := append([]byte(in.KeyID), a.keys.encrypt(in.Plaintext, in.bound(in.KeyID))...)
	return map[string]any{"CiphertextBlob": blob, "KeyId": in.KeyID,
		"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

// decrypt uses the key that the ciphertext names, if the request names none.
func (a *awsKMS) decrypt(in awsRequest) (any, *refusal) {
	for _, key := range []string{AWSKey, AWSOtherKey} {
		blob, ok := bytes.CutPrefix(in.CiphertextBlob, []byte(key))
		if !ok {
			continue
		}
		if in.KeyID != "" && in.KeyID != key {
			return nil, &refusal{400, "IncorrectKeyException"}
		}
		plain, ok := a.keys.decrypt(blob, in.bound(key))
		if !ok {
			break
		}
		return map[string]any{"Plaintext": plain, "KeyId": key,
			"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
	}
	return nil, &refusal{400, "InvalidCiphertextException"}
}

// awsAuthorization is what a request says of its signature.
type awsAuthorization struct{ credential, signed, signature, stamp, scope string }

// readAWSAuthorization reads it, and refuses other credentials and another time.
func readAWSAuthorization(r *http.Request) (a awsAuthorization, no *refusal) {
	fields := strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			a.credential = value
		case "SignedHeaders":
			a.signed = value
		case "Signature":
			a.signature = value
		}
	}
	a.stamp = r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", a.stamp)
	a.scope = at.Format("20060102") + "/" + AWSRegion + "/kms/aws4_request"
	switch {
	case err != nil || a.signature == "":
		no = &refusal{400, "MissingAuthenticationTokenException"}
	case a.credential != AWSAccessKeyID+"/"+a.scope:
		no = &refusal{400, "UnrecognizedClientException"}
	case r.Header.Get("X-Amz-Security-Token") != AWSSession:
		no = &refusal{400, "ExpiredTokenException"}
	case time.Since(at).Abs() > 15*time.Minute:
		no = &refusal{400, "InvalidSignatureException"}
	}
	return a, no
}

// awsSignature verifies Signature Version 4.
func awsSignature(r *http.Request, body []byte) *refusal {
	a, no := readAWSAuthorization(r)
	if no != nil {
		return no
	}
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	request := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	must := map[string]bool{"host": true, "x-amz-date": true, "x-amz-target": true,
		"x-amz-security-token": true}
	for name := range strings.SplitSeq(a.signed, ";") {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		delete(must, name)
		request += name + ":" + strings.TrimSpace(value) + "\n"
	}
	request += fmt.Sprintf("\n%s\n%x", a.signed, sha256.Sum256(body))
	key := []byte("AWS4" + AWSSecretKey)
	for part := range strings.SplitSeq(a.scope, "/") {
		key = mac(key, part)
	}
	want := mac(key, fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", a.stamp, a.scope,
		sha256.Sum256([]byte(request))))
	if len(must) > 0 || a.signature != hex.EncodeToString(want) {
		return &refusal{400, "InvalidSignatureException"}
	}
	return nil
}
