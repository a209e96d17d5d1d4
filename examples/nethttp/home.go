package main

import (
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// pageHome shows the user's own page.
func (a *app) pageHome(w http.ResponseWriter, r *http.Request, user *account) {
	o, err := a.manager.Overview(r.Context(), user.subject())
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	var methods []string
	for _, f := range o.Factors {
		if !slices.Contains(methods, kindName(f.Kind)) {
			methods = append(methods, kindName(f.Kind))
		}
	}
	tour, err := a.tourOf(r.Context(), user)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	var signals template.HTML
	if a.sessions.PopBool(r.Context(), sessionRenamed) {
		signals = a.gate.PasskeySignals(r)
	}
	own := slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool { return !f.Implicit })
	a.show(w, r, 0, "Welcome", view{Page: "home", User: user, Data: map[string]any{
		"Methods": methods, "Own": own,
		"Codes": codesAdvice(o), "CodesLeft": o.RecoveryCodesRemaining,
		"Off":      o.Policy.Mode == policy.ModeOff,
		"Tour":     tour,
		"Signals":  signals,
		"EnrollBy": enrollDeadline(o, a.clock.Now()),
	}})
}

// enrollDeadline returns until when a user without a factor may still sign in, or "".
func enrollDeadline(o *mfa.Overview, now time.Time) string {
	if len(o.Factors) > 0 || o.Policy.Mode != policy.ModeRequired ||
		!now.Before(o.Policy.EnrollBy) {
		return ""
	}
	return day(o.Policy.EnrollBy)
}

// codesAdvice returns what a user with a second factor of their own should see to: recovery codes,
// of which there are "none" or "few", or which are "unsaved". It returns "" if all is well.
func codesAdvice(o *mfa.Overview) string {
	own := slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return !f.Implicit && !f.Recovery
	})
	unsaved := slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return f.Kind == "recovery" && f.Unsaved
	})
	switch {
	case !own:
		return ""
	case o.RecoveryCodesRemaining <= 0:
		return "none"
	case unsaved:
		return "unsaved"
	case o.RecoveryCodesLow:
		return "few"
	}
	return ""
}
