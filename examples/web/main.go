package main

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/storage/memory"
)

var sessions = scs.New() // or your own

func login(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("password") != "secret" { // your application has users and hashes
		fmt.Fprint(w, `<!doctype html><title>Sign in</title><form method="post">
			Password <input name="password" type="password"> <button>Sign in</button></form>`)
	} else if sessions.RenewToken(r.Context()) == nil { // each sign-in has a new session ID
		sessions.Put(r.Context(), "user", "ann")
		sessions.Put(r.Context(), "since", time.Now().Unix())
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func user(r *http.Request) (secondgate.User, error) {
	ctx := r.Context()
	return secondgate.User{ID: sessions.GetString(ctx, "user"), SessionID: sessions.Token(ctx),
		SignedInAt: time.Unix(sessions.GetInt64(ctx, "since"), 0)}, nil
}

func main() {
	gate, err := secondgate.New(secondgate.Config{Product: "Acme", Store: memory.New(),
		Keys: secondgate.KeyFile("secondgate.key"), User: user})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/login", login)
	http.Handle("/", http.RedirectHandler("/mfa/factors", http.StatusSeeOther)) // your pages
	h := sessions.LoadAndSave(gate.Require(http.DefaultServeMux))
	log.Fatal(http.ListenAndServe("localhost:8080", h))
}
