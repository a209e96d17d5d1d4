package mfahttp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/seal"
)

// This file keeps what a user typed into a form whose session has ended, until the same user has
// signed in again (WCAG 2.2, 2.2.5 and 3.3.7).
//
// A form says for which user it was shown, and which of its fields may be kept, by a digest that
// only the keys of the Handler make. When it is posted without a user, these fields go into a
// cookie, sealed. After the sign-in they are shown to a user for whom the digest is the same.

const (
	// keepName is the name of the input by which a form says what may be kept of it.
	keepName = "keep"
	// endedFor is how long what was typed waits for the sign-in.
	endedFor = 30 * time.Minute
	// maxEnded bounds the cookie, in bytes: proxies take headers of 8 KiB, and the other cookies
	// of the Handler have half of them.
	maxEnded = 2048

	endedCookie  browserCookie = "typed"
	endedPurpose seal.Purpose  = "mfahttp form"
)

// Form is a form of the application that keeps what was typed when its session ends.
type Form struct {
	// Page is the URL of the page with the form, with its query, as this application sees it.
	// Defaults to the URL of the request; it is needed on a page that responds to a POST.
	Page string
	// Fields are the names of the inputs that are kept. None may be a secret: no password, no PIN,
	// no code, and no answer to a security question.
	Fields []string
}

// ended is what was typed, as the cookie has it.
type ended struct {
	Form   string // the input of the form
	Path   string // where it was posted to
	Values url.Values
	Until  time.Time
}

// labelled is the part of the input that says which form it is.
type labelled struct {
	Page   string
	Fields []string
}

// KeepForm returns a hidden input for a form on a page of a signed-in user, or "" without
// Config.Keys. When the session ends and the user submits the form, [Handler.Require] keeps its
// Fields for half an hour in a sealed cookie. The user signs in and returns to the page, which
// fills them in from [Handler.KeptForm].
func (h *Handler) KeepForm(r *http.Request, form Form) template.HTML {
	v := h.visit(nil, r, nil)
	v.recognise()
	value := v.keepForm(h.outsideForm(form))
	if value == "" {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<input type="hidden" name=%q value=%q>`, keepName,
		value)) //nolint:gosec // base64 and a dot
}

// KeptForm returns what the same user typed into the form before the session ended, and forgets it.
// It returns nil if nothing was kept. form is what [Handler.KeepForm] got for the page. KeptForm
// may set a cookie: call it before you write to w.
func (h *Handler) KeptForm(w http.ResponseWriter, r *http.Request, form Form) url.Values {
	v := h.visit(w, r, h.deny)
	v.recognise()
	return v.takeEnded(h.outsideForm(form)).Values
}

// outsideForm returns a form whose page is as browsers see it.
func (h *Handler) outsideForm(form Form) Form {
	if form.Page != "" {
		form.Page = h.cfg.ProxyPrefix + form.Page
	}
	return form
}

// keepForm returns the value of the input for a form that the user of the visit sees.
func (v *visit) keepForm(form Form) string {
	if v.h.cfg.Keys == nil || v.id.User.ID == "" || v.replacing {
		return ""
	}
	return v.stamp(v.label(form), v.signedIn)
}

// label returns the part of the input that says which form it is.
func (v *visit) label(form Form) string {
	if form.Page == "" {
		form.Page = v.here()
	}
	b, err := json.Marshal(labelled(form))
	if err != nil {
		return "" // plain data: cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// stamp adds to a label for whom the form is: the user of the visit, who has signed in completely,
// or has passed the first factor alone.
func (v *visit) stamp(label string, complete bool) string {
	whose := strings.Join([]string{strconv.FormatBool(complete), label,
		subjectKey(v.id.User)}, "\x00")
	return label + "." + base64.RawURLEncoding.EncodeToString(
		v.h.cfg.Keys.Digest(endedPurpose, whose))
}

// keepEnded keeps what was typed into a form that is posted without a user, and returns its page,
// or "" for a form that keeps nothing.
func (v *visit) keepEnded() (page string) {
	if v.r.Method != http.MethodPost || v.h.cfg.Keys == nil || v.id.User.ID != "" ||
		v.r.ContentLength < 0 || v.r.ContentLength > maxBody {
		return ""
	}
	f, err := v.form()
	if err != nil {
		return "" // a route says so
	}
	input := f.Get(keepName)
	text, _, _ := strings.Cut(input, ".")
	b, err := strictb64.DecodeURL(text)
	var l labelled
	if err != nil || json.Unmarshal(b, &l) != nil {
		return ""
	}
	page, ok := localURL(l.Page)
	if !ok {
		return ""
	}
	e := ended{Form: input, Path: v.r.URL.Path, Values: url.Values{}, Until: v.now.Add(endedFor)}
	for _, name := range l.Fields {
		if list := f[name]; len(list) > 0 {
			e.Values[name] = list
		}
	}
	if b, err = json.Marshal(e); err != nil {
		return page // plain data: cannot fail
	}
	sealed := base64.RawURLEncoding.EncodeToString(v.h.cfg.Keys.Seal(endedPurpose, "", b))
	if len(sealed) <= maxEnded {
		v.setEnded(sealed, int(endedFor/time.Second))
	}
	return page
}

// takeEnded returns what the user of the visit typed into a form before a session ended, and
// forgets it. What another user typed is forgotten unseen.
func (v *visit) takeEnded(form Form) ended {
	value := endedCookie.of(v)
	if value == "" || v.id.User.ID == "" || v.r.Method != http.MethodGet || v.h.cfg.Keys == nil {
		return ended{}
	}
	e := v.openEnded(value)
	text, _, _ := strings.Cut(e.Form, ".")
	switch {
	case e.Form == v.stamp(text, true) && !v.signedIn:
		return ended{} // it waits for the second factor
	case e.Form != v.stamp(text, true) && e.Form != v.stamp(text, false):
		e = ended{}
	case text != v.label(form):
		return ended{} // it waits for its page
	}
	v.setEnded("", -1)
	return e
}

// openEnded reads the cookie. It returns the zero value for one that has expired or was not made
// here.
func (v *visit) openEnded(value string) (e ended) {
	sealed, err := strictb64.DecodeURL(value)
	if err != nil {
		return ended{}
	}
	b, err := v.h.cfg.Keys.Open(endedPurpose, "", sealed)
	if err != nil || json.Unmarshal(b, &e) != nil || !v.now.Before(e.Until) {
		return ended{}
	}
	return e
}

// setEnded sets the cookie. A user may come back from the sign-in at another site, so that it is
// not SameSite=Strict.
func (v *visit) setEnded(value string, maxAge int) {
	http.SetCookie(v.w, &http.Cookie{Name: endedCookie.name(v), Value: value, Path: "/",
		MaxAge: maxAge, HttpOnly: true, Secure: v.secureCookies(), SameSite: http.SameSiteLaxMode})
}
