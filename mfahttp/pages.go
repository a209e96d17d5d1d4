package mfahttp

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

func (h *Handler) pageRoutes() {
	h.route("GET", "{$}", pageIndex)
	h.either("GET", "verify", pageVerify)
	h.either("POST", "verify", postVerify)
	h.either("POST", "send", postSend)
	h.route("GET", purposeStepUp, pageStepUp)
	h.route("POST", "sign-out", postSignOut)
	h.route("POST", "extend", postExtend)

	h.route("GET", "factors", pageFactors)
	h.route("POST", "factors/{id}/rename", postRename)
	h.route("POST", "factors/prefer", postPrefer)
	h.route("POST", "factors/implied", postImplied)
	h.route("GET", "factors/{id}/remove", pageRemove)
	h.route("POST", "factors/{id}/remove", postRemove)

	h.either("GET", "enroll", pageChoose)
	h.either("POST", "later", postLater)
	h.route("GET", "offer", pageOffer)
	h.route("POST", "offer", postOffer)
	h.either("GET", "enroll/{kind}", pageEnroll)
	h.either("POST", "enroll/{kind}", postEnroll)
	h.either("GET", "enrollments/{id}", pageEnrollment)
	h.either("POST", "enrollments/{id}", postConfirm)
	h.either("POST", "enrollments/{id}/resend", postResend)
	h.either("POST", "enrollments/{id}/elsewhere", postElsewhere)
	h.route("GET", "recovery-codes", pageRecovery)
	h.route("POST", "recovery-codes", postRecovery)
	h.route("POST", "recovery-codes/saved", postSaved)

	h.route("POST", "devices/{id}/forget", postForget)
	h.either("POST", "unlock", postUnlock)
	h.either("GET", "lost", pageLost)
	h.either("POST", "lost/link", postLostLink)
	h.either("POST", "lost/support", postLostSupport)
	h.public("GET", "setup", pageSetup)
	h.public("POST", "setup", postSetup)
	h.public("GET", "setup/done", pageSetupDone)

	h.public("GET", "confirm", pageLink)
	h.public("POST", "confirm", postLink)
	h.public("GET", "confirmed", pageConfirmed)
	h.public("GET", "continue", pageContinue)
}

// public registers a route for pages that need no user: the user matters for the language only.
func (h *Handler) public(method, path string, do action) {
	full := h.cfg.BasePath + path
	h.methods[full] = append(h.methods[full], method)
	h.mux.HandleFunc(method+" "+full, func(w http.ResponseWriter, r *http.Request) {
		v := h.visit(w, r, h.fail)
		v.recognise()
		if err := do(v); err != nil {
			h.fail(v, err)
		}
	})
}

// form reads a posted form. Only its own media type is taken, and only UTF-8.
func (v *visit) form() (url.Values, error) {
	if t, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); v.r.ContentLength != 0 &&
		(err != nil || t != "application/x-www-form-urlencoded") {
		return nil, errMediaType
	}
	if err := v.r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, errTooLarge
		}
		return nil, malformed("form")
	}
	for name, values := range v.r.PostForm {
		for _, s := range values {
			if !utf8.ValidString(s) || !utf8.ValidString(name) {
				return nil, malformed("form is not UTF-8")
			}
		}
	}
	return v.r.PostForm, nil
}

// at returns a URL under BasePath. Its query has the pairs whose value is not empty.
func (v *visit) at(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return v.h.base() + path
	}
	return v.h.base() + path + "?" + q.Encode()
}

