package mfahttp

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// grpcCode is a status code of gRPC. The wire protocol fixes the numbers.
type grpcCode uint32

const (
	grpcOK                 grpcCode = 0
	grpcInvalidArgument    grpcCode = 3
	grpcNotFound           grpcCode = 5
	grpcPermissionDenied   grpcCode = 7
	grpcResourceExhausted  grpcCode = 8
	grpcFailedPrecondition grpcCode = 9
	grpcUnavailable        grpcCode = 14
	grpcUnauthenticated    grpcCode = 16
)

// connectCodes are the names and statuses of these codes in the Connect protocol.
var connectCodes = map[grpcCode]struct {
	name   string
	status int
}{
	grpcInvalidArgument:    {"invalid_argument", http.StatusBadRequest},
	grpcNotFound:           {"not_found", http.StatusNotFound},
	grpcPermissionDenied:   {"permission_denied", http.StatusForbidden},
	grpcResourceExhausted:  {"resource_exhausted", http.StatusTooManyRequests},
	grpcFailedPrecondition: {"failed_precondition", http.StatusBadRequest},
	grpcUnavailable:        {"unavailable", http.StatusServiceUnavailable},
	grpcUnauthenticated:    {"unauthenticated", http.StatusUnauthorized},
}

// Check decides about a request that does not come by net/http, such as a call of a native gRPC
// server. header is the request's metadata, in any case of its keys; Config.Identify and
// Config.Session get it as the header of a request with ctx. maxAge is how long ago the user may
// have verified, as for RequireRecent. Zero means at any time, as for Require.
//
// Check returns nil for a signed-in user. It returns mfa.ErrForbidden for a user who has not
// completed the sign-in, and ErrStepUp for a user who must verify again. After any other error,
// too, the request must not be served. GRPCStatus says what to respond.
//
// Check sets no cookies. The client passes the second factor by the JSON API, in the same session
// of the application. Without Config.Session, header has the cookies that the API set, and
// Config.SecureCookies says whether it was over https. Check recognises no remembered device.
func (h *Handler) Check(
	ctx context.Context, header map[string][]string, maxAge time.Duration,
) error {
	r := (&http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/"}, RequestURI: "/",
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{}}).WithContext(ctx)
	for name, values := range header {
		for _, value := range values {
			r.Header.Add(name, value)
		}
	}
	v := h.visit(nil, r, nil)
	err := v.admit()
	if err == nil {
		err = v.fresh(maxAge)
	}
	if failed := v.flush(); failed != nil {
		return failed
	}
	return err
}

// admit identifies the user, and begins the second factor if it has to. It returns
// errUnauthorized for a user who has not completed the sign-in. Without a response it begins
// nothing: a challenge that it began would be kept, and a remembered device not recognised.
func (v *visit) admit() error {
	if err := v.identify(); err != nil {
		return unavailable(err)
	}
	if v.id.User.ID != "" && !v.signedIn {
		var err error
		if v.w != nil {
			_, err = v.signIn()
		} else {
			err = v.completeIfDone()
		}
		if err != nil {
			return err
		}
	}
	if !v.signedIn {
		return fmt.Errorf("%w: %w", mfa.ErrForbidden, errUnauthorized)
	}
	return nil
}

// completeIfDone completes a sign-in for which nothing is asked.
func (v *visit) completeIfDone() error {
	ch, err := v.ask(purposeSignIn, v.id.User)
	if err == nil && ch.Next == mfa.NextDone {
		v.prove(proof{}, "", false)
	}
	return err
}

// fresh decides by the policy alone if maxAge is zero.
func (v *visit) fresh(maxAge time.Duration) error {
	switch {
	case maxAge == 0:
		return v.tightened()
	case v.recent(maxAge):
		return nil
	}
	return v.mustVerify()
}

// GRPCStatus returns the gRPC status code for an error of Check, and the code by which the JSON
// API reports it: Unauthenticated (16) and "unauthorized" or "step_up", or Unavailable (14) and
// "unavailable". It returns 0 (OK) and "" for nil.
func GRPCStatus(err error) (code uint32, reason string) {
	if err == nil {
		return uint32(grpcOK), ""
	}
	p := problemOf(err)
	return uint32(p.grpcCode()), p.Code
}

