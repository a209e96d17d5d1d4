package mfahttp

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

// problem is what people and programs are told of an error: a stable code, never the
// error's text.
type problem struct {
	Status     int
	Code       string
	Reason     string // of a malformed input, a factor.Problem's
	Left       int    // attempts left; -1 if it is not about attempts
	RetryAfter int    // seconds; 0 if waiting is not the answer
}

// problemOf maps an error. Order matters: an AttemptError unwraps to the errors below it.
func problemOf(err error) problem {
	var (
		locked  *mfa.LockedError
		attempt *mfa.AttemptError
		stopped *mfa.DisabledError
		budget  *mfa.RateLimitError
		reason  *factor.Problem
		busy    *busyError
	)
	p := problem{Left: -1}
	switch {
	case errors.As(err, &locked):
		p.Status, p.Code, p.RetryAfter = http.StatusTooManyRequests, "locked", seconds(locked.RetryAfter)
	case errors.As(err, &attempt):
		p.Left = attempt.Remaining
		switch {
		case errors.Is(attempt.Err, factor.ErrIncorrect), errors.Is(attempt.Err, factor.ErrReplayed):
			// That a code was used before is told to the application's log, by the event. To
			// someone who looks over a shoulder it would tell that the code was right.
			p.Status, p.Code = http.StatusUnauthorized, "incorrect"
		default:
			p.Status, p.Code = http.StatusServiceUnavailable, "unavailable"
		}
	case errors.As(err, &stopped):
		p.Status, p.Code = http.StatusForbidden, "stopped"
	case errors.As(err, &busy):
		p.Status, p.Code, p.RetryAfter = http.StatusTooManyRequests, "busy", seconds(busy.retryAfter)
	case errors.As(err, &budget):
		p.Status, p.Code, p.RetryAfter = http.StatusTooManyRequests, "budget", seconds(budget.RetryAfter)
	case errors.Is(err, errUnauthorized):
		p.Status, p.Code = http.StatusUnauthorized, "unauthorized"
	case errors.Is(err, mfa.ErrFirstFactorRequired):
		p.Status, p.Code = http.StatusForbidden, "reauthenticate"
	case errors.Is(err, errOnHold):
		p.Status, p.Code = http.StatusForbidden, "on_hold"
	case errors.Is(err, mfa.ErrKindNotConfigured):
		p.Status, p.Code = http.StatusConflict, "kind_not_configured"
	case errors.Is(err, factor.ErrUndeliverable):
		p.Status, p.Code = http.StatusConflict, "undeliverable"
	case errors.Is(err, mfa.ErrLastFactor):
		p.Status, p.Code = http.StatusConflict, "last_factor"
	case errors.Is(err, errStepUp):
		p.Status, p.Code = http.StatusForbidden, "step_up"
	case errors.Is(err, ErrPassword):
		p.Status, p.Code = http.StatusForbidden, "password"
	case errors.Is(err, errNoFactor):
		p.Status, p.Code = http.StatusNotFound, "not_available"
	case errors.Is(err, errMethod):
		p.Status, p.Code = http.StatusMethodNotAllowed, "method_not_allowed"
	case errors.Is(err, errNotFound):
		p.Status, p.Code = http.StatusNotFound, "not_found"
	case errors.Is(err, errTooLarge):
		p.Status, p.Code = http.StatusRequestEntityTooLarge, "too_large"
	case errors.Is(err, errMediaType):
		p.Status, p.Code = http.StatusUnsupportedMediaType, "media_type"
	case errors.Is(err, errCrossOrigin), errors.Is(err, mfa.ErrForbidden):
		p.Status, p.Code = http.StatusForbidden, "forbidden"
	case errors.Is(err, factor.ErrMalformed):
		p.Status, p.Code = http.StatusBadRequest, "malformed"
		if errors.As(err, &reason) {
			p.Reason = reason.Reason
		}
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		p.Status, p.Code = http.StatusUnauthorized, "expired"
	case errors.Is(err, mfa.ErrUnknownFactor):
		p.Status, p.Code = http.StatusNotFound, "unknown_factor"
	case errors.Is(err, factor.ErrExpired):
		p.Status, p.Code, p.Reason = http.StatusUnauthorized, "expired", "response_expired"
	case errors.Is(err, factor.ErrIncorrect), errors.Is(err, factor.ErrReplayed): // without a first factor
		p.Status, p.Code = http.StatusUnauthorized, "incorrect"
	case errors.Is(err, mfa.ErrNotAvailable):
		p.Status, p.Code = http.StatusConflict, "not_available"
	default:
		p.Status, p.Code = http.StatusServiceUnavailable, "unavailable"
	}
	return p
}

// seconds rounds up, so that whoever waits as long as told is not told to wait again.
func seconds(d time.Duration) int {
	return max(1, int(math.Ceil(d.Seconds())))
}

func (p problem) retryAfter(header http.Header) {
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
}

// hookError is an error of a function of the application, in our words: the Logger is told of it,
// and the function may have been handed a password or a cookie. errors.As finds the cause, which
// the last of these is.
func hookError(name string, causes ...error) error {
	text := "mfahttp: Config." + name + " failed" + quiet.Text(causes[len(causes)-1])
	return quiet.New(text, causes...)
}

func (h *Handler) log(r *http.Request, p problem, err error) {
	if h.cfg.Logger != nil && p.Status >= 500 {
		// The pattern, not the URL: a URL of a confirmation link is a secret.
		h.cfg.Logger.ErrorContext(r.Context(), "second factor unavailable", "route", r.Pattern, "error", err)
	}
}
