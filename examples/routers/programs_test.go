package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// service is the application for programs: one HTTP server for all, and one of gRPC.
type service struct {
	t          *testing.T
	app        *app
	http, grpc string
	clock      *mfatest.Clock
	mail       *mfatest.Outbox[email.Message]
	store      *mfatest.FaultyStore
	noSessions atomic.Bool
}

// sessions are the application's, of which the service can take the store away.
type sessions struct {
	mfahttp.Session
	gone *atomic.Bool
}

func (s sessions) Get(ctx context.Context, key string) ([]byte, error) {
	if s.gone.Load() {
		return nil, errors.New("no sessions today")
	}
	return s.Session.Get(ctx, key)
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, app: newApp(), clock: mfatest.NewClock(time.Now()),
		mail:  &mfatest.Outbox[email.Message]{},
		store: mfatest.NewFaultyStore(memory.New())}
	s.app.now = s.clock.Now
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	codes, err := email.New(email.Config{Sender: s.mail, ServiceName: "Acme"})
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: s.store, Keys: keys, Clock: s.clock,
		Factors:  []factor.Factor{codes},
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}})})
	require.NoError(t, err)
	h, err := s.app.forPrograms(m, sessions{values{s.app}, &s.noSessions}, s.clock)
	require.NoError(t, err)
	gate := &secondgate.Gate{Handler: h, Manager: m}
	s.http = listen(t, func(l net.Listener) error { return serveConnect(l, s.app, gate) })
	s.grpc = listen(t, func(l net.Listener) error { return serveGRPC(l, s.app, gate) })
	return s
}

// h2 returns a client that speaks HTTP/2 alone, without TLS.
func h2(t *testing.T) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// password gives the password, and returns the session ID.
func (s *service) password() string {
	s.t.Helper()
	a, err := h2(s.t).PostForm("http://"+s.http+"/token", url.Values{"password": {"secret"}})
	require.NoError(s.t, err)
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, a.StatusCode, "%s", text)
	return string(text)
}

// api calls the JSON API with a session ID alone, and returns the response and the ID to go on
// with.
func (s *service) api(id, method, path, body string) (map[string]any, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, "http://"+s.http+"/mfa/api/"+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+id)
	r.Header.Set("Content-Type", "application/json")
	a, err := h2(s.t).Do(r)
	require.NoError(s.t, err)
	defer func() { _ = a.Body.Close() }()
	var response map[string]any
	require.NoError(s.t, json.NewDecoder(a.Body).Decode(&response))
	require.Equal(s.t, http.StatusOK, a.StatusCode, "%v", response)
	if renewed := a.Header.Get("Session-Id"); renewed != "" {
		id = renewed
	}
	return response, id
}

// verify responds with a code that is sent, and returns the ID to go on with.
func (s *service) verify(id, purpose string) string {
	s.t.Helper()
	s.api(id, "POST", "send", `{"kind":"email","purpose":"`+purpose+`"}`)
	m, ok := s.mail.Last()
	require.True(s.t, ok)
	code := mfatest.Code(s.t, m.Text)
	_, id = s.api(id, "POST", "verify",
		`{"kind":"email","purpose":"`+purpose+`","code":"`+code+`"}`)
	return id
}

// outcome is what a client sees of a call: the code and the reason, or nothing of both.
type outcome struct {
	code   int
	reason string
}

var (
	served        = outcome{}
	unauthorized  = outcome{16, "unauthorized"}
	mustStepUp    = outcome{16, "step_up"}
	isUnavailable = outcome{14, "unavailable"}
)

// A client calls a procedure with a session ID, or without one.
type client func(t *testing.T, s *service, id, procedure string) outcome

// connectClient returns a client of connect-go.
func connectClient(
	transport func(*testing.T) *http.Client, options ...connect.ClientOption,
) client {
	return func(t *testing.T, s *service, id, procedure string) outcome {
		options := append(options[:len(options):len(options)],
			connect.WithIdempotency(connect.IdempotencyNoSideEffects))
		if procedure == transfer { // not by GET
			options = append(options, connect.WithIdempotency(connect.IdempotencyUnknown))
		}
		c := connect.NewClient[emptypb.Empty, wrapperspb.Int64Value](transport(t),
			"http://"+s.http+procedure, options...)
		r := connect.NewRequest(&emptypb.Empty{})
		if id != "" {
			r.Header().Set("Authorization", "Bearer "+id)
		}
		var err error
		if procedure == watch {
			stream, failed := c.CallServerStream(t.Context(), r)
			require.NoError(t, failed)
			for stream.Receive() {
				require.EqualValues(t, 100, stream.Msg().GetValue())
			}
			err = stream.Err()
			_ = stream.Close()
		} else {
			_, err = c.CallUnary(t.Context(), r)
		}
		if err == nil {
			return served
		}
		e, ok := errors.AsType[*connect.Error](err)
		require.True(t, ok, err)
		require.Len(t, e.Details(), 1, err)
		detail, err := e.Details()[0].Value()
		require.NoError(t, err)
		info, ok := detail.(*errdetails.ErrorInfo)
		require.True(t, ok, detail)
		require.Equal(t, "secondgate", info.GetDomain())
		require.Equal(t, e.Message(), info.GetReason())
		return outcome{int(e.Code()), e.Message()}
	}
}

