package mfahttp

import (
	"errors"
	"slices"

	"github.com/secondgate/secondgate/mfa"
)

// This file has the pages on which recovery codes are made and saved, also as a part of the set-up:
// a user who has enrolled something that can be lost goes on to them. Codes are valid once they
// were shown, whether or not the user says that they are saved. A user who closes the page before
// that is asked again: by Require in the session, and after the next sign-in.

// madeCodes is a set of recovery codes that was just made.
type madeCodes struct {
	// Set is the ID of the set, for the user to say which one is saved.
	Set   string
	Codes []string
}

// makeCodes makes recovery codes, in place of all that were there.
func (v *visit) makeCodes(password string) (madeCodes, error) {
	if err := v.mustBeSignedIn(); err != nil {
		return madeCodes{}, err
	}
	g, err := v.grant()
	if err != nil {
		return madeCodes{}, err
	}
	if err := v.password(kindRecovery, password); err != nil {
		return madeCodes{}, err
	}
	e, err := v.handle(purposeManage).NewRecoveryCodes(v.r.Context(), g)
	if err != nil {
		return madeCodes{}, v.refused(err)
	}
	made := madeCodes{Codes: reveal(e.Prompt.Codes)}
	if e.Confirmed != nil {
		made.Set = e.Confirmed.Factor.ID
		if err := v.confirmed(e.Confirmed); err != nil {
			return madeCodes{}, err
		}
	}
	return made, nil
}

// showMade permits the next page to show codes that were made.
func (v *visit) showMade(made madeCodes) {
	v.show(shown{For: showCodes, Set: made.Set, Codes: made.Codes, Expires: v.now.Add(showFor)})
}

// showsCodes reports whether the next page shows codes that were made.
func (v *visit) showsCodes() bool {
	_, ok := v.toShow(showCodes)
	return ok
}

// codesNext makes the recovery codes that are due after an enrolment, and reports whether the user
// goes on to them. Codes that the user may have saved are not replaced without being asked.
func (v *visit) codesNext() (bool, error) {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return false, err
	}
	v.owe(!o.Policy.SkipRecoveryCodes)
	v.offer(!hasKind(o, kindQuestions) && v.offersRecovery(kindQuestions))
	if o.RecoveryCodesRemaining > 0 || v.asksPassword(kindRecovery, o) {
		return true, nil
	}
	switch made, err := v.makeCodes(""); {
	case err == nil:
		v.showMade(made)
	case errors.Is(err, mfa.ErrUnavailable): // the enrolment stands, and the page tries again
		v.h.log(v.r, problemOf(err), err)
	default: // not with this proof: the settings say that there are none
		v.owe(false)
		return false, nil
	}
	return true, nil
}

// owe remembers whether the user has to make or save recovery codes before going on.
func (v *visit) owe(due bool) {
	if p := v.proof(); p != nil && p.CodesDue != due {
		p.CodesDue = due
		v.put(keyProof, p)
	}
}

// offer remembers whether security questions follow the recovery codes of a set-up.
func (v *visit) offer(questions bool) {
	if p := v.proof(); p != nil && p.Offers != questions {
		p.Offers = questions
		v.put(keyProof, p)
	}
}

// questionsNext reports whether a user who has just enrolled their first factor goes on to security
// questions. Where there are recovery codes, the questions follow those.
func (v *visit) questionsNext() (bool, error) {
	if slices.Contains(v.h.cfg.Manager.Kinds(), kindRecovery) || !v.offersRecovery(kindQuestions) {
		return false, nil
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return false, err
	}
	own := 0
	for _, f := range o.Factors {
		if f.ID != "" && !f.Recovery {
			own++
		}
	}
	return own == 1 && !hasKind(o, kindQuestions), nil
}

// questionsOffer returns the page that offers security questions in a set-up.
func (v *visit) questionsOffer(back string) string {
	return v.at("enroll/"+kindQuestions, "return", back, "setup", "yes")
}

// owes reports whether the user has to make or save recovery codes before going on to a page.
func (v *visit) owes() bool {
	p := v.proof()
	return p != nil && p.CodesDue && wantsPage(v.r) &&
		(v.r.Method == "GET" || v.r.Method == "HEAD")
}

func pageRecovery(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return v.toSignIn()
	}
	back := returnTo(v.r.URL.Query())
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	owed := v.proof().CodesDue
	if owed && !o.RecoveryCodesDue { // saved in another browser, or removed
		v.owe(false)
		return v.back(back)
	}
	s, live := v.toShow(showCodes)
	if !live || s.Set != "" && s.Set != codesOf(o).ID {
		s = &shown{}
	}
	return v.showRecovery(o, s, v.takeNotice(), back)
}

// codesOf returns the user's recovery codes, or the zero FactorInfo.
func codesOf(o *mfa.Overview) mfa.FactorInfo {
	for _, f := range o.Factors {
		if f.Kind == kindRecovery {
			return f
		}
	}
	return mfa.FactorInfo{}
}

func postRecovery(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	here := v.at("recovery-codes", "return", returnTo(f))
	made, err := v.makeCodes(f.Get("password"))
	if err != nil {
		return v.changed(kindRecovery, err, here, "")
	}
	v.showMade(made)
	return v.redirect(here)
}

// postSaved is what the user says of the codes: that they are saved, or, if the policy permits it,
// that they are not now.
func postSaved(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	if err := v.mustBeSignedIn(); err != nil {
		return v.toSignIn()
	}
	back := returnTo(f)
	here := v.at("recovery-codes", "return", back)
	skipped, err := v.skipsCodes(f.Get("skip") != "")
	switch {
	case err != nil:
		return err
	case !skipped && f.Get("saved") == "":
		v.note(notice{Code: noteUnsaved, Kind: kindRecovery, Remaining: -1})
		return v.redirect(here)
	case !skipped:
		err = v.handle(purposeManage).RecoveryCodesSaved(v.r.Context(), f.Get("set"))
	}
	if err != nil { // of a set that another one has replaced
		return v.changed(kindRecovery, err, here, "")
	}
	v.hide()
	v.owe(false)
	if p := v.proof(); p != nil && p.Offers && v.offersRecovery(kindQuestions) {
		v.offer(false) // once
		return v.redirect(v.questionsOffer(back))
	}
	if back == "" {
		back = v.at("factors")
	}
	return v.redirect(back)
}

// skipsCodes reports whether the user goes on without saying that the codes are saved.
func (v *visit) skipsCodes(wants bool) (bool, error) {
	if !wants {
		return false, nil
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	return err == nil && o.Policy.SkipRecoveryCodes, err
}
