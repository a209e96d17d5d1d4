package mfahttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// mapSession stands for the session library of an application. This one has a single
// session, for all users.
type mapSession map[string]string

func (s mapSession) Get(_ context.Context, key string) ([]byte, error) {
	return []byte(s[key]), nil
}
func (s mapSession) Put(_ context.Context, key string, value []byte) error {
	s[key] = string(value)
	return nil
}
func (s mapSession) Remove(_ context.Context, key string) error { delete(s, key); return nil }

// An application gains a second factor: ann has passed the password and must enrol, which
// completes her sign-in.
func Example() {
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	manager, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{app{}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	session := mapSession{"user": "ann"} // what the application's sign-in does
	h, err := mfahttp.New(mfahttp.Config{
		Manager: manager,
		Session: session,
		Identify: func(r *http.Request) (mfahttp.Identity, error) {
			return mfahttp.Identity{User: mfa.User{ID: session["user"]}, SessionID: "1"}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/mfa/", h)
	mux.Handle("/account", h.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "Welcome, ann.")
	})))

	call := func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	ch, err := h.Begin(httptest.NewRecorder(), httptest.NewRequest("POST", "/login", nil),
		mfahttp.Identity{User: mfa.User{ID: "ann"}, SessionID: "1"})
	fmt.Println(ch.Next, ch.Kinds, err)
	fmt.Println(call("GET", "/account", ""))

	_, text := call("POST", "/mfa/api/enroll", `{"kind":"totp"}`)
	var enrollment struct{ Enrollment string }
	_ = json.Unmarshal([]byte(text), &enrollment)
	status, _ := call("POST", "/mfa/api/confirm", `{"enrollment":"`+enrollment.Enrollment+
		`","code":"100001"}`)
	fmt.Println(status)
	fmt.Println(call("GET", "/account", ""))
	// Output:
	// enroll [totp] <nil>
	// 401 {"error":"unauthorized"}
	//
	// 200
	// 200 Welcome, ann.
}

// A supervisor learns whether the process runs, and whether it can serve.
func ExampleReady() {
	store, mux := memory.New(), http.NewServeMux()
	mux.Handle("GET /livez", mfahttp.Live())
	mux.Handle("GET /readyz", mfahttp.Ready(store, time.Second))

	for _, path := range []string{"/livez", "/readyz"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 {"status":"alive"}
	// 200 {"status":"ready","store":"ok"}
}
