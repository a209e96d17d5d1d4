package main

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"time"
)

const sessionsPath = "/sessions"

func (a *app) sessionRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+sessionsPath, a.member(a.pageSessions))
	mux.HandleFunc("POST "+sessionsPath+"/end", a.member(a.postEndSession))
	mux.HandleFunc("POST "+sessionsPath+"/end-others", a.member(a.postEndOthers))
	mux.HandleFunc("POST "+sessionsPath+"/keep", a.member(a.postKeepSessions))
	mux.HandleFunc("POST "+sessionsPath+"/preference", a.member(a.postPreference))
	mux.HandleFunc("GET /api/sessions", a.apiMember(a.apiSessions))
	mux.HandleFunc("DELETE /api/sessions", a.apiMember(a.apiEndOthers))
	mux.HandleFunc("DELETE /api/sessions/{id}", a.apiMember(a.apiEndSession))
}

// sessionView is a session as the page and the JSON API show it.
type sessionView struct {
	ID       string    `json:"id"`
	Current  bool      `json:"current"`
	Device   string    `json:"device"`
	Client   string    `json:"client"`
	How      []string  `json:"how"`
	Waiting  bool      `json:"waiting"`
	Began    time.Time `json:"began"`
	LastUsed time.Time `json:"last_used"`
	HowTexts []string  `json:"-"`
}

// sessionViews returns the user's sessions, the request's own first.
func (a *app) sessionViews(r *http.Request, user *account) ([]sessionView, error) {
	list, err := a.sessionStore().sessionsOf(r.Context(), user)
	if err != nil {
		return nil, err
	}
	own, _ := a.ownSession(r.Context(), user.ID)
	views := make([]sessionView, len(list))
	for i, o := range list {
		views[i] = sessionView{ID: o.ID, Current: o.ID == own, Device: o.Device, Client: o.Client,
			How: o.How, HowTexts: a.howNames(o.How),
			Waiting: o.Waiting, Began: o.Began.UTC(), LastUsed: o.Seen.UTC()}
	}
	slices.SortStableFunc(views, func(x, y sessionView) int {
		switch {
		case x.Current == y.Current:
			return 0
		case x.Current:
			return -1
		}
		return 1
	})
	return views, nil
}

func (a *app) pageSessions(w http.ResponseWriter, r *http.Request, user *account) {
	views, err := a.sessionViews(r, user)
	var ends bool
	if err == nil {
		ends, err = a.users.endsSessions(r.Context(), user.ID)
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, 0, "Where you are signed in", view{Page: "sessions", User: user,
		Data: map[string]any{
			"Sessions": views, "Others": len(views) > 1, "Ends": ends}})
}

func (a *app) endSession(r *http.Request, user *account, id string) error {
	return a.sessionStore().end(r.Context(), user.ID, id, a.ended(r.Context()))
}

func (a *app) postEndSession(w http.ResponseWriter, r *http.Request, user *account) {
	err := parseForm(r)
	if err == nil {
		err = a.endSession(r, user, r.PostForm.Get("id"))
	}
	switch {
	case errors.Is(err, errNoUser):
		// it may have expired after the page was shown
		a.back(w, r, sessionsPath, "That session has already ended.")
	case err != nil:
		a.failPage(w, r, err)
	default:
		a.back(w, r, sessionsPath, "Session signed out.")
	}
}

func (a *app) postEndOthers(w http.ResponseWriter, r *http.Request, user *account) {
	if err := a.endOthers(r.Context(), user.ID); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.sessions.Remove(r.Context(), sessionChanged)
	a.back(w, r, sessionsPath, "You are signed out everywhere else.")
}

// postKeepSessions keeps the other sessions after a change.
func (a *app) postKeepSessions(w http.ResponseWriter, r *http.Request, _ *account) {
	a.sessions.Remove(r.Context(), sessionChanged)
	http.Redirect(w, r, a.gate.URL(), http.StatusSeeOther)
}

func (a *app) postPreference(w http.ResponseWriter, r *http.Request, user *account) {
	err := parseForm(r)
	if err == nil {
		err = a.users.setEndsSessions(r.Context(), user.ID, r.PostForm.Get("end") != "")
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, sessionsPath, "Your choice is saved.")
}

// settings implements mfahttp.Config.Settings: the application's own settings, beside factors.
func (a *app) settings(r *http.Request) (above, below template.HTML, err error) {
	v, err := a.visitor(r)
	if err != nil || v.account == nil {
		return "", "", err
	}
	views, err := a.sessionViews(r, v.account)
	if err != nil {
		return "", "", err
	}
	others := len(views) > 1
	links, offers, err := a.linkViews(r.Context(), v.account)
	if err != nil {
		return "", "", err
	}
	data := map[string]any{"Notice": a.sessions.PopString(r.Context(), sessionNotice),
		"Links": links, "Offers": offers, "Sessions": len(views), "Ask": others &&
			a.sessions.GetBool(r.Context(), sessionChanged)}
	var first, rest bytes.Buffer
	t := a.pages.in(a.gate.Language(r))
	err = errors.Join(t.ExecuteTemplate(&first, "settings-above.html", data),
		t.ExecuteTemplate(&rest, "settings.html", data))
	return template.HTML(first.String()), template.HTML(rest.String()), err //nolint:gosec // escaped by the templates
}

// apiMember calls next only for a user who is signed in.
func (a *app) apiMember(
	next func(w http.ResponseWriter, r *http.Request, user *account),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := a.visitor(r)
		switch {
		case err != nil:
			a.failAPI(w, r, err)
		case v.account == nil || !v.signedIn:
			fail(w, http.StatusUnauthorized, problem{Error: "unauthorized"})
		case v.mustChange:
			fail(w, http.StatusForbidden, problem{Error: "password_change"})
		default:
			next(w, r, v.account)
		}
	}
}

func (a *app) apiSessions(w http.ResponseWriter, r *http.Request, user *account) {
	views, err := a.sessionViews(r, user)
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": views})
}

func (a *app) apiEndSession(w http.ResponseWriter, r *http.Request, user *account) {
	a.writeEmpty(w, r, a.endSession(r, user, r.PathValue("id")))
}

func (a *app) apiEndOthers(w http.ResponseWriter, r *http.Request, user *account) {
	err := a.endOthers(r.Context(), user.ID)
	if err == nil {
		a.sessions.Remove(r.Context(), sessionChanged)
	}
	a.writeEmpty(w, r, err)
}

func (a *app) writeEmpty(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}
