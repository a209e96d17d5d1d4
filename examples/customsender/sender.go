// Package customsender is a third-party sender: it sends text messages by an SMS gateway with a
// JSON interface over HTTPS, and returns typed errors. docs/writing-a-sender.md walks through it.
package customsender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

const (
	defaultTimeout = 10 * time.Second
	maxReply       = 64 << 10
)

// Config configures a Sender.
type Config struct {
	// URL is the gateway's address for new messages. It must begin with https://, except for
	// a gateway on this machine. Required.
	URL string
	// Token is sent as the bearer token. Required.
	Token secret.Text
	// Timeout bounds one message. Defaults to 10 seconds.
	Timeout time.Duration
}

// Sender sends text messages. It is safe for concurrent use.
type Sender struct {
	cfg    Config
	client *http.Client
}

var _ sms.Sender = (*Sender)(nil)

// New returns a Sender, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Sender, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("customsender: Config.URL is not a URL") // err would quote it
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"
	switch {
	case u.Scheme != "https" && !(u.Scheme == "http" && local):
		return nil, errors.New("customsender: Config.URL does not begin with https://")
	case cfg.Token.IsZero():
		return nil, errors.New("customsender: Config.Token is empty")
	case cfg.Timeout < 0:
		return nil, errors.New("customsender: Config.Timeout is negative")
	case cfg.Timeout == 0:
		cfg.Timeout = defaultTimeout
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a redirect would send the message to another server
	}}
	return &Sender{cfg: cfg, client: client}, nil
}

// message is a message in the gateway's format.
type message struct {
	To       string `json:"to"`
	Text     string `json:"text"`
	Validity int    `json:"validity_seconds,omitempty"`
}

// Send posts one message, once. Its errors are *sms.SendError, and contain neither the number nor
// the text.
func (s *Sender) Send(ctx context.Context, m sms.Message) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	body, err := json.Marshal(message{To: m.To, Text: m.Text, Validity: int(m.TTL.Seconds())})
	if err != nil {
		return errors.New("customsender: the message cannot be encoded")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("customsender: the request cannot be made")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.cfg.Token.Reveal())
	res, err := s.client.Do(req)
	if err != nil {
		// The gateway may have sent the message all the same, so Send does not try again.
		return &sms.SendError{Reason: "unreachable", Temporary: true, Err: withoutURL(err)}
	}
	defer func() { _ = res.Body.Close() }()
	reply, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return &sms.SendError{Reason: "unreachable", Code: res.StatusCode, Temporary: true,
			Err: err}
	}
	return outcome(res, reply)
}

// withoutURL returns the cause of a *url.Error, which would quote the URL.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// outcome returns nil if the gateway accepted the message, and otherwise a *sms.SendError.
func outcome(res *http.Response, reply []byte) error {
	var parsed struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	decoded := json.Unmarshal(reply, &parsed) == nil
	e := &sms.SendError{Code: res.StatusCode, ProviderCode: knownCode(parsed.Code)}
	switch status := res.StatusCode; {
	case status == http.StatusAccepted && decoded && parsed.ID != "":
		return nil
	case status < 400:
		e.Reason = "reply"
	case status == http.StatusTooManyRequests:
		e.Reason, e.Temporary, e.RetryAfter = "rate", true, retryAfter(res)
	case status >= 500:
		e.Reason, e.Temporary = "unavailable", true
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Reason = "credentials"
	case e.ProviderCode == "invalid_number":
		e.Reason, e.Rejected = "number", true
	case e.ProviderCode == "opted_out":
		e.Reason, e.Rejected = "blocked", true
	default:
		e.Reason = "refused"
	}
	return e
}

// knownCode returns a code that the gateway documents, or "". Other texts of the gateway may quote
// the number.
func knownCode(code string) string {
	switch code {
	case "invalid_number", "opted_out", "no_credit":
		return code
	}
	return ""
}

// retryAfter reads a number of seconds, at most an hour.
func retryAfter(res *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

// String returns a text without the token.
func (s *Sender) String() string { return "customsender" }

// Format writes a text without the token, for every verb.
func (s *Sender) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }
