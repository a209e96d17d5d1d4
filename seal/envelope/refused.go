package envelope

import (
	"fmt"
	"net/http"
	"strings"
)

// RefusedError is returned with [ErrVault] when a vault received a request and refused it. It
// quotes no message of the vault, which may hold parts of the request.
type RefusedError struct {
	// Vault names the service, such as "AWS KMS".
	Vault string
	// Operation is what the vault was asked to do, such as "decrypt a key".
	Operation string
	// Status is the status of the HTTP response.
	Status int
	// Code is the code of the error in the vault's documentation, such as "DisabledException". It
	// is empty if the response has none.
	Code string
	// Retry says that the same request may succeed later: the vault limits requests, or is down.
	Retry bool
}

// Error implements error.
func (e *RefusedError) Error() string {
	text := fmt.Sprintf("envelope: %s refused to %s: %d %s", e.Vault, e.Operation, e.Status,
		http.StatusText(e.Status))
	if e.Code != "" {
		text += ", " + e.Code
	}
	why := reasons[e.Code]
	if why == reasonOther && !strings.HasPrefix(e.Operation, "decrypt") {
		why = "" // the request was about no file yet
	}
	if why != "" {
		text += ": " + why
	}
	return text
}

// What the codes of the key services mean for a file of keys.
const (
	reasonDisabled = "the key is disabled or is to be deleted"
	reasonDenied   = "the credentials do not permit it"
	reasonExpired  = "the credentials are expired or unknown"
	reasonOther    = "the file has a key of another vault key or of another Context, or is damaged"
	reasonMissing  = "the vault has no such key"
	reasonLimit    = "the vault limits requests; try again later"
)

var reasons = map[string]string{
	"AccessDeniedException":       reasonDenied,
	"DisabledException":           reasonDisabled,
	"ExpiredTokenException":       reasonExpired,
	"IncorrectKeyException":       reasonOther,
	"InvalidCiphertextException":  reasonOther,
	"InvalidSignatureException":   "the credentials or the clock of this machine are not correct",
	"KMSInvalidStateException":    reasonDisabled,
	"LimitExceededException":      reasonLimit,
	"NotFoundException":           reasonMissing,
	"ThrottlingException":         reasonLimit,
	"UnrecognizedClientException": reasonExpired,

	"FAILED_PRECONDITION": "the key or its version is disabled or destroyed",
	"INVALID_ARGUMENT":    reasonOther,
	"NOT_FOUND":           reasonMissing,
	"PERMISSION_DENIED":   reasonDenied,
	"RESOURCE_EXHAUSTED":  reasonLimit,
	"UNAUTHENTICATED":     reasonExpired,

	"BadParameter": reasonOther,
	"Forbidden":    reasonDenied,
	"KeyDisabled":  reasonDisabled,
	"KeyNotFound":  reasonMissing,
	"Throttled":    reasonLimit,
	"Unauthorized": reasonExpired,
}

// refused returns the error of a response. Codes have letters and underscores alone, so that the
// error quotes nothing else that a response has in their place.
func refused(vault, operation string, status int, code string) *RefusedError {
	if at := strings.LastIndexByte(code, '#'); at >= 0 {
		code = code[at+1:] // AWS may put a name space before it
	}
	code, _, _ = strings.Cut(code, ":")
	letter := func(r rune) bool {
		return r == '_' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if len(code) > 64 || strings.TrimFunc(code, letter) != "" {
		code = ""
	}
	retry := status == http.StatusTooManyRequests || status >= 500 ||
		reasons[code] == reasonLimit
	return &RefusedError{Vault: vault, Operation: operation, Status: status, Code: code,
		Retry: retry}
}
