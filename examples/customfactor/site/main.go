// Site is an application whose users sign in with the factors of package customfactor on the
// ready pages. The page /token stands in for a token that the organisation has handed out, and
// /device for the application on a user's phone.
//
//	go run ./customfactor/site
package main

import (
	"cmp"
	"context"
	"encoding/base32"
	"html/template"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/pquerna/otp/hotp"

	"github.com/secondgate/secondgate/examples/customfactor"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

func main() {
	addr := "127.0.0.1:8080"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	handler, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://", addr)
	log.Fatal(http.ListenAndServe(addr, handler))
}

// site is the application. Its users sign in with a name, and no password.
type site struct {
	sessions *scs.SessionManager
	gate     *mfahttp.Handler

	mu      sync.Mutex
	pressed uint64 // how often the button of the token was pressed
	phones  phones
}

const (
	serial = "SN-000042"
	seed   = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // of RFC 4226; a real one is random
)

// tokens is the organisation's list.
func tokens(_ context.Context, number string) ([]byte, error) {
	if number != serial {
		return nil, customfactor.ErrUnknownToken
	}
	return base32.StdEncoding.DecodeString(seed)
}

func newSite() (http.Handler, error) {
	s := &site{sessions: scs.New()}
	token, err := customfactor.New(customfactor.Config{Seed: tokens})
	if err != nil {
		return nil, err
	}
	approval, err := customfactor.NewApproval(customfactor.ApprovalConfig{Push: s.phones.push,
		Answers: &s.phones.answers, PairURL: "/device"})
	if err != nil {
		return nil, err
	}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		return nil, err
	}
	manager, err := mfa.New(mfa.Config{
		Store: memory.New(), Keys: keys, Factors: []factor.Factor{token, approval},
	})
	if err != nil {
		return nil, err
	}
	s.gate, err = mfahttp.New(mfahttp.Config{
		Manager: manager, Keys: keys, Identify: s.user, ProductName: "Acme", LoginURL: "/login",
		Public: []string{"/token", "/device", "/answers"},
		SignOut: func(_ http.ResponseWriter, r *http.Request) error {
			return s.sessions.Destroy(r.Context())
		},
		Kinds: []mfahttp.Kind{customfactor.TokenPages(), customfactor.ApprovalPages()},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", s.login)
	mux.HandleFunc("/token", s.token)
	mux.HandleFunc("/device", s.device)
	mux.Handle("/answers", &s.phones.answers)
	mux.HandleFunc("GET /{$}", s.page("Welcome",
		`<p><a class="sg-button" href="/mfa/factors">Security settings</a></p>`))
	return s.sessions.LoadAndSave(http.NewCrossOriginProtection().Handler(s.gate.Require(mux))), nil
}

// page serves a page in the frame of the ready ones.
func (s *site) page(title string, body template.HTML) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := s.gate.Render(w, r, mfahttp.Page{Title: title, Body: body}); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	}
}

// user is the user of a request, for mfahttp.Config.Identify.
func (s *site) user(r *http.Request) (mfahttp.Identity, error) {
	ctx := r.Context()
	name := s.sessions.GetString(ctx, "user")
	if name == "" {
		return mfahttp.Identity{}, nil
	}
	return mfahttp.Identity{User: mfa.User{ID: name, Account: name},
		SessionID:  s.sessions.Token(ctx),
		SignedInAt: time.Unix(s.sessions.GetInt64(ctx, "since"), 0)}, nil
}

const loginForm = `<form method="post"><div class="sg-field"><label for="name">Name</label>
<div class="sg-input"><input id="name" name="name" value="ann" autocomplete="username"></div></div>
<button class="sg-button">Sign in</button></form>`

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if r.Method != http.MethodPost {
		s.page("Sign in", loginForm)(w, r)
		return
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	s.sessions.Put(ctx, "user", cmp.Or(r.PostFormValue("name"), "ann"))
	s.sessions.Put(ctx, "since", time.Now().Unix())
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var tokenPage = template.Must(template.New("").Parse(`<p>The back says {{.Serial}}.</p>
<p class="sg-clock"><output>{{or .Code "······"}}</output></p>
<form method="post"><button class="sg-button">Press the button</button></form>`))

// token is the token in the user's hand.
func (s *site) token(w http.ResponseWriter, r *http.Request) {
	shown := struct{ Serial, Code string }{Serial: serial}
	if r.Method == http.MethodPost {
		s.mu.Lock()
		defer s.mu.Unlock()
		var err error
		if shown.Code, err = hotp.GenerateCode(seed, s.pressed); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.pressed++
	}
	var b strings.Builder
	if err := tokenPage.Execute(&b, shown); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.page("A token", template.HTML(b.String()))(w, r) //nolint:gosec // of html/template
}
