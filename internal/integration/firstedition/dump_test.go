// Package firstedition_test reads what the first edition of this library stored. The files in
// testdata were written by programs that were built with commit 6d13ffe, of 23 November 2026,
// before the second edition changed anything. They hold every entry of a store, and what the
// users and their devices know.
package firstedition_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// session is the session ID in both editions.
const session = "session"

// store is what a store of the first edition held.
type store struct {
	Key     []byte    `json:"key"`
	At      time.Time `json:"at"` // the time of the last write
	Entries []struct {
		Key, Revision string
		Data          []byte
	} `json:"entries"`
}

// dump is what was written with package mfa and with package password.
type dump struct {
	store
	Users     map[string]userFacts `json:"users"`
	Cases     []map[string]string  `json:"cases"`
	Set       policy.Policy        `json:"policy"`
	Passwords struct {
		Password string            `json:"password"`
		Argon2id string            `json:"argon2id"`
		PBKDF2   string            `json:"pbkdf2"`
		Links    map[string]string `json:"links"`
	} `json:"passwords"`
}

// userFacts is a user, what the first edition showed of them, and what they know.
type userFacts struct {
	User struct {
		ID       string `json:"id"`
		Tenant   string `json:"tenant"`
		UserType string `json:"user_type"`
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	} `json:"user"`
	Factors []struct {
		ID        string    `json:"id"`
		Kind      string    `json:"kind"`
		Name      string    `json:"name"`
		Hint      string    `json:"hint"`
		Created   time.Time `json:"created"`
		LastUsed  time.Time `json:"last_used"`
		Implicit  bool      `json:"implicit"`
		Stopped   bool      `json:"stopped"`
		CodesLeft int       `json:"codes_left"`
	} `json:"factors"`
	Devices []struct {
		ID       string    `json:"id"`
		Name     string    `json:"name"`
		Created  time.Time `json:"created"`
		LastUsed time.Time `json:"last_used"`
		Expires  time.Time `json:"expires"`
	} `json:"devices"`
	Locked  time.Time         `json:"locked_until"`
	Secrets map[string]string `json:"secrets"`
	Used    []string          `json:"used"`
	Unused  []string          `json:"unused"`
	At      time.Time         `json:"at"` // the last write of this user's record
}

func read(t *testing.T, name string, to any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, to))
}

// load returns a store with the entries, and a keyring with their key.
func (s *store) load(t *testing.T) (*memory.Store, *seal.Keyring) {
	t.Helper()
	mem := memory.New()
	for _, e := range s.Entries {
		rec := storage.Record{Revision: storage.Revision(e.Revision), Data: e.Data}
		require.NoError(t, mem.Swap(t.Context(), e.Key, "", rec))
	}
	keys, err := seal.NewKeyring(s.Key)
	require.NoError(t, err)
	return mem, keys
}

// rig is an application of today over the first edition's store.
type rig struct {
	*mfa.Manager
	*dump
	t     *testing.T
	store *memory.Store
	clock *mfatest.Clock
	cfg   mfa.Config
	mails *mfatest.Outbox[email.Message]
	texts *mfatest.Outbox[sms.Message]
}

// each runs a test over the store as the first edition left it, and over one that was
// re-encrypted since, at a time after the first edition's last write.
func each(t *testing.T, after time.Duration, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Run("AsWritten", func(t *testing.T) { test(t, newRig(t, after)) })
	t.Run("Reencrypted", func(t *testing.T) {
		r := newRig(t, after)
		r.rotate()
		test(t, r)
	})
}

func newRig(t *testing.T, after time.Duration) *rig {
	t.Helper()
	r := &rig{t: t, dump: &dump{}, mails: &mfatest.Outbox[email.Message]{},
		texts: &mfatest.Outbox[sms.Message]{}}
	read(t, "mfa.json", r.dump)
	r.clock = mfatest.NewClock(r.At.Add(after))
	mem, keys := r.load(t)
	r.store = mem
	r.cfg = mfa.Config{
		Store: mem, Keys: keys, Factors: r.factors(), Clock: r.clock,
		Policies: policy.Stored(policy.ByUserType(map[string]policy.Policy{
			"":       {Remember: 30 * 24 * time.Hour, Passwordless: true},
			"mailed": {Implicit: []string{"email"}},
		})),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Notify:    func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) },
	}
	r.restart()
	return r
}