// grpcClient returns a client of grpc-go for one of the service's addresses.
func grpcClient(address func(*service) string) client {
	return func(t *testing.T, s *service, id, procedure string) outcome {
		c, err := grpc.NewClient(address(s),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		ctx := t.Context()
		if id != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+id)
		}
		if procedure != watch {
			return grpcOutcome(t, c.Invoke(ctx, procedure, &emptypb.Empty{},
				&wrapperspb.Int64Value{}))
		}
		stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, watch)
		require.NoError(t, err)
		_ = stream.SendMsg(&emptypb.Empty{}) // io.EOF if the server has ended it
		_ = stream.CloseSend()
		for err == nil {
			err = stream.RecvMsg(&wrapperspb.Int64Value{})
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return grpcOutcome(t, err)
	}
}

func grpcOutcome(t *testing.T, err error) outcome {
	t.Helper()
	st := status.Convert(err)
	for _, d := range st.Details() {
		info, ok := d.(*errdetails.ErrorInfo)
		require.True(t, ok, d)
		require.Equal(t, st.Message(), info.GetReason())
	}
	return outcome{int(st.Code()), st.Message()}
}

func http1(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

var clients = map[string]client{
	"Connect":            connectClient(h2),
	"Connect, HTTP/1.1":  connectClient(http1),
	"Connect, JSON":      connectClient(h2, connect.WithProtoJSON()),
	"Connect, GET":       connectClient(h2, connect.WithHTTPGet()),
	"gRPC by connect-go": connectClient(h2, connect.WithGRPC()),
	"gRPC-Web":           connectClient(http1, connect.WithGRPCWeb()),
	"gRPC over net/http": grpcClient(func(s *service) string { return s.http }),
	"gRPC":               grpcClient(func(s *service) string { return s.grpc }),
}

// Each client passes the second factor by the JSON API, and its session ID is then enough.
func TestPrograms_NeedTheSecondFactor(t *testing.T) {
	for name, call := range clients {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			all := func(id string, want outcome) {
				t.Helper()
				for _, procedure := range []string{balance, watch, transfer} {
					require.Equal(t, want, call(t, s, id, procedure), procedure)
				}
			}
			all("", unauthorized)
			all("another", unauthorized)
			half := s.password()
			all(half, unauthorized)
			require.Empty(t, s.mail.All(), "a call sends nothing")

			state, _ := s.api(half, "GET", "state", "")
			require.Equal(t, "verify", state["next"])
			id := s.verify(half, "sign-in")
			all(half, unauthorized) // an ID that leaked before the second factor
			all(id, served)
			all(s.password(), unauthorized) // another session of the same user

			s.clock.Advance(6 * time.Minute)
			require.Equal(t, served, call(t, s, id, balance))
			require.Equal(t, served, call(t, s, id, watch))
			require.Equal(t, mustStepUp, call(t, s, id, transfer))
			s.api(id, "POST", "step-up", `{"purpose":"step-up"}`)
			id = s.verify(id, "step-up")
			all(id, served)

			s.app.end(id)
			all(id, unauthorized)
		})
	}
}

// What cannot be read is no permission, and the client may try again.
func TestPrograms_OutageIsUnavailable(t *testing.T) {
	for name, call := range clients {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			id, half := s.password(), s.password()
			s.api(id, "GET", "state", "")
			id = s.verify(id, "sign-in")
			s.clock.Advance(6 * time.Minute)
			s.store.Inject(mfatest.OpGet, 1000, mfatest.Fault{Before: errors.New("down")})
			for _, procedure := range []string{balance, watch, transfer} {
				require.Equal(t, isUnavailable, call(t, s, half, procedure), procedure)
			}
			require.Equal(t, isUnavailable, call(t, s, id, transfer))
			s.store.Heal()
			require.Equal(t, mustStepUp, call(t, s, id, transfer))
			require.Equal(t, unauthorized, call(t, s, half, balance))

			s.noSessions.Store(true)
			for _, procedure := range []string{balance, watch, transfer} {
				require.Equal(t, isUnavailable, call(t, s, id, procedure), procedure)
			}
			s.noSessions.Store(false)
			require.Equal(t, served, call(t, s, id, balance))
		})
	}
}
