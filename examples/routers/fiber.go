package main

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/secondgate/secondgate"
)

func serveFiber(l net.Listener, a *app, gate *secondgate.Gate) error {
	f := fiber.New(fiber.Config{DisableStartupMessage: true})
	// the gate
	f.Use(adaptor.HTTPMiddleware(gate.Require))
	recent := adaptor.HTTPMiddleware(gate.RequireRecent(5 * time.Minute))
	f.Get("/money", recent, adaptor.HTTPHandlerFunc(a.money))
	// end of the gate
	f.All("/login", adaptor.HTTPHandlerFunc(a.login))
	f.Get("/", adaptor.HTTPHandlerFunc(a.home))
	return f.Listener(l)
}
