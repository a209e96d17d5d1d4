package mfahttp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

func pageChoose(v *visit) error {
	back := returnTo(v.r.URL.Query())
	o, err := v.mayEnroll(v.at("enroll", "return", back))
	if o == nil {
		return err
	}
	return v.showChoose(o, v.takeNotice(), back)
}

func pageEnroll(v *visit) error {
	kind, back := v.r.PathValue("kind"), returnTo(v.r.URL.Query())
	o, err := v.mayEnroll(v.at("enroll/"+url.PathEscape(kind), "return", back))
	switch {
	case o == nil:
		return err
	case kind == kindRecovery && v.signedIn:
		return v.redirect(v.at("recovery-codes"))
	case kind == kindQuestions && v.signedIn && slices.Contains(v.h.cfg.Manager.Kinds(), kind):
	case slices.Contains(v.kinds(o.Kinds), kind):
	case slices.Contains(v.h.cfg.Manager.Kinds(), kind): // the page offers those that are allowed
		v.note(notice{Code: "not_available", Kind: kind, Remaining: -1})
		return v.redirect(v.at("enroll", "return", back))
	default:
		return errNotFound
	}
	n, list := v.takeNotice(), v.takeTyped(kind)
	if list == nil {
		form := v.enrollForm(kind, back)
		list = entered(v.takeEnded(form).Values, form.Fields, maxEnded)
	}
	if list != nil && n == nil {
		n = &notice{Kind: kind, Remaining: -1, Entered: list}
	}
	return v.showEnroll(http.StatusOK, kind, o, n, back)
}

// enrollForm is what is kept of the form that begins an enrolment when the session ends.
func (v *visit) enrollForm(kind, back string) Form {
	setup := ""
	if v.r.URL.Query().Has("setup") || v.r.PostForm.Has("setup") {
		setup = "yes"
	}
	return Form{Page: v.at("enroll/"+url.PathEscape(kind), "return", back, "setup", setup),
		Fields: v.h.pages.Form(kind).Kept}
}

func hasKind(o *mfa.Overview, kind string) bool {
	return slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return f.Kind == kind && !f.Implicit
	})
}

func postEnroll(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	kind, back := v.r.PathValue("kind"), returnTo(f)
	if len(kind) > maxKind {
		return errNotFound
	}
	form := v.h.pages.Form(kind)
	second, twice, err := checkForm(form, f)
	if err != nil {
		return v.enrollFailed(kind, err, f)
	}
	id, e, err := v.enroll(kind, f.Get("name"), f.Get("password"), enrollParams(form, f))
	if err != nil {
		return v.enrollFailed(kind, err, f)
	}
	switch {
	case e.Confirmed != nil && len(e.Prompt.Codes) == 0:
		return v.added(e.Confirmed, back)
	case e.Confirmed != nil:
		v.showMade(madeCodes{e.Confirmed.Factor.ID, reveal(e.Prompt.Codes)})
		return v.redirect(v.at("recovery-codes", "return", back))
	case twice: // the second PIN confirms
		conf, err := v.confirm(id, second)
		if err != nil {
			return v.enrollFailed(kind, err, f)
		}
		return v.added(conf, back)
	}
	v.showPrompt(id, e)
	return v.redirect(v.at("enrollments/"+id, "return", back))
}

// checkForm decides whether the form of an enrolment takes what was typed. A user types a PIN twice
// in one form. The second is compared here first: as a response to the enrolment it would cost an
// attempt.
func checkForm(form ui.Form, f url.Values) (second string, twice bool, err error) {
	if name, missing := form.Check(f.Get); name != "" {
		problem := &factor.Problem{Reason: "field_long", Detail: "the value of a field is too long"}
		if missing {
			problem = &factor.Problem{Reason: "field_missing", Detail: "a field is empty"}
		}
		return "", false, &fieldProblem{field: name, Problem: problem}
	}
	if form.Again == "" || !f.Has(form.Again) {
		return "", false, nil
	}
	if second = f.Get(form.Again); second != f.Get("pin") {
		return "", true, &factor.Problem{Reason: "pin_mismatch", Detail: "the two PINs differ"}
	}
	return second, true, nil
}

// enrollParams returns the fields of an enrolment form that are parameters of the factor, and no
// others: the form has fields of the page's own, and a browser can add any.
func enrollParams(form ui.Form, f url.Values) map[string]string {
	params := map[string]string{}
	for _, name := range form.Params {
		if s := form.Value(name, f.Get); s != "" {
			params[name] = s
		}
	}
	return params
}

// refusedStatus is the status of a page that shows a refused form again.
func refusedStatus(err error) int {
	s := problemOf(err).Status
	if s == http.StatusTooManyRequests || s >= http.StatusInternalServerError {
		return s
	}
	return http.StatusUnprocessableEntity
}

// mayEnroll returns the user's overview if the session may enrol now; otherwise it has
// redirected.
func (v *visit) mayEnroll(here string) (*mfa.Overview, error) {
	if v.id.User.ID == "" {
		return nil, v.redirect(v.login(v.at("factors")))
	}
	if v.replacing {
		if _, ok := v.liveGrant(); !ok {
			return nil, v.redirect(v.at("verify", "purpose", purposeRecover))
		}
		return v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	}
	if !v.signedIn {
		switch c, err := v.signIn(); {
		case err != nil:
			return nil, err
		case c == nil:
			return nil, v.redirect(here)
		case c.Next != mfa.NextEnroll:
			return nil, v.redirect(v.at("verify"))
		}
	}
	if _, err := v.grant(); err != nil {
		_, err := v.needStepUp(err, here)
		return nil, err
	}
	return v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
}

// showPrompt permits the next page to show the prompt of an enrolment, if there is any.
func (v *visit) showPrompt(id string, e *mfa.Enrollment) {
	if p := e.Prompt; !p.Secret.IsZero() || !p.URI.IsZero() || p.Data != nil {
		v.show(shown{For: id, Expires: e.Expires})
	}
}

// enrollFailed responds to a form that was refused. The response is the form again, with
// everything that was typed except PINs and passwords. Nothing of it is kept between two
// requests, so that it may be long, and may be answers.
func (v *visit) enrollFailed(kind string, err error, typed url.Values) error {
	back := returnTo(typed)
	here := v.at("enroll/"+url.PathEscape(kind), "return", back)
	form := v.h.pages.Form(kind)
	if errors.Is(err, errStepUp) {
		v.keepTyped(kind, entered(typed, form.Kept, maxBody))
	}
	if up, err := v.needStepUp(err, here); up {
		return err
	}
	switch {
	case errors.Is(err, errUnauthorized), errors.Is(err, mfa.ErrForbidden):
		return v.toSignIn()
	case errors.Is(err, mfa.ErrTokenExpired), errors.Is(err, mfa.ErrToken),
		errors.Is(err, mfa.ErrFirstFactorRequired):
		return err
	case !form.Asks() && !errors.Is(err, ErrPassword),
		!slices.Contains(v.h.cfg.Manager.Kinds(), kind),
		errors.Is(err, mfa.ErrNotAvailable):
		v.noteError(kind, err, nil)
		return v.redirect(v.at("enroll", "return", back))
	}
	o, overviewErr := v.mayEnroll(here)
	if o == nil {
		return overviewErr
	}
	n := v.noticeOf(kind, err, nil)
	n.Entered = entered(typed, form.Shown, maxBody)
	if errors.Is(err, ErrPassword) && !typed.Has("password") {
		n.Code = "step_up" // the page did not ask for it, and does now
	}
	return v.showEnroll(refusedStatus(err), kind, o, &n, back)
}
