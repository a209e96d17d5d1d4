package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/secret"
)

// HTTPConfig describes how a provider's HTTP interface takes a message. The values of
// Form and the strings of JSON may hold
//
//	{{to}}      the number, "+31612345678"
//	{{digits}}  the number without its plus sign
//	{{text}}    the message
//
// which are escaped as the kind of body needs, so that no message can add a parameter or a
// field. Exactly one of Form and JSON is required, with the text and the number in it.
type HTTPConfig struct {
	// URL is where requests go: https, or http to the machine itself, without query.
	// Required.
	URL string
	// InsecureHTTP allows http to other machines. Codes then travel in the clear.
	InsecureHTTP bool
	// Method is "POST" or "PUT"; empty means POST. Others would put the message where
	// servers write it into their logs.
	Method string
	// Query are parameters of the URL, for providers that want their key there. They hold
	// no placeholder.
	Query map[string]secret.Text
	// Header are headers such as "Authorization". Content-Type follows from the body unless
	// it is here.
	Header map[string]secret.Text
	// Username and Password are sent by HTTP Basic authentication if Username is not empty.
	Username string
	Password secret.Text
	// Form is the body as application/x-www-form-urlencoded.
	Form map[string]secret.Text
	// JSON is the body as a JSON document. It is sent with the keys of objects sorted.
	JSON secret.Text

	// Statuses are the statuses of success, within 200 to 299. Empty means all of these.
	Statuses []int
	// SuccessField names a value of a JSON reply, as "messages.0.status"; a success must
	// then have it and it must match SuccessPattern. Providers that reply 200 to everything
	// need it. Empty means that the status decides.
	SuccessField string
	// SuccessPattern is a regular expression (package regexp) for the whole of that value,
	// such as "0|queued". Without SuccessField it is for the whole reply. Empty with
	// SuccessField means that the field is there.
	SuccessPattern string
	// CodeField names the value of a JSON reply that becomes SendError.Code. Default none.
	CodeField string

	// Timeout is for the whole exchange, up to a minute. 0 means 10 seconds.
	Timeout time.Duration
	// Client is used with its transport and cookies, but never follows a redirect. Nil means
	// one of our own over http.DefaultTransport.
	Client *http.Client
}

// HTTPSender sends messages through a provider's HTTP interface. It is safe for concurrent
// use.
type HTTPSender struct {
	// A function, since package fmt prints what an unexported field holds, and with some
	// verbs where a pointer in it leads, but never what a function knows.
	send func(context.Context, Message) error
}

type httpProvider struct {
	*exchange
	method, url string
	header      http.Header
	form        map[string]string
	document    any
	statuses    []int
	field       string
	pattern     *regexp.Regexp
	codeField   string
}

var _ Sender = (*HTTPSender)(nil)

// NewHTTPSender checks the configuration and returns the sender. It sends nothing.
func NewHTTPSender(cfg HTTPConfig) (*HTTPSender, error) {
	p, err := cfg.provider()
	if err != nil {
		return nil, fmt.Errorf("sms: HTTPConfig: %w", err)
	}
	return &HTTPSender{p.deliver}, nil
}

func (cfg HTTPConfig) provider() (*httpProvider, error) {
	u, err := endpoint(cfg.URL, cfg.InsecureHTTP)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	for k, v := range cfg.Query {
		query.Set(k, v.Reveal())
	}
	u.RawQuery = query.Encode()
	p := &httpProvider{method: cfg.Method, url: u.String(), form: make(map[string]string),
		statuses: slices.Clone(cfg.Statuses), field: cfg.SuccessField, codeField: cfg.CodeField}
	switch p.method {
	case "":
		p.method = http.MethodPost
	case http.MethodPost, http.MethodPut:
	default:
		return nil, invalid("Method is neither POST nor PUT")
	}
	for _, s := range cfg.Statuses {
		if s < 200 || s > 299 {
			return nil, invalid("Statuses holds %d, which is no success; only 200 to 299 are", s)
		}
	}
	if cfg.SuccessPattern != "" {
		if p.pattern, err = regexp.Compile(`\A(?s:` + cfg.SuccessPattern + `)\z`); err != nil {
			return nil, invalid("SuccessPattern is not a regular expression of package regexp")
		}
	}
	if p.exchange, err = newExchange(cfg.Client, cfg.Timeout); err != nil {
		return nil, err
	}
	if err := p.setBody(cfg); err != nil {
		return nil, err
	}
	return p, p.setHeader(cfg)
}

