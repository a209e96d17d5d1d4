package mfahttp

import (
	"net/http"
	"net/url"
	"slices"
)

// This file has what is particular to kinds that users approve on another device
// (factor.Traits.Polled): their pages wait, and ask whether the user has decided.

// codePending is the code of a response that is not decided yet.
const codePending = "pending"

// decisions are the notices for such a kind in place of those about a code that a user typed.
var decisions = map[string]string{"incorrect": "denied", "expired": "request_expired"}

// byScript reports whether the script of a page that waits makes the request. It posts the form of
// the page to the form's own address, and then goes where the response says.
func (v *visit) byScript() bool {
	return v.r.Method == http.MethodPost && v.r.Header.Get("Accept") == "application/json" &&
		!v.h.isAPI(v.r)
}

// polled reports whether the user approves responses of a kind on another device.
func (c *pending) polled(kind string) bool {
	return slices.ContainsFunc(c.Options, func(o option) bool {
		return o.Kind == kind && o.Polled
	})
}

// refusedResponse responds to a response that was not accepted, with a notice on the page at to. A
// script that waits for a decision learns that there is none yet, and stays.
func (v *visit) refusedResponse(kind string, polled bool, err error, typed url.Values,
	to string) error {
	p := problemOf(err)
	if v.byScript() && (p.Code == codePending || p.Status >= http.StatusInternalServerError) {
		v.h.log(v.r, p, err)
		writeProblem(v.w, p)
		return nil
	}
	n := v.noticeOf(kind, err, typed)
	if code, ok := decisions[n.Code]; ok && polled {
		n.Code = code
	}
	v.note(n)
	return v.redirect(to)
}

// unsend forgets what was sent, after a decision: a page that went on waiting for it would wait
// in vain.
func (v *visit) unsend(c *pending, kind string, err error) {
	if _, decided := decisions[problemOf(err).Code]; decided && c.polled(kind) {
		delete(c.Sent, kind)
		v.keep(c)
	}
}

// unsendEnrollment is unsend for an enrolment.
func (v *visit) unsendEnrollment(e enrollment, err error) {
	if _, decided := decisions[problemOf(err).Code]; decided && e.Polled {
		e.CodeExpires = v.now
		v.keepEnrollment(e)
	}
}
