package sso_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
	"github.com/secondgate/secondgate/storage/memory"
)

// An administrator activates an organisation, a user links their account, and signs on
// with it. The provider is the one of package ssotest; with the real one, Providers is
// sso.Microsoft(clientID, secret).
func Example() {
	mux, idpMux := http.NewServeMux(), http.NewServeMux()
	app, idpServer := httptest.NewServer(mux), httptest.NewServer(idpMux)
	defer app.Close()
	defer idpServer.Close()
	const contoso = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	idp, err := ssotest.New(ssotest.Config{URL: idpServer.URL, Users: []ssotest.User{
		{Provider: "microsoft", Name: "Kari", Email: "kari@contoso.example",
			ID: "11111111-2222-3333-4444-555555555555", Organization: contoso},
	}})
	if err != nil {
		panic(err)
	}
	idpMux.Handle("/", idp)

	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		panic(err)
	}
	manager, session, grant := exampleSession(keys)
	service, err := sso.New(sso.Config{
		Store:     memory.New(),
		Keys:      keys,
		URL:       app.URL + "/sso/",
		Providers: []sso.Provider{idp.Microsoft()},
		Authorize: func(_ context.Context, a mfa.AdminAction) error {
			if a.Actor != "administrator" {
				return errors.New("not an administrator")
			}
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	handler, err := service.Handler(sso.Hooks{
		Session: func(*http.Request) (mfa.Session, mfa.Grant, error) {
			return session, grant, nil // from the application's session
		},
		SignedIn: func(_ http.ResponseWriter, _ *http.Request, in *sso.SignIn) {
			fmt.Println("user", in.SubjectID, "signed on with", in.Link.Account,
				"- ask for the second factor:", !in.SecondFactor)
		},
		Linked: func(_ http.ResponseWriter, _ *http.Request, l *sso.Link) {
			fmt.Println("linked", l.Account, "of", l.Provider)
		},
		Unlinked: func(http.ResponseWriter, *http.Request) {},
		Failed:   func(_ http.ResponseWriter, _ *http.Request, err error) { fmt.Println(err) },
	})
	if err != nil {
		panic(err)
	}
	mux.Handle("/sso/", handler)

	exampleBrowser(app.URL + "/sso/microsoft/link")
	if err := service.Activate(context.Background(),
		sso.ActivationRequest{Admin: manager.Admin(mfa.System("administrator"), "ticket 7"),
			Activation: sso.Activation{Provider: "microsoft", Organization: contoso}}); err != nil {
		panic(err)
	}
	exampleBrowser(app.URL + "/sso/microsoft/link")
	exampleBrowser(app.URL + "/sso/microsoft/sign-in")
	// Output:
	// sso: the organisation is not activated
	// linked kari@contoso.example of microsoft
	// user 42 signed on with kari@contoso.example - ask for the second factor: true
}

// exampleSession is a Manager, and a user who has just enrolled a PIN in a session.
func exampleSession(keys *seal.Keyring) (*mfa.Manager, mfa.Session, mfa.Grant) {
	ctx := context.Background()
	pins, err := pin.New(pin.Config{})
	if err != nil {
		panic(err)
	}
	manager, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{pins}})
	if err != nil {
		panic(err)
	}
	s := manager.Session(mfa.User{ID: "42"}, "session-1")
	ch, err := s.Begin(ctx)
	if err != nil {
		panic(err)
	}
	e, err := s.Enroll(ctx, ch.Grant, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"pin": secret.New("739162")}})
	if err != nil {
		panic(err)
	}
	c, err := s.Confirm(ctx, e, secret.New("739162"))
	if err != nil {
		panic(err)
	}
	return manager, s, c.Grant
}

// exampleBrowser does what a user does: press the button, follow the page to the provider,
// choose who they are, and come back.
func exampleBrowser(button string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	browser := &http.Client{Jar: jar}
	resp, err := browser.PostForm(button, nil)
	if err != nil {
		panic(err)
	}
	page, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	provider := html.UnescapeString(string(regexp.MustCompile(`href="([^"]+)"`).FindSubmatch(
		page)[1]))
	resp, err = browser.PostForm(provider, url.Values{"user": {"0"}})
	if err != nil {
		panic(err)
	}
	_ = resp.Body.Close()
}
