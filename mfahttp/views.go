package mfahttp

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/qr"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// This file turns the Manager's values into the views of package ui. The comments of ui's views
// describe the forms of each page and the names of their fields.

// openUI reads the pages, with the application's own laid over them.
func (h *Handler) openUI() error {
	var err error
	h.pages, err = ui.New(h.cfg.Templates, h.cfg.kinds()...)
	if err == nil {
		err = h.pages.CheckNames(ui.Names{Kinds: h.cfg.Manager.Kinds(), Codes: codes()})
	}
	for _, k := range h.cfg.Manager.Kinds() {
		if s := h.cfg.Manager.Traits(k).Settings; err == nil && s.MinLength > 0 {
			h.pages.Configure(ui.Settings{Kind: k, MinLength: s.MinLength, MaxLength: s.MaxLength,
				Digits: s.Digits})
		}
	}
	var kind *ui.KindError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("mfahttp: Config.Kinds: %w", kind.Err)
	case err != nil:
		return fmt.Errorf("mfahttp: Config.Templates: %w", err)
	}
	return nil
}

// lang returns the language of the pages for the request.
func (v *visit) lang() string {
	return v.h.pages.Locale(v.r.Header.Get("Accept-Language"), v.id.User.Locale)
}

func (v *visit) frame(n *notice) ui.Frame {
	_ = v.readLook() // render returns its error
	lang, configured := v.lang(), v.h.cfg.ProductName
	f := ui.Frame{Lang: lang, Base: v.h.base(),
		Product: first(v.look.brand.ProductOr(configured), v.h.pages.Product(lang)),
		Logo:    v.look.brand.Logo, Colours: v.h.pages.Colours(v.look.brand.Colours()),
		SignedIn:  v.signedIn,
		SigningIn: v.id.User.ID != "" && !v.signedIn,
		Account:   first(v.id.User.Account, v.id.User.Email),
		Home:      v.h.cfg.HomeURL, Login: v.h.cfg.LoginURL, Now: v.now}
	f.Nav = v.nav(lang)
	v.ending(&f)
	if n != nil {
		f.Notice = &ui.Notice{Code: n.Code, Reason: n.Reason, Kind: n.Kind, Field: n.Field,
			Remaining: n.Remaining, Until: n.Until, Entered: n.Entered, Data: n.Data}
	}
	return f
}

// inLanguage returns a frame in another language.
func (v *visit) inLanguage(f ui.Frame, lang string) ui.Frame {
	f.Nav = v.nav(lang)
	f.Lang, f.Product = lang, first(v.h.cfg.ProductName, v.h.pages.Product(lang))
	return f
}

