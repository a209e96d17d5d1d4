package sso

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

const (
	// maxFlows is how many sign-ons one browser may have in progress, in several tabs.
	maxFlows = 4
	maxQuery = 16 << 10
	stateLen = 26 // of rand.Text
)

// SignIn is the proof that a user signed on with a linked account. It is returned without an
// error only, after it was recorded that the sign-on was completed.
type SignIn struct {
	// SubjectID and Tenant say who it is. Look them up: the application may have blocked
	// or deleted them since they linked the account.
	SubjectID, Tenant string
	Link              Link
	Time              time.Time
	// SecondFactor is true if the provider asked for a second factor and an administrator accepts
	// it in place of ours (Activation.AcceptMFA). Otherwise, continue with [mfa.Session.Begin],
	// as after a correct password.
	SecondFactor bool
	// AMR, ACR and AuthTime are what the token says about how and when the user proved their
	// identity. They are empty and zero where it says nothing.
	AMR      []string
	ACR      string
	AuthTime time.Time
}

// Hooks connect the handler to the application. All are required.
type Hooks struct {
	// Session returns the handle ([mfa.Manager.Session]) for the user who makes a request, fully
	// signed in with the second factor, in their session, and the user's present grant. The zero
	// handle means that no user is signed in, and the zero grant permits nothing. The Handler
	// asks when linking begins, when it ends, and before it ends a link, and checks the grant
	// each time. mfahttp's Handler.Grant fits. Providers return users by a redirect from another
	// site, with which a session cookie of SameSite=Strict does not come: linking needs one of
	// SameSite=Lax.
	Session func(r *http.Request) (mfa.Session, mfa.Grant, error)
	// SignedIn responds to the request of a user who signed on. It makes a new session (the one
	// before must not become a signed-in one), and asks for the second factor unless
	// SignIn.SecondFactor.
	SignedIn func(w http.ResponseWriter, r *http.Request, in *SignIn)
	// Linked responds to the request of a user who has linked an account. Notify the user by mail
	// as well, as for every change of how they sign in.
	Linked func(w http.ResponseWriter, r *http.Request, l *Link)
	// Unlinked responds to the request of a user who has removed a link.
	Unlinked func(w http.ResponseWriter, r *http.Request)
	// Failed responds to all other requests. Choose the text for the user by errors.Is, and never
	// show the error's text.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
}

type handler struct {
	*Service
	Hooks
}

// Handler returns the handler to mount at Config.URL. Under it are
//
//	POST {provider}/sign-in    begins a sign-on
//	POST {provider}/link       begins to link an account; needs a signed-in user and a
//	                           grant, which is still valid when the provider sends them back
//	POST {provider}/unlink     ends the link of the form value "link"; needs the same
//	GET  {provider}/callback   is where providers return users to
//
// Requests from other origins are refused, except to callback. The first two respond with a page
// that takes the browser on to the provider: the application's Content-Security-Policy
// (form-action) would stop a redirect after a form.
func (s *Service) Handler(hooks Hooks) (http.Handler, error) {
	if hooks.Session == nil || hooks.SignedIn == nil || hooks.Linked == nil ||
		hooks.Unlinked == nil || hooks.Failed == nil {
		return nil, configError("Hooks has a nil function; all are required")
	}
	h := &handler{s, hooks}
	mux := http.NewServeMux()
	at := s.base.Path + "{provider}/"
	mux.HandleFunc("POST "+at+"sign-in", h.signIn)
	mux.HandleFunc("POST "+at+"link", h.link)
	mux.HandleFunc("POST "+at+"unlink", h.unlink)
	mux.HandleFunc("GET "+at+"callback", h.callback)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer") // codes are in URLs
		w.Header().Set("X-Content-Type-Options", "nosniff")
		guarded.ServeHTTP(w, r)
	}), nil
}

func (h *handler) signIn(w http.ResponseWriter, r *http.Request) {
	h.begin(w, r, &flow{Action: signIn})
}

func (h *handler) link(w http.ResponseWriter, r *http.Request) {
	session, grant, err := h.Session(r)
	if err == nil {
		err = checkGrant(r.Context(), session, grant)
	}
	if err != nil {
		h.Failed(w, r, err)
		return
	}
	h.begin(w, r, &flow{Action: link, Tenant: session.User().Tenant, Subject: session.User().ID,
		Bind: session.SessionHash()})
}

func (h *handler) unlink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxQuery)
	session, grant, err := h.Session(r)
	if err == nil {
		err = h.Unlink(r.Context(), session, grant, r.PostFormValue("link"))
	}
	if err != nil {
		h.Failed(w, r, err)
		return
	}
	h.Unlinked(w, r)
}

//go:embed onward.html
var onwardText string

