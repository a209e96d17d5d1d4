package mfahttp

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

const (
	// defaultMaxAge is policy.Policy.MaxAge's default.
	defaultMaxAge = 5 * time.Minute
	// maxSkew limits how far in the future a verification may lie, for processes whose clocks
	// differ by seconds. A time that lies further ahead is not trusted to be recent.
	maxSkew = 30 * time.Second
)

// Require serves a signed-in user. It begins the second factor of a user who has passed the first
// one, and redirects the browser there; the application need not call Begin. It redirects the
// browsers of visitors to LoginURL, and sends other clients 401 and {"error":"unauthorized"}, or
// Unauthenticated in the protocol of gRPC, gRPC-Web or Connect. It serves no request if
// Config.Identify fails.
//
// Require may guard a whole application: it serves the pages under BasePath itself, and passes on
// requests for LoginURL and for Config.Public.
//
// A stricter policy also applies to sessions that are signed in already. A user who signed in
// with less than the policy now requires must verify or enrol a factor before going on, as with
// RequireRecent. The same applies to a user who has enrolled a factor in another session and has
// not verified it in this one, unless the policy's mode is off. Require checks a session once a
// minute, so a change takes effect within a minute, and at once where the user has another type.
//
// A user whose set-up was left before the recovery codes were saved is redirected there from the
// next page, unless Policy.SkipRecoveryCodes lets them go on. Requests that are no page are served.
func (h *Handler) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.paths.pages(r) {
			h.ServeHTTP(w, r)
			return
		}
		h.checkMount(r)
		if h.paths.serves(r) || h.paths.signIn(r) && h.isVisitor(r) {
			next.ServeHTTP(w, r)
			return
		}
		v, ok := h.guard(w, r)
		if !ok {
			return
		}
		err := v.tightened()
		if err == nil {
			err = v.flush()
		}
		switch {
		case err == nil && v.owes():
			secure(w.Header())
			q := url.Values{"return": {v.here()}}
			http.Redirect(w, r, h.base()+"recovery-codes?"+q.Encode(), http.StatusSeeOther)
		case err == nil:
			next.ServeHTTP(w, r)
		case err == errStepUp: //nolint:errorlint // and not errOnHold, which wraps it
			h.demand(v, need{maxAge: defaultMaxAge})
		default:
			h.deny(v, err)
		}
	})
}

// checkEvery is how often Require compares a session's proof with the policy.
const checkEvery = time.Minute

// scope returns the key under which the user's policy is found.
func (v *visit) scope() policy.Scope { return scopeOf(v.id.User) }

func scopeOf(u mfa.User) policy.Scope {
	return policy.Scope{Tenant: u.Tenant, UserType: u.UserType}
}

// policyOf returns a short digest of the scope, for a session to say which policy it was compared
// with.
func (v *visit) policyOf() string {
	s := v.scope()
	sum := sha256.Sum256([]byte(s.Tenant + "\x00" + s.UserType))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// tightened is errStepUp if the policy asks for more now than the session was proven by.
func (v *visit) tightened() error {
	by := v.proof()
	if last := by.Checked; by.CheckedFor == v.policyOf() && v.now.Before(last.Add(checkEvery)) &&
		!v.now.Before(last) {
		return nil
	}
	p, err := v.h.cfg.Manager.Policy(v.r.Context(), v.scope())
	if err != nil {
		return err
	}
	if err := v.downgraded(by, p); err != nil {
		return err
	}
	switch {
	case p.Mode == policy.ModeOff:
	case by.Kind == "" && by.At.IsZero():
		// By the password alone, or on a device that is remembered.
		if err := v.askedAgain(by, p); err != nil {
			return err
		}
	case by.Kind != "" && len(p.Kinds) > 0 && !slices.Contains(p.Kinds, by.Kind) &&
		!v.now.Before(p.EnrollBy):
		return errStepUp
	}
	by.Checked, by.CheckedFor = v.now, v.policyOf()
	v.put(keyProof, by)
	return nil
}

// downgraded is errStepUp if the policy's NoDowngrade asks the user for a phishing-resistant factor
// alone, and the session was proven by something else.
func (v *visit) downgraded(by *proof, p policy.Policy) error {
	if !p.NoDowngrade {
		return nil
	}
	ch, err := v.ask(purposeStepUp, v.id.User)
	switch {
	case errors.Is(err, mfa.ErrNotAvailable):
		return nil // there is nothing to verify
	case err != nil:
		return err
	}
	satisfied := func(o mfa.Option) bool {
		return o.Kind == by.Kind || o.ACR != acrPhishingResistant
	}
	if slices.ContainsFunc(ch.Options, satisfied) {
		return nil
	}
	return errStepUp
}

// acrPhishingResistant is the mfa.Verification.ACR of a phishing-resistant factor.
const acrPhishingResistant = "phr"

// RequireRecent serves a signed-in user who has verified in this session within maxAge; 0 means
// the MaxAge of the user's policy. A browser without such a verification is redirected to one and
// back. A posted form is not posted again: the user returns to the page with the form.
// Other clients get 401, {"error":"step_up"} and the challenge of RFC 9470 section 3; they begin
// a step-up at api/step-up and repeat the request. If the policy requires no second factor, a
// user without one has nothing to verify and is served.
func (h *Handler) RequireRecent(maxAge time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v, ok := h.guard(w, r)
			if !ok {
				return
			}
			allowed, err := v.maxAge(maxAge)
			if err == nil && !v.recent(allowed) {
				err = v.mustVerify()
			}
			if err == nil {
				err = v.flush()
			}
			switch {
			case err == nil:
				next.ServeHTTP(w, r)
			case err == errStepUp: //nolint:errorlint // and not errOnHold, which wraps it
				h.demand(v, need{maxAge: allowed})
			default:
				h.deny(v, err)
			}
		})
	}
}