// nav returns the application's navigation, or none: a page is worth showing without it.
func (v *visit) nav(language string) template.HTML {
	if v.h.cfg.Nav == nil || !v.signedIn {
		return ""
	}
	html, err := v.h.cfg.Nav(v.r, language)
	if err != nil {
		err = hookError("Nav", mfa.ErrUnavailable, err)
		v.h.log(v.r, problemOf(err), err)
		return ""
	}
	return html
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
func (v *visit) page(status int, p ui.Page) error {
	var b bytes.Buffer
	if err := v.render(&b, p); err != nil {
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

func (o option) shown() ui.Option {
	return ui.Option{Kind: o.Kind, FactorID: o.FactorID, Name: o.Name,
		MaskedDestination: o.MaskedDestination, Sends: o.Sends,
		Recovery: o.Recovery, Disabled: o.Disabled, Provable: o.Disabled && o.Provable,
		Questions: o.Asks}
}

func (v *visit) showVerify(
	c *pending, o option, n *notice, until time.Time, remember time.Duration, back string,
	sends bool,
) error {
	s, live := c.Sent[o.Kind]
	live = live && v.now.Before(s.Expires)
	if live { // of several of the kind, the page is about the one that the code went to
		if i := slices.IndexFunc(c.Options, func(other option) bool {
			return other.Kind == o.Kind && other.FactorID == s.FactorID
		}); i >= 0 {
			o = c.Options[i]
		}
	}
	p := ui.Verify{Frame: v.frame(n), Return: back, Option: o.shown(), Until: until,
		SendNow: sends}
	if c.Purpose != purposeSignIn {
		p.Purpose = string(c.Purpose)
	} else if !o.Recovery {
		p.Remember = int((remember + 24*time.Hour - 1) / (24 * time.Hour))
	}
	p.Lost = !v.signedIn
	for _, other := range c.Options {
		if other.Kind != o.Kind || other.FactorID != o.FactorID {
			p.Others = append(p.Others, other.shown())
		}
	}
	if live {
		p.Sent, p.SentTo, p.SecondsRemaining = true, s.MaskedDestination, v.secondsTo(s.Expires)
		p.Data, p.Waits = string(s.Data), o.Polled
	}
	if v.now.Before(until) {
		p.Locked, p.SecondsRemaining = true, v.secondsTo(until)
	}
	p.Ends = v.secondsTo(c.Expires)
	return v.page(http.StatusOK, p)
}

// lockedUntil returns the end of a lock that the page shows: that of all kinds, or that of the
// chosen kind, which only the notice knows.
func lockedUntil(o *mfa.Overview, chosen option, n *notice) time.Time {
	if n != nil && n.Until.After(o.LockedUntil) && n.Code != "budget" && n.Kind == chosen.Kind {
		return n.Until
	}
	return o.LockedUntil
}

func (v *visit) showChoose(o *mfa.Overview, n *notice, back string) error {
	p := ui.Choose{Frame: v.frame(n), Return: back, Forced: !v.signedIn && !v.replacing,
		Later: v.later()}
	for _, k := range v.kinds(o.Kinds) {
		p.Kinds = append(p.Kinds, ui.Choice{Kind: k, Have: hasKind(o, k) && !v.replacing,
			Direct: !v.h.pages.Form(k).Asks() && !v.asksPassword(k, o)})
		p.Replacing = p.Replacing || v.replacing && hasKind(o, k)
	}
	p.Recovery, p.Questions = v.offersRecovery(kindRecovery), v.offersRecovery(kindQuestions)
	return v.page(http.StatusOK, p)
}

func (v *visit) showEnroll(
	status int, kind string, o *mfa.Overview, n *notice, back string,
) error {
	p := ui.Enroll{Frame: v.frame(n), Kind: kind, Password: v.asksPassword(kind, o),
		Change: hasKind(o, kind) && v.h.cfg.Manager.Traits(kind).OnePerUser && v.signedIn,
		Return: back}
	p.SetUp = kind == kindQuestions && !p.Change &&
		(v.r.URL.Query().Has("setup") || v.r.PostForm.Has("setup"))
	p.Keep = v.keepForm(v.enrollForm(kind, back))
	if kind == kindQuestions && v.h.cfg.Questions != nil {
		p.Questions = v.h.cfg.Questions(p.Lang)
	}
	if kind == "sms" && v.h.cfg.Countries != nil {
		for _, c := range v.h.cfg.Countries(p.Lang) {
			p.Countries = append(p.Countries, ui.Country(c))
		}
	}
	return v.page(status, p)
}

// showEnrollment shows the prompt of an enrolment whose token was restored.
func (v *visit) showEnrollment(e enrollment, n *notice, back string) error {
	p := ui.Enrollment{Frame: v.frame(n), ID: e.ID, Kind: e.Kind, Name: e.Name,
		MaskedDestination: e.MaskedDestination,
		Sent:              !e.CodeExpires.IsZero(), SecondsRemaining: v.secondsTo(e.CodeExpires),
		Waits:     e.Polled,
		Elsewhere: v.id.User.EmailVerified && slices.Contains(v.h.cfg.Manager.Kinds(), "email"),
		Ends:      v.secondsTo(e.Expires),
		Return:    back}
	prompt := e.Token.Prompt
	p.Secret, p.URI, p.Data = prompt.Secret.Reveal(), prompt.URI.Reveal(), string(prompt.Data)
	if e.Data != nil {
		p.Data = string(e.Data)
	}
	if p.URI != "" {
		var err error
		if p.QR, err = drawn(p.URI); err != nil {
			return err
		}
	}
	return v.page(http.StatusOK, p)
}

// qrWidth is the width of a QR code in CSS pixels under a stylesheet that does not say it.
const qrWidth = 200

// drawn returns the QR code of text as an element of a page.
func drawn(text string) (template.HTML, error) {
	code, err := qr.New(text)
	if err != nil {
		return "", err
	}
	uri, err := code.DataURI()
	return template.HTML(fmt.Sprintf(`<img src="%s" width="%d" height="%[2]d" alt="">`, uri,
		qrWidth)), err //nolint:gosec // base64
}

func shownFactor(f mfa.FactorInfo) ui.Factor {
	shown := ui.Factor{ID: f.ID, Kind: f.Kind, Name: f.Name,
		MaskedDestination: f.MaskedDestination,
		Created:           f.Created, LastUsed: f.LastUsed,
		Recovery: f.Recovery, Disabled: f.Disabled, Outdated: f.Outdated, Renew: f.Renew,
		HeldUntil: f.HeldUntil}
	if p, ok := passkeyOf(f); ok {
		shown.Kept, shown.Provider = p.kept(), p.Provider.Name
		shown.IconLight, shown.IconDark = icon(p.Provider.IconLight), icon(p.Provider.IconDark)
	}
	return shown
}

func (v *visit) showFactors(status int, o *mfa.Overview, n *notice) error {
	p := ui.Factors{Frame: v.frame(n), RecoveryCodesRemaining: max(0, o.RecoveryCodesRemaining),
		HasRecovery: slices.Contains(v.h.cfg.Manager.Kinds(), kindRecovery),
		CanEnroll:   len(o.Kinds) > 0,
		Locked:      v.now.Before(o.LockedUntil), Until: o.LockedUntil,
		SecondsRemaining: v.secondsTo(o.LockedUntil)}
	p.Keep = v.keepForm(v.renameForm())
	var gone []mfa.FactorInfo
	if n != nil && n.Data != "" {
		gone = append(gone, mfa.FactorInfo{Kind: kindPasskey, Data: []byte(n.Data)})
	}
	p.Passkeys = v.passkeySetOf(o, gone...).text()
	several := severalKinds(o.Factors)
	for _, f := range o.Factors {
		shown := shownFactor(f)
		shown.Change = v.changes(o, f)
		shown.Implied = f.Implicit
		shown.CanTurnOff, shown.Off = f.Implicit && o.CanTurnOffImplied, f.TurnedOff
		shown.Preferred = f.Kind == o.Preferred
		shown.CanPrefer = several && !f.Recovery && !f.Disabled && !shown.Preferred &&
			!f.TurnedOff && !v.now.Before(f.HeldUntil)
		p.Factors = append(p.Factors, shown)
	}
	p.RecoveryAdvice = recoveryAdvice(o)
	p.HasQuestions = slices.Contains(v.h.cfg.Manager.Kinds(), kindQuestions)
	for _, d := range o.Devices {
		p.Devices = append(p.Devices, ui.Device(d))
	}
	p.EnrollBy = enrollBy(o, v.now)
	v.addHistory(&p)
	if v.h.cfg.Settings != nil {
		var err error
		if p.Above, p.Below, err = v.h.cfg.Settings(v.r); err != nil {
			return hookError("Settings", mfa.ErrUnavailable, err)
		}
	}
	return v.page(status, p)
}

// severalKinds reports whether there is a choice of what to ask for first.
func severalKinds(list []mfa.FactorInfo) bool {
	first := ""
	for _, f := range list {
		switch {
		case f.Recovery, f.TurnedOff:
		case first == "":
			first = f.Kind
		case f.Kind != first:
			return true
		}
	}
	return false
}

// changes reports whether a new factor of the kind would take the place of the user's: they know
// it, such as a PIN, and may choose another.
func (v *visit) changes(o *mfa.Overview, f mfa.FactorInfo) bool {
	t := v.h.cfg.Manager.Traits(f.Kind)
	return t.OnePerUser && t.Knowledge && !f.Implicit && v.h.pages.Form(f.Kind).Asks() &&
		slices.Contains(v.kinds(o.Kinds), f.Kind)
}

// recoveryAdvice returns what a user who has something to lose should do about recovery codes:
// "none", "unsaved" or "few", or "".
func recoveryAdvice(o *mfa.Overview) string {
	own := slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return !f.Implicit && !f.Recovery
	})
	switch {
	case !own:
		return ""
	case o.RecoveryCodesRemaining <= 0:
		return "none"
	case codesOf(o).Unsaved:
		return "unsaved"
	case o.RecoveryCodesLow:
		return "few"
	}
	return ""
}

func (v *visit) showRemove(f mfa.FactorInfo, password bool, n *notice) error {
	return v.page(http.StatusOK, ui.Remove{Frame: v.frame(n), Factor: shownFactor(f),
		Password: password})
}

// showRecovery shows the codes that were made, or offers to make some.
func (v *visit) showRecovery(o *mfa.Overview, s *shown, n *notice, back string) error {
	mine := codesOf(o)
	return v.page(http.StatusOK, ui.Recovery{Frame: v.frame(n), Codes: s.Codes, Set: mine.ID,
		Remaining: max(0, o.RecoveryCodesRemaining), Unsaved: mine.Unsaved,
		Skip:     o.Policy.SkipRecoveryCodes && back != "",
		Password: v.asksPassword(kindRecovery, o), Return: back})
}

func (v *visit) showLink(token string) error {
	return v.page(http.StatusOK, ui.Link{Frame: v.frame(nil), Token: token})
}

func (v *visit) showConfirmed() error { return v.page(http.StatusOK, ui.Link{Frame: v.frame(nil)}) }

// failOr responds to an error with a page, or redirects a user who has to give the first factor
// again to the application's page for it.
func (v *visit) failOr(p problem) {
	if to := v.h.cfg.Reauthenticate; p.Code == "reauthenticate" && to != "" {
		u, err := url.Parse(to)
		if err == nil {
			q := u.Query()
			q.Set("return", v.here())
			u.RawQuery = q.Encode()
			_ = v.redirect(u.String()) // writes a redirect, which cannot fail
			return
		}
	}
	v.failPage(p)
}

// failPage is the last resort, and must not fail itself. Without the user's brand it shows the
// configured one.
func (v *visit) failPage(p problem) {
	v.readErrorLook()
	p.retryAfter(v.w.Header())
	if v.page(p.Status, ui.Error{Frame: v.frame(nil), Code: p.Code,
		RetryAfter: p.RetryAfter}) != nil {
		http.Error(v.w, http.StatusText(p.Status), p.Status)
	}
}

// Render writes a page of the application's own in the frame and stylesheet of the pages,
// with their headers. An error means that nothing was written.
func (h *Handler) Render(w http.ResponseWriter, r *http.Request, p Page) error {
	v := h.visit(w, r, h.deny)
	v.recognise()
	secure(w.Header())
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	f := v.frame(nil)
	if p.Language != "" {
		f = v.inLanguage(f, h.pages.Locale("", p.Language))
	}
	return v.page(p.Status, ui.Own{Frame: f, Title: p.Title, Body: p.Body})
}
