package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/storage"
)

// app is the application.
type app struct {
	cfg config
	log *slog.Logger
	db  *sql.DB
	// closeStore closes the store of secondgate's records if it has a database of its own.
	closeStore func() error
	users      users
	passwords  *password.Hasher
	resets     *password.Manager
	throttle   *throttle.Throttle
	sessions   *scs.SessionManager
	clock      *clock
	outbox     *outbox // nil unless demonstrating
	tour       *tour

	mail      email.Sender
	signOn    *sso.Service // nil without a provider
	providers []sso.Provider
	idp       *http.Server // serves the demonstration's providers; or nil

	manager *mfa.Manager
	gate    *mfahttp.Handler
	library http.Handler // package mfahttp/admin
	ready   http.Handler // for a supervisor
	history history
	pages   *pages

	background sync.WaitGroup // work that outlives its request, such as notices

	jobs context.Context // ends with the application
	stop context.CancelFunc
}

// newApp puts the application together. Its errors say what to do.
func newApp(
	ctx context.Context, cfg config, env func(string) string, log *slog.Logger,
) (*app, error) {
	db, err := openDatabase(ctx, cfg.data)
	if err != nil {
		return nil, err
	}
	a := &app{cfg: cfg, log: log, db: db, users: users{db}, clock: &clock{}, tour: &tour{}}
	a.jobs, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := a.assemble(ctx, env); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// assemble makes the parts of the application, each after the parts that it needs.
func (a *app) assemble(ctx context.Context, env func(string) string) error {
	// What is stored: secondgate's records, passwords and users.
	store, keys, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	if err := a.openPasswords(keys); err != nil {
		return err
	}
	if err := a.populate(ctx, env); err != nil {
		return err
	}

	// What reaches users, and what verifies them.
	if err := a.openDemonstration(ctx); err != nil {
		return err
	}
	if a.mail, err = a.mailSender(); err != nil {
		return err
	}
	factors, err := a.factors(env)
	if err != nil {
		return err
	}

	a.ready = mfahttp.Ready(store, time.Second)

	// What decides: about second factors, about passwords and about sign-on.
	logEvent := mfa.SlogEvents(a.log)
	if a.manager, err = a.newManager(store, keys, factors, logEvent); err != nil {
		return err
	}
	if a.resets, err = a.newResets(store, keys, logEvent); err != nil {
		return err
	}
	if a.signOn, err = a.newSignOn(ctx, env, store, keys, logEvent); err != nil {
		return err
	}

	// What browsers see.
	if a.pages, err = newPages(); err != nil {
		return err
	}
	a.sessions = newSessions(a)
	if a.gate, err = a.newGate(keys); err != nil {
		return err
	}
	a.library, err = a.newLibrary()
	return err
}

// newManager makes the Manager, which decides about second factors.
func (a *app) newManager(
	store storage.Store, keys *seal.Keyring, factors []factor.Factor,
	logEvent func(context.Context, mfa.Event),
) (*mfa.Manager, error) {
	return mfa.New(mfa.Config{
		Store:     store,
		Keys:      keys,
		Factors:   factors,
		Policies:  policy.Stored(policy.Static(a.seededPolicy())),
		Authorize: a.authorize,
		Clock:     a.clock,
		Notify:    a.notify,
		Events: func(ctx context.Context, e mfa.Event) {
			logEvent(ctx, e)
			a.history.add(e)
			a.noteEnrolled(ctx, e)
			a.noteChange(ctx, e)
			a.tour.note(ctx, e)
		},
	})
}

// close ends what runs in the background, and closes the databases.
func (a *app) close() error {
	a.stop()
	a.background.Wait()
	if a.idp != nil {
		_ = a.idp.Close()
	}
	if a.closeStore != nil {
		return errors.Join(a.closeStore(), a.db.Close())
	}
	return a.db.Close()
}

// populate adds the demonstration users or the first owner, and logs a warning if no user could
// sign in.
func (a *app) populate(ctx context.Context, env func(string) string) error {
	if a.cfg.demo {
		return a.users.seed(ctx, a.passwords, a.cfg.moreUsers)
	}
	all, demo, err := a.users.count(ctx)
	if err != nil {
		return err
	}
	email, chosen := env("ACME_OWNER_EMAIL"), env("ACME_OWNER_PASSWORD")
	switch {
	case all == 0 && email != "":
		return a.users.addOwner(ctx, a.passwords, email, chosen)
	case all == 0:
		a.log.Warn("no user could sign in; set ACME_OWNER_EMAIL and " +
			"ACME_OWNER_PASSWORD to add the first owner")
	case demo > 0:
		a.log.Warn("this data directory holds demonstration users, whose passwords are public; " +
			"use another -data in production")
	}
	return nil
}

// noteEnrolled stores that a user has enrolled a factor, for mfa.User.Enrolled.
func (a *app) noteEnrolled(ctx context.Context, e mfa.Event) {
	if e.Name != "factor.added" && e.Name != "factor.replaced" && e.Name != "recovery.replacement" {
		return
	}
	// The factor exists, whether or not the browser still waits for the response.
	if err := a.users.enrolled(context.WithoutCancel(ctx), e.UserID); err != nil {
		a.log.ErrorContext(ctx, "cannot store that a user has enrolled", "subject", e.UserID,
			"error", err)
	}
}

func newSessions(a *app) *scs.SessionManager {
	s := scs.New()
	s.Store = a.sessionStore()
	s.HashTokenInStore = true // the database holds no token that a reader could use
	s.Lifetime = a.cfg.sessionLife
	s.Cookie.Name = "acme"
	s.Cookie.Persist = false
	if a.cfg.public.Scheme == "https" {
		// Browsers refuse a name with this prefix unless the cookie is Secure, for this host
		// only and for every path.
		s.Cookie.Name, s.Cookie.Secure = "__Host-acme", true
	}
	s.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		if errors.Is(err, errSessionEnded) {
			return // the response has no cookie: the browser already has a newer one
		}
		a.log.ErrorContext(r.Context(), "session", "error", err)
		http.Error(w, "There is a problem with the service. Try again in a moment.",
			http.StatusServiceUnavailable)
	}
	return s
}

