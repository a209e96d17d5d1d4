// Package tenants is an application in which one user belongs to several tenants, with factors
// that are shared by all of them, or separate. docs/tenants.md goes through it.
package tenants

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
)

// session is what the application keeps of a sign-in: the user, and the tenant that the user works
// for now.
type session struct {
	id, user, mail string
	tenant, role   string
	since          time.Time
}

// App is the application.
type App struct {
	// Shared is true if a user has one set of factors for all tenants.
	Shared bool
	// Members have a role in each of their tenants: by user ID, and then by tenant.
	Members map[string]map[string]string
	// Brands are how the users of each tenant see the application.
	Brands map[string]brand.Brand

	mu       sync.Mutex
	sessions map[string]*session
}

// separate returns a user who has factors of their own in each tenant.
func separate(s *session) secondgate.User {
	return secondgate.User{ID: s.user, Tenant: s.tenant, Type: s.role,
		Name: s.mail + " at " + s.tenant, Email: s.mail,
		SessionID: s.id, SignedInAt: s.since}
}

// shared returns a user who has one set of factors. The type chooses the policy of the tenant.
func shared(s *session) secondgate.User {
	return secondgate.User{ID: s.user, Type: s.tenant + "/" + s.role,
		Name: s.mail, Email: s.mail,
		SessionID: s.id, SignedInAt: s.since}
}

// policies has the policy of each tenant. A tenant that has none gets the zero policy, under which
// every user needs a second factor.
type policies map[string]policy.Policy

// Policy implements policy.Source, for separate and for shared factors.
func (p policies) Policy(_ context.Context, s policy.Scope) (policy.Policy, error) {
	tenant := s.Tenant
	if tenant == "" {
		tenant, _, _ = strings.Cut(s.UserType, "/")
	}
	return p[tenant], nil
}

// brands has how the users of each tenant see the application.
type brands map[string]brand.Brand

// Brand implements secondgate.Config.Brand, for separate and for shared factors. A tenant without
// an entry has the zero Brand, which is what the application is configured with.
func (b brands) Brand(_ context.Context, s policy.Scope) (brand.Brand, error) {
	tenant := s.Tenant
	if tenant == "" {
		tenant, _, _ = strings.Cut(s.UserType, "/")
	}
	return b[tenant], nil
}

var errForbidden = errors.New("not an administrator of this tenant")

// authorizeSeparate permits the acts of administrators on users of the tenant in which they are
// signed in.
func (a *App) authorizeSeparate(_ context.Context, act mfa.AdminAction) error {
	if act.ActorTenant != act.Tenant || a.Members[act.Actor][act.Tenant] != "admin" {
		return errForbidden
	}
	return nil
}

// authorizeShared permits the acts of administrators of every tenant of the user: factors that are
// reset in one are reset in all.
func (a *App) authorizeShared(_ context.Context, act mfa.AdminAction) error {
	tenants := a.Members[act.UserID]
	for tenant := range tenants {
		if a.Members[act.Actor][tenant] != "admin" {
			return errForbidden
		}
	}
	if len(tenants) == 0 { // a policy, or a list
		return errForbidden
	}
	return nil
}

// user implements secondgate.Config.User.
func (a *App) user(r *http.Request) (secondgate.User, error) {
	s := a.current(r)
	switch {
	case s == nil:
		return secondgate.User{}, nil
	case a.Shared:
		return shared(s), nil
	}
	return separate(s), nil
}

// current returns the session of a request, as it is now.
func (a *App) current(r *http.Request) *session {
	c, err := r.Cookie("session")
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[c.Value]
	if s == nil {
		return nil
	}
	now := *s
	return &now
}

// login stands for a page that checks a password.
func (a *App) login(w http.ResponseWriter, r *http.Request) {
	user, tenant := r.PostFormValue("user"), r.PostFormValue("tenant")
	role, ok := a.Members[user][tenant]
	if !ok {
		http.Error(w, "sign in", http.StatusForbidden)
		return
	}
	s := &session{id: rand.Text(), user: user, mail: user + "@example.com", tenant: tenant,
		role: role, since: time.Now()}
	a.mu.Lock()
	a.sessions[s.id] = s
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "session", Value: s.id, Path: "/", HttpOnly: true})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// change goes on to another tenant of the user, in the same session.
func (a *App) change(w http.ResponseWriter, r *http.Request) {
	now, tenant := a.current(r), r.PostFormValue("tenant")
	role, ok := a.Members[now.user][tenant]
	if !ok {
		http.Error(w, "no such tenant", http.StatusForbidden)
		return
	}
	a.mu.Lock()
	a.sessions[now.id].tenant, a.sessions[now.id].role = tenant, role
	a.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// New returns the application behind its gate. The policies are by tenant.
func New(a *App, cfg secondgate.Config, by map[string]policy.Policy) (
	http.Handler, *secondgate.Gate, error,
) {
	a.sessions = map[string]*session{}
	cfg.User, cfg.Policies, cfg.Authorize = a.user, policies(by), a.authorizeSeparate
	cfg.Brand = brands(a.Brands).Brand
	if a.Shared {
		cfg.Authorize = a.authorizeShared
	}
	gate, err := secondgate.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", a.login)
	mux.HandleFunc("POST /tenant", a.change)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "welcome to "+a.current(r).tenant)
	})
	return http.NewCrossOriginProtection().Handler(gate.Require(mux)), gate, nil
}
