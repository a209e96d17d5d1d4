package main

import (
	"net"
	"net/http"
	"time"

	"github.com/gorilla/mux"
	"github.com/secondgate/secondgate"
)

func serveMux(l net.Listener, a *app, gate *secondgate.Gate) error {
	r := mux.NewRouter()
	r.HandleFunc("/login", a.login)
	r.HandleFunc("/", a.home)
	// the gate
	recent := gate.RequireRecent(5 * time.Minute)
	r.Handle("/money", recent(http.HandlerFunc(a.money)))
	// Around the router, and not in r.Use: gorilla/mux calls a middleware only for the routes that
	// it has, and it has none under /mfa/.
	return http.Serve(l, gate.Require(r))
	// end of the gate
}