func (v *visit) maxAge(d time.Duration) (time.Duration, error) {
	if d > 0 {
		return d, nil
	}
	p, err := v.h.cfg.Manager.Policy(v.r.Context(), v.scope())
	return p.MaxAge, err
}

func (v *visit) recent(maxAge time.Duration) bool {
	by := v.proof()
	if by == nil || by.At.IsZero() {
		return false
	}
	age := v.now.Sub(by.At)
	return age >= -maxSkew && age <= maxAge
}

// mustVerify asks the Manager whether there is a factor to verify, and returns nil if there is
// none. For a user who has nothing to step up with, the requirements of a sign-in decide. An
// exception lets the user sign in, and is no verification.
func (v *visit) mustVerify() error {
	for _, p := range []string{purposeStepUp, purposeSignIn} {
		ch, err := v.ask(p, v.id.User)
		switch {
		case err == nil && ch.Next == mfa.NextDone && ch.ExceptionEnds.IsZero():
			return nil
		case err == nil:
			return errStepUp
		case !errors.Is(err, mfa.ErrNotAvailable):
			return err
		}
	}
	return errStepUp
}

// isVisitor reports whether no user has passed the first factor.
func (h *Handler) isVisitor(r *http.Request) bool {
	id, err := h.cfg.Identify(r)
	return err == nil && id.User.ID == ""
}

// guard identifies the user, begins the second factor if it has to, and responds to a visitor who
// is not signed in.
func (h *Handler) guard(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	v := h.visit(w, r, h.deny)
	err := v.admit()
	if err == nil {
		return v, true
	}
	if !errors.Is(err, errUnauthorized) || !wantsPage(r) {
		h.deny(v, err)
		return nil, false
	}
	secure(w.Header())
	if v.id.User.ID == "" {
		back := v.keepEnded()
		http.Redirect(v.w, r, v.login(first(back, v.here())), http.StatusSeeOther)
		return nil, false
	}
	http.Redirect(v.w, r, h.base()+"?"+url.Values{"return": {v.here()}}.Encode(),
		http.StatusSeeOther)
	return nil, false
}

// deny responds to an error outside BasePath.
func (h *Handler) deny(v *visit, err error) {
	p := problemOf(err)
	h.log(v.r, p, err)
	secure(v.w.Header())
	if wantsPage(v.r) {
		v.failOr(p)
		return
	}
	if !writeRPC(v.w, v.r, p) {
		writeProblem(v.w, p)
	}
}

// need is what a step-up has to prove.
type need struct {
	maxAge time.Duration
	// acr and kinds are empty if a recent verification suffices.
	acr   string
	kinds []string
}

// demand redirects a browser to a step-up, or asks another client to make one.
func (h *Handler) demand(v *visit, n need) {
	secure(v.w.Header())
	if wantsPage(v.r) {
		q := url.Values{"purpose": {purposeStepUp}, "return": {v.here()}}
		if len(n.kinds) > 0 {
			q.Set("kind", n.kinds[0])
		}
		http.Redirect(v.w, v.r, h.base()+"step-up?"+q.Encode(), http.StatusSeeOther)
		return
	}
	age, what := int(n.maxAge/time.Second), "more recent"
	body := map[string]any{"error": "step_up", "max_age": age}
	if n.kinds != nil {
		body["kinds"], what = n.kinds, "stronger or more recent"
	}
	challenge := `Bearer error="insufficient_user_authentication", error_description="A ` + what +
		` second factor is required"`
	if n.acr != "" {
		challenge, body["acr_values"] = challenge+`, acr_values="`+n.acr+`"`, n.acr
	}
	v.w.Header().Set("WWW-Authenticate", challenge+`, max_age="`+strconv.Itoa(age)+`"`)
	if !writeRPC(v.w, v.r, problemOf(errStepUp)) {
		writeJSON(v.w, http.StatusUnauthorized, body)
	}
}

// here returns the URL to come back to: the URL of the request, or of the page that posted it, or
// HomeURL.
func (v *visit) here() string {
	r := v.r
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		// Not r.URL, which http.StripPrefix shortens.
		if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
			if s, ok := localURL(v.h.cfg.ProxyPrefix + u.RequestURI()); ok {
				return s
			}
		}
		return v.h.cfg.HomeURL
	}
	// A proxy may have rewritten Host; then the browser says that the page is on this site.
	same := r.Header.Get("Sec-Fetch-Site") == "same-origin"
	if u, err := url.Parse(r.Referer()); err == nil && u.Host != "" && (same || u.Host == r.Host) {
		if s, ok := localURL(u.RequestURI()); ok {
			return s
		}
	}
	return v.h.cfg.HomeURL
}

// toSignIn sends a user whose session has ended to the sign-in, and then to the settings.
func (v *visit) toSignIn() error {
	if v.id.User.ID == "" {
		return v.redirect(v.login(v.at("factors")))
	}
	return v.redirect(v.at(""))
}

// login returns LoginURL for a visitor, with the page to return to after the sign-in.
func (v *visit) login(back string) string {
	to := v.h.cfg.LoginURL
	if back == "" || back == v.h.cfg.HomeURL || back == to {
		return to
	}
	joint := "?"
	if strings.Contains(to, "?") {
		joint = "&"
	}
	return to + joint + url.Values{"return": {back}}.Encode()
}

// wantsPage distinguishes a browser that navigates from another client. In doubt it reports
// another client: a 401 in a browser is harmless, a redirect followed by a program may not be.
func wantsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	if r.Header.Get("Authorization") != "" || r.Header.Get("X-Requested-With") != "" {
		return false
	}
	if protocol, _ := rpcOf(r); protocol != rpcNone {
		return false
	}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "application/json" {
		return false
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
