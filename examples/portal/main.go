// Portal runs three web applications. Users sign in to the portal with a second factor. The mail
// application trusts the portal, and requires no code of its own. The files application does not
// trust it, and requires its own code.
//
//	go run ./examples/portal
//
// It keeps everything in memory. The users are ann and ben. The pages show their passwords, and the
// codes that are mailed. The tour of examples/nethttp has a part about it.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/secondgate/secondgate/portal"
	"github.com/secondgate/secondgate/storage/memory"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil &&
		!errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to do but to say so
	}
}

// run serves until ctx is done. It prints the address of each application.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("portal", flag.ContinueOnError)
	fs.SetOutput(stderr)
	addrs := []*string{
		fs.String("portal", "127.0.0.1:8090", "`HOST:PORT` of the portal; port 0 takes a free one"),
		fs.String("mail", "127.0.0.1:8091",
			"`HOST:PORT` of the application that trusts the portal"),
		fs.String("files", "127.0.0.1:8092", "`HOST:PORT` of the application that asks for its "+
			"own code"),
	}
	wait := fs.Duration("login-wait", 20*time.Second,
		"how long a sign-in waits for its turn after many incorrect passwords; at least 1s")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var listeners []net.Listener
	var urls []string
	for _, addr := range addrs {
		l, err := net.Listen("tcp", *addr)
		if err != nil {
			return fmt.Errorf("cannot listen on %s: %w; choose another address", *addr, err)
		}
		defer l.Close()
		listeners, urls = append(listeners, l), append(urls, "http://"+l.Addr().String())
	}
	handlers, err := build(addresses{portal: urls[0], mail: urls[1], files: urls[2]}, *wait)
	if err != nil {
		return err
	}
	failed := make(chan error, len(listeners))
	for i, l := range listeners {
		server := &http.Server{Handler: handlers[i], ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
		go func() { failed <- server.Serve(l) }()
		defer server.Close()
		fmt.Fprintf(stdout, "%s on %s\n", []string{"portal", "mail", "files"}[i], urls[i])
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// build puts the three applications together.
func build(at addresses, loginWait time.Duration) ([]http.Handler, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader) // an application stores its key
	if err != nil {
		return nil, err
	}
	issuer, err := portal.NewIssuer(portal.IssuerConfig{URL: at.portal,
		Keys:    []portal.Key{{Private: key}},
		Clients: []portal.Client{{ID: "mail", ReturnURL: at.mail + "/callback"}}})
	if err != nil {
		return nil, err
	}
	gateway, err := newSite("Portal", at.portal, at.places("Portal"), loginWait)
	if err != nil {
		return nil, err
	}
	files, err := newSite("Files", at.files, at.places("Files"), loginWait)
	if err != nil {
		return nil, err
	}
	gateway.mux.Handle("GET /jwks.json", issuer.JWKS())
	gateway.mux.Handle("GET /authorize", issuer.Authorize(gateway.assertion))

	mail := newTrusting("Mail", at, gateway)
	mail.verifier, err = portal.NewVerifier(portal.VerifierConfig{Portal: at.portal,
		ClientID: "mail", Store: memory.New(),
		Session: session{mail.sessions}, SignedIn: mail.signedIn, Failed: mail.failed})
	if err != nil {
		return nil, err
	}
	gateway.mux.HandleFunc("GET /status", mail.status)
	return []http.Handler{gateway.handler(), mail.handler(), files.handler()}, nil
}
