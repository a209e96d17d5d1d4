package main

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/sso"
)

//go:embed templates assets overlay texts
var files embed.FS

const assetPath = "/assets/"

// overlay returns the templates that replace some of mfahttp's in demonstration mode: the page
// that asks for a code links to the outbox, which shows it.
func (a *app) overlay() (fs.FS, error) {
	if !a.cfg.demo {
		return nil, nil
	}
	return fs.Sub(files, "overlay")
}

// kindName returns the name of a kind on pages.
func kindName(kind string) string {
	if s, ok := map[string]string{"passkey": "passkey", "totp": "authenticator app",
		"email": "e-mail", "sms": "text message",
		"pin": "PIN", "recovery": "recovery codes", "access": "temporary access code",
		"questions": "security questions"}[kind]; ok {
		return s
	}
	return kind
}

// view is the data of every template.
type view struct {
	Page   string // for the navigation
	User   *account
	Owner  bool
	Demo   bool
	MFA    string // where mfahttp's pages begin
	SignOn bool   // a provider is configured
	Notice string
	Error  string
	Data   any
}

// show renders a page. status 0 is 200.
func (a *app) show(w http.ResponseWriter, r *http.Request, status int, title string, v view) {
	v.Demo, v.MFA, v.SignOn = a.cfg.demo, a.gate.URL(), a.signOn != nil
	v.Owner = v.User != nil && v.User.Type == ownerType
	v.Notice = cmp.Or(a.sessions.PopString(r.Context(), sessionNotice), v.Notice)
	lang := a.pageLanguage(r)
	var body bytes.Buffer
	err := a.pages.in(lang).ExecuteTemplate(&body, v.Page+".html", v)
	if err == nil {
		err = a.gate.Render(w, r, mfahttp.Page{Title: a.pages.say(lang, title), Language: lang,
			Body: template.HTML(body.String()), Status: status}) //nolint:gosec // escaped by the template
	}
	if err != nil {
		a.log.ErrorContext(r.Context(), "cannot render a page", "page", v.Page, "error", err)
	}
}

func (a *app) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", a.member(a.pageHome))
	mux.HandleFunc("GET /login", a.pageLogin)
	mux.HandleFunc("POST /login", a.postLogin)
	mux.HandleFunc("GET /account", a.pageAccount)
	mux.HandleFunc("POST /account", a.postAccount)
	mux.HandleFunc("POST /logout", a.postLogout)
	mux.HandleFunc("GET "+reauthenticatePath, a.member(a.pageReauthenticate))
	mux.HandleFunc("POST "+reauthenticatePath, a.member(a.postReauthenticate))
	mux.HandleFunc("GET "+assetPath+"app.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=300")
		http.ServeFileFS(w, r, files, "assets/app.css")
	})
	a.passwordRoutes(mux)
	a.addressRoutes(mux)
	a.sessionRoutes(mux)
	a.adminRoutes(mux)
}

// missing responds to requests that no route accepts, as JSON or as a page.
func (a *app) missing(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// The mux knows whether the path has other methods, or another form.
		v := probe{header: make(http.Header), status: http.StatusOK}
		h.ServeHTTP(&v, r)
		if allow := v.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		switch {
		case v.header.Get("Location") != "":
			h.ServeHTTP(w, r)
		case !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/demo/"):
			a.showError(w, r, v.status)
		case v.status == http.StatusMethodNotAllowed:
			fail(w, v.status, problem{Error: "method_not_allowed"})
		default:
			fail(w, http.StatusNotFound, problem{Error: "not_found"})
		}
	})
}

// probe keeps the status and the header of a response, and drops its body.
type probe struct {
	header http.Header
	status int
}

func (v *probe) Header() http.Header         { return v.header }
func (v *probe) WriteHeader(status int)      { v.status = status }
func (v *probe) Write(b []byte) (int, error) { return len(b), nil }

// member calls next only for a user who is signed in, and redirects others to where they sign in.
func (a *app) member(
	next func(w http.ResponseWriter, r *http.Request, user *account),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := a.visitor(r)
		switch {
		case err != nil:
			a.failPage(w, r, err)
		case v.account == nil && a.sessions.GetInt64(r.Context(), sessionLogin) != 0:
			http.Redirect(w, r, "/account", http.StatusSeeOther)
		case v.account == nil:
			// Require redirects to the sign-in, and keeps what was typed.
			a.gate.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		case !v.signedIn:
			http.Redirect(w, r, a.gate.URL(), http.StatusSeeOther)
		case v.mustChange && r.URL.Path != changePath:
			http.Redirect(w, r, changePath, http.StatusSeeOther)
		case v.mustChange, r.URL.Path == reauthenticatePath: // to which Require itself may redirect
			next(w, r, v.account)
		default:
			// A policy that became stricter meanwhile applies to users who are already signed in.
			a.gate.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next(w, r, v.account)
			})).ServeHTTP(w, r)
		}
	}
}

