package admin

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

// deeds are the acts on one user, by their path.
var deeds = map[string]deed{
	"reset": reset, "remove-factor": removeFactor, "unlock": unlock, "access-code": accessCode,
	"recovery-link": recoveryLink, "verification-link": verificationLink,
	"close-case": closeCase, "end-sessions": endSessions, "delete": deleteRecord,
	"exception": grantException, "end-exception": endException,
}

// orderPage says what an act will do, and asks for the reason.
type orderPage struct {
	base
	Act, ID, Name          string
	Kind, Factor, FactorID string // of the instance that the act is about
	Reason, Uses           string
	Approver, Ends         string
	Valid                  []int
	Hours                  int
	Destroys               bool
	// Problem is what was wrong with the form, or "".
	Problem string
}

// hours are the lifetimes that the page offers for an access code.
var hours = []int{1, 8, 24, 72}

func pageOrder(v *visit, name string, d deed) error {
	id, err := v.param("id", 128)
	if err != nil {
		return err
	}
	factorID, err := v.param("factor", 64)
	if err != nil {
		return err
	}
	o := order{ID: id, Factor: factorID, Valid: 8 * 3600}
	if f := v.kept(v.orderForm(name, o)); f != nil {
		o = orderOf(f, o)
	}
	return v.showOrder(name, d, o, "")
}

// orderOf adds to an order what was typed.
func orderOf(f url.Values, o order) order {
	o.Reason, o.Uses, o.Approver, o.Ends = f.Get("reason"), f.Get("uses"), f.Get("approver"),
		endOf(f)
	if n, err := strconv.Atoi(f.Get("valid")); err == nil && n > 0 && n <= maxValid/3600 {
		o.Valid = n * 3600
	}
	return o
}

func (v *visit) showOrder(name string, d deed, o order, problem string) error {
	e, err := v.find(o.ID)
	if err != nil {
		return err
	}
	p := orderPage{base: v.base("user"), Act: name, ID: e.User.ID, Name: e.Name,
		FactorID: o.Factor, Reason: o.Reason, Uses: o.Uses, Valid: hours, Hours: 8,
		Approver: o.Approver,
		Destroys: d.ends && name != "end-sessions", Problem: problem}
	v.keep(&p.base, v.orderForm(name, o))
	if !o.Ends.IsZero() {
		p.Ends = o.Ends.Format(time.DateOnly)
	}
	for _, n := range hours {
		if o.Valid == n*3600 {
			p.Hours = n
		}
	}
	if d.prepare != nil {
		if err := d.prepare(v, e.User, o); err != nil {
			return err
		}
	}
	if o.Factor != "" {
		if p.Kind, p.Factor, err = v.factorName(e.User, o.Factor); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	return v.show(status, "act", "admin.act."+name, "", p)
}

// factorName returns the kind and the name of an instance, or nothing.
func (v *visit) factorName(u mfa.User, id string) (kind, name string, err error) {
	o, err := v.h.cfg.Manager.Overview(v.ctx, u)
	if err != nil {
		return "", "", err
	}
	for _, f := range o.Factors {
		if f.ID == id {
			return f.Kind, f.Name, nil
		}
	}
	return "", "", nil
}

type codePage struct {
	base
	codeJSON
	Name string
}

// form reads the form of the request.
func (v *visit) form() (url.Values, error) {
	if err := v.r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, errTooLarge
		}
		return nil, malformed("the form cannot be read")
	}
	for _, list := range v.r.PostForm {
		if slices.ContainsFunc(list, func(s string) bool { return !utf8.ValidString(s) }) {
			return nil, malformed("the form is not UTF-8")
		}
	}
	return v.r.PostForm, nil
}

func postOrder(v *visit, name string, d deed) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	o := orderOf(f, order{ID: f.Get("id"), Factor: f.Get("factor"), Session: f.Get("session")})
	out, err := v.perform(d, o)
	if problem := problemOf(err); problem != "" && o.check() == nil {
		return v.showOrder(name, d, o, problem)
	}
	if err != nil {
		return err
	}
	if code, ok := out.(codeJSON); ok {
		e, err := v.find(o.ID)
		if err != nil {
			return err
		}
		return v.show(http.StatusOK, "code", "admin.code", e.Name, codePage{v.base("user"), code,
			e.Name})
	}
	b := v.base("")
	// As it is: http.Redirect would leave out a prefix that a proxy has removed.
	v.w.Header().Set("Location", b.Base+"user?"+string(b.And())+url.Values{"id": {o.ID},
		"done": {name}}.Encode())
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// problemOf returns what the form says about an error, or "" for one that a page of its own is
// about.
func problemOf(err error) string {
	_, limited := errors.AsType[*mfa.RateLimitError](err)
	_, locked := errors.AsType[*mfa.LockedError](err)
	switch {
	case errors.Is(err, errReason):
		return "reason"
	case limited:
		return "budget"
	case locked:
		return "locked"
	case errors.Is(err, errApprover):
		return "approver"
	case errors.Is(err, errEnds):
		return "ends"
	case errors.Is(err, errNoException):
		return "exception"
	case errors.Is(err, mfa.ErrNotAvailable):
		return "not_available"
	case errors.Is(err, factor.ErrMalformed):
		return "malformed"
	}
	return ""
}
