package mfa_test

import (
	"context"
	"crypto/subtle"
	"encoding"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// The factors of these tests are small and transparent, so that what is tested is the
// Manager; the real ones have tests with the Manager of their own.

// word is a factor whose correct response is its state, or "used:" of it when that was spent.
type word struct {
	kind   string
	traits factor.Traits
	once   bool                     // a response is valid once
	verify func(factor.VerifyInput) // called first, to panic or to wait
}

func (w *word) Kind() string          { return w.kind }
func (w *word) Traits() factor.Traits { return w.traits }

func (w *word) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if in.Params["word"].Reveal() == "" {
		return nil, &factor.Problem{Reason: "word_missing", Detail: "a word is needed"}
	}
	return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal()), Name: "My " + w.kind,
		Prompt: factor.Prompt{Secret: secret.New(in.Params["word"].Reveal())}}, nil
}

func (w *word) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if w.verify != nil {
		w.verify(in)
	}
	if w.once && string(in.State) == "used:"+in.Response.Reveal() {
		return nil, factor.ErrReplayed
	}
	if subtle.ConstantTimeCompare(in.State, []byte(in.Response.Reveal())) != 1 {
		return nil, factor.ErrIncorrect
	}
	if w.once && !in.Confirming {
		return &factor.Verdict{State: []byte("used:" + in.Response.Reveal())}, nil
	}
	return nil, nil
}

// slow is a word that is expensive to verify.
type slow struct{ word }

func (s *slow) Traits() factor.Traits {
	t := s.word.Traits()
	t.Expensive = true
	return t
}

// sent is a factor that sends a code to an address, kept in its state.
type sent struct {
	kind string
	mu   sync.Mutex
	last map[string]string // latest code by address
	link map[string]string // latest link by address
	sent int
	fail error
	told []factor.Message
	// locale is that of the user of the latest code, link or notice.
	locale string
}

func (s *sent) Notify(_ context.Context, in factor.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.told, s.locale = append(s.told, in), in.User.Locale
	return nil
}

// notices returns the notices since the last call, as "name to address".
func (s *sent) notices() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.told {
		list = append(list, in.Event+" to "+string(in.State))
	}
	s.told = nil
	return list
}

func (s *sent) Kind() string { return s.kind }
func (s *sent) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelWeak, AMR: "otp"}
}
func (s *sent) Normalize(r string) (string, error) { return sentcode.Normalize(r) }

func (s *sent) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	address := in.Params["address"].Reveal()
	if address == "" {
		address = in.User.Email
	}
	if address == "" {
		return nil, &factor.Problem{Reason: "address_form", Detail: "an address is needed"}
	}
	return &factor.EnrollOutput{State: []byte(address), MaskedDestination: "•••"}, nil
}

func (s *sent) Implied(p factor.User) ([]byte, string, error) {
	if p.Email == "" {
		return nil, "", nil
	}
	if !strings.Contains(p.Email, ".") {
		return nil, "", factor.ErrUndeliverable
	}
	return []byte(p.Email), "•••", nil
}

func (s *sent) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	code := sentcode.New(6)
	return &factor.Issue{Keep: sentcode.Keep(code), Expires: in.Now.Add(90 * time.Second),
		Payload:     secret.New(code),
		Destination: secret.New(string(in.State))}, nil
}

func (s *sent) Deliver(_ context.Context, in factor.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.last == nil {
		s.last, s.link = make(map[string]string), make(map[string]string)
	}
	s.last[string(in.State)], s.link[string(in.State)] = in.Payload.Reveal(), in.Link.Reveal()
	s.sent++
	s.locale = in.User.Locale
	return nil
}

func (s *sent) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	return nil, sentcode.Check(in)
}

func (s *sent) code(address string) secret.Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return secret.New(s.last[address])
}

// codes are recovery codes: the state holds the unused ones, a letter each.
type codes struct{}

func (codes) Kind() string { return "recovery" }
func (codes) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true,
		Limited: true}
}
func (codes) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("abcde"),
		Prompt: factor.Prompt{Codes: []secret.Text{secret.New("a"), secret.New("b"),
			secret.New("c"), secret.New("d"), secret.New("e")}}}, nil
}
func (codes) Describe(state []byte) factor.Description {
	return factor.Description{Remaining: len(state)}
}
func (codes) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	for i, c := range in.State {
		if string(c) == in.Response.Reveal() {
			return &factor.Verdict{State: append(append([]byte{}, in.State[:i]...),
				in.State[i+1:]...)}, nil
		}
	}
	return nil, factor.ErrIncorrect
}

// rig is a Manager with everything around it in the test's hand.
type rig struct {
	*mfa.Manager
	t      testing.TB
	clock  *mfatest.Clock
	store  *mfatest.FaultyStore
	mail   *sent
	app    *word // strong, single use
	pin    *slow
	mu     sync.Mutex
	events []mfa.Event
	cfg    mfa.Config
	grant  mfa.Grant // where a test keeps one
}

var testStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const binding = "session-1"

// boss is a program that administers.
var boss = mfa.System("boss")

var ann = mfa.User{ID: "ann", UserType: "employee", Email: "ann@example.com", EmailVerified: true}

var impliedMail = policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"mail"},
	KeepImplicit: true}

