package mfahttp_test

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// hookSite is a site in which the function of the Config that failing names fails, with what
// it should not have said.
func hookSite(t *testing.T) (s *site, failing *string) {
	t.Helper()
	failing = new(string)
	err := func(name string) error {
		if *failing == name {
			return errors.New("postgres://app:hunter2@db")
		}
		return nil
	}
	s = newKeySite(t, func(c *mfahttp.Config) {
		c.SetupLinks = true
		account, verified, check, out := c.Account, c.Verified, c.CheckPassword, c.SignOut
		c.Account = func(ctx context.Context, named mfa.User) (mfa.User, error) {
			if err := err("Account"); err != nil {
				return mfa.User{}, err
			}
			return account(ctx, named)
		}
		c.Verified = func(
			w http.ResponseWriter, r *http.Request, v *mfa.Verification,
		) (string, error) {
			if err := err("Verified"); err != nil {
				return "", err
			}
			return verified(w, r, v)
		}
		c.Postponed = func(http.ResponseWriter, *http.Request) (string, error) {
			return "", err("Postponed")
		}
		c.CheckPassword = func(r *http.Request, password string) error {
			if err := err("CheckPassword"); err != nil {
				return err
			}
			return check(r, password)
		}
		c.StoreAddress = func(context.Context, mfa.User, string) error {
			return err("StoreAddress")
		}
		c.ExtendSession = func(http.ResponseWriter, *http.Request) (time.Time, error) {
			return time.Time{}, err("ExtendSession")
		}
		c.SignOut = func(w http.ResponseWriter, r *http.Request) error {
			if err := err("SignOut"); err != nil {
				return err
			}
			return out(w, r)
		}
		c.Renew = func(http.ResponseWriter, *http.Request) error { return err("Renew") }
		c.Settings = func(*http.Request) (above, below template.HTML, _ error) {
			return "", "", err("Settings")
		}
		c.Nav = func(*http.Request, string) (template.HTML, error) { return "", err("Nav") }
		c.History = func(context.Context, mfa.User, int) ([]mfa.Event, error) {
			return nil, err("History")
		}
	})
	return s, failing
}

// What a function of the application says of its failure reaches no log and no response, whatever
// the function.
func TestLogger_HoldsNothingThatTheApplicationSaid(t *testing.T) {
	requests := map[string]func(s *site, p *browser) *response{
		"Identify": func(s *site, p *browser) *response {
			s.identifyErr = errors.New("postgres://app:hunter2@db")
			defer func() { s.identifyErr = nil }()
			return p.api("GET", "state", nil)
		},
		"Verified": func(_ *site, p *browser) *response {
			p.login()
			return p.api("POST", "verify", m{"kind": "totp", "code": "100003"})
		},
		"Postponed": func(s *site, _ *browser) *response {
			s.policy = policy.Policy{EnrollSkips: 1}
			b := s.browser("bob")
			b.login()
			return b.api("POST", "later", nil)
		},
		"CheckPassword": func(_ *site, p *browser) *response {
			return p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345679",
				"password": "hunter2"})
		},
		"StoreAddress": func(s *site, p *browser) *response {
			return p.api("POST", "address/confirm", p.begunAddress("ann@new.example"))
		},
		"ExtendSession": func(s *site, p *browser) *response {
			s.ends = s.clock.Now().Add(time.Minute)
			return p.post("/mfa/extend", nil)
		},
		"SignOut":  func(_ *site, p *browser) *response { return p.post("/mfa/sign-out", nil) },
		"Settings": func(_ *site, p *browser) *response { return p.get("/mfa/factors") },
		"Nav":      func(_ *site, p *browser) *response { return p.get("/mfa/factors") },
		"History":  func(_ *site, p *browser) *response { return p.get("/mfa/factors") },
		"Account": func(s *site, _ *browser) *response {
			b := s.browser("")
			return b.respond(b.open(s.t), "k1")
		},
		"Renew": func(s *site, p *browser) *response {
			p.login()
			p.api("POST", "lost/link", nil).is(s.t, 200, "")
			return s.browser("ann").api("POST", "setup", m{"token": s.mail.last().Link})
		},
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			s, failing := hookSite(t)
			s.policy.KeepImplicit = true
			p := s.browser("ann")
			p.withPasskey("k1")
			e := p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345678"}).is(t, 200, "")
			p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
				"code": s.text.last().Code}).is(t, 200, "")
			p.enroll("100001")
			s.log.Reset()
			*failing = name
			a := request(s, p)
			if name == "Nav" || name == "History" { // a page is worth showing without it
				require.Equal(t, 200, a.StatusCode)
			} else {
				require.GreaterOrEqual(t, a.StatusCode, 500, a.Text)
			}
			require.NotContains(t, a.Text, "hunter2")
			require.Contains(t, s.log.String(), "Config."+name+" failed")
			require.NotContains(t, s.log.String(), "hunter2")
		})
	}
	// Every function of the Config that may fail is one of them.
	var functions []string
	for f := range reflect.TypeFor[mfahttp.Config]().Fields() {
		if f.Type.Kind() == reflect.Func && slices.Contains(outs(f.Type),
			reflect.TypeFor[error]()) {
			functions = append(functions, f.Name)
			require.Contains(t, requests, f.Name)
		}
	}
	require.Len(t, functions, len(requests))
}

func outs(f reflect.Type) (list []reflect.Type) {
	for i := range f.NumOut() {
		list = append(list, f.Out(i))
	}
	return list
}
