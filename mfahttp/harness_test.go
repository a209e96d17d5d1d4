package mfahttp_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// inCookies is true in the second of the two runs of all tests: the Handler then keeps its values
// in cookies, and in the first one in the session of the site.
var inCookies bool

func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // the sites are small and many
	}
	inCookies = false // also of a second run in one process, as those of internal/mutation are
	code := m.Run()
	inCookies = true
	if !brief.Enabled() {
		code = cmp.Or(code, m.Run())
	}
	// A run of all tests sees each code of the table in a response.
	if code == 0 && !brief.Enabled() && flag.Lookup("test.run").Value.String() == "" &&
		flag.Lookup("test.list").Value.String() == "" {
		if list := unseenCodes(); len(list) > 0 {
			fmt.Fprintf(os.Stderr, "no test has a response with %q\n", list)
			code = 1
		}
	}
	os.Exit(code)
}

// site is an application that has adopted the Handler: users sign in at /login without
// a password, and everything else is as it would be.
type site struct {
	t         *testing.T
	h         *mfahttp.Handler
	m         *mfa.Manager
	srv       *httptest.Server
	store     *mfatest.FaultyStore
	clock     *mfatest.Clock
	mail      *post
	text      *post
	log       bytes.Buffer
	policy    policy.Policy
	policyErr error
	// codesAsked is set by tests that are about recovery codes in the set-up.
	codesAsked bool
	cfg        mfahttp.Config
	keys       *seal.Keyring

	mild        bool
	mu          sync.Mutex
	sessions    map[string]map[string]string
	verified    []mfa.Verification
	begun       *mfa.Challenge
	verifyErr   error
	identifyErr error
	sessionErr  error
	addressErr  error
	ends        time.Time // of the session
	addresses   sync.Map  // by user, those that were changed
	writeErr    error
}

type sessionKey struct{}

func (s *site) of(ctx context.Context) map[string]string {
	return ctx.Value(sessionKey{}).(*holder).values
}

// holder lets Verified replace the session ID, as scs.RenewToken does.
type holder struct {
	id     string
	values map[string]string
}

func (s *site) Get(ctx context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.of(ctx)[key]), s.sessionErr
}

func (s *site) Put(ctx context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.sessionErr, s.writeErr)
	if err == nil {
		s.of(ctx)[key] = string(value)
	}
	return err
}

func (s *site) Remove(ctx context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.sessionErr, s.writeErr)
	if err == nil {
		delete(s.of(ctx), key)
	}
	return err
}

// value returns what the application itself keeps in the session.
func (s *site) value(ctx context.Context, key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of(ctx)[key]
}

// identity is the identity of a user in a session of the test's own.
func (s *site) identity(user string) mfahttp.Identity {
	return mfahttp.Identity{User: s.subject(user), SessionID: "a session of " + user}
}

// Policy makes the site the Manager's policy.Source.
func (s *site) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	p := s.policy
	p.SkipRecoveryCodes = !s.codesAsked
	return p, s.policyErr
}

func (s *site) subject(id string) mfa.User {
	u := mfa.User{ID: id, Email: id + "@example.com", EmailVerified: true, Locale: "en"}
	if address, ok := s.addresses.Load(id); ok {
		u.Email = address.(string)
	}
	return u
}

// storeAddress is Config.StoreAddress. Another account has eve@example.com.
func (s *site) storeAddress(_ context.Context, user mfa.User, address string) error {
	switch {
	case s.addressErr != nil:
		return s.addressErr
	case address == "eve@example.com":
		return fmt.Errorf("users: %w", mfahttp.ErrAddressTaken)
	}
	s.addresses.Store(user.ID, address)
	return nil
}

