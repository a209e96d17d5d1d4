package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "nethttp:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to do but to say so
	}
}

// run serves until ctx is done, and then completes the requests that it has begun. Once it
// listens, it prints its address on stdout, and what to try in a demonstration.
func run(
	ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer,
) (err error) {
	cfg, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))

	// The port first: links in mails contain it, and a second server on the same address fails
	// before it touches the first one's data.
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with -addr, or -addr "+
			"localhost:0 for any free port", cfg.addr, err)
	}
	defer listener.Close()
	local := "http://" + hostPort(cfg.addr, listener.Addr())
	if cfg.public == nil {
		if cfg.public, err = url.Parse(local); err != nil {
			return err
		}
	}

	app, err := newApp(ctx, cfg, env, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.close()) }()

	server := &http.Server{
		Handler:           app.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // a send waits for the mail server
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := app.announce(ctx, stdout, local); err != nil {
		return errors.Join(err, server.Close())
	}

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	app.stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("some requests did not end in time: %w", err), server.Close())
	}
	return nil
}

// hostPort returns the address to print: the host of -addr, or 127.0.0.1 if that stands for every
// address, and the port of the listener.
func hostPort(asked string, got net.Addr) string {
	host, _, _ := net.SplitHostPort(asked)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	_, port, _ := net.SplitHostPort(got.String())
	return net.JoinHostPort(host, port)
}
