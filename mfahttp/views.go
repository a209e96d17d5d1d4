package mfahttp

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// What each page shows. Forms post to paths under Base; names of their fields are those of
// the JSON API, with "return" for where to go afterwards.

// frame is what every page has.
type frame struct {
	Lang     string
	Base     string // BasePath
	Product  string
	Page     string // the template's name
	Title    string // of an application's own page
	Body     template.HTML
	SignedIn bool
	Account  string // how the person is called
	Home     string
	Login    string
	Now      time.Time
	Notice   *notice // nil: nothing to say
}

// verifyPage is the choice of a method and the code field, the locked and the stopped page.
// Forms: POST verify {kind, code, purpose, return}, POST send {kind, factor, purpose,
// return}, POST sign-out.
type verifyPage struct {
	frame
	Purpose  string // "" for a sign-in
	Return   string
	Option   option   // the one chosen
	Others   []option // all but that
	Sent     *sent    // the code that is on its way, nil if none
	Locked   bool
	Until    time.Time
	SecsLeft int // of the lock, or of the code
}

// choosePage lists what may be enrolled. Links: GET enroll/{kind}; for kinds that ask
// nothing first (Direct), POST enroll/{kind} {return}.
type choosePage struct {
	frame
	Kinds    []enrollable
	Recovery bool // recovery codes can be made: GET recovery-codes
	Forced   bool // by a sign-in
	Return   string
}

type enrollable struct {
	Kind   string
	Have   bool
	Direct bool
}

// enrollPage asks for what an enrolment needs. Form: POST enroll/{kind} {name, address |
// number, region | pin, pin2, password, return}.
type enrollPage struct {
	frame
	Kind      string
	Password  bool // the current password is asked
	Countries []Country
	Return    string
}

// enrollmentPage shows a pending enrolment. Forms: POST enrollments/{ID} {code, name,
// return}, POST enrollments/{ID}/resend {return}.
type enrollmentPage struct {
	frame
	ID, Kind, Name, Hint string
	Shown                *shown        // nil if it can be shown no more
	QR                   template.HTML // Shown.SVG
	Sent                 bool
	CodeExpires          time.Time
	SecsLeft             int
	Return               string
}

// factorsPage is the security settings. Forms: POST factors/{id}/rename {name}; links: GET
// factors/{id}/remove, GET enroll, GET recovery-codes.
type factorsPage struct {
	frame
	Factors      []mfa.FactorInfo
	RecoveryLeft int
	HasRecovery  bool
	CanEnroll    bool
	EnrollBy     time.Time // a factor is required from then on, and there is none; or zero
	Locked       bool
	Until        time.Time
	SecsLeft     int
}

// removePage asks for confirmation. Form: POST factors/{id}/remove {password}.
type removePage struct {
	frame
	Factor   mfa.FactorInfo
	Password bool
}

// recoveryPage offers new codes, or shows them. Forms: POST recovery-codes, POST
// recovery-codes/saved.
type recoveryPage struct {
	frame
	Left  int
	Codes []string
}

// linkPage confirms an address. Form: POST confirm {token}.
type linkPage struct {
	frame
	Token string
}

// errorPage says that something did not work; Code is a code of the API.
type errorPage struct {
	frame
	Code       string
	RetryAfter int
}

func (v *visit) frame(page string, n *notice) frame {
	return frame{Lang: "en", Base: v.h.cfg.BasePath, Product: v.h.cfg.ProductName, Page: page,
		SignedIn: v.id.SignedIn && v.id.Subject.ID != "", Account: first(v.id.Subject.Account, v.id.Subject.Email),
		Home: v.h.cfg.HomeURL, Login: v.h.cfg.LoginURL, Now: v.now, Notice: n}
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// page renders into memory first, so that an error leaves no half a page.
func (v *visit) page(status int, name string, data any) error {
	var b bytes.Buffer
	if err := v.h.pages.ExecuteTemplate(&b, name+".html", data); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes())
	return nil
}

func (v *visit) secondsTo(t time.Time) int {
	if !v.now.Before(t) {
		return 0
	}
	return seconds(t.Sub(v.now))
}

func (v *visit) showVerify(c *pending, o option, n *notice, until time.Time, back string) error {
	p := verifyPage{frame: v.frame("verify", n), Return: back, Option: o, Until: until}
	if c.Purpose != mfa.SignIn {
		p.Purpose = string(c.Purpose)
	}
	for _, other := range c.Options {
		if other != o {
			p.Others = append(p.Others, other)
		}
	}
	if s, ok := c.Sent[o.Kind]; ok && v.now.Before(s.Expires) {
		p.Sent, p.SecsLeft = &s, v.secondsTo(s.Expires)
	}
	if v.now.Before(until) {
		p.Locked, p.SecsLeft = true, v.secondsTo(until)
	}
	return v.page(http.StatusOK, "verify", p)
}

