package mfahttp

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// Level is what the verification of a session must have proven for a page. The zero Level takes
// any verification that is recent by the user's policy.
type Level struct {
	// Assurance is the least mfa.Verification.AssuranceLevel, 1 or 2. 0 takes either.
	Assurance int
	// PhishingResistant takes only a verification whose mfa.Verification.ACR is "phr".
	PhishingResistant bool
	// Kinds are the kinds of factor that count. Empty: every kind.
	Kinds []string
	// MaxAge is how long ago the verification may be. Defaults to the MaxAge of the user's policy.
	MaxAge time.Duration
}

// RequireLevel serves a signed-in user whose latest verification in this session meets a level. A
// browser of any other user is redirected to a step-up, which offers a kind that meets the level
// first, and back. Other clients get 401, {"error":"step_up"} with the kinds that meet the level,
// and the challenge of RFC 9470 section 3 with its acr_values and max_age: "phr" for a
// phishing-resistant factor, else "aal1" or "aal2". They begin a step-up at api/step-up, verify by
// one of these kinds, and repeat the request.
//
// A user who has no such factor gets 409 and {"error":"not_available"}, and sets one up in the
// security settings. Unlike RequireRecent, RequireLevel serves no user who has nothing to verify.
// It panics for a Level that no verification meets.
func (h *Handler) RequireLevel(l Level) func(http.Handler) http.Handler {
	if l.Assurance < 0 || l.Assurance > 2 || l.MaxAge < 0 {
		panic("mfahttp: Level.Assurance is 0 to 2, and Level.MaxAge is not negative")
	}
	l.Kinds = slices.Clone(l.Kinds)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v, ok := h.guard(w, r)
			if !ok {
				return
			}
			n := need{acr: l.acr()}
			var err error
			n.maxAge, err = v.maxAge(l.MaxAge)
			met := err == nil && v.recent(n.maxAge) && l.metBy(v.proof())
			if err == nil && !met {
				n.kinds, err = v.kindsFor(l)
			}
			if err == nil {
				err = v.flush()
			}
			switch {
			case err != nil:
				h.deny(v, err)
			case met:
				next.ServeHTTP(w, r)
			default:
				h.demand(v, n)
			}
		})
	}
}

// acr returns the authentication context class that a level asks for, or "".
func (l Level) acr() string {
	switch {
	case l.PhishingResistant:
		return acrPhishingResistant
	case l.Assurance > 0:
		return "aal" + strconv.Itoa(l.Assurance)
	}
	return ""
}

// metBy reports whether a proof meets a level, whatever its age.
func (l Level) metBy(p *proof) bool { return l.meets(p.By, p.Level, p.ACR) }

// meets reports whether a verification of a kind meets a level.
func (l Level) meets(kind string, assurance int, acr string) bool {
	return assurance >= l.Assurance && (!l.PhishingResistant || acr == acrPhishingResistant) &&
		(len(l.Kinds) == 0 || slices.Contains(l.Kinds, kind))
}

// kindsFor returns the kinds by which the user can meet a level now.
func (v *visit) kindsFor(l Level) (kinds []string, err error) {
	ch, err := v.ask(purposeStepUp, v.id.User)
	if err != nil {
		return nil, err
	}
	for _, o := range ch.Options {
		if !o.Disabled && l.meets(o.Kind, o.AssuranceLevel, o.ACR) &&
			!slices.Contains(kinds, o.Kind) {
			kinds = append(kinds, o.Kind)
		}
	}
	if kinds == nil {
		return nil, mfa.ErrNotAvailable
	}
	return kinds, nil
}