func newRig(t testing.TB, change ...func(*mfa.Config)) *rig {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r := &rig{t: t, clock: mfatest.NewClock(testStart),
		store: mfatest.NewFaultyStore(memory.New()), mail: &sent{kind: "mail"},
		app: &word{kind: "app", traits: factor.Traits{AMR: "otp",
			Level: factor.LevelStrong}, once: true},
		pin: &slow{word{kind: "pin", traits: factor.Traits{Level: factor.LevelWeak, Knowledge: true,
			AMR:        "pwd",
			OnePerUser: true}}}}
	r.cfg = mfa.Config{
		Store: r.store, Keys: keys, Clock: r.clock,
		Factors:   []factor.Factor{r.app, r.mail, r.pin, codes{}},
		Policies:  policy.Stored(policy.Static(impliedMail)),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Events: func(_ context.Context, e mfa.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
		},
	}
	for _, f := range change {
		f(&r.cfg)
	}
	r.Manager = r.another()
	return r
}

// another is a second Manager over the same store, as in another process.
func (r *rig) another() *mfa.Manager {
	r.t.Helper()
	m, err := mfa.New(r.cfg)
	require.NoError(r.t, err)
	return m
}

func (r *rig) eventNames() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		names = append(names, e.Name)
	}
	return names
}

func (r *rig) begin(s mfa.User) *mfa.Challenge {
	r.t.Helper()
	return r.beginFor(s, "sign-in")
}

// withPurpose returns the handle for a purpose by its name in events.
func withPurpose(s mfa.Session, purpose string) mfa.Session {
	switch purpose {
	case "sign-in":
		return s
	case "step-up":
		return s.StepUp()
	case "manage":
		return s.ManageFactors()
	case "replace":
		return s.Recovery()
	}
	panic("no such purpose: " + purpose)
}

// of returns the handle, in the session of most tests, for the user of a challenge, an
// enrolment or a grant. What another user's handle does with it has tests of its own.
func (r *rig) of(issued any) mfa.Session {
	r.t.Helper()
	if u := mfa.UserOf(r.Manager, issued); u.ID != "" {
		return r.Session(u, binding)
	}
	return r.Session(ann, binding)
}

// textOf returns the sealed form of a challenge, an enrolment or a grant.
func textOf(t testing.TB, issued encoding.TextMarshaler) secret.Text {
	t.Helper()
	text, err := issued.MarshalText()
	require.NoError(t, err)
	return secret.New(string(text))
}

// challengeOf, enrollmentOf and grantOf take any text for what it may not be.
func challengeOf(text secret.Text) *mfa.Challenge {
	ch := new(mfa.Challenge)
	_ = ch.UnmarshalText([]byte(text.Reveal())) // what it refuses is an empty challenge
	return ch
}

func enrollmentOf(text secret.Text) *mfa.Enrollment {
	e := new(mfa.Enrollment)
	_ = e.UnmarshalText([]byte(text.Reveal()))
	return e
}

func grantOf(text secret.Text) (g mfa.Grant) {
	_ = g.UnmarshalText([]byte(text.Reveal()))
	return g
}

func (r *rig) beginFor(s mfa.User, p string) *mfa.Challenge {
	r.t.Helper()
	ch, err := withPurpose(r.Session(s, binding), p).Begin(r.t.Context())
	require.NoError(r.t, err)
	return ch
}

func (r *rig) send(ch *mfa.Challenge) *mfa.Delivery {
	r.t.Helper()
	d, err := r.of(ch).Send(r.t.Context(), ch, "mail")
	require.NoError(r.t, err)
	return d
}

func (r *rig) verify(
	ch *mfa.Challenge, kind string, answer secret.Text,
) (*mfa.Verification, error) {
	return r.of(ch).Verify(r.t.Context(), ch, kind, answer)
}

// signIn signs a user in by mail.
func (r *rig) signIn(s mfa.User) *mfa.Verification {
	r.t.Helper()
	ch := r.begin(s)
	r.send(ch)
	v, err := r.verify(ch, "mail", r.mail.code(s.Email))
	require.NoError(r.t, err)
	return v
}

// enroll enrols a word.
func (r *rig) enroll(g mfa.Grant, kind, text string) *mfa.Confirmation {
	r.t.Helper()
	e, err := r.of(g).Enroll(r.t.Context(), g, mfa.EnrollRequest{Kind: kind,
		Params: map[string]secret.Text{"word": secret.New(text)}})
	require.NoError(r.t, err)
	c, err := r.of(g).Confirm(r.t.Context(), e, secret.New(text))
	require.NoError(r.t, err)
	return c
}

// withApp enrols the strong factor for a user.
func (r *rig) withApp(s mfa.User, text string) *mfa.Confirmation {
	r.t.Helper()
	return r.enroll(r.signIn(s).Grant, "app", text)
}

func left(t testing.TB, err error) int {
	t.Helper()
	var a *mfa.AttemptError
	require.ErrorAs(t, err, &a)
	return a.Remaining
}

func requireLocked(t testing.TB, err error) *mfa.LockedError {
	t.Helper()
	var l *mfa.LockedError
	require.ErrorAs(t, err, &l, "got %v", err)
	return l
}

// dump returns everything in the store.
func dump(t testing.TB, s storage.Lister) map[string]string {
	t.Helper()
	all := make(map[string]string)
	page, _, err := s.List(t.Context(), "", "", 1000)
	require.NoError(t, err)
	for _, e := range page {
		all[e.Key] = string(e.Record.Data)
	}
	return maps.Clone(all)
}

func person(i int) mfa.User {
	return mfa.User{ID: fmt.Sprintf("p%d", i), Email: fmt.Sprintf("p%d@example.com", i),
		EmailVerified: true}
}
