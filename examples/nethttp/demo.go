package main

import (
	"context"
	"net/http"
	"time"
)

// openDemonstration makes what only the demonstration mode has: a clock that can be moved
// forward, the outbox, and the tour.
func (a *app) openDemonstration(ctx context.Context) (err error) {
	if !a.cfg.demo {
		return nil
	}
	if a.clock, err = openClock(ctx, a.db); err != nil {
		return err
	}
	a.outbox = &outbox{db: a.db, clock: a.clock}
	a.tour, err = openTour(ctx, a.db, a.log)
	return err
}

// demoRoutes adds the routes of the demonstration mode. They show codes and passwords to anyone.
func (a *app) demoRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /demo/people", a.demoUsers)
	mux.HandleFunc("GET /demo/outbox", a.demoOutbox)
	mux.HandleFunc("GET /demo/clock", a.demoClock)
	mux.HandleFunc("POST /demo/clock", a.demoAdvance)
	mux.HandleFunc("GET /outbox", a.pageOutbox)
	mux.HandleFunc("GET "+mailPath+"{id}", a.pageMail)
	mux.HandleFunc("POST /outbox/clock", a.postClock)
	mux.HandleFunc("POST /tour/restart", a.postTourRestart)
}

// listedUser is an account as /demo/people lists it: each that has a verified address. Username and
// password sign in. If the login has several accounts, the response to them is "account", and the
// first of Accounts is this one.
type listedUser struct {
	Username string    `json:"username"`
	Password string    `json:"password"`
	Type     string    `json:"type"`
	Email    string    `json:"email"`
	Accounts []account `json:"accounts"` // empty if the login has no other
}

func (a *app) demoUsers(w http.ResponseWriter, r *http.Request) {
	all, err := a.users.all(r.Context())
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	list := make([]listedUser, 0, len(all))
	for _, u := range all {
		if !u.Confirmed {
			continue // no code can be sent to them before they enrol something
		}
		l := listedUser{Username: u.Username, Password: u.DemoPassword(), Type: u.Type,
			Email: u.Email, Accounts: []account{}}
		if u.Shared {
			if l.Accounts, err = a.users.byLogin(r.Context(), u.login, u.Username); err != nil {
				a.failAPI(w, r, err)
				return
			}
		}
		list = append(list, l)
	}
	writeJSON(w, http.StatusOK, list)
}

func (a *app) demoOutbox(w http.ResponseWriter, r *http.Request) {
	list, err := a.outbox.list(r.Context(), outboxKeeps)
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, list)
}

func (a *app) demoClock(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"now": a.clock.Now().UTC().Format(
		time.RFC3339Nano)})
}

func (a *app) demoAdvance(w http.ResponseWriter, r *http.Request) {
	var body struct{ Advance *string }
	err := readJSON(r, &body, false)
	if err == nil && body.Advance == nil {
		err = errMalformed
	}
	var d time.Duration
	if err == nil {
		if d, err = time.ParseDuration(*body.Advance); err != nil {
			err = errAdvance
		}
	}
	if err == nil {
		err = a.clock.advance(r.Context(), d)
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	a.demoClock(w, r)
}