func (v *visit) showChoose(o *mfa.Overview, n *notice, back string) error {
	p := choosePage{frame: v.frame("choose", n), Return: back, Forced: !v.id.SignedIn}
	for _, k := range o.Kinds {
		p.Kinds = append(p.Kinds, enrollable{Kind: k, Have: hasKind(o, k), Direct: !asksFirst(k)})
	}
	p.Recovery = v.id.SignedIn && slices.Contains(v.h.cfg.Manager.Kinds(), kindRecovery)
	return v.page(http.StatusOK, "choose", p)
}

// asksFirst says whether a kind has a form to fill in before it can be enrolled.
func asksFirst(kind string) bool { return kind == "email" || kind == "sms" || kind == "pin" }

func (v *visit) showEnroll(kind string, password bool, n *notice, back string) error {
	p := enrollPage{frame: v.frame("enroll", n), Kind: kind, Password: password, Return: back}
	if kind == "sms" && v.h.cfg.Countries != nil {
		p.Countries = v.h.cfg.Countries(p.Lang)
	}
	return v.page(http.StatusOK, "enroll", p)
}

func (v *visit) showEnrollment(e enrollment, s *shown, n *notice, back string) error {
	p := enrollmentPage{frame: v.frame("enrollment", n), ID: e.ID, Kind: e.Kind, Name: e.Name, Hint: e.Hint,
		Shown: s, Sent: !e.CodeExpires.IsZero(), CodeExpires: e.CodeExpires, SecsLeft: v.secondsTo(e.CodeExpires), Return: back}
	if s != nil {
		// The SVG is the factor's own work, and factors are code the application chose.
		p.QR = template.HTML(s.SVG) //nolint:gosec
	}
	return v.page(http.StatusOK, "enrollment", p)
}

func (v *visit) showFactors(o *mfa.Overview, n *notice) error {
	p := factorsPage{frame: v.frame("factors", n), Factors: o.Factors, RecoveryLeft: o.RecoveryLeft,
		HasRecovery: slices.Contains(v.h.cfg.Manager.Kinds(), kindRecovery), CanEnroll: len(o.Kinds) > 0,
		Locked: v.now.Before(o.LockedUntil), Until: o.LockedUntil, SecsLeft: v.secondsTo(o.LockedUntil)}
	if len(o.Factors) == 0 && v.now.Before(o.Policy.EnrollBy) && o.Policy.Mode != mfa.Off && o.Policy.Mode != mfa.Optional {
		p.EnrollBy = o.Policy.EnrollBy
	}
	return v.page(http.StatusOK, "factors", p)
}

func (v *visit) showRemove(f mfa.FactorInfo, password bool, n *notice) error {
	return v.page(http.StatusOK, "remove", removePage{frame: v.frame("remove", n), Factor: f, Password: password})
}

func (v *visit) showRecovery(o *mfa.Overview, n *notice) error {
	return v.page(http.StatusOK, "recovery", recoveryPage{frame: v.frame("recovery", n), Left: o.RecoveryLeft})
}

func (v *visit) showCodes(codes []string) error {
	return v.page(http.StatusOK, "recovery", recoveryPage{frame: v.frame("recovery", nil), Codes: codes})
}

func (v *visit) showLink(token string) error {
	return v.page(http.StatusOK, "link", linkPage{frame: v.frame("link", nil), Token: token})
}

func (v *visit) showConfirmed() error {
	return v.page(http.StatusOK, "confirmed", linkPage{frame: v.frame("confirmed", nil)})
}

// failPage is the last resort, and must not fail itself.
func (v *visit) failPage(p problem) {
	p.retryAfter(v.w.Header())
	if v.page(p.Status, "error", errorPage{frame: v.frame("error", nil), Code: p.Code, RetryAfter: p.RetryAfter}) != nil {
		http.Error(v.w, http.StatusText(p.Status), p.Status)
	}
}

// Render writes a page of the application's own in the frame and stylesheet of the pages,
// with their headers. An error means that nothing was written.
func (h *Handler) Render(w http.ResponseWriter, r *http.Request, p Page) error {
	v := &visit{h: h, w: w, r: r, now: h.clock()}
	if id, err := h.cfg.Identify(r); err == nil {
		v.id = id
	}
	f := v.frame("page", nil)
	f.Title, f.Body = p.Title, p.Body
	secure(w.Header())
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	return v.page(p.Status, "page", f)
}
