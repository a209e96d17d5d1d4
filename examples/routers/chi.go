package main

import (
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/secondgate/secondgate"
)

func serveChi(l net.Listener, a *app, gate *secondgate.Gate) error {
	r := chi.NewRouter()
	// the gate
	r.Use(gate.Require)
	r.With(gate.RequireRecent(5*time.Minute)).Get("/money", a.money)
	// end of the gate
	r.HandleFunc("/login", a.login)
	r.Get("/", a.home)
	return http.Serve(l, r)
}
