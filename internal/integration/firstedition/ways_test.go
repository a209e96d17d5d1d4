package firstedition_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

// accounts are the application's, with the hashes that the first edition made.
type accounts map[string]password.Account

func (a accounts) Find(_ context.Context, address string) (found []password.Account, err error) {
	for _, acc := range a {
		if acc.Email == address {
			found = append(found, acc)
		}
	}
	return found, nil
}

func (a accounts) Get(_ context.Context, named password.Account) (password.Account, error) {
	if acc, ok := a[named.ID]; ok {
		return acc, nil
	}
	return password.Account{}, password.ErrNoAccount
}

func (a accounts) SetPassword(_ context.Context, acc password.Account, u password.Update) error {
	acc.Hash = secret.New(u.Hash.Reveal())
	a[acc.ID] = acc
	return nil
}

// Hashes of passwords are verified, and links that were mailed reset a password, once. The
// requests of the hour before count.
func TestPassword_ReadsTheFirstEditionsHashesAndLinks(t *testing.T) {
	for _, rotated := range []bool{false, true} {
		r := newRig(t, 20*time.Hour)
		h, err := password.NewHasher(password.HasherConfig{})
		require.NoError(t, err)
		correct := secret.New(r.Passwords.Password)
		for _, hash := range []string{r.Passwords.Argon2id, r.Passwords.PBKDF2} {
			require.NoError(t, h.Verify(t.Context(), hash, correct))
			err = h.Verify(t.Context(), hash, secret.New("otters swim at one"))
			require.ErrorIs(t, err, password.ErrIncorrect)
		}
		require.False(t, h.NeedsRehash(r.Passwords.Argon2id))
		users := accounts{
			"1": {ID: "1", Tenant: "acme", Email: "olivia@acme.example", Name: "Olivia Berg",
				Hash: secret.New(r.Passwords.Argon2id)},
			"2": {ID: "2", Tenant: "acme", Email: "robin@acme.example", Name: "Robin",
				Hash: secret.New(r.Passwords.PBKDF2)},
		}
		m := r.passwords(users, h)
		if rotated {
			r.rotate()
			m = r.passwords(users, h)
			require.NoError(t, m.Reencrypt(t.Context()))
			r.cfg.Keys, err = seal.NewKeyring(bytes.Repeat([]byte{0xa5}, seal.KeyLen))
			require.NoError(t, err)
			m = r.passwords(users, h) // without the first edition's key
		}
		for _, a := range users {
			link := secret.New(r.Passwords.Links[a.Email])
			found, err := m.CheckLink(t.Context(), link)
			require.NoError(t, err)
			require.Equal(t, a.ID, found.ID)
			reset := password.ResetRequest{
				Token:    link,
				Password: secret.New("herons wade at dusk"),
			}
			require.NoError(t, m.Reset(t.Context(), reset))
			_, err = m.CheckLink(t.Context(), link)
			require.ErrorIs(t, err, password.ErrLink)
		}
	}
}

func (r *rig) passwords(users accounts, h *password.Hasher) *password.Manager {
	r.t.Helper()
	m, err := password.New(password.Config{
		Store: r.store, Keys: r.cfg.Keys, Accounts: users, Hasher: h,
		Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme", Clock: r.clock,
		TTL: 24 * time.Hour,
		LinkURL: func(token string) string {
			return "https://example.com/reset?token=" + token
		},
		Later: func(context.Context, func(context.Context) error) {},
	})
	require.NoError(r.t, err)
	return m
}

// ssoDump is what was written with package sso.
type ssoDump struct {
	store
	Provider    string              `json:"provider"` // the address of the provider
	Links       map[string]sso.Link `json:"links"`
	Activations []sso.Activation    `json:"activations"`
	People      []ssotest.User      `json:"people"`
}

// signOn is an application whose users sign on with accounts of a provider.
type signOn struct {
	*sso.Service
	t       *testing.T
	app     *httptest.Server
	network *http.Transport
	in      *sso.SignIn
	err     error
}

