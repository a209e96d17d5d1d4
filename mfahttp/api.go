package mfahttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

func (h *Handler) apiRoutes() {
	h.api("GET", "api/state", apiState)
	h.api("POST", "api/send", apiSend)
	h.api("POST", "api/verify", apiVerify)
	h.api("POST", "api/step-up", apiStepUp)
	h.api("POST", "api/cancel", apiCancel)
	h.api("GET", "api/enroll", apiChoices)
	h.api("POST", "api/enroll", apiEnroll)
	h.api("POST", "api/later", apiLater)
	h.api("POST", "api/decline", apiDecline)
	h.api("POST", "api/enroll/resend", apiResend)
	h.api("POST", "api/enroll/elsewhere", apiElsewhere)
	h.api("POST", "api/enroll/cancel", apiCancelEnrollment)
	h.api("POST", "api/confirm", apiConfirm)
	h.api("POST", "api/address", apiChangeAddress)
	h.api("POST", "api/address/confirm", apiConfirmAddress)
	h.api("GET", "api/factors", apiFactors)
	h.api("PATCH", "api/factors/{id}", apiRename)
	h.api("DELETE", "api/factors/{id}", apiRemove)
	h.api("POST", "api/preference", apiPrefer)
	h.api("POST", "api/implied", apiImplied)
	h.api("POST", "api/recovery-codes", apiRecoveryCodes)
	h.api("POST", "api/recovery-codes/saved", apiRecoverySaved)
	h.api("GET", "api/devices", apiDevices)
	h.api("DELETE", "api/devices", apiForget)
	h.api("DELETE", "api/devices/{id}", apiForget)
	h.api("GET", "api/history", apiHistory)
	h.api("POST", "api/unlock", apiUnlock)
	h.api("POST", "api/lost/link", apiLostLink)
	h.api("POST", "api/lost/support", apiLostSupport)
	h.api("GET", "api/countries", apiCountries)
	h.api("GET", "api/questions", apiQuestions)
	h.route("POST", "api/sign-out", apiSignOut)
	h.route("POST", "api/setup", apiSetup)
	h.public("POST", "api/confirm-link", apiConfirmLink)
	h.route("POST", "api/passwordless", apiPasswordless)
	h.route("POST", "api/passwordless/verify", apiPasswordlessVerify)
	h.route("GET", "api/openapi.json", func(v *visit) error {
		v.w.Header().Set("Content-Type", "application/json")
		_, _ = v.w.Write(openAPI)
		return nil
	})
}

