package main

import (
	"context"
	"net"
	"time"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/mfahttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// recent are the methods for which a verification must not be older than a duration.
var recent = map[string]time.Duration{transfer: 5 * time.Minute}

// serveGRPC serves the methods alone. The client signs in, and passes the second factor, at the
// HTTP server that one of the others is.
func serveGRPC(l net.Listener, a *app, gate *secondgate.Gate) error {
	// the gate
	check := func(ctx context.Context, method string) error {
		md, _ := metadata.FromIncomingContext(ctx)
		ctx = a.withSession(ctx, bearer(md["authorization"]))
		code, reason := mfahttp.GRPCStatus(gate.Check(ctx, md, recent[method]))
		return status.Error(codes.Code(code), reason)
	}
	// end of the gate
	unary := func(
		ctx context.Context, req any, i *grpc.UnaryServerInfo, next grpc.UnaryHandler,
	) (any, error) {
		// the gate
		if err := check(ctx, i.FullMethod); err != nil {
			return nil, err
		}
		// end of the gate
		return next(ctx, req)
	}
	stream := func(
		srv any, s grpc.ServerStream, i *grpc.StreamServerInfo, next grpc.StreamHandler,
	) error {
		// the gate
		if err := check(s.Context(), i.FullMethod); err != nil {
			return err
		}
		// end of the gate
		return next(srv, s)
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(unary), grpc.StreamInterceptor(stream))
	s.RegisterService(&bank, a)
	return s.Serve(l)
}

// bank describes the service. A program has it from protoc.
var bank = grpc.ServiceDesc{
	ServiceName: "acme.Bank", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		method("Balance", balance, wrapperspb.Int64(100)),
		method("Transfer", transfer, wrapperspb.Int64(0)),
	},
	Streams: []grpc.StreamDesc{{StreamName: "Watch", ServerStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			return s.SendMsg(wrapperspb.Int64(100))
		}}},
}

// method returns a method whose response is always the same.
func method(name, full string, response *wrapperspb.Int64Value) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(
		srv any, ctx context.Context, decode func(any) error, outer grpc.UnaryServerInterceptor,
	) (any, error) {
		var in emptypb.Empty
		if err := decode(&in); err != nil {
			return nil, err
		}
		i := &grpc.UnaryServerInfo{Server: srv, FullMethod: full}
		return outer(ctx, &in, i, func(context.Context, any) (any, error) {
			return response, nil
		})
	}}
}
