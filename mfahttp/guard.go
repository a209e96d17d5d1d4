package mfahttp

import (
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
	// maxSkew is how far a verification may lie in the future, for processes whose clocks
	// differ by seconds. What lies further is not trusted to be recent.
	maxSkew = 30 * time.Second
)

// Require lets through who is signed in. Pages of others are redirected, to the second
// step or to LoginURL; programs get 401 and {"error":"unauthorized"}. A failure of
// Config.Identify lets nobody through.
//
// A policy that was tightened since the sign-in holds for sessions that are open: a user who
// was let in with less than it asks for now proves a factor, or enrols one, before they go on,
// as RequireRecent would have them do. So does a user who has enrolled a factor elsewhere and
// has not proven it here, unless the policy asks nobody. A session is looked at once a minute,
// so that is how long a change may take.
func (h *Handler) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := h.guard(w, r)
		if !ok {
			return
		}
		switch err := v.tightened(); {
		case err == nil:
			next.ServeHTTP(w, r)
		case err == errStepUp: //nolint:errorlint // and not errOnHold, which wraps it
			h.demand(v, defaultMaxAge)
		default:
			h.deny(v, err)
		}
	})
}

// proof is what the session was last proven by.
type proof struct{ Kind string }

const (
	// keyProof and keyChecked are the session's last proof, and when it was last compared
	// with the policy.
	keyProof   = "secondgate.proof"
	keyChecked = "secondgate.checked"
	checkEvery = time.Minute
)

// scope is what the policy of the person is found by.
func (v *visit) scope() policy.Scope {
	return policy.Scope{Tenant: v.id.User.Tenant, UserType: v.id.User.UserType}
}

// tightened is errStepUp if the policy asks for more now than the session was proven by.
func (v *visit) tightened() error {
	var last time.Time
	if v.get(keyChecked, &last) && v.now.Before(last.Add(checkEvery)) && !v.now.Before(last) {
		return nil
	}
	p, err := v.h.cfg.Manager.Policy(v.r.Context(), v.scope())
	if err != nil {
		return err
	}
	var by proof
	proven := v.get(keyProof, &by)
	switch {
	case p.Mode == policy.ModeOff:
	case !proven && v.id.VerifiedAt.IsZero():
		// By the password alone, or on a device that is remembered.
		ch, err := v.ask(purposeSignIn, v.id.User)
		if err != nil {
			return err
		}
		v.setDevice(v.id.User, ch.Device, ch.DeviceExpires)
		if ch.Next != mfa.NextDone {
			return errStepUp
		}
	case proven && len(p.Kinds) > 0 && !slices.Contains(p.Kinds, by.Kind) &&
		!v.now.Before(p.EnrollBy):
		return errStepUp
	}
	v.put(keyChecked, v.now)
	return nil
}

// RequireRecent is Require, and lets through only who has verified within maxAge (by
// Identity.VerifiedAt); 0 takes the MaxAge of the person's policy. Pages of others are
// redirected to a verification and back; a form that was posted is not posted again, the
// person is returned to the page it was on. Programs get 401, {"error":"step_up"} and the
// challenge of RFC 9470 section 3, begin a step-up at api/step-up and repeat the request.
// Where the policy asks nobody for a second factor there is nothing to verify, and a
// person without one is let through.
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
			switch {
			case err == nil:
				next.ServeHTTP(w, r)
			case err == errStepUp: //nolint:errorlint // and not errOnHold, which wraps it
				h.demand(v, allowed)
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
	if err != nil {
		return 0, err
	}
	if p.MaxAge > 0 {
		return p.MaxAge, nil
	}
	return defaultMaxAge, nil
}

func (v *visit) recent(maxAge time.Duration) bool {
	if v.id.VerifiedAt.IsZero() {
		return false
	}
	age := v.now.Sub(v.id.VerifiedAt)
	return age >= -maxSkew && age <= maxAge
}

// mustVerify asks the Manager whether there is anything to verify: nil if not. For a
// person who has nothing to step up with it is what a sign-in would ask that decides.
func (v *visit) mustVerify() error {
	for _, p := range []string{purposeStepUp, purposeSignIn} {
		ch, err := v.ask(p, v.id.User)
		switch {
		case err == nil && ch.Next == mfa.NextDone:
			return nil
		case err == nil:
			return errStepUp
		case !errors.Is(err, mfa.ErrNotAvailable):
			return err
		}
	}
	return errStepUp
}

// guard answers for who is not signed in.
func (h *Handler) guard(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	v := &visit{h: h, w: w, r: r, now: h.clock()}
	id, err := h.cfg.Identify(r)
	if err != nil {
		h.deny(v, hookError("Identify", err))
		return nil, false
	}
	v.id = id
	if id.User.ID != "" && id.SignedIn {
		return v, true
	}
	if !wantsPage(r) {
		h.deny(v, errUnauthorized)
		return nil, false
	}
	secure(w.Header())
	if id.User.ID == "" {
		http.Redirect(w, r, h.cfg.LoginURL, http.StatusSeeOther)
		return nil, false
	}
	http.Redirect(w, r, h.cfg.BasePath+"?"+url.Values{"return": {v.here()}}.Encode(),
		http.StatusSeeOther)
	return nil, false
}

// deny answers an error outside BasePath.
func (h *Handler) deny(v *visit, err error) {
	p := problemOf(err)
	h.log(v.r, p, err)
	secure(v.w.Header())
	if wantsPage(v.r) {
		v.failOr(p)
		return
	}
	writeProblem(v.w, p)
}

// demand sends a person to a step-up, or tells a program to make one.
func (h *Handler) demand(v *visit, maxAge time.Duration) {
	secure(v.w.Header())
	if wantsPage(v.r) {
		q := url.Values{"purpose": {purposeStepUp}, "return": {v.here()}}
		http.Redirect(v.w, v.r, h.cfg.BasePath+"step-up?"+q.Encode(), http.StatusSeeOther)
		return
	}
	age := int(maxAge / time.Second)
	v.w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication", `+
		`error_description="A more recent second factor is required", max_age="`+strconv.Itoa(age)+
		`"`)
	writeJSON(v.w, http.StatusUnauthorized, map[string]any{"error": "step_up", "max_age": age})
}

// here is where to return to after a detour: the URL of the request, or of the page that
// posted it, or HomeURL.
func (v *visit) here() string {
	r := v.r
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		// Not r.URL, which http.StripPrefix shortens.
		if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
			if s, ok := localURL(u.RequestURI()); ok {
				return s
			}
		}
		return v.h.cfg.HomeURL
	}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host && u.Host != "" {
		if s, ok := localURL(u.RequestURI()); ok {
			return s
		}
	}
	return v.h.cfg.HomeURL
}

// wantsPage tells a browser that navigates from a program. When in doubt it is a program:
// a 401 misread by a person is harmless, a redirect followed by a program may not be.
func wantsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	if r.Header.Get("Authorization") != "" || r.Header.Get("X-Requested-With") != "" {
		return false
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil &&
		t == "application/json" {
		return false
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
