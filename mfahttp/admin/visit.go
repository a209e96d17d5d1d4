package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// visit is one request.
type visit struct {
	h   *Handler
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context
	// viewer reads and can do nothing else.
	viewer mfa.Admin
	// actor acts, in routes that Handler.act registered.
	actor  mfa.Actor
	tenant string
	query  url.Values
	// asked are the IDs of the users who asked for help, once step has read them.
	asked map[string]bool
	// page says that the response to an error is a page.
	page bool
}

// identify finds out who makes the request, and about which tenant.
func (v *visit) identify() error {
	actor, err := v.h.cfg.Handler.Viewer(v.r)
	if err != nil {
		return err
	}
	if v.query, err = url.ParseQuery(v.r.URL.RawQuery); err != nil {
		return malformed("the query cannot be read")
	}
	v.viewer, v.tenant = v.h.cfg.Manager.Admin(actor, ""), actor.Tenant()
	if v.query.Has("tenant") {
		v.tenant, err = v.param("tenant", 64)
	}
	return err
}

// param returns a parameter of the query, or "".
func (v *visit) param(name string, most int) (string, error) {
	list := v.query[name]
	if len(list) == 0 {
		return "", nil
	}
	if len(list) > 1 || len(list[0]) > most || !plain(list[0]) {
		return "", malformed("%s is given twice, too long or not a text", name)
	}
	return list[0], nil
}

// plain reports whether a text is UTF-8 without control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f
	})
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("admin: "+format+": %w", append(args, factor.ErrMalformed)...)
}

var (
	errReason    = errors.New("admin: an act needs a reason")
	errMediaType = errors.New("admin: unsupported media type")
	errTooLarge  = errors.New("admin: body too large")
)

// maxReason is what the Manager accepts.
const maxReason = 1024

// acting returns the administrator who acts for a reason.
func (v *visit) acting(reason string) (mfa.Admin, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > maxReason || !utf8.ValidString(reason) {
		return mfa.Admin{}, errReason
	}
	return v.h.cfg.Manager.Admin(v.actor, reason), nil
}

// read reads the body, a JSON object with members of into and no others: a misspelt restriction
// must not vanish.
func (v *visit) read(into any) error {
	b, err := io.ReadAll(v.r.Body)
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return errTooLarge
		}
		return malformed("the body cannot be read")
	}
	t, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || t != "application/json" {
		return errMediaType
	}
	// encoding/json would replace what is not UTF-8, and take null for an object.
	if !utf8.Valid(b) || !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) {
		return malformed("the body is not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return malformed("the body is not what this route takes")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed("the body goes on after the object")
	}
	return nil
}

// problem is the body of an error.
type problem struct {
	Error string `json:"error"`
	// Detail says what is invalid about a policy.
	Detail string `json:"detail,omitempty"`
}

// fail writes the response to an error: those of this package, and all others as mfahttp does.
func (v *visit) fail(err error) {
	switch {
	case errors.Is(err, ErrNoUser):
		writeJSON(v.w, http.StatusNotFound, problem{Error: "not_found"})
	case errors.Is(err, errReason):
		writeJSON(v.w, http.StatusBadRequest, problem{Error: "reason"})
	case errors.Is(err, errMediaType):
		writeJSON(v.w, http.StatusUnsupportedMediaType, problem{Error: "media_type"})
	case errors.Is(err, errTooLarge):
		writeJSON(v.w, http.StatusRequestEntityTooLarge, problem{Error: "too_large"})
	case errors.Is(err, policy.ErrInvalid):
		writeJSON(v.w, http.StatusBadRequest, problem{Error: "policy", Detail: err.Error()})
	case errors.Is(err, errors.ErrUnsupported):
		writeJSON(v.w, http.StatusNotImplemented, problem{Error: "unsupported"})
	default:
		v.h.cfg.Handler.Deny(v.w, v.r, err)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusServiceUnavailable, []byte(`{"error":"unavailable"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// ok writes a response.
func (v *visit) ok(body any) error {
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

// instant is a time as it is sent: in UTC, to the second.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