func newSite(t *testing.T, change func(*mfahttp.Config), more ...factor.Factor) *site {
	t.Helper()
	s := &site{t: t, sessions: map[string]map[string]string{},
		clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		mail:  &post{kind: "email", param: "address"}, text: &post{kind: "sms", param: "number",
			level: factor.LevelStrong},
		store:  mfatest.NewFaultyStore(memory.New()),
		policy: policy.Policy{Implicit: []string{"email"}}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	must(t, err)
	s.keys = keys
	s.m, err = mfa.New(mfa.Config{Store: s.store, Keys: keys, Clock: s.clock, Policies: s,
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Factors:   append([]factor.Factor{app{}, s.mail, s.text, pin{}, codes{}}, more...)})
	must(t, err)
	cfg := mfahttp.Config{
		Manager: s.m, Keys: keys, Session: s, Clock: s.clock,
		ProductName: "Acme", LoginURL: "/login",
		HomeURL: "/home",
		Identify: func(r *http.Request) (mfahttp.Identity, error) {
			ctx := r.Context()
			id := s.value(ctx, "user")
			if id == "" || s.identifyErr != nil {
				return mfahttp.Identity{}, s.identifyErr
			}
			since, _ := time.Parse(time.RFC3339Nano, s.value(ctx, "since"))
			return mfahttp.Identity{User: s.subject(id), SessionID: s.value(ctx, "sid"),
				SignedInAt: since, SessionEnds: s.ends}, nil
		},
		Verified: func(
			w http.ResponseWriter, r *http.Request, v *mfa.Verification,
		) (string, error) {
			s.mu.Lock()
			s.verified = append(s.verified, *v)
			err := s.verifyErr
			s.mu.Unlock()
			if err != nil {
				return "", err
			}
			s.renew(w, r)
			if s.mild {
				return "", nil
			}
			sid := rand.Text()
			return sid, s.Put(r.Context(), "sid", []byte(sid))
		},
		SignOut: func(w http.ResponseWriter, r *http.Request) error {
			s.mu.Lock()
			clear(s.of(r.Context()))
			s.mu.Unlock()
			return nil
		},
		PasswordFor: []string{"sms"},
		CheckPassword: func(_ *http.Request, password string) error {
			switch password {
			case "correct horse":
				return nil
			case "database down":
				return errors.New("down")
			case "one of thousands":
				return fmt.Errorf("not compared: %w",
					&mfa.RateLimitError{RetryAfter: 1500 * time.Millisecond})
			}
			return mfahttp.ErrPassword
		},
		StoreAddress: s.storeAddress,
		Countries: func(string) []mfahttp.Country {
			return []mfahttp.Country{{Region: "NL", Name: "Netherlands", CallingCode: "31"},
				{Region: "NO", Name: "Norway", CallingCode: "47"}}
		},
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	if inCookies {
		cfg.Session = nil
	}
	if change != nil {
		change(&cfg)
	}
	s.cfg = cfg
	s.h, err = mfahttp.New(cfg)
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", s.h)
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user := r.FormValue("user")
		sid := rand.Text()
		for key, value := range map[string]string{"user": user, "sid": sid,
			"since": s.clock.Now().Format(time.RFC3339Nano)} {
			must(s.t, s.Put(r.Context(), key, []byte(value)))
		}
		ch, err := s.h.Begin(w, r, mfahttp.Identity{User: s.subject(user), SessionID: sid})
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		s.mu.Lock()
		s.begun = ch
		s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(m{"Next": ch.Next})
	})
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "welcome")
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "sign in here")
	})
	mux.Handle("/home", s.h.Require(ok))
	mux.Handle("/recent", s.h.RequireRecent(time.Minute)(ok))
	mux.Handle("/recent-by-policy", s.h.RequireRecent(0)(ok))
	mux.Handle("/stripped/", http.StripPrefix("/stripped", s.h.RequireRecent(time.Minute)(ok)))
	s.srv = httptest.NewServer(s.withSession(mux))
	t.Cleanup(s.srv.Close)
	return s
}

func (s *site) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &holder{}
		s.mu.Lock()
		if c, err := r.Cookie("session"); err == nil && s.sessions[c.Value] != nil {
			h.id, h.values = c.Value, s.sessions[c.Value]
		} else {
			h.id, h.values = rand.Text(), map[string]string{}
			s.sessions[h.id] = h.values
			http.SetCookie(w, &http.Cookie{Name: "session", Value: h.id, Path: "/", HttpOnly: true})
		}
		s.mu.Unlock()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, h)))
	})
}

// renew gives the session a new id, as libraries do, and new storage unless it is mild.
func (s *site) renew(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := r.Context().Value(sessionKey{}).(*holder)
	delete(s.sessions, h.id)
	h.id = rand.Text()
	if !s.mild {
		h.values = map[string]string{"user": h.values["user"], "since": h.values["since"],
			"sid": h.values["sid"]}
	}
	s.sessions[h.id] = h.values
	http.SetCookie(w, &http.Cookie{Name: "session", Value: h.id, Path: "/", HttpOnly: true})
}

type m = map[string]any

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