// restart makes another Manager over the same store.
func (r *rig) restart() {
	r.t.Helper()
	m, err := mfa.New(r.cfg)
	require.NoError(r.t, err)
	r.Manager = m
}

func (r *rig) factors() (all []factor.Factor) {
	r.t.Helper()
	add := func(f factor.Factor, err error) {
		r.t.Helper()
		require.NoError(r.t, err)
		all = append(all, f)
	}
	page := func(path string) func(string) string {
		return func(token string) string {
			return "https://example.com/" + path + "?token=" + token
		}
	}
	apps, err := totp.New(totp.Config{Issuer: "Acme"})
	add(apps, err)
	keys, err := passkey.New(passkey.Config{RPID: "example.com", RPName: "Acme",
		Origins: []string{"https://www.example.com"}})
	add(keys, err)
	mails, err := email.New(email.Config{Sender: r.mails, ServiceName: "Acme",
		ConfirmURL: page("confirm"), SetupURL: page("setup")})
	add(mails, err)
	texts, err := sms.New(sms.Config{Sender: r.texts, ServiceName: "Acme", Origin: "example.com",
		Allow: []string{"+31"}})
	add(texts, err)
	pins, err := pin.New(pin.Config{})
	add(pins, err)
	codes, err := recovery.New(recovery.Config{})
	add(codes, err)
	asked, err := questions.New(questions.Config{})
	add(asked, err)
	made, err := access.New(access.Config{MaxTTL: 7 * 24 * time.Hour})
	add(made, err)
	return all
}

// user returns a user as the application knows them, with an application of today that says
// whether they have enrolled.
func (r *rig) user(id string) mfa.User {
	r.t.Helper()
	f, ok := r.Users[id]
	require.True(r.t, ok, id)
	return mfa.User{ID: f.User.ID, Tenant: f.User.Tenant, UserType: f.User.UserType,
		Email: f.User.Email, EmailVerified: f.User.Verified, Enrolled: len(f.Factors) > 0}
}

func (r *rig) session(id string) mfa.Session { return r.Session(r.user(id), session) }

func (r *rig) secret(id, name string) string {
	r.t.Helper()
	s := r.Users[id].Secrets[name]
	require.NotEmpty(r.t, s, "%s of %s", name, id)
	return s
}

func (r *rig) begin(s mfa.Session) *mfa.Challenge {
	r.t.Helper()
	ch, err := s.Begin(r.t.Context())
	require.NoError(r.t, err)
	require.Equal(r.t, mfa.NextVerify, ch.Next)
	return ch
}

// verify begins a sign-in and responds to it.
func (r *rig) verify(id, kind, response string) (*mfa.Verification, error) {
	r.t.Helper()
	s := r.session(id)
	return s.Verify(r.t.Context(), r.begin(s), kind, secret.New(response))
}

// code returns the code that an app shows now.
func (r *rig) code(secret string) string {
	r.t.Helper()
	c, err := otptotp.GenerateCodeCustom(secret, r.clock.Now(),
		otptotp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	require.NoError(r.t, err)
	return c
}

// other returns a well-formed response that is not the code.
func other(code string) string {
	return strings.Map(func(d rune) rune { return '0' + (d-'0'+5)%10 }, code)
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// mail returns the code and the token of the link in the last mail, and empties the outbox.
func (r *rig) mail(to string) (code, link string) {
	r.t.Helper()
	m, ok := r.mails.Last()
	require.True(r.t, ok, "no mail was sent")
	require.Equal(r.t, to, m.To)
	for word := range strings.FieldsSeq(m.Text.Reveal()) {
		if u, err := url.Parse(word); err == nil && u.Scheme == "https" {
			link = u.Query().Get("token")
		}
	}
	return sixDigits.FindString(m.Text.Reveal()), link
}

// countMails returns how many mails were sent.
func (r *rig) countMails() int { return len(r.mails.All()) }
