package sms

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	maxTimeout     = time.Minute
	// maxReply is how much of a reply is read, in bytes. Real ones have one or two thousand.
	maxReply = 64 << 10
	// maxRetryAfter bounds what a provider may ask to wait.
	maxRetryAfter = 24 * time.Hour
)

// exchange is one request and its reply.
type exchange struct {
	client  *http.Client
	timeout time.Duration
}

// newExchange copies client, so that the redirects of the caller's own stay as they are.
func newExchange(client *http.Client, timeout time.Duration) (*exchange, error) {
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if timeout < 0 || timeout > maxTimeout {
		return nil, invalid("Timeout is %s, want up to %s", timeout, maxTimeout)
	}
	c := http.Client{}
	if client != nil {
		c = *client
	}
	// A redirect would carry number, code and perhaps credentials to another place.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &exchange{client: &c, timeout: timeout}, nil
}

// endpoint checks a URL that messages are posted to.
func endpoint(raw string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		// err would quote it
		return nil, errors.New("the URL is not one; write it as \"https://host/path\"")
	case u.User != nil:
		return nil, errors.New("the URL holds credentials; put them into the fields for them")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("the URL holds a query; put its parameters into Query")
	case u.Fragment != "":
		return nil, errors.New("the URL holds a fragment, which is never sent; leave it out")
	case u.Scheme == "https", u.Scheme == "http" && (insecure || loopback(u.Hostname())):
		return u, nil
	}
	return nil, errors.New("the URL is not https, and codes must not travel in the clear; use " +
		"https, or set InsecureHTTP where the network is your own")
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// reply is the part of a reply that is read.
type reply struct {
	status     int
	body       []byte
	retryAfter time.Duration
	// cut is set when body is not the whole of it.
	cut bool
}

// do sends one request, once.
func (x *exchange) do(
	ctx context.Context, method, url string, header http.Header, body []byte,
) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("sms: the request cannot be made") // err would quote the URL
	}
	req.Header = header
	res, err := x.client.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	defer res.Body.Close()
	r := &reply{status: res.StatusCode, retryAfter: retryAfter(res.Header)}
	r.body, err = io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	if r.cut = err != nil || len(r.body) > maxReply; r.cut {
		r.body = nil
	}
	return r, nil
}

func unreachable(err error) *SendError {
	// *url.Error quotes the URL, and with it what may be in the query.
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return &SendError{Reason: "unreachable", Temporary: !untrusted, Err: err}
}

// retryAfter reads the header of RFC 9110 section 10.2.3, a number of seconds or a date.
func retryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	// A date is compared with the provider's own, since its clock may not be ours.
	at, _ := http.ParseTime(v) // without one it is long past
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// failure is the error for a reply that is no success, by its status.
func (r *reply) failure(code string) *SendError {
	e := &SendError{Code: r.status, ProviderCode: code, RetryAfter: r.retryAfter, Reason: "refused"}
	switch {
	case r.status == http.StatusTooManyRequests:
		e.Reason, e.Temporary = "rate", true
	case r.status >= 500:
		e.Reason, e.Temporary = "unavailable", true
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		e.Reason = "credentials"
	case r.status < 400:
		e.Reason = "reply"
	}
	return e
}

// json decodes the body, or gives nil.
func (r *reply) json() any {
	var v any
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // Token returns io.EOF itself
		return nil
	}
	return v
}

// at follows a path such as "messages.0.status" and returns the string, number or boolean
// there.
func at(v any, path string) (string, bool) {
	for _, name := range strings.Split(path, ".") {
		switch t := v.(type) {
		case map[string]any:
			v = t[name]
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(t) {
				return "", false
			}
			v = t[n]
		default:
			return "", false
		}
	}
	switch t := v.(type) {
	case string:
		return t, true
	case json.Number:
		return t.String(), true
	case bool:
		return strconv.FormatBool(t), true
	}
	return "", false
}

// safeCode is a provider's code for a failure if it looks like one and is no part of the
// message, else "".
func safeCode(code string, m Message) string {
	if len(code) > 32 || len(code) >= 4 && (strings.Contains(m.To, code) ||
		strings.Contains(m.Text, code)) {
		return ""
	}
	digits := 0
	for _, c := range []byte(code) {
		switch {
		case c >= '0' && c <= '9':
			// Six digits and more could be a code of ours or a number from another message.
			if digits++; digits > 5 {
				return ""
			}
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return ""
		}
	}
	return code
}
