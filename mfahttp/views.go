package mfahttp

import (
	"fmt"
	"html"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

func (h *Handler) openUI() error { h.static = http.NotFoundHandler(); return nil }
func (v *visit) tmp(status int, name string, args ...any) error {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	fmt.Fprintf(v.w, "<h1>%s</h1>%s", name, html.EscapeString(fmt.Sprintf("%+v", args)))
	return nil
}
func deref(n *notice) any {
	if n == nil {
		return nil
	}
	return *n
}
func (v *visit) failPage(p problem) { _ = v.tmp(p.Status, "error", p) }
func (v *visit) showVerify(c *pending, o option, n *notice, until time.Time, back string) error {
	return v.tmp(200, "verify", c.Options, o, deref(n), until, back)
}
func (v *visit) showLink(token string) error { return v.tmp(200, "link", token) }
func (v *visit) showConfirmed() error        { return v.tmp(200, "confirmed") }
func (v *visit) showFactors(o *mfa.Overview, n *notice) error {
	return v.tmp(200, "factors", o.Factors, deref(n))
}
func (v *visit) showRemove(f mfa.FactorInfo, password bool, n *notice) error {
	return v.tmp(200, "remove", f, password, deref(n))
}
func (v *visit) showChoose(o *mfa.Overview, n *notice, back string) error {
	return v.tmp(200, "choose", o.Kinds, deref(n), back)
}
func (v *visit) showEnroll(kind string, password bool, n *notice, back string) error {
	return v.tmp(200, "enroll", kind, password, deref(n), back)
}
func (v *visit) showEnrollment(e enrollment, s *shown, n *notice, back string) error {
	if s == nil {
		s = &shown{}
	}
	return v.tmp(200, "enrollment", e.Kind, e.Hint, *s, deref(n), back)
}
func (v *visit) showRecovery(o *mfa.Overview, n *notice) error {
	return v.tmp(200, "recovery", o.RecoveryLeft, deref(n))
}
func (v *visit) showCodes(codes []string) error { return v.tmp(200, "codes", codes) }

// Render writes a page of the application's own in the frame and stylesheet of the pages.
func (h *Handler) Render(w http.ResponseWriter, r *http.Request, p Page) error { return nil }