func (p *httpProvider) setBody(cfg HTTPConfig) error {
	var values []string
	switch {
	case (len(cfg.Form) == 0) == (cfg.JSON.IsZero()):
		return errors.New("give exactly one of Form and JSON")
	case !cfg.JSON.IsZero():
		if p.document = (&reply{body: []byte(cfg.JSON.Reveal())}).json(); p.document == nil {
			return invalid("JSON is not a JSON document; placeholders stand inside strings, as " +
				"\"{{text}}\"")
		}
		fill(p.document, func(s string) string { values = append(values, s); return s })
	default:
		for k, v := range cfg.Form {
			p.form[k] = v.Reveal()
			values = append(values, v.Reveal())
		}
	}
	all := strings.Join(values, "\n")
	if !strings.Contains(all, "{{text}}") || !strings.Contains(all, "{{to}}") &&
		!strings.Contains(all, "{{digits}}") {
		return errors.New("the body needs {{text}}, and {{to}} or {{digits}}, in its values")
	}
	if strings.Contains(placeholders(Message{}).Replace(all), "{{") {
		return errors.New("the body holds a placeholder that is not {{to}}, {{digits}} or {{text}}")
	}
	return nil
}

func (p *httpProvider) setHeader(cfg HTTPConfig) error {
	p.header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if p.document != nil {
		p.header.Set("Content-Type", "application/json")
	}
	for k, v := range cfg.Header {
		switch {
		case !headerName.MatchString(k) || !headerValue.MatchString(v.Reveal()):
			return invalid("Header %q has a name or a value that HTTP cannot carry; look for "+
				"line breaks in it", k)
		case strings.EqualFold(k, "Host"), strings.EqualFold(k, "Content-Length"),
			strings.EqualFold(k, "Transfer-Encoding"):
			return invalid("Header %q follows from the request; leave it out", k)
		}
		p.header.Set(k, v.Reveal())
	}
	if cfg.Username == "" {
		if !cfg.Password.IsZero() {
			return invalid("Password is set without a Username")
		}
		return nil
	}
	if p.header.Get("Authorization") != "" {
		return invalid("Username is set beside an Authorization header; give one of them")
	}
	auth, err := basicAuth(cfg.Username, cfg.Password)
	p.header.Set("Authorization", auth)
	return err
}

var (
	// token, RFC 9110 section 5.6.2
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	headerValue = regexp.MustCompile(`^[\t\x20-\x7e]*$`)
)

// basicAuth is the Authorization header of RFC 7617, where a user name has no colon.
func basicAuth(username string, password secret.Text) (string, error) {
	if strings.Contains(username, ":") {
		return "", invalid("Username holds a colon, which basic authentication cannot carry")
	}
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(username, password.Reveal())
	return r.Header.Get("Authorization"), nil
}

// placeholders replaces all in one pass, so that a message that holds one is left alone.
func placeholders(m Message) *strings.Replacer {
	return strings.NewReplacer("{{to}}", m.To, "{{digits}}", strings.TrimPrefix(m.To, "+"),
		"{{text}}", m.Text)
}

// fill returns a copy of a JSON value with f applied to its strings. Keys stay.
func fill(v any, f func(string) string) any {
	switch t := v.(type) {
	case string:
		return f(t)
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = fill(e, f)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = fill(e, f)
		}
		return out
	}
	return v
}

func (p *httpProvider) body(m Message) ([]byte, error) {
	replace := placeholders(m).Replace
	if p.document == nil {
		values := url.Values{}
		for k, v := range p.form {
			values.Set(k, replace(v))
		}
		return []byte(values.Encode()), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(fill(p.document, replace)); err != nil {
		return nil, errors.New("sms: the message cannot be made into JSON")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Send sends one message. Its errors are a *[SendError].
func (s *HTTPSender) Send(ctx context.Context, m Message) error { return s.send(ctx, m) }

func (p *httpProvider) deliver(ctx context.Context, m Message) error {
	body, err := p.body(m)
	if err != nil {
		return err
	}
	r, err := p.do(ctx, p.method, p.url, p.header.Clone(), body)
	if err != nil {
		return err
	}
	if p.succeeded(r) {
		return nil
	}
	var code string
	if p.codeField != "" {
		code, _ = at(r.json(), p.codeField)
	}
	e := r.failure(safeCode(code, m))
	if r.status >= 200 && r.status <= 299 && !r.cut && (p.field == "" || r.json() != nil) {
		e.Reason = "refused" // the provider replied, and refused
	}
	return e
}

func (p *httpProvider) succeeded(r *reply) bool {
	if len(p.statuses) > 0 && !slices.Contains(p.statuses, r.status) ||
		r.status < 200 || r.status > 299 {
		return false
	}
	if p.field == "" && p.pattern == nil {
		return true
	}
	// What was not read whole proves nothing.
	if r.cut {
		return false
	}
	value, ok := string(r.body), true
	if p.field != "" {
		value, ok = at(r.json(), p.field)
	}
	return ok && (p.pattern == nil || p.pattern.MatchString(value))
}