// begin starts a flow and sends the browser on.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, f *flow) {
	to, cookie, err := h.start(r.Context(), r.PathValue("provider"), f)
	if err != nil {
		h.Failed(w, r, err)
		return
	}
	page, err := template.New("onward").Parse(onwardText)
	if err != nil {
		h.Failed(w, r, unavailable(err))
		return
	}
	// Old flows of tabs long closed would add up to more than a server takes in a header.
	var names []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, h.cookiePrefix()) {
			names = append(names, c.Name)
		}
	}
	if len(names) >= maxFlows {
		for _, name := range names {
			h.dropCookie(w, name)
		}
	}
	http.SetCookie(w, h.cookie(h.cookieName(f.State), cookie, int(h.cfg.FlowTTL.Seconds())))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action "+
		"'none'; frame-ancestors 'none'")
	// the browser has gone
	_ = page.Execute(w, struct{ Name, URL string }{h.providers[f.Provider].Name, to})
}

// __Host- keeps a neighbouring subdomain from setting the cookie, which could otherwise make a
// user complete a sign-on that they did not begin.
func (h *handler) cookiePrefix() string {
	if h.secure {
		return "__Host-sso-"
	}
	return "sso-"
}

// cookieName has a part of the state, so that tabs do not disturb one another.
func (h *handler) cookieName(state string) string { return h.cookiePrefix() + state[:8] }

func (h *handler) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true,
		Secure:   h.secure,
		SameSite: http.SameSiteLaxMode} // Strict would not come back with the provider's redirect
}

func (h *handler) dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, h.cookie(name, "", -1))
}

func (h *handler) callback(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || len(r.URL.RawQuery) > maxQuery { // HEAD comes here as well
		h.Failed(w, r, ErrFlow)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		h.Failed(w, r, ErrFlow)
		return
	}
	now := h.now()
	f, err := h.returning(w, r, query, now)
	if err != nil {
		h.Failed(w, r, err)
		return
	}
	if f.Action == link {
		h.completeLink(w, r, f, query, now)
		return
	}
	h.completeSignIn(w, r, f, query, now)
}

// returning finds the flow that a browser comes back to, and takes its cookie: whatever
// happens next, this flow is not tried again.
func (h *handler) returning(
	w http.ResponseWriter, r *http.Request, query url.Values, now time.Time,
) (*flow, error) {
	state := query.Get("state")
	if h.providers[r.PathValue("provider")] == nil || len(state) != stateLen {
		return nil, ErrFlow
	}
	for _, c := range r.Cookies() {
		if c.Name != h.cookieName(state) {
			continue
		}
		f, err := h.openFlow(r.PathValue("provider"), c.Value, state, now)
		if err == nil {
			h.dropCookie(w, c.Name)
		}
		return f, err
	}
	return nil, ErrFlow
}

func (h *handler) completeSignIn(
	w http.ResponseWriter, r *http.Request, f *flow, query url.Values, now time.Time,
) {
	id, err := h.finish(r.Context(), f, query, now)
	var in *SignIn
	if err == nil {
		in, err = h.signOn(r.Context(), f, id, now)
	}
	if err != nil {
		h.refused(r.Context(), f, err, now)
		h.Failed(w, r, err)
		return
	}
	h.SignedIn(w, r, in)
}

// completeLink looks once more at who is signed in, and with which grant: the browser may
// have changed hands while the provider had it, and it is now that something changes.
func (h *handler) completeLink(
	w http.ResponseWriter, r *http.Request, f *flow, query url.Values, now time.Time,
) {
	session, grant, err := h.Session(r)
	user := session.User()
	if err == nil && (user.ID != f.Subject || user.Tenant != f.Tenant ||
		subtle.ConstantTimeCompare(session.SessionHash(), f.Bind) != 1) {
		err = fmt.Errorf("%w: the session is another one", ErrFlow)
	}
	if err == nil {
		err = checkGrant(r.Context(), session, grant)
	}
	var id *identity
	if err == nil {
		id, err = h.finish(r.Context(), f, query, now)
	}
	var l *Link
	if err == nil {
		l, err = h.bind(r.Context(), f, user, id, now)
	}
	if err != nil {
		h.refused(r.Context(), f, err, now)
		h.Failed(w, r, err)
		return
	}
	h.Linked(w, r, l)
}

// refused is the event of a sign-on that did not come to its end.
func (h *handler) refused(ctx context.Context, f *flow, err error, now time.Time) {
	h.emit(ctx, mfa.Event{Name: "sso.refused", Time: now, UserID: f.Subject, Tenant: f.Tenant,
		Kind: f.Provider, Reason: reason(err)})
}

// reason is an error in one word.
func reason(err error) string {
	for _, known := range []struct {
		err  error
		word string
	}{
		{ErrFlow, "flow"}, {ErrCancelled, "cancelled"}, {ErrIdentity, "identity"},
		{ErrAddress, "address"},
		{ErrNotActivated, "not-activated"}, {ErrNotLinked, "not-linked"},
		{ErrLinkedElsewhere, "linked-elsewhere"},
		{mfa.ErrNotAvailable, "too-many"}, {ErrConfig, "configuration"},
		{mfa.ErrUnavailable, "unavailable"},
	} {
		if errors.Is(err, known.err) {
			return known.word
		}
	}
	return "other"
}
