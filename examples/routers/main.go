// Routers puts the same small application behind the second factor with five routers: chi, echo,
// gin, gorilla/mux and fiber. Each has a file of its own; what it adds is between the comments
// "the gate" and "end of the gate". The application itself is in app.go, and is the same for all.
//
//	go run ./examples/routers chi
//
// "connect" and "grpc" serve programs instead of browsers: tokens.go has what they share. A client
// of "grpc" passes the second factor at the port of "connect", which is served too.
package main

import (
	"context"
	"log"
	"maps"
	"net"
	"os"
	"slices"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/storage/memory"
)

// routers serve the application on a listener, by name.
var routers = map[string]func(l net.Listener, a *app, gate *secondgate.Gate) error{
	"chi": serveChi, "echo": serveEcho, "fiber": serveFiber, "gin": serveGin, "mux": serveMux,
}

// programs serve clients that are no browsers.
var programs = map[string]func(l net.Listener, a *app, gate *secondgate.Gate) error{
	"connect": serveConnect, "grpc": serveGRPCBesideHTTP,
}

func main() {
	if len(os.Args) != 2 || routers[os.Args[1]] == nil && programs[os.Args[1]] == nil {
		log.Fatal("usage: routers ", slices.Sorted(maps.Keys(routers)), " or ",
			slices.Sorted(maps.Keys(programs)))
	}
	a := newApp()
	gate, err := secondgate.New(secondgate.Config{Product: "Acme", Store: memory.New(),
		Keys: secondgate.KeyFile("secondgate.key"), Public: []string{"/logout"}, User: a.user,
		Mail: email.SenderFunc(func(_ context.Context, m email.Message) error {
			log.Print("a mail to ", m.To, ": ", m.Text.Reveal()) // yours sends it
			return nil
		})})
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "localhost:8080")
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://", l.Addr())
	if serve := routers[os.Args[1]]; serve != nil {
		log.Fatal(serve(l, a, gate))
	}
	if gate.Handler, err = a.forPrograms(gate.Manager, values{a}, nil); err != nil {
		log.Fatal(err)
	}
	log.Fatal(programs[os.Args[1]](l, a, gate))
}

// serveGRPCBesideHTTP serves gRPC at a port of its own.
func serveGRPCBesideHTTP(l net.Listener, a *app, gate *secondgate.Gate) error {
	native, err := net.Listen("tcp", "localhost:8081")
	if err != nil {
		return err
	}
	log.Print("gRPC is at ", native.Addr())
	go func() { log.Fatal(serveGRPC(native, a, gate)) }()
	return serveConnect(l, a, gate)
}