// api registers a route for a user who has passed the first factor. Other visitors learn nothing,
// not even whether a body was well-formed.
func (h *Handler) api(method, path string, do action) {
	h.either(method, path, func(v *visit) error {
		if v.id.User.ID == "" {
			return errUnauthorized
		}
		return do(v)
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // A third-party factor's Prompt.Data that is no JSON.
		status, b = http.StatusServiceUnavailable, []byte(`{"error":"unavailable"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// writeProblem writes an error as a JSON response.
func writeProblem(w http.ResponseWriter, p problem) {
	body := map[string]any{"error": p.Code}
	if p.Reason != "" {
		body["reason"] = p.Reason
	}
	if p.Remaining >= 0 {
		body["attempts_left"] = p.Remaining
	}
	if p.RetryAfter > 0 {
		body["retry_after"] = p.RetryAfter
		p.retryAfter(w.Header())
	}
	if p.Status == http.StatusUnauthorized {
		// RFC 9110 section 15.5.2 wants a challenge with every 401. Browsers ignore a scheme
		// they do not know, so no dialogue opens.
		w.Header().Set("WWW-Authenticate", "Session")
	}
	writeJSON(w, p.Status, body)
}

// malformed returns the error for a body that the route does not accept. The reason is for
// developers.
func malformed(format string, args ...any) error {
	return fmt.Errorf("mfahttp: "+format+": %w", append(args, factor.ErrMalformed)...)
}

// fields are the members of a JSON object.
type fields map[string]json.RawMessage

// body reads a JSON object. A form of another site cannot send one: its media type is
// checked, so that "text/plain" that happens to be JSON is refused.
func (v *visit) body() (fields, error) {
	b, err := io.ReadAll(v.r.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, errTooLarge
		}
		return nil, malformed("unreadable body")
	}
	if ct := v.r.Header.Get("Content-Type"); ct != "" || len(b) > 0 {
		t, _, err := mime.ParseMediaType(ct)
		if err != nil || t != "application/json" {
			return nil, errMediaType
		}
	}
	if len(b) == 0 {
		return fields{}, nil
	}
	// encoding/json would silently replace bytes that are not UTF-8.
	if !utf8.Valid(b) {
		return nil, malformed("body is not UTF-8")
	}
	var f fields
	if err := json.Unmarshal(b, &f); err != nil || f == nil || bytes.HasPrefix(bytes.TrimSpace(b),
		[]byte("null")) {
		return nil, malformed("body is not a JSON object")
	}
	return f, nil
}

// text returns a member that must be a string if it is there. A number is refused: as one,
// a code would have lost its leading zeros.
func (f fields) text(name string) (string, error) {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", malformed("%s is not a string", name)
	}
	return s, nil
}

// flag returns a member that must be true or false if it is there.
func (f fields) flag(name string) (set bool, err error) {
	if raw, ok := f[name]; ok && json.Unmarshal(raw, &set) != nil {
		return false, malformed("%s is not true or false", name)
	}
	return set, nil
}

// texts reads several members at once.
func (f fields) texts(into map[string]*string) error {
	for name, p := range into {
		s, err := f.text(name)
		if err != nil {
			return err
		}
		*p = s
	}
	return nil
}

// maxKind and maxID limit the length of the names that are looked up.
const (
	maxKind = 32
	maxID   = 64
)

// read reads the body into members, kind and ids among them within bounds.
func (v *visit) read(into map[string]*string) (fields, error) {
	f, err := v.body()
	if err != nil {
		return nil, err
	}
	if err := f.texts(into); err != nil {
		return nil, err
	}
	for name, bound := range map[string]int{"kind": maxKind, "factor": maxID, "enrollment": maxID} {
		if p, ok := into[name]; ok && len(*p) > bound {
			return nil, malformed("%s is too long", name)
		}
	}
	return f, nil
}

// purpose returns the member "purpose", or the purpose that was begun last.
func (v *visit) purpose(s string) (string, error) {
	if s == "" {
		return v.current(), nil
	}
	p := string(s)
	// A pending sign-in permits only a sign-in, and a signed-in user does not sign in again.
	switch p {
	case "replace":
		if v.replacing {
			return p, nil
		}
	case purposeSignIn:
		if !v.signedIn {
			return p, nil
		}
	case purposeStepUp, purposeManage:
		if v.signedIn {
			return p, nil
		}
		return "", mfa.ErrForbidden
	}
	return "", malformed("unknown purpose")
}

func apiSend(v *visit) error {
	var kind, id, purpose string
	f, err := v.read(map[string]*string{"kind": &kind, "factor": &id, "purpose": &purpose})
	if err != nil {
		return err
	}
	first, err := f.flag("first")
	if err != nil {
		return err
	}
	p, err := v.answering(purpose, kind)
	if err != nil {
		return err
	}
	d, err := v.send(p, kind, id, first)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, v.delivered(d))
	return nil
}

// writeChallenge responds with a challenge that was begun.
func (v *visit) writeChallenge(c *pending) error {
	body := map[string]any{}
	v.describe(body, c)
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

func (v *visit) delivered(d *mfa.Delivery) map[string]any {
	body := map[string]any{"kind": d.Kind, "hint": d.MaskedDestination}
	v.expiry(body, d.Expires)
	if len(d.Prompt.Data) > 0 {
		body["data"] = json.RawMessage(d.Prompt.Data)
	}
	return body
}

// answering reads the members that send and verify have in common.
func (v *visit) answering(purpose, kind string) (string, error) {
	if kind == "" {
		return "", malformed("kind is missing")
	}
	return v.purpose(purpose)
}

func apiVerify(v *visit) error {
	var kind, code, purpose, remember string
	if _, err := v.read(map[string]*string{"kind": &kind, "code": &code, "purpose": &purpose,
		"remember": &remember}); err != nil {
		return err
	}
	p, err := v.answering(purpose, kind)
	if err != nil {
		return err
	}
	ver, err := v.verify(p, kind, code, remember)
	var required *mfa.EnrollmentRequiredError
	if errors.As(err, &required) {
		writeJSON(v.w, http.StatusOK, map[string]any{"next": mfa.NextEnroll, "purpose": p,
			"kind":  kind,
			"kinds": append([]string{}, required.Kinds...)})
		return nil
	}
	if err != nil {
		return err
	}
	body := map[string]any{"next": mfa.NextDone, "purpose": ver.Purpose, "kind": ver.Kind}
	if ver.Purpose == purposeRecover {
		body["next"], body["kinds"] = mfa.NextEnroll, append([]string{}, ver.EnrollKinds...)
	}
	if ver.RecoveryCodesRemaining >= 0 {
		body["recovery_left"] = ver.RecoveryCodesRemaining
	}
	if ver.RecoveryCodesDue {
		body["recovery_due"] = true
	}
	if which := v.passkeyOffer(ver, code); which != "" {
		body["offer_passkey"] = which
	}
	if ver.Kind == kindPasskey {
		describePasskeys(body, v.passkeySetAfter(ver))
	}
	if ver.RenewalDue {
		body["renewal_due"] = true
	}
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

func apiStepUp(v *visit) error {
	var purpose string
	if _, err := v.read(map[string]*string{"purpose": &purpose}); err != nil {
		return err
	}
	p := purposeManage
	if purpose != "" {
		var err error
		if p, err = v.purpose(purpose); err != nil {
			return err
		}
	}
	c, err := v.stepUp(p)
	if err != nil {
		return err
	}
	return v.writeChallenge(c)
}