// Accounts that were linked sign their users on, and organisations that were activated stay so.
func TestSSO_ReadsTheFirstEditionsLinks(t *testing.T) {
	d := &ssoDump{}
	read(t, "sso.json", d)
	store, keys := d.load(t)
	clock := mfatest.NewClock(d.At.Add(30 * 24 * time.Hour))
	for _, rotated := range []bool{false, true} {
		if rotated {
			var err error
			keys, err = seal.NewKeyring(bytes.Repeat([]byte{0xa5}, seal.KeyLen), d.Key)
			require.NoError(t, err)
		}
		s := d.newSignOn(t, sso.Config{Store: store, Keys: keys, Clock: clock})
		if rotated {
			require.NoError(t, s.Reencrypt(t.Context()))
			page, _, err := store.List(t.Context(), "", "", 1000)
			require.NoError(t, err)
			for _, e := range page {
				require.True(t, keys.Primary(e.Record.Data), e.Key)
			}
		}
		active, err := s.Activations(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, d.Activations, active)
		for id, link := range d.Links {
			links, err := s.Links(t.Context(), mfa.User{ID: id, Tenant: "acme"})
			require.NoError(t, err)
			if rotated {
				require.Equal(t, clock.Now(), links[0].LastUsed)
				links[0].LastUsed = link.LastUsed
			}
			require.Equal(t, []sso.Link{link}, links)
		}
		clock.Advance(time.Minute)
		for id, link := range d.Links {
			account := slices.IndexFunc(d.People, func(p ssotest.User) bool {
				return p.Provider == link.Provider && p.Email == link.Account
			})
			in := s.signIn(link.Provider, account)
			require.Equal(
				t,
				[]string{id, "acme", link.ID},
				[]string{in.SubjectID, in.Tenant, in.Link.ID},
			)
			require.Equal(t, link.Provider == "microsoft", in.SecondFactor)
		}
	}
}

// newSignOn starts the provider at the address that the first edition knew it by, which is in the
// names of the records. Nobody listens there: connections to it go to a server of the test.
func (d *ssoDump) newSignOn(t *testing.T, cfg sso.Config) *signOn {
	t.Helper()
	idp, err := ssotest.New(ssotest.Config{URL: d.Provider, Users: d.People, Clock: cfg.Clock})
	require.NoError(t, err)
	provider := httptest.NewServer(idp)
	t.Cleanup(provider.Close)
	at, err := url.Parse(d.Provider)
	require.NoError(t, err)
	s := &signOn{t: t, network: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == at.Host {
				addr = provider.Listener.Addr().String()
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}}}
	t.Cleanup(s.network.CloseIdleConnections)
	var handler http.Handler
	s.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		handler.ServeHTTP(w, req)
	}))
	t.Cleanup(s.app.Close)
	plain := idp.Plain()
	plain.Open = true
	cfg.URL, cfg.HTTPClient = s.app.URL+"/sso/", &http.Client{Transport: s.network}
	cfg.Providers = []sso.Provider{idp.Microsoft(), idp.Google(), plain}
	s.Service, err = sso.New(cfg)
	require.NoError(t, err)
	handler, err = s.Handler(sso.Hooks{
		Session:  func(*http.Request) (s mfa.Session, g mfa.Grant, err error) { return s, g, nil },
		SignedIn: func(_ http.ResponseWriter, _ *http.Request, in *sso.SignIn) { s.in = in },
		Linked:   func(http.ResponseWriter, *http.Request, *sso.Link) {},
		Unlinked: func(http.ResponseWriter, *http.Request) {},
		Failed:   func(_ http.ResponseWriter, _ *http.Request, err error) { s.err = err },
	})
	require.NoError(t, err)
	return s
}

var onward = regexp.MustCompile(`<a href="([^"]+)">`)

// signIn signs on in a browser of its own, as one of the provider's users.
func (s *signOn) signIn(provider string, account int) *sso.SignIn {
	s.t.Helper()
	s.in, s.err = nil, nil
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	browser := &http.Client{Jar: jar, Transport: s.network,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	resp, err := browser.PostForm(s.app.URL+"/sso/"+provider+"/sign-in", nil)
	require.NoError(s.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	at := onward.FindSubmatch(body)
	require.NotNil(s.t, at, "%s", body)
	chosen := url.Values{"user": {strconv.Itoa(account)}}
	resp, err = browser.PostForm(html.UnescapeString(string(at[1])), chosen)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	resp, err = browser.Get(resp.Header.Get("Location"))
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	require.NoError(s.t, s.err)
	require.NotNil(s.t, s.in)
	return s.in
}
