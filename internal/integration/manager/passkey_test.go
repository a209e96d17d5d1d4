package manager_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/passkey/passkeytest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

const (
	passkeyDomain = "www.example.com"
	passkeyOrigin = "https://" + passkeyDomain
)

// ceremony is the two requests of a sign-in by passkey.
type ceremony struct {
	Challenge string          `json:"challenge,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Code      string          `json:"code,omitempty"`
	Next      mfa.Next        `json:"next,omitempty"`
}

// passkeys is users with a passkey each, in a browser each.
type passkeys struct {
	*world
	m        *mfa.Manager
	users    []mfa.User
	browsers []*passkeytest.Authenticator
}

func newPasskeys(b *testing.B, users int) *passkeys {
	b.Helper()
	c := &passkeys{world: newWorld(b, nil)}
	f, err := passkey.New(passkey.Config{RPID: passkeyDomain, RPName: "Acme",
		Origins: []string{passkeyOrigin}})
	require.NoError(b, err)
	c.m = c.manager(memory.New(), func(cfg *mfa.Config) {
		cfg.Factors = append(cfg.Factors, f)
		cfg.Policies = policy.Static(policy.Policy{Passwordless: true})
	})
	for i := range users {
		u := mfa.User{ID: fmt.Sprintf("user-%d", i), Account: "user"}
		s := c.m.Session(u, binding)
		ch, err := s.Begin(b.Context())
		require.NoError(b, err)
		e, err := s.Enroll(b.Context(), ch.Grant, mfa.EnrollRequest{Kind: f.Kind()})
		require.NoError(b, err)
		browser := passkeytest.New(passkeyOrigin)
		response, err := browser.Create(e.Prompt.Data)
		require.NoError(b, err)
		_, err = s.Confirm(b.Context(), e, secret.New(response))
		require.NoError(b, err)
		c.users, c.browsers = append(c.users, u), append(c.browsers, browser)
	}
	return c
}

// site is an application with a button for passkeys on its sign-in page.
func (c *passkeys) site(b *testing.B) *site {
	b.Helper()
	h, err := mfahttp.New(mfahttp.Config{Manager: c.m, Keys: c.keys, Clock: c.clock,
		Identify: func(*http.Request) (mfahttp.Identity, error) {
			return mfahttp.Identity{}, nil // nobody has signed in
		},
		Account: func(_ context.Context, named mfa.User) (mfa.User, error) { return named, nil },
		Verified: func(http.ResponseWriter, *http.Request, *mfa.Verification) (string, error) {
			return rand.Text(), nil
		}})
	require.NoError(b, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", h)
	return serve(b, mux, "/mfa/api/passwordless", "/mfa/api/passwordless/verify")
}

// bare is a site with what a sign-in by passkey cannot do without: a challenge, the verification
// of a signature, one read and one conditional write. It puts a passkey into each browser.
func (c *passkeys) bare(b *testing.B) *site {
	b.Helper()
	store, keys := memory.New(), make(map[string]*ecdsa.PublicKey)
	for i, u := range c.users {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(b, err)
		keys[u.ID] = &key.PublicKey
		c.browsers[i].Add(passkeytest.Passkey{RPID: bareDomain, ID: []byte(u.ID),
			Handle: []byte(u.ID), Key: key})
		require.NoError(b, store.Swap(b.Context(), u.ID, "", storage.Record{Revision: "0",
			Data: make([]byte, recordSize)}))
	}
	mux := http.NewServeMux()
	mux.Handle("POST /begin", handle(func(http.ResponseWriter, *http.Request) (any, error) {
		return ceremony{Data: fmt.Appendf(nil, `{"publicKey":{"challenge":%q,"rpId":%q}}`,
			rand.Text(), bareDomain)}, nil
	}))
	mux.Handle("POST /verify", handle(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		var sent ceremony
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return nil, err
		}
		id, err := verifySignature(sent.Code, keys)
		if err != nil {
			return nil, err
		}
		record, err := store.Get(r.Context(), id)
		if err != nil {
			return nil, err
		}
		return ceremony{Next: mfa.NextDone}, store.Swap(r.Context(), id, record.Revision,
			storage.Record{Revision: storage.Revision(rand.Text()), Data: record.Data})
	}))
	return serve(b, mux, "/begin", "/verify")
}

// bareDomain is the domain of the passkeys of the bare site, beside those of the other.
const bareDomain = "example.com"

// verifySignature returns whose signature a response has (WebAuthn Level 3 section 7.2, steps 20
// and 21, alone).
func verifySignature(response string, keys map[string]*ecdsa.PublicKey) (id string, err error) {
	var got struct{ Response map[string]string }
	if err := json.Unmarshal([]byte(response), &got); err != nil {
		return "", err
	}
	field := func(name string) []byte {
		text, decodeErr := base64.RawURLEncoding.DecodeString(got.Response[name])
		err = errors.Join(err, decodeErr)
		return text
	}
	hash := sha256.Sum256(field("clientDataJSON"))
	digest := sha256.Sum256(append(field("authenticatorData"), hash[:]...))
	id = string(field("userHandle"))
	if err != nil || keys[id] == nil || !ecdsa.VerifyASN1(keys[id], digest[:], field("signature")) {
		return "", fmt.Errorf("no signature of %q, %w", id, err)
	}
	return id, nil
}

// signIn signs a user in, as the script of a sign-in page does.
func (c *passkeys) signIn(s *site, i int) error {
	var p ceremony
	cookies, err := s.exchange(s.begin, mfa.User{}, nil, struct{}{}, &p)
	if err != nil {
		return err
	}
	code, err := c.browsers[i].Get(p.Data)
	if err != nil {
		return err
	}
	p = ceremony{Challenge: p.Challenge, Code: code}
	if _, err = s.exchange(s.verify, mfa.User{}, cookies, p, &p); err == nil &&
		p.Next != mfa.NextDone {
		err = fmt.Errorf("not signed in, but %q", p.Next)
	}
	return err
}

// BenchmarkPasskey is a sign-in by passkey alone, from the request of the sign-in page to the
// session, over HTTP and the memory store, in turns with what it cannot do without: of-bare is the
// throughput as a share of that, and cpu-of-bare the same of the processor time, which other work
// on the machine changes less. The browsers sign within the same time.
func BenchmarkPasskey(b *testing.B) {
	c := newPasskeys(b, crowded)
	sites, names := []*site{c.bare(b), c.site(b)}, []string{"bare", "passkey"}
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			took := make([]time.Duration, len(sites))
			processor := make([]time.Duration, len(sites))
			each := make([][]time.Duration, len(sites))
			for b.Loop() {
				c.clock.Advance(time.Minute)
				for i, s := range sites {
					began := processorTime(b)
					all, latencies := inParallel(b, workers, len(c.users),
						func(user int) error { return c.signIn(s, user) })
					processor[i] += processorTime(b) - began
					took[i], each[i] = took[i]+all, append(each[i], latencies...)
				}
			}
			b.ReportMetric(0, "ns/op")
			for i, name := range names {
				slices.Sort(each[i])
				all := float64(len(each[i]))
				b.ReportMetric(all/took[i].Seconds(), name+"/s")
				b.ReportMetric(float64(processor[i].Microseconds())/all, name+"-cpu-µs")
				b.ReportMetric(percentile(each[i], 0.99), name+"-p99-ms")
			}
			b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "of-bare")
			b.ReportMetric(processor[0].Seconds()/processor[1].Seconds(), "cpu-of-bare")
		})
	}
}