func (p problem) grpcCode() grpcCode {
	switch {
	case p.Status == http.StatusUnauthorized, p.Code == "step_up", p.Code == "reauthenticate":
		return grpcUnauthenticated
	case p.Status == http.StatusForbidden:
		return grpcPermissionDenied
	case p.Status == http.StatusTooManyRequests:
		return grpcResourceExhausted
	case p.Status == http.StatusConflict:
		return grpcFailedPrecondition
	case p.Status == http.StatusNotFound:
		return grpcNotFound
	case p.Status >= 500:
		return grpcUnavailable
	}
	return grpcInvalidArgument
}

// rpcProtocol is the protocol in which a client of remote procedures reads an error.
type rpcProtocol int

const (
	rpcNone rpcProtocol = iota
	rpcGRPC             // and gRPC-Web
	rpcConnect
	rpcConnectStream
)

// rpcOf returns the protocol of a request, and the media type of its responses.
func rpcOf(r *http.Request) (rpcProtocol, string) {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		t = ""
	}
	base, _, _ := strings.Cut(t, "+") // without the codec
	switch {
	case slices.Contains(grpcTypes, base):
		return rpcGRPC, t
	case base == "application/connect":
		return rpcConnectStream, t
	case base == "application/proto", r.Header.Get("Connect-Protocol-Version") != "",
		r.Method == http.MethodGet && r.URL.Query().Get("connect") != "":
		return rpcConnect, "application/json"
	}
	return rpcNone, ""
}

var grpcTypes = []string{"application/grpc", "application/grpc-web", "application/grpc-web-text"}

// writeRPC writes a problem to a client of remote procedures in that client's protocol. The
// message is the code of the JSON API, which is also the reason in a google.rpc.ErrorInfo. It
// reports whether the request came from such a client.
func writeRPC(w http.ResponseWriter, r *http.Request, p problem) bool {
	protocol, mediaType := rpcOf(r)
	if protocol == rpcNone {
		return false
	}
	p.retryAfter(w.Header())
	code := p.grpcCode()
	w.Header().Set("Content-Type", mediaType)
	switch protocol {
	case rpcGRPC:
		// A response without a body is one of trailers alone.
		w.Header().Set("Grpc-Status", strconv.Itoa(int(code)))
		w.Header().Set("Grpc-Message", p.Code)
		w.Header().Set("Grpc-Status-Details-Bin",
			base64.RawStdEncoding.EncodeToString(statusMessage(code, p.Code)))
		w.WriteHeader(http.StatusOK)
	case rpcConnect:
		w.WriteHeader(connectCodes[code].status)
		_, _ = w.Write(connectError(code, p.Code))
	default:
		// The last envelope of a stream holds its error.
		body := append([]byte(`{"error":`), append(connectError(code, p.Code), '}')...)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{2}, uint32(len(body))), body...))
	}
	return true
}

// connectError returns the error of the Connect protocol.
func connectError(code grpcCode, reason string) []byte {
	b, _ := json.Marshal(map[string]any{ // strings can be encoded
		"code": connectCodes[code].name, "message": reason,
		"details": []map[string]string{{"type": errorInfoType,
			"value": base64.RawStdEncoding.EncodeToString(errorInfo(reason))}}})
	return b
}

const errorInfoType = "google.rpc.ErrorInfo"

// errorInfo returns an encoded google.rpc.ErrorInfo: reason is its field 1, and domain field 2.
func errorInfo(reason string) []byte {
	return protoField(protoField(nil, 1, []byte(reason)), 2, []byte("secondgate"))
}

// statusMessage returns an encoded google.rpc.Status with one detail. Its fields are code,
// message and details; those of a google.protobuf.Any are type_url and value.
func statusMessage(code grpcCode, reason string) []byte {
	detail := protoField(nil, 1, []byte("type.googleapis.com/"+errorInfoType))
	detail = protoField(detail, 2, errorInfo(reason))
	b := binary.AppendUvarint([]byte{1 << 3}, uint64(code))
	return protoField(protoField(b, 2, []byte(reason)), 3, detail)
}

// protoField appends a field of bytes, a string or a message in the encoding of Protocol Buffers.
func protoField(b []byte, number byte, value []byte) []byte {
	b = append(b, number<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}
