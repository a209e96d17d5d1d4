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

// problem is an error as the API answers it.
type problem struct {
	Error      string `json:"error"`
	Detail     string `json:"detail,omitempty"`
	Reason     string `json:"reason,omitempty"` // what a rule has against a password
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

// statusOf says how an error is answered, here and by the pages.
func statusOf(err error) (int, problem) {
	var refused *factor.Problem
	var over *mfa.RateLimitError
	if seconds, ok := busy(err); ok {
		return http.StatusTooManyRequests, problem{Error: "busy", RetryAfter: seconds}
	}
	switch {
	case errors.Is(err, errWrongPassword):
		return http.StatusUnauthorized, problem{Error: "credentials"}
	case errors.Is(err, errPasswordOver):
		return http.StatusUnauthorized, problem{Error: "password_over"}
	case errors.Is(err, errNoLogin):
		return http.StatusUnauthorized, problem{Error: "unauthorized"}
	case errors.Is(err, errNobody):
		return http.StatusNotFound, problem{Error: "not_found"}
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, problem{Error: "too_large"}
	case errors.Is(err, errMalformed), errors.Is(err, errAdvance):
		return http.StatusBadRequest, problem{Error: "malformed", Detail: err.Error()}
	case errors.Is(err, policy.ErrInvalid):
		// What is wrong with a policy: for the owner, and without secrets.
		return http.StatusBadRequest, problem{Error: "policy", Detail: err.Error()}
	case errors.Is(err, mfahttp.ErrStepUp):
		return http.StatusForbidden, problem{Error: "step_up"}
	case errors.Is(err, mfa.ErrFirstFactorRequired):
		return http.StatusForbidden, problem{Error: "reauthenticate"}
	case errors.Is(err, mfa.ErrKindNotConfigured):
		return http.StatusConflict, problem{Error: "kind_not_configured"}
	case errors.Is(err, factor.ErrUndeliverable):
		return http.StatusConflict, problem{Error: "undeliverable"}
	case errors.Is(err, mfa.ErrForbidden):
		return http.StatusForbidden, problem{Error: "forbidden"}
	case errors.Is(err, password.ErrLink):
		return http.StatusGone, problem{Error: "link"}
	case errors.As(err, &refused):
		return http.StatusUnprocessableEntity, problem{Error: "refused", Reason: refused.Reason,
			Detail: refused.Detail}
	case errors.As(err, &over):
		return http.StatusTooManyRequests, problem{Error: "budget",
			RetryAfter: int((over.RetryAfter + time.Second - 1) / time.Second)}
	default:
		return http.StatusServiceUnavailable, problem{Error: "unavailable"}
	}
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

// readJSON reads a JSON object into v, whose members that may be left out are pointers.
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
	// encoding/json would quietly replace what is not UTF-8, and take null for an object.
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
	case errors.Is(err, errNobody):
		// Not an account of this login; whether it is somebody else's is not told.
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

// acts lets only an owner pass who has proven enough to act on others.
func (a *app) acts(next acted) func(http.ResponseWriter, *http.Request, *account) {
	return func(w http.ResponseWriter, r *http.Request, who *account) {
		a.acting(who, next).ServeHTTP(w, r)
	}
}

// owner lets only the owner pass, and says who it is.
func (a *app) owner(
	next func(w http.ResponseWriter, r *http.Request, who *account),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := a.visitor(r)
		switch {
		case err != nil:
			a.failAPI(w, r, err)
		case v.account == nil || !v.signedIn:
			fail(w, http.StatusUnauthorized, problem{Error: "unauthorized"})
		case v.mustChange:
			fail(w, http.StatusForbidden, problem{Error: "password_change"})
		case v.Type != ownerType:
			fail(w, http.StatusForbidden, problem{Error: "forbidden"})
		default:
			next(w, r, v.account)
		}
	}
}
