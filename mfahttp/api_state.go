package mfahttp

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// This file has what a client reads of a sign-in or of a step-up.

// expiry writes when something is over, as a time and as seconds from now, because the
// clock of a program may differ.
func (v *visit) expiry(body map[string]any, t time.Time) {
	if !t.IsZero() {
		body["expires"] = t.UTC().Format(time.RFC3339)
		body["expires_in"] = max(0, int(t.Sub(v.now)/time.Second))
	}
}

func apiState(v *visit) error {
	kind := v.r.URL.Query().Get("kind")
	if len(kind) > maxKind {
		return malformed("kind is too long")
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	c, ok, err := v.stateOf(kind)
	if err != nil {
		return err
	}
	body := map[string]any{"signed_in": v.signedIn, "next": mfa.NextDone, "options": []option{},
		"locked": false}
	switch {
	case ok:
		v.describe(body, c)
		v.offers(body, c, o.Policy.Remember)
		if slices.ContainsFunc(c.Options, func(each option) bool {
			return v.sendsUnasked(c, each, o, nil, "")
		}) {
			body["send_first"] = true
		}
	case v.replacing && v.mayReplace():
		body["next"], body["purpose"], body["kinds"] = mfa.NextEnroll, purposeRecover,
			append([]string{}, v.kinds(o.Kinds)...)
	case !v.signedIn:
		return mfa.ErrTokenExpired
	}
	if v.now.Before(o.LockedUntil) {
		body["locked"], body["retry_after"] = true, seconds(o.LockedUntil.Sub(v.now))
	}
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

// stateOf returns the challenge under way, if there is one. A sign-in that has not begun is begun.
// The options have the kind that the client asks for if the user has received it since.
func (v *visit) stateOf(kind string) (c *pending, ok bool, err error) {
	c, ok = v.pending(v.current())
	switch {
	case v.replacing && ok:
		c, err = v.refresh(c)
	case !v.replacing && !v.signedIn:
		c, err = v.signIn()
		ok = c != nil
	}
	if err == nil && ok && kind != "" && c.Next == mfa.NextVerify {
		_, err = v.choose(c, kind)
	}
	return c, ok, err
}

// describe writes the options of a challenge.
func (v *visit) describe(body map[string]any, c *pending) {
	body["next"], body["purpose"] = c.Next, c.Purpose
	body["options"] = append([]option{}, c.Options...)
	if c.Next == mfa.NextEnroll {
		body["kinds"] = append([]string{}, c.Kinds...)
		v.describeLater(body)
	}
	v.expiry(body, c.Expires)
}

// offers writes what a page offers beside the options of a challenge: the codes that are on their
// way, to remember the device, and help for a user who has lost a factor.
func (v *visit) offers(body map[string]any, c *pending, remember time.Duration) {
	if c.Next != mfa.NextVerify {
		return
	}
	list := []map[string]any{}
	for _, kind := range slices.Sorted(maps.Keys(c.Sent)) {
		s := c.Sent[kind]
		if !v.now.Before(s.Expires) {
			continue
		}
		d := map[string]any{"kind": kind, "hint": s.MaskedDestination}
		if s.FactorID != "" {
			d["factor"] = s.FactorID
		}
		v.expiry(d, s.Expires)
		list = append(list, d)
	}
	body["sent"] = list
	if c.Purpose == purposeSignIn && remember > 0 {
		body["remember_seconds"] = seconds(remember)
	}
	if !v.signedIn {
		body["lost_link"], body["lost_support"] = v.h.cfg.SetupLinks && !v.replacing,
			v.h.cfg.Support
	}
}

// enrollBy returns the time from which the user's policy requires a factor that the user does not
// have yet, or zero.
func enrollBy(o *mfa.Overview, now time.Time) time.Time {
	if len(o.Factors) > 0 || !now.Before(o.Policy.EnrollBy) || o.Policy.Mode == policy.ModeOff ||
		o.Policy.Mode == policy.ModeOptional {
		return time.Time{}
	}
	return o.Policy.EnrollBy
}
