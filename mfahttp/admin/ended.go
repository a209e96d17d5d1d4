package admin

import (
	"net/url"
	"strings"

	"github.com/secondgate/secondgate/mfahttp"
)

// This file says which forms keep what an administrator typed when the session ends, and fills them
// in after the sign-in.

// formOn returns a form on a page below BasePath. The query has the pairs that are not empty.
func (v *visit) formOn(page string, query url.Values, fields ...string) mfahttp.Form {
	q := url.Values{}
	for name, list := range query {
		if len(list) > 0 && (list[0] != "" || name == "type") {
			q[name] = list
		}
	}
	if v.tenant != v.viewer.Actor().Tenant() {
		q.Set("tenant", v.tenant)
	}
	page = v.h.cfg.BasePath + page
	if len(q) > 0 {
		page += "?" + q.Encode()
	}
	return mfahttp.Form{Page: page, Fields: fields}
}

// keep adds to a page what its form keeps.
func (v *visit) keep(b *base, form mfahttp.Form) { b.Keep = v.h.cfg.Handler.KeepForm(v.r, form) }

// kept returns what was typed into a form before the session ended, or nil.
func (v *visit) kept(form mfahttp.Form) url.Values {
	return v.h.cfg.Handler.KeptForm(v.w, v.r, form)
}

// policyFields are the inputs for a policy.
var policyFields = []string{"preset", "mode", "kind", "implicit", "passwordless", "no_downgrade",
	"keys", "device_bound", "hardware", "certified", "attestation", "remember", "enroll_by",
	"within", "skips"}

// policyForm is the form of a policy, and of its preview. Nothing is kept of a preview for the mode
// alone.
func (v *visit) policyForm(userType string, one bool) mfahttp.Form {
	q := url.Values{}
	if one {
		q.Set("type", userType)
	}
	return v.formOn("policies/edit", q, append([]string{"reason"}, policyFields...)...)
}

// orderForm is the form of an act.
func (v *visit) orderForm(act string, o order) mfahttp.Form {
	return v.formOn("user/"+act, url.Values{"id": {o.ID}, "factor": {o.Factor}},
		"reason", "uses", "valid", "approver", "ends")
}

// mailsForm is the form for mails to the users that a filter shows, and of its preview.
func (v *visit) mailsForm() mfahttp.Form {
	return v.formOn("mails", nil, "mail", "reason", "text", "type", "status", "kind")
}

// trimmed returns one value of a form, or "" for one that is too long to show again.
func trimmed(f url.Values, name string, most int) string {
	s := strings.TrimSpace(f.Get(name))
	if len(s) > most || !plain(s) {
		return ""
	}
	return s
}
