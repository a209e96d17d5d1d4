package mfahttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/secondgate/secondgate/internal/client"
	"github.com/secondgate/secondgate/mfa"
)

// keeper keeps values of the Handler between two requests of a user: in sealed cookies, or in the
// application's session.
type keeper interface {
	// read returns the value under key, or none of its bytes if there is none for this visit.
	read(v *visit, key string) ([]byte, error)
	// write keeps the changed values, and removes those that are nil.
	write(v *visit, changed map[string][]byte) error
}

// state is what a visit has read and changed. The changes are kept before the first byte of the
// response is written, so that no response promises what a later request does not find.
type state struct {
	kept    map[string][]byte
	changed map[string][]byte
	err     error // the first failure to read
}

// cookie returns the value of the request's first cookie of a name.
func (v *visit) cookie(name string) (value string, ok bool) {
	if v.cookies == nil {
		v.cookies = map[string]string{}
		for _, c := range slices.Backward(v.r.Cookies()) {
			v.cookies[c.Name] = c.Value
		}
	}
	value, ok = v.cookies[name]
	return value, ok
}

// raw returns the value under a key as it is kept, or nil.
func (v *visit) raw(key string) []byte {
	if b, ok := v.state.changed[key]; ok {
		return b
	}
	b, ok := v.state.kept[key]
	if !ok {
		var err error
		if b, err = v.h.keeper.read(v, key); err != nil {
			if v.state.err == nil {
				v.state.err = err
			}
			return nil
		}
		if v.state.kept == nil {
			v.state.kept = map[string][]byte{}
		}
		v.state.kept[key] = b
	}
	return b
}

func (v *visit) get(key string, into any) bool {
	b := v.raw(key)
	return len(b) > 0 && json.Unmarshal(b, into) == nil
}

func (v *visit) put(key string, value any) {
	b, err := json.Marshal(value)
	if err != nil { // put receives only values that can be encoded
		v.drop(key)
		return
	}
	v.change(key, b)
}

func (v *visit) drop(key string) { v.change(key, nil) }

func (v *visit) change(key string, value []byte) {
	if v.state.changed == nil {
		v.state.changed = map[string][]byte{}
	}
	v.state.changed[key] = value
}

// become makes the visit one of another user or session. What it has read belonged to the one
// before; what it has changed is kept for the new one.
func (v *visit) become(id Identity) {
	v.id, v.state.kept, v.look = id, nil, nil
}

// flush keeps the changes. After an error the visit must not promise anything.
func (v *visit) flush() error {
	changed := v.state.changed
	v.state.changed = nil
	err := v.state.err
	if err == nil && len(changed) > 0 {
		err = v.h.keeper.write(v, changed)
	}
	if err != nil {
		return fmt.Errorf("mfahttp: the state of a session: %w: %w", mfa.ErrUnavailable, err)
	}
	return nil
}

// responder flushes the visit's state before the first byte of a response. If that fails, it
// writes the response for the failure in place of the one that was meant.
type responder struct {
	http.ResponseWriter
	v             *visit
	begun, failed bool
	fail          func(v *visit, err error)
}

func (w *responder) WriteHeader(status int) {
	if w.begin() {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *responder) Write(b []byte) (int, error) {
	if !w.begin() {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *responder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// begin reports whether the response may be written.
func (w *responder) begin() bool {
	if w.begun {
		return !w.failed
	}
	w.begun = true
	err := w.v.flush()
	if err == nil {
		return true
	}
	w.failed = true
	for _, name := range []string{"Location", "Content-Type", "Content-Length"} {
		w.Header().Del(name)
	}
	w.v.w = w.ResponseWriter
	w.fail(w.v, err)
	w.v.w = w // which writes nothing of the response that was meant
	return false
}

// visit returns the visit of a request whose responses keep what it changes. fail writes the
// response for a failure to keep it. w is nil if there is no response to write to.
func (h *Handler) visit(
	w http.ResponseWriter, r *http.Request, fail func(v *visit, err error),
) *visit {
	from := client.Client{Browser: DeviceName(r),
		Language: h.pages.Locale(r.Header.Get("Accept-Language"), "")}
	if h.cfg.Place != nil {
		from.Place = h.cfg.Place(r)
	}
	v := &visit{h: h, r: r.WithContext(from.Context(r.Context())), now: h.clock()}
	if w != nil {
		v.w = &responder{ResponseWriter: w, v: v, fail: fail}
	}
	return v
}

// recognise is identify for a page that visitors see too: the user matters for its language and its
// navigation. The page is shown in any case.
func (v *visit) recognise() {
	if v.identify() != nil {
		v.id, v.signedIn, v.state = Identity{}, false, state{}
	}
}

// identify asks the application who makes the request, and reads whether the sign-in is complete.
func (v *visit) identify() error {
	id, err := v.h.cfg.Identify(v.r)
	switch {
	case err != nil:
		return hookError("Identify", err)
	case id.User.ID == "": // without a user, nothing is known but whose pages these are
		v.visitor = scopeOf(id.User)
		return nil
	case id.SessionID == "":
		return errNoSessionID
	}
	v.id = id
	v.signedIn = v.proof() != nil
	return v.state.err
}