// redirect sends the browser to a URL of this site. After a form it leaves the pages by a page of
// their own: a redirect is part of the form for a browser, which follows it to no other site
// (form-action of the Content-Security-Policy), and the application may redirect to one.
func (v *visit) redirect(to string) error {
	if v.byScript() { // it leaves the page, and no form does
		writeJSON(v.w, http.StatusOK, map[string]any{"location": to})
		return nil
	}
	if v.r.Method == http.MethodPost && strings.HasPrefix(v.r.URL.Path, v.h.cfg.BasePath) &&
		!strings.HasPrefix(to, v.h.base()) {
		to = v.at("continue", "to", to)
		if v.signals {
			to += "&passkeys=1"
		}
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// pageContinue goes on to a URL of this site by itself.
func pageContinue(v *visit) error {
	to, ok := localURL(v.r.URL.Query().Get("to"))
	if !ok {
		to = v.h.cfg.HomeURL
	}
	p := ui.Continue{Frame: v.frame(nil), To: to}
	if v.signedIn && v.r.URL.Query().Has("passkeys") {
		p.Passkeys = v.passkeySet().text()
	}
	return v.page(http.StatusOK, p)
}

// returnTo reads a URL to return to; "" if there is none that is ours.
func returnTo(values url.Values) string {
	s, _ := localURL(values.Get("return"))
	return s
}

// back redirects to the page from which the user came.
func (v *visit) back(to string) error {
	if to == "" {
		to = v.h.cfg.HomeURL
	}
	return v.redirect(to)
}

// pageIndex sends everyone where they have something to do.
func pageIndex(v *visit) error {
	back := returnTo(v.r.URL.Query())
	switch {
	case v.id.User.ID == "":
		return v.redirect(v.login(back))
	case v.signedIn && back != "":
		return v.redirect(back)
	case v.signedIn:
		return v.redirect(v.at("factors"))
	}
	c, err := v.signIn()
	switch {
	case err != nil:
		return err
	case c == nil:
		return v.back(back)
	case c.Next == mfa.NextEnroll:
		return v.redirect(v.at("enroll", "return", back))
	}
	return v.redirect(v.at("verify", "return", back))
}

// pagePurpose is which challenge a page is about; anything odd is the ordinary one.
func (v *visit) pagePurpose(values url.Values) string {
	p, err := v.purpose(values.Get("purpose"))
	if err != nil {
		return v.current()
	}
	return p
}

func pageVerify(v *visit) error {
	q := v.r.URL.Query()
	back := returnTo(q)
	if v.id.User.ID == "" {
		return v.redirect(v.login(back))
	}
	p := v.pagePurpose(q)
	c, ok, err := v.underWay(p)
	switch {
	case err != nil:
		return err
	case !ok && v.signedIn && q.Get("purpose") == "":
		return v.back(back)
	case !ok && v.signedIn:
		return v.redirect(v.at("step-up", "purpose", p, "return", back))
	case !ok:
		return mfa.ErrTokenExpired
	case c.Next != mfa.NextVerify:
		return v.redirect(v.at("enroll", "return", back))
	case q.Get("more") != "" && c.Expires.Sub(v.now) <= endsSoon:
		return v.more(p, q.Get("kind"), back)
	}
	return v.showAsked(c, q, back)
}

// showAsked shows the page for the kind that the query asks for.
func (v *visit) showAsked(c *pending, q url.Values, back string) error {
	chosen, err := v.choose(c, q.Get("kind"))
	switch {
	case err != nil:
		return err
	case chosen == nil:
		return v.redirect(v.at("lost"))
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	n := v.takeNotice()
	if n == nil && q.Get("over") != "" {
		n = &notice{Code: "expired", Remaining: -1}
	}
	until := lockedUntil(o, *chosen, n)
	sends := v.sendsUnasked(c, *chosen, o, n, q.Get("kind"))
	return v.showVerify(c, *chosen, n, until, o.Policy.Remember, back, sends)
}

// choose returns the option of the kind that the user asks for, or else the default one, or nil
// if there is none.
func (v *visit) choose(c *pending, kind string) (*option, error) {
	wanted := func(o option) bool { return o.Kind == kind }
	i := slices.IndexFunc(c.Options, wanted)
	if i < 0 && kind != "" {
		// An administrator may have given the user an access code since.
		if err := v.alsoBy(c, kind); err != nil {
			return nil, err
		}
		i = slices.IndexFunc(c.Options, wanted)
	}
	if len(c.Options) == 0 {
		return nil, nil
	}
	if i < 0 {
		i = max(0, slices.IndexFunc(c.Options, func(o option) bool { return o.Default }))
	}
	return &c.Options[i], nil
}

func postVerify(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	back, kind := returnTo(f), f.Get("kind")
	// The form may have been submitted twice. Then the response to the first says who is signed in,
	// which this request was sent too early to know, so the page that comes next decides.
	lookAgain := v.at("verify", "purpose", f.Get("purpose"), "return", back, "over", "1")
	switch {
	case v.id.User.ID == "":
		return v.redirect(lookAgain)
	case v.signedIn && f.Get("purpose") == "":
		return v.back(back) // signed in by another tab
	case len(kind) > maxKind:
		return malformed("kind is too long")
	}
	p := v.pagePurpose(f)
	c, ok := v.pending(p)
	if !ok && v.signedIn {
		return v.back(back) // completed in another tab; a page that requires more asks again
	}
	remember := ""
	if f.Get("remember") != "" {
		remember = DeviceName(v.r)
	}
	// Where several things are asked, there is a field for each.
	ver, err := v.verify(p, kind, strings.Join(f["code"], "\n"), remember)
	var required *mfa.EnrollmentRequiredError
	switch {
	case errors.As(err, &required):
		v.note(notice{Code: noteBanned, Kind: kind, Remaining: -1})
		return v.redirect(v.at("enroll", "return", back))
	case ver != nil && err != nil:
		return err
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		return v.redirect(lookAgain)
	case err != nil:
		return v.refusedResponse(kind, ok && c.polled(kind), err, f,
			v.at("verify", "purpose", f.Get("purpose"), "kind", kind, "return", back))
	}
	return v.afterVerify(ver, back, f.Get("code"))
}

func postSend(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	back, kind := returnTo(f), f.Get("kind")
	switch {
	case v.id.User.ID == "":
		return v.redirect(v.login(back))
	case len(kind) > maxKind || len(f.Get("factor")) > maxID:
		return malformed("kind or factor is too long")
	case v.signedIn && f.Get("purpose") == "":
		return v.back(back)
	}
	purpose := v.pagePurpose(f)
	again, polled := v.hasSent(purpose, kind)
	unasked := f.Get("unasked") != ""
	if unasked && again {
		return v.redirect(v.at("verify", "kind", kind, "return", back))
	}
	_, err = v.send(purpose, kind, f.Get("factor"), unasked)
	switch {
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		return err
	case err != nil:
		v.noteError(kind, err, f)
	case again: // the page itself reports that the first code was sent
		v.note(v.sentAgain(kind, polled, f))
	}
	return v.redirect(v.at("verify", "purpose", f.Get("purpose"), "kind", kind, "return", back))
}

// hasSent reports whether a code of the kind was sent for the pending challenge, and whether the
// user approves it on another device.
func (v *visit) hasSent(purpose, kind string) (sent, polled bool) {
	c, ok := v.pending(purpose)
	if !ok {
		return false, false
	}
	_, sent = c.Sent[kind]
	return sent, c.polled(kind)
}

// pageStepUp begins a challenge, which sends nothing. One that waits for a code that is on
// its way is gone on with.
func pageStepUp(v *visit) error {
	if !v.signedIn || v.id.User.ID == "" {
		return v.redirect(v.at(""))
	}
	q := v.r.URL.Query()
	back := returnTo(q)
	p := purposeManage
	if q.Get("purpose") == purposeStepUp {
		p = purposeStepUp
	}
	c, ok := v.pending(p)
	if !ok || len(c.Sent) == 0 {
		var err error
		if c, err = v.stepUp(p); err != nil {
			return err
		}
	}
	switch c.Next {
	case mfa.NextVerify:
		return v.redirect(v.at("verify", "purpose", string(c.Purpose), "kind", q.Get("kind"),
			"return", back))
	case mfa.NextEnroll:
		return v.redirect(v.at("enroll", "return", back))
	}
	return v.back(back)
}

func postSignOut(v *visit) error {
	if err := v.signOut(); err != nil {
		return err
	}
	return v.redirect(v.h.cfg.LoginURL)
}
