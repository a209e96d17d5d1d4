package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/secondgate/secondgate"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The procedures of the service. Balance and Watch need a sign-in, and Transfer a recent one.
const (
	balance  = "/acme.Bank/Balance"
	watch    = "/acme.Bank/Watch"
	transfer = "/acme.Bank/Transfer"
)

func serveConnect(l net.Listener, a *app, gate *secondgate.Gate) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/token", a.token)
	mux.Handle(balance, connect.NewUnaryHandler(balance, a.balance,
		connect.WithIdempotency(connect.IdempotencyNoSideEffects)))
	mux.Handle(watch, connect.NewServerStreamHandler(watch, a.watch))
	pay := connect.NewUnaryHandler(transfer, a.transfer)
	// the gate
	mux.Handle(transfer, gate.RequireRecent(5*time.Minute)(pay))
	protected := gate.Require(mux)
	// end of the gate
	s := &http.Server{Handler: a.load(protected), Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true) // behind a proxy that ends TLS
	return s.Serve(l)
}

type (
	empty  = connect.Request[emptypb.Empty]
	amount = connect.Response[wrapperspb.Int64Value]
)

func (a *app) balance(context.Context, *empty) (*amount, error) {
	return connect.NewResponse(wrapperspb.Int64(100)), nil
}

func (a *app) watch(
	_ context.Context, _ *empty, s *connect.ServerStream[wrapperspb.Int64Value],
) error {
	return s.Send(wrapperspb.Int64(100))
}

func (a *app) transfer(context.Context, *empty) (*amount, error) {
	return connect.NewResponse(wrapperspb.Int64(0)), nil
}
