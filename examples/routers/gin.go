package main

import (
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/secondgate/secondgate"
)

func serveGin(l net.Listener, a *app, gate *secondgate.Gate) error {
	r := gin.New()
	// the gate
	r.GET("/money", ginMiddleware(gate.RequireRecent(5*time.Minute)), gin.WrapF(a.money))
	protected := gate.Require(r)
	// end of the gate
	r.Any("/login", gin.WrapF(a.login))
	r.GET("/", gin.WrapF(a.home))
	return http.Serve(l, protected)
}

// ginMiddleware is the bridge from a middleware of net/http to gin: the rest of the chain is the
// next handler, and gin must not go on by itself if the middleware has not called it.
// the gate
func ginMiddleware(around func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer c.Abort()
		around(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
	}
}

// end of the gate
