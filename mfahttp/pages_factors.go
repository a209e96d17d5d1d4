package mfahttp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
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
	return v.showFactors(http.StatusOK, o, v.withNewName(v.takeNotice()))
}

// renameForm is what is kept of the form for a new name when the session ends.
func (v *visit) renameForm() Form { return Form{Page: v.at("factors"), Fields: []string{"name"}} }

// withNewName adds the new name for a factor that the user typed before the session ended.
func (v *visit) withNewName(n *notice) *notice {
	e := v.takeEnded(v.renameForm())
	id, ok := strings.CutSuffix(strings.TrimPrefix(e.Path, v.h.cfg.BasePath+"factors/"), "/rename")
	if !ok || n != nil {
		return n
	}
	return &notice{Remaining: -1, Entered: map[string]string{"name-" + id: e.Values.Get("name")}}
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
		return v.toSignIn()
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
	id := v.r.PathValue("id")
	err = v.rename(id, f.Get("name"))
	if p := problemOf(err); err == nil || p.Code != "malformed" || !v.signedIn {
		return v.changed("", err, v.at("factors"), noteRenamed)
	}
	o, overviewErr := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if overviewErr != nil {
		return overviewErr
	}
	n := v.noticeOf("", err, nil)
	n.Field, n.Entered = "name-"+id, map[string]string{"name-" + id: f.Get("name")}
	return v.showFactors(refusedStatus(err), o, &n)
}

func pageRemove(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return v.toSignIn()
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
		v.note(notice{Code: noteRemoved, Kind: gone.Kind, Remaining: -1, Data: goneData(gone)})
		return v.redirect(v.at("factors"))
	}
	note := noteRemoved
	if v.now.Before(gone.HeldUntil) {
		note = noteCancelled
	}
	return v.changed("", err, v.at("factors/"+url.PathEscape(id)+"/remove"), note)
}

// added goes on after an enrolment has been confirmed.
func (v *visit) added(conf *mfa.Confirmation, back string) error {
	v.hide()
	if v.replacing {
		v.replaced()
		until := ""
		if conf.Waits {
			until = conf.Factor.HeldUntil.Format(time.RFC3339)
		}
		return v.redirect(v.at("setup/done", "until", until))
	}
	if conf.RecoveryCodesDue {
		next, err := v.codesNext()
		if err != nil {
			return err
		}
		if next {
			return v.redirect(v.at("recovery-codes", "return", back))
		}
	}
	switch next, err := v.questionsNext(); {
	case err != nil:
		return err
	case next:
		return v.redirect(v.questionsOffer(back))
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
		return v.redirect(v.login(v.at("factors")))
	case v.signedIn && v.showsCodes(): // the form was submitted twice, and made codes
		return v.redirect(v.at("recovery-codes", "return", returnTo(v.r.URL.Query())))
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
		return v.redirect(v.at("enrollments/"+id, "return", back)) // as in postVerify
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

// postElsewhere mails a link for another device, on which the user signs in and enrols.
func postElsewhere(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	id, back := v.r.PathValue("id"), returnTo(f)
	e, ok := v.enrollment(id)
	if !ok {
		return v.lost()
	}
	_, err = v.handle(purposeManage).SendElsewhere(v.r.Context(), e.Token)
	switch {
	case errors.Is(err, mfa.ErrTokenExpired), errors.Is(err, mfa.ErrToken):
		return v.lost()
	case err != nil:
		v.noteError(e.Kind, err, nil)
	default:
		v.note(notice{Code: noteElsewhere, Kind: e.Kind, Remaining: -1})
	}
	return v.redirect(v.at("enrollments/"+id, "return", back))
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
		v.noteError(e.Kind, err, f)
	default:
		v.note(v.sentAgain(e.Kind, e.Polled, f))
	}
	return v.redirect(v.at("enrollments/"+id, "return", back))
}