// failPage responds to an error that no form shows.
func (a *app) failPage(w http.ResponseWriter, r *http.Request, err error) {
	status, p := statusOf(err)
	a.logFailure(r, status, err)
	to := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		to = r.URL.Path // of the form that was posted
	}
	q := "return=" + url.QueryEscape(to)
	switch p.Error {
	case "step_up":
		http.Redirect(w, r, a.gate.URL()+"step-up?purpose=manage&"+q, http.StatusSeeOther)
	case "reauthenticate":
		http.Redirect(w, r, reauthenticatePath+"?"+q, http.StatusSeeOther)
	case "kind_not_configured":
		a.show(w, r, status, "You cannot sign in here",
			view{Page: "sorry", Error: "This address does not have the sign-in method that you " +
				"set up. " +
				"Use the address at which you set it up, or ask the owner of the organisation."})
	case "undeliverable":
		a.show(w, r, status, "No code can be sent to you",
			view{Page: "sorry", Error: "No message can be sent to the e-mail address of your " +
				"account. " +
				"Ask the owner of the organisation to correct it."})
	default:
		a.showError(w, r, status)
	}
}

// withReturn adds the page to return to after the sign-in, unless that is the home page. The pages
// of mfahttp check that it is one of this site.
func withReturn(to, back string) string {
	if back == "" || back == "/" {
		return to
	}
	return to + "?return=" + url.QueryEscape(back)
}

func (a *app) showError(w http.ResponseWriter, r *http.Request, status int) {
	title, text := "Something went wrong", "There is a problem with the service. Try again in a "+
		"moment."
	switch status {
	case http.StatusNotFound:
		title, text = "Page not found", "There is no page at this address."
	case http.StatusMethodNotAllowed:
		title, text = "That did not work", "This address cannot be used like that."
	case http.StatusForbidden:
		title, text = "Not permitted", "Only the owner of the organisation can do this, and no "+
			"owner can do it to their own account."
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		title, text = "That did not work", "The form was not complete. Go back and try again."
	}
	a.show(w, r, status, title, view{Page: "sorry", Error: text})
}

// loginView is the data of the sign-in page.
type loginView struct {
	Username string
	// Return is the page that the user came from.
	Return string
	Users  []account // of the demonstration
	// Passkey is the button to sign in with a passkey.
	Passkey   template.HTML
	Providers []sso.Provider
}

func (a *app) pageLogin(w http.ResponseWriter, r *http.Request) {
	v, err := a.visitor(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	if v.account != nil && v.signedIn {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.showLogin(w, r, 0, "", "")
}

func (a *app) showLogin(
	w http.ResponseWriter, r *http.Request, status int, username, problem string,
) {
	back := r.FormValue("return")
	data := loginView{Username: username, Return: back, Passkey: a.gate.PasswordlessForm(r, back)}
	var err error
	if data.Providers, err = a.linkableProviders(r.Context()); err != nil {
		a.failPage(w, r, err)
		return
	}
	if a.cfg.demo {
		if data.Users, err = a.users.demonstrators(r.Context()); err != nil {
			a.failPage(w, r, err)
			return
		}
	}
	a.show(w, r, status, "Sign in", view{Page: "login", Error: problem, Data: data})
}

func (a *app) postLogin(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(r); err != nil {
		a.failPage(w, r, err)
		return
	}
	username := r.PostForm.Get("username")
	out, err := a.signIn(w, r, username, r.PostForm.Get("password"))
	if seconds, ok := busy(err); ok {
		a.showLogin(w, r, http.StatusTooManyRequests, username, tooBusy(w, seconds))
		return
	}
	switch {
	case errors.Is(err, errWrongPassword):
		a.showLogin(w, r, http.StatusUnauthorized, username, "Wrong username or password.")
	case errors.Is(err, errPasswordExpired):
		a.showLogin(w, r, http.StatusUnauthorized, username, "The password that you were given "+
			"has expired. Ask for another one, or use “Forgot your password?”.")
	case err != nil:
		a.failPage(w, r, err)
	default:
		a.redirectNext(w, r, out)
	}
}

// redirectNext sends a browser to where its sign-in continues.
func (a *app) redirectNext(w http.ResponseWriter, r *http.Request, out *outcome) {
	back := r.PostForm.Get("return")
	to := withReturn(a.gate.URL(), back)
	switch {
	case out.Next == "account":
		to = withReturn("/account", back)
	case out.Next == "done" && to == a.gate.URL():
		to = "/"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (a *app) pageAccount(w http.ResponseWriter, r *http.Request) {
	accounts, err := a.accountsToChoose(r.Context())
	if errors.Is(err, errNoLogin) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, 0, "Choose an account", view{Page: "account",
		Data: accountView{accounts, r.URL.Query().Get("return")}})
}

// accountView is the data of the page on which a user chooses an account.
type accountView struct {
	Accounts []account
	Return   string
}

func (a *app) postAccount(w http.ResponseWriter, r *http.Request) {
	err := parseForm(r)
	var out *outcome
	if err == nil {
		out, err = a.choose(w, r, r.PostForm.Get("id"))
	}
	switch {
	case errors.Is(err, errNoLogin):
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case err != nil:
		a.failPage(w, r, err)
	default:
		a.redirectNext(w, r, out)
	}
}

func (a *app) postLogout(w http.ResponseWriter, r *http.Request) {
	if err := a.signOut(w, r); err != nil {
		a.failPage(w, r, err)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func parseForm(r *http.Request) error {
	err := r.ParseForm()
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return errTooLarge
	}
	if err != nil {
		return errMalformed
	}
	return nil
}
