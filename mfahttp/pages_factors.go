package mfahttp

import (
	"errors"
	"net/url"
	"slices"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// kindRecovery is the kind with a page of its own: its codes are shown, not entered.
const kindRecovery = "recovery"

// kindQuestions is the other kind of recovery that a user sets up; it has a form.
const kindQuestions = "questions"

func pageFactors(v *visit) error {
	if !v.signedIn || v.id.User.ID == "" {
		return v.redirect(v.at("", "return", v.at("factors")))
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	return v.showFactors(o, v.takeNotice())
}

// needStepUp redirects to a verification and back to a page, if err requires it.
func (v *visit) needStepUp(err error, back string) (bool, error) {
	if !errors.Is(err, errStepUp) || errors.Is(err, errOnHold) {
		return false, err
	}
	return true, v.redirect(v.at("step-up", "purpose", purposeManage, "return", back))
}

// changed responds to a change of a factor.
func (v *visit) changed(kind string, err error, back, note string) error {
	if up, err := v.needStepUp(err, back); up {
		return err
	}
	switch {
	case errors.Is(err, errUnauthorized), errors.Is(err, mfa.ErrForbidden) && !v.signedIn:
		return v.redirect(v.at(""))
	case errors.Is(err, mfa.ErrFirstFactorRequired):
		return err
	case err != nil:
		v.noteError(kind, err, nil)
		return v.redirect(back)
	}
	v.note(notice{Code: note, Kind: kind, Remaining: -1})
	return v.redirect(v.at("factors"))
}

func postRename(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	return v.changed("", v.rename(v.r.PathValue("id"), f.Get("name")), v.at("factors"), noteRenamed)
}

func pageRemove(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return v.redirect(v.at(""))
	}
	f, err := v.factor(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if _, err := v.grant(); err != nil {
		_, err := v.needStepUp(err, v.at("factors/"+url.PathEscape(f.ID)+"/remove"))
		return err
	}
	return v.showRemove(f, slices.Contains(v.h.cfg.PasswordFor, f.Kind), v.takeNotice())
}

func postRemove(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	id := v.r.PathValue("id")
	gone, err := v.remove(id, f.Get("password"))
	switch {
	case errors.Is(err, errNoFactor):
		return v.redirect(v.at("factors")) // removed in another tab
	case err == nil && gone.Kind == kindPasskey:
		v.note(notice{Code: noteRemoved, Kind: gone.Kind, Remaining: -1, Data: string(gone.Data)})
		return v.redirect(v.at("factors"))
	}
	note := noteRemoved
	if v.now.Before(gone.HeldUntil) {
		note = noteCancelled
	}
	return v.changed("", err, v.at("factors/"+url.PathEscape(id)+"/remove"), note)
}

// mayEnroll returns the user's overview if the session may enrol now; otherwise it has
// redirected.
func (v *visit) mayEnroll(here string) (*mfa.Overview, error) {
	if v.id.User.ID == "" {
		return nil, v.redirect(v.h.cfg.LoginURL)
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
	case !slices.Contains(v.kinds(o.Kinds), kind):
		return errNotFound
	}
	return v.showEnroll(kind, v.asksPassword(kind, o), v.takeNotice(), back)
}

// asksPassword reports whether enrolling the kind changes a factor that the password protects.
func (v *visit) asksPassword(kind string, o *mfa.Overview) bool {
	return slices.Contains(v.h.cfg.PasswordFor, kind) && hasKind(o, kind)
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
	here := v.at("enroll/"+url.PathEscape(kind), "return", back)
	form := v.h.pages.Form(kind)
	second, twice, err := checkForm(form, f)
	if err != nil {
		return v.enrollFailed(kind, err, f, here)
	}
	id, e, err := v.enroll(kind, f.Get("name"), f.Get("password"), enrollParams(form, f))
	if err != nil {
		return v.enrollFailed(kind, err, f, here)
	}
	switch {
	case e.Confirmed != nil && len(e.Prompt.Codes) == 0:
		return v.added(e.Confirmed, back)
	case e.Confirmed != nil:
		v.show(shown{For: showCodes, Codes: reveal(e.Prompt.Codes), Expires: v.now.Add(showFor)})
		return v.redirect(v.at("recovery-codes"))
	case twice: // the second PIN confirms
		conf, err := v.confirm(id, second)
		if err != nil {
			return v.enrollFailed(kind, err, f, here)
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
		if s := f.Get(name); s != "" {
			params[name] = s
		}
	}
	return params
}

// showPrompt permits the next page to show the prompt of an enrolment, if there is any.
func (v *visit) showPrompt(id string, e *mfa.Enrollment) {
	if p := e.Prompt; !p.Secret.IsZero() || !p.URI.IsZero() || p.Data != nil {
		v.show(shown{For: id, Expires: e.Expires})
	}
}

func (v *visit) enrollFailed(kind string, err error, typed url.Values, here string) error {
	if up, err := v.needStepUp(err, here); up {
		return err
	}
	switch {
	case errors.Is(err, errUnauthorized), errors.Is(err, mfa.ErrForbidden):
		return v.redirect(v.at(""))
	case errors.Is(err, mfa.ErrTokenExpired), errors.Is(err, mfa.ErrToken),
		errors.Is(err, mfa.ErrFirstFactorRequired):
		return err
	}
	v.noteError(kind, err, typed)
	return v.redirect(here)
}

// added goes on after an enrolment has been confirmed.
func (v *visit) added(conf *mfa.Confirmation, back string) error {
	v.hide()
	if v.replacing {
		v.replaced()
		return v.redirect(v.at("setup/done"))
	}
	if conf.Verification != nil {
		return v.back(back)
	}
	if back != "" {
		return v.redirect(back)
	}
	v.note(notice{Code: noteAdded, Kind: conf.Factor.Kind, Remaining: -1})
	return v.redirect(v.at("factors"))
}

// lost is for an enrolment that is over or was confirmed elsewhere.
func (v *visit) lost() error {
	switch {
	case v.id.User.ID == "":
		return v.redirect(v.h.cfg.LoginURL)
	case v.signedIn:
		if !v.hasNotice() {
			v.note(notice{Code: "expired", Remaining: -1})
		}
		return v.redirect(v.at("factors"))
	case v.replacing:
		return v.redirect(v.at("enroll"))
	}
	return v.redirect(v.at(""))
}

func pageEnrollment(v *visit) error {
	e, ok := v.enrollment(v.r.PathValue("id"))
	if !ok {
		return v.lost()
	}
	if _, ok := v.toShow(e.ID); ok {
		if err := v.handle(purposeManage).RestoreEnrollment(e.Token); err != nil {
			return v.lost()
		}
	}
	return v.showEnrollment(e, v.takeNotice(), returnTo(v.r.URL.Query()))
}

func postConfirm(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	id, back := v.r.PathValue("id"), returnTo(f)
	e, ok := v.enrollment(id)
	if !ok {
		return v.lost()
	}
	conf, err := v.confirm(id, f.Get("code"))
	switch {
	case conf != nil && err != nil:
		return err // it took effect, and the application refused the sign-in
	case errors.Is(err, mfa.ErrTokenExpired), errors.Is(err, mfa.ErrToken):
		// As in postVerify.
		return v.redirect(v.at("enrollments/"+id, "return", back))
	case err != nil:
		return v.refusedResponse(e.Kind, e.Polled, err, f,
			v.at("enrollments/"+id, "return", back))
	}
	if err := v.nameConfirmed(conf, f.Get("name")); err != nil {
		v.noteError(e.Kind, err, nil)
		if conf.Verification == nil {
			return v.redirect(v.at("factors"))
		}
	}
	return v.added(conf, back)
}

func postResend(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	id, back := v.r.PathValue("id"), returnTo(f)
	e, _, err := v.resend(id)
	switch {
	case errors.Is(err, errUnauthorized), errors.Is(err, mfa.ErrTokenExpired),
		errors.Is(err, mfa.ErrToken):
		return v.lost()
	case err != nil:
		v.noteError(e.Kind, err, nil)
	default:
		v.note(notice{Code: noteSent, Kind: e.Kind, Remaining: -1})
	}
	return v.redirect(v.at("enrollments/"+id, "return", back))
}

func pageRecovery(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return v.redirect(v.at(""))
	}
	if s, ok := v.toShow(showCodes); ok {
		return v.showCodes(s.Codes)
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	return v.showRecovery(o, v.takeNotice())
}

func postRecovery(v *visit) error {
	if _, err := v.form(); err != nil {
		return err
	}
	list, err := v.recoveryCodes()
	if err != nil {
		return v.changed(kindRecovery, err, v.at("recovery-codes"), "")
	}
	v.show(shown{For: showCodes, Codes: list, Expires: v.now.Add(showFor)})
	return v.redirect(v.at("recovery-codes"))
}

func postSaved(v *visit) error {
	v.hide()
	return v.redirect(v.at("factors"))
}
