// Spa is a single-page application with a second factor: one page, two scripts, and the JSON API
// and the JavaScript modules of secondgate.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/crypto/bcrypt"

	"github.com/secondgate/secondgate/js"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

//go:embed page
var page embed.FS

const product = "Acme"

// app is the application. It has one user.
type app struct {
	sessions *scs.SessionManager
	user     mfa.User
	password []byte // bcrypt
	gate     *mfahttp.Handler
}

func main() {
	addr := flag.String("addr", "localhost:8080", "the address to listen on")
	origin := flag.String("origin", "", "the origin of the page, if another server has it")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	own := "http://localhost:" + port // browsers have passkeys on localhost, and on https
	handler, err := newApp(own, *origin)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", own)
	log.Fatal(http.Serve(listener, handler))
}

// newApp returns the application for its own origin. With the origin of a page on another server,
// it permits that page to use the API.
func newApp(own, pageOrigin string) (http.Handler, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte("ann-demo-password"), bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	a := &app{sessions: scs.New(), password: hash,
		user: mfa.User{ID: "1", Account: "ann@example.com"}}
	var origins []string
	if pageOrigin != "" {
		origins = append(origins, pageOrigin)
	}
	if err := a.openGate(own, origins); err != nil {
		return nil, err
	}
	files, err := fs.Sub(page, "page")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", policed(http.FileServerFS(files)))
	mux.Handle("/js/", policed(http.StripPrefix("/js/", http.FileServerFS(js.Files()))))
	mux.HandleFunc("POST /api/login", a.login)
	mux.Handle("GET /api/me", a.gate.Require(http.HandlerFunc(a.me)))
	mux.Handle("/mfa/", a.gate)
	cross := http.NewCrossOriginProtection()
	for _, o := range origins {
		if err := cross.AddTrustedOrigin(o); err != nil {
			return nil, err
		}
	}
	return permit(pageOrigin, cross.Handler(a.sessions.LoadAndSave(mux))), nil
}

// openGate sets up the second factor.
func (a *app) openGate(own string, origins []string) error {
	keys, err := seal.NewKeyring(seal.GenerateKey()) // your application keeps its key in a file
	if err != nil {
		return err
	}
	factors, err := newFactors(own, origins)
	if err != nil {
		return err
	}
	manager, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: factors,
		Policies: policy.Static(policy.Policy{Passwordless: true})})
	if err != nil {
		return err
	}
	a.gate, err = mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys, ProductName: product,
		Identify: a.identify, Account: a.account, Verified: a.verified, SignOut: a.signOut,
		AllowedOrigins: origins})
	return err
}

func newFactors(own string, origins []string) ([]factor.Factor, error) {
	at, err := url.Parse(own)
	if err != nil {
		return nil, err
	}
	keys, err := passkey.New(passkey.Config{RPID: at.Hostname(), RPName: product,
		Origins: append([]string{own}, origins...)})
	if err != nil {
		return nil, err
	}
	authenticator, err := totp.New(totp.Config{Issuer: product})
	if err != nil {
		return nil, err
	}
	codes, err := recovery.New(recovery.Config{})
	if err != nil {
		return nil, err
	}
	return []factor.Factor{keys, authenticator, codes}, nil
}

// policed sets a policy under which the page runs its own scripts only, and shows the QR code.
func policed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; "+
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// login checks the password. The page then asks mfa/api/state what is next.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	var form struct{ Email, Password string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&form)
	if err != nil || bcrypt.CompareHashAndPassword(a.password, []byte(form.Password)) != nil ||
		form.Email != a.user.Account {
		http.Error(w, "Wrong address or password.", http.StatusUnauthorized)
		return
	}
	if _, err := a.begin(r.Context()); err != nil {
		http.Error(w, "Try again later.", http.StatusServiceUnavailable)
	}
}

// begin begins a session of the user, and returns its ID.
func (a *app) begin(ctx context.Context) (id string, err error) {
	if err := a.sessions.RenewToken(ctx); err != nil {
		return "", err
	}
	a.sessions.Put(ctx, "user", a.user.ID)
	a.sessions.Put(ctx, "since", time.Now().Unix())
	return a.sessions.Token(ctx), nil
}

// me is what only a user who is signed in sees.
func (a *app) me(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"account": a.user.Account})
}

// identify implements mfahttp.Config.Identify.
func (a *app) identify(r *http.Request) (mfahttp.Identity, error) {
	ctx := r.Context()
	if a.sessions.GetString(ctx, "user") == "" {
		return mfahttp.Identity{}, nil
	}
	return mfahttp.Identity{User: a.user, SessionID: a.sessions.Token(ctx),
		SignedInAt: time.Unix(a.sessions.GetInt64(ctx, "since"), 0)}, nil
}

// account implements mfahttp.Config.Account.
func (a *app) account(_ context.Context, named mfa.User) (mfa.User, error) {
	if named.ID != a.user.ID {
		return mfa.User{}, mfa.ErrForbidden
	}
	return a.user, nil
}

// verified implements mfahttp.Config.Verified. A passkey alone signs the user in, as the password
// does.
func (a *app) verified(
	_ http.ResponseWriter, r *http.Request, v *mfa.Verification,
) (string, error) {
	switch {
	case v.UserID != a.user.ID:
		return "", errors.New("the verification belongs to another user")
	case v.Passwordless:
		return a.begin(r.Context())
	}
	return "", nil
}

// signOut implements mfahttp.Config.SignOut.
func (a *app) signOut(_ http.ResponseWriter, r *http.Request) error {
	return a.sessions.Destroy(r.Context())
}