// handler returns the handler for every route.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	a.apiRoutes(mux)
	a.pageRoutes(mux)
	if err := a.ssoRoutes(mux); err != nil {
		panic(fmt.Sprintf("all hooks are there: %v", err))
	}
	if a.cfg.demo {
		a.demoRoutes(mux)
	}
	mux.Handle(a.gate.URL(), a.ownPasswordFirst(a.gate))
	mux.Handle("/admin/mfa/", a.ownPasswordFirst(a.library))
	mux.Handle("GET /livez", mfahttp.Live())
	mux.Handle("GET /readyz", a.ready)
	cross := http.NewCrossOriginProtection()
	if err := cross.AddTrustedOrigin(a.cfg.public.String()); err != nil {
		panic(fmt.Sprintf("checked by parseFlags: %v", err))
	}
	return a.headers(cross.Handler(a.limitBodies(a.sweeping(a.withSession(a.missing(mux))))))
}

// headers sets the headers of every response. Pages replace the Content-Security-Policy.
func (a *app) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// Not "no-referrer": forms would then be posted with the origin "null".
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if a.cfg.public.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !strings.HasPrefix(r.URL.Path, assetPath) {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// limitBodies bounds request bodies before any handler reads them.
func (a *app) limitBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// sweeping removes expired sessions every ten minutes, in the goroutine of a request. Once a day
// it removes old password links and rate limits, beside the request.
func (a *app) sweeping(next http.Handler) http.Handler {
	type swept struct{ sessions, links time.Time }
	turn := make(chan swept, 1)
	turn <- swept{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case last := <-turn:
			if time.Since(last.links) > 24*time.Hour {
				last.links = time.Now()
				a.later(r.Context(), func(ctx context.Context) error {
					err := a.resets.Reencrypt(ctx)
					if err != nil {
						a.log.WarnContext(ctx, "cannot remove old links and rate limits",
							"error", err)
					}
					return err
				})
			}
			if time.Since(last.sessions) > 10*time.Minute {
				last.sessions = time.Now()
				if err := a.sweep(r.Context()); err != nil {
					a.log.WarnContext(r.Context(), "cannot remove expired sessions", "error", err)
				}
			}
			turn <- last
		default: // another request is doing it
		}
		next.ServeHTTP(w, r)
	})
}

// sweep ends the sessions whose second factor did not come, and removes expired ones.
func (a *app) sweep(ctx context.Context) error {
	store := a.sessionStore()
	return errors.Join(store.abandoned(ctx, a.sessions.Lifetime,
		func(get func(string) []byte) error {
			return a.gate.Ended(ctx, get)
		}),
		store.sweep(ctx))
}
