package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/password"
)

// maxBody bounds request bodies; mfahttp bounds its own.
const maxBody = 64 << 10

func (a *app) apiRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/login", a.apiLogin)
	mux.HandleFunc("POST /api/account", a.apiAccount)
	mux.HandleFunc("GET /api/me", a.apiMe)
	mux.HandleFunc("POST /api/reauthenticate", a.apiReauthenticate)
	mux.HandleFunc("POST /api/logout", a.apiLogout)
	mux.HandleFunc("POST /api/password/forgot", a.apiForgot)
	mux.HandleFunc("POST /api/password/reset", a.apiResetPassword)
	mux.HandleFunc("PUT /api/password", a.apiChangePassword)
	mux.HandleFunc("GET /api/admin/policy", a.owner(a.apiGetPolicy))
	mux.HandleFunc("PUT /api/admin/policy", a.owner(a.acts(a.apiPutPolicy)))
	mux.HandleFunc("POST /api/admin/reset", a.owner(a.acts(a.apiReset)))
	mux.HandleFunc("POST /api/admin/unlock", a.owner(a.acts(a.apiUnlock)))
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"unavailable"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// problem is the JSON body of an error.
type problem struct {
	Error      string `json:"error"`
	Detail     string `json:"detail,omitempty"`
	Reason     string `json:"reason,omitempty"` // which rule a password breaks
	RetryAfter int    `json:"retry_after,omitempty"`
}

func fail(w http.ResponseWriter, status int, p problem) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Session") // RFC 9110 section 15.5.2
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	writeJSON(w, status, p)
}

var (
	errMalformed = errors.New("the body is not a JSON object with the members this route takes")
	errTooLarge  = errors.New("the body is too large")
)

// responses lists the responses to sentinel errors. The first match is sent.
var responses = []struct {
	err    error
	status int
	code   string
	// detail adds the error's text, for errors that hold no secret.
	detail bool
}{
	{err: errWrongPassword, status: http.StatusUnauthorized, code: "credentials"},
	{err: errPasswordExpired, status: http.StatusUnauthorized, code: "password_over"},
	{err: errNoLogin, status: http.StatusUnauthorized, code: "unauthorized"},
	{err: errNoUser, status: http.StatusNotFound, code: "not_found"},
	{err: errTooLarge, status: http.StatusRequestEntityTooLarge, code: "too_large"},
	{err: errMalformed, status: http.StatusBadRequest, code: "malformed", detail: true},
	{err: errAdvance, status: http.StatusBadRequest, code: "malformed", detail: true},
	// Only the owner sets policies and reads what is invalid about one.
	{err: policy.ErrInvalid, status: http.StatusBadRequest, code: "policy", detail: true},
	{err: mfahttp.ErrStepUp, status: http.StatusForbidden, code: "step_up"},
	{err: mfa.ErrFirstFactorRequired, status: http.StatusForbidden, code: "reauthenticate"},
	{err: mfa.ErrKindNotConfigured, status: http.StatusConflict, code: "kind_not_configured"},
	{err: factor.ErrUndeliverable, status: http.StatusConflict, code: "undeliverable"},
	{err: mfa.ErrForbidden, status: http.StatusForbidden, code: "forbidden"},
	{err: password.ErrLink, status: http.StatusGone, code: "link"},
}

// statusOf returns the API's response to an error. The pages derive theirs from it.
func statusOf(err error) (int, problem) {
	if seconds, ok := busy(err); ok {
		return http.StatusTooManyRequests, problem{Error: "busy", RetryAfter: seconds}
	}
	for _, r := range responses {
		if errors.Is(err, r.err) {
			p := problem{Error: r.code}
			if r.detail {
				p.Detail = err.Error()
			}
			return r.status, p
		}
	}
	if refused, ok := errors.AsType[*factor.Problem](err); ok {
		return http.StatusUnprocessableEntity, problem{Error: "refused", Reason: refused.Reason,
			Detail: refused.Detail}
	}
	if limited, ok := errors.AsType[*mfa.RateLimitError](err); ok {
		return http.StatusTooManyRequests, problem{Error: "budget",
			RetryAfter: int((limited.RetryAfter + time.Second - 1) / time.Second)}
	}
	return http.StatusServiceUnavailable, problem{Error: "unavailable"}
}

func (a *app) failAPI(w http.ResponseWriter, r *http.Request, err error) {
	status, p := statusOf(err)
	a.logFailure(r, status, err)
	fail(w, status, p)
}

func (a *app) logFailure(r *http.Request, status int, err error) {
	if status >= 500 && r.Context().Err() == nil {
		a.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
	}
}

// readJSON reads a JSON object into v. Members that may be absent are pointers.
func readJSON(r *http.Request, v any, strict bool) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return errTooLarge
		}
		return errMalformed
	}
	return decodeJSON(b, v, strict)
}

func decodeJSON(b []byte, v any, strict bool) error {
	// encoding/json would replace invalid UTF-8 silently, and accept null as an object.
	if !utf8.Valid(b) || !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) {
		return errMalformed
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(v); err != nil {
		return errMalformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errMalformed
	}
	return nil
}

func (a *app) apiLogin(w http.ResponseWriter, r *http.Request) {
	var body struct{ Username, Password *string }
	err := readJSON(r, &body, false)
	if err == nil && (body.Username == nil || body.Password == nil) {
		err = errMalformed
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	out, err := a.signIn(w, r, *body.Username, *body.Password)
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func (a *app) apiAccount(w http.ResponseWriter, r *http.Request) {
	var body struct{ ID *string }
	err := readJSON(r, &body, false)
	if err == nil && body.ID == nil {
		err = errMalformed
	}
	var out *outcome
	if err == nil {
		out, err = a.choose(w, r, *body.ID)
	}
	switch {
	case errors.Is(err, errNoUser):
		// No account of this login. The response is the same if another login has it.
		fail(w, http.StatusForbidden, problem{Error: "forbidden"})
	case err != nil:
		a.failAPI(w, r, err)
	default:
		writeJSON(w, http.StatusOK, out)
	}
}

func (a *app) apiMe(w http.ResponseWriter, r *http.Request) {
	v, err := a.visitor(r)
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	if v.account == nil || !v.signedIn {
		fail(w, http.StatusUnauthorized, problem{Error: "unauthorized"})
		return
	}
	if v.mustChange {
		fail(w, http.StatusForbidden, problem{Error: "password_change"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"username": v.Username, "type": v.Type})
}

func (a *app) apiLogout(w http.ResponseWriter, r *http.Request) {
	if err := a.signOut(w, r); err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// acts calls next only for an owner whose recent proof suffices to act on other users.
func (a *app) acts(next adminHandler) func(http.ResponseWriter, *http.Request, *account) {
	return func(w http.ResponseWriter, r *http.Request, user *account) {
		a.requireActor(user, next).ServeHTTP(w, r)
	}
}

// owner calls next only for the owner, with the owner's account.
func (a *app) owner(
	next func(w http.ResponseWriter, r *http.Request, user *account),
) http.HandlerFunc {
	return a.apiMember(func(w http.ResponseWriter, r *http.Request, user *account) {
		if user.Type != ownerType {
			fail(w, http.StatusForbidden, problem{Error: "forbidden"})
			return
		}
		next(w, r, user)
	})
}
