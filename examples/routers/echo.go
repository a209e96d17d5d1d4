package main

import (
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/secondgate/secondgate"
)

func serveEcho(l net.Listener, a *app, gate *secondgate.Gate) error {
	e := echo.New()
	// the gate
	e.Use(echo.WrapMiddleware(gate.Require))
	recent := echo.WrapMiddleware(gate.RequireRecent(5 * time.Minute))
	e.GET("/money", echo.WrapHandler(http.HandlerFunc(a.money)), recent)
	// end of the gate
	e.Any("/login", echo.WrapHandler(http.HandlerFunc(a.login)))
	e.GET("/", echo.WrapHandler(http.HandlerFunc(a.home)))
	return http.Serve(l, e)
}
