package mfahttp

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

// problem describes an error to users and clients: a stable code, never the error's text.
type problem struct {
	Status     int
	Code       string
	Reason     string // of a malformed input, a factor.Problem's
	Remaining  int    // attempts remaining; -1 if it is not about attempts
	RetryAfter int    // seconds; 0 if waiting does not help
}

// mapping is one row of the table of problems. It applies to an error that is one of errs, or for
// which fill, if there is one, returns true: fill also takes the error's data.
type mapping struct {
	errs   []error
	fill   func(error, *problem) bool
	status int
	code   string
}

// problems is in order: the first row that applies holds. codeRows has what each code means. An
// AttemptError unwraps to errors of rows below it, and errOnHold to errStepUp.
var problems = []mapping{
	{nil, fillLocked, http.StatusTooManyRequests, "locked"},
	{nil, fillIncorrect, http.StatusUnauthorized, "incorrect"},
	{nil, fillAttempt, http.StatusServiceUnavailable, "unavailable"},
	{nil, fillDisabled, http.StatusForbidden, "stopped"},
	{nil, fillBusy, http.StatusTooManyRequests, "busy"},
	{nil, fillRateLimit, http.StatusTooManyRequests, "budget"},
	{is(errUnauthorized), nil, http.StatusUnauthorized, "unauthorized"},
	{is(mfa.ErrFirstFactorRequired), nil, http.StatusForbidden, "reauthenticate"},
	{is(errOnHold), nil, http.StatusForbidden, "on_hold"},
	{is(mfa.ErrKindNotConfigured), nil, http.StatusConflict, "kind_not_configured"},
	{is(factor.ErrUndeliverable), nil, http.StatusConflict, "undeliverable"},
	{is(mfa.ErrLastFactor), nil, http.StatusConflict, "last_factor"},
	{is(ErrAddressTaken), nil, http.StatusConflict, "address_taken"},
	{is(errStepUp), nil, http.StatusForbidden, "step_up"},
	{is(ErrPassword), nil, http.StatusForbidden, "password"},
	{is(errNoFactor), nil, http.StatusNotFound, "not_available"},
	{is(errMethod), nil, http.StatusMethodNotAllowed, "method_not_allowed"},
	{is(errNotFound), nil, http.StatusNotFound, "not_found"},
	{is(errTooLarge), nil, http.StatusRequestEntityTooLarge, "too_large"},
	{is(errMediaType), nil, http.StatusUnsupportedMediaType, "media_type"},
	{is(errCrossOrigin, mfa.ErrForbidden), nil, http.StatusForbidden, "forbidden"},
	{nil, fillMalformed, http.StatusBadRequest, "malformed"},
	{is(mfa.ErrToken, mfa.ErrTokenExpired), nil, http.StatusUnauthorized, "expired"},
	{is(mfa.ErrUnknownFactor), nil, http.StatusNotFound, "unknown_factor"},
	{nil, fillExpiredResponse, http.StatusUnauthorized, "expired"},
	// Without a first factor there are no attempts to count.
	{is(factor.ErrIncorrect, factor.ErrReplayed), nil, http.StatusUnauthorized, "incorrect"},
	{is(mfa.ErrNotAvailable), nil, http.StatusConflict, "not_available"},
	{nil, fillPending, http.StatusAccepted, "pending"},
}

// problemOf maps an error by the table of problems. An error that no row knows is the
// service's fault.
func problemOf(err error) problem {
	for _, row := range problems {
		p := problem{Remaining: -1, Status: row.status, Code: row.code}
		if row.fill != nil && row.fill(err, &p) || isAny(err, row.errs) {
			return p
		}
	}
	return problem{Remaining: -1, Status: http.StatusServiceUnavailable, Code: "unavailable"}
}

func is(errs ...error) []error { return errs }

func isAny(err error, list []error) bool {
	return slices.ContainsFunc(list, func(target error) bool { return errors.Is(err, target) })
}

func fillLocked(err error, p *problem) bool {
	e, ok := errors.AsType[*mfa.LockedError](err)
	if ok {
		p.RetryAfter = seconds(e.RetryAfter)
	}
	return ok
}

// fillIncorrect reports a replayed code as an incorrect one. The application's event
// distinguishes the two. The response does not: an attacker who looked over the user's shoulder
// would learn that the code was correct.
func fillIncorrect(err error, p *problem) bool {
	e, ok := errors.AsType[*mfa.AttemptError](err)
	if !ok || !isAny(e.Err, is(factor.ErrIncorrect, factor.ErrReplayed)) {
		return false
	}
	p.Remaining = e.Remaining
	return true
}

func fillAttempt(err error, p *problem) bool {
	e, ok := errors.AsType[*mfa.AttemptError](err)
	if ok {
		p.Remaining = e.Remaining
	}
	return ok
}

func fillDisabled(err error, _ *problem) bool {
	_, ok := errors.AsType[*mfa.DisabledError](err)
	return ok
}

func fillBusy(err error, p *problem) bool {
	e, ok := errors.AsType[*busyError](err)
	if ok {
		p.RetryAfter = seconds(e.retryAfter)
	}
	return ok
}

func fillRateLimit(err error, p *problem) bool {
	e, ok := errors.AsType[*mfa.RateLimitError](err)
	if ok {
		p.RetryAfter = seconds(e.RetryAfter)
	}
	return ok
}

func fillMalformed(err error, p *problem) bool {
	if e, ok := errors.AsType[*factor.Problem](err); ok {
		p.Reason = e.Reason
	}
	return errors.Is(err, factor.ErrMalformed)
}

func fillExpiredResponse(err error, p *problem) bool {
	p.Reason = "response_expired"
	return errors.Is(err, factor.ErrExpired)
}

// fillPending is for a user who has not decided yet on another device. An outage is never
// reported as that, whatever its cause is.
func fillPending(err error, _ *problem) bool {
	return errors.Is(err, factor.ErrPending) && !errors.Is(err, mfa.ErrUnavailable)
}

// seconds rounds up, so that a user who waits as long as the page says need not wait again.
func seconds(d time.Duration) int {
	return max(1, int(math.Ceil(d.Seconds())))
}

func (p problem) retryAfter(header http.Header) {
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
}

// hookError wraps an error of a function of the application without its text: the Logger records
// it, and the function may have received a password or a cookie. errors.As finds the cause, which
// is the last of causes.
func hookError(name string, causes ...error) error {
	text := "mfahttp: Config." + name + " failed" + quiet.Text(causes[len(causes)-1])
	return quiet.New(text, causes...)
}

// errNoSessionID is the fault of an application that names a user and no session.
var errNoSessionID = errors.New("mfahttp: there is a user and no session ID: let Config.Identify " +
	"return one that is new at each sign-in, and Config.Verified the one after a sign-in by passkey")

// unavailable marks a failure for callers outside the Handler.
func unavailable(err error) error { return fmt.Errorf("%w: %w", mfa.ErrUnavailable, err) }

func (h *Handler) log(r *http.Request, p problem, err error) {
	if h.cfg.Logger != nil && p.Status >= 500 {
		// The pattern, not the URL: a URL of a confirmation link is a secret.
		h.cfg.Logger.ErrorContext(r.Context(), "second factor unavailable", "route", r.Pattern,
			"error", err)
	}
}
