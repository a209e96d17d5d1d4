package customfactor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/examples/customfactor"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// phones are the devices of all users, and what a push service has for them.
type phones struct {
	t        testing.TB
	endpoint string
	answers  *customfactor.Answers
	f        *customfactor.Approval

	mu       sync.Mutex
	requests map[string]customfactor.Request // the latest by device
	keys     map[string]ed25519.PrivateKey
}

func newPhones(t testing.TB, now func() time.Time) *phones {
	t.Helper()
	p := &phones{t: t, answers: &customfactor.Answers{Now: now},
		requests: map[string]customfactor.Request{}, keys: map[string]ed25519.PrivateKey{}}
	srv := httptest.NewServer(p.answers)
	t.Cleanup(srv.Close)
	p.endpoint = srv.URL
	var err error
	p.f, err = customfactor.NewApproval(customfactor.ApprovalConfig{Answers: p.answers,
		PairURL: "https://acme.example/device",
		Push: func(_ context.Context, r customfactor.Request) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.requests[r.Device] = r
			return nil
		}})
	require.NoError(t, err)
	return p
}

// device returns the device of a link that a user opened on it.
func (p *phones) device(uri secret.Text) string {
	p.t.Helper()
	u, err := url.Parse(uri.Reveal())
	require.NoError(p.t, err)
	return u.Query().Get("device")
}

// decide has the user of a device type a number, and approve or deny.
func (p *phones) decide(device, number string, approve bool) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	key, enrolled := p.keys[device]
	if !enrolled {
		_, key, _ = ed25519.GenerateKey(nil)
		p.keys[device] = key
	}
	answer := customfactor.Answer{Challenge: p.requests[device].Challenge, Number: number,
		Approve: approve}
	answer.Key = key.Public().(ed25519.PublicKey)
	answer.Sign(key)
	p.post(answer)
}

// post sends an answer as a device does.
func (p *phones) post(answer customfactor.Answer) {
	p.t.Helper()
	body, err := json.Marshal(answer)
	require.NoError(p.t, err)
	res, err := http.Post(p.endpoint, "application/json", bytes.NewReader(body))
	require.NoError(p.t, err)
	require.NoError(p.t, res.Body.Close())
	require.Equal(p.t, http.StatusNoContent, res.StatusCode)
}

// number returns the number that a page shows.
func number(t testing.TB, data []byte) string {
	t.Helper()
	var shown struct{ Number string }
	require.NoError(t, json.Unmarshal(data, &shown))
	require.Len(t, shown.Number, 2)
	return shown.Number
}

func TestApproval_Conforms(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := newPhones(t, func() time.Time { return now })
	decide := func(approve bool) func(*factor.EnrollOutput, *factor.Issue) {
		return func(out *factor.EnrollOutput, issued *factor.Issue) {
			// The kit delivers nothing.
			require.NoError(t, p.f.Deliver(t.Context(), factor.Message{State: out.State,
				Payload: issued.Payload, Time: now}))
			p.decide(p.device(out.Prompt.URI), number(t, issued.Prompt.Data), approve)
		}
	}
	mfatest.FactorKit{Factor: p.f, Approve: decide(true), Deny: decide(false), Now: now}.Run(t)
}

// signer is a user with an enrolled device.
type signer struct {
	*phones
	s      mfa.Session
	clock  *mfatest.Clock
	device string
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	clock := mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	p := newPhones(t, clock.Now)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: clock,
		Factors: []factor.Factor{p.f}})
	require.NoError(t, err)
	u := &signer{phones: p, s: m.Session(mfa.User{ID: "ann"}, "session"), clock: clock}
	ch, err := u.s.Begin(t.Context())
	require.NoError(t, err)
	e, err := u.s.Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "approval"})
	require.NoError(t, err)
	u.device = p.device(e.Prompt.URI)
	_, err = u.s.Confirm(t.Context(), e, secret.New(""))
	require.ErrorIs(t, err, factor.ErrPending)
	p.decide(u.device, number(t, e.Prompt.Data), true)
	_, err = u.s.Confirm(t.Context(), e, secret.New(""))
	require.NoError(t, err)
	return u
}

// ask begins a sign-in, and returns the number on its page.
func (u *signer) ask() (*mfa.Challenge, string) {
	u.t.Helper()
	ch, err := u.s.Begin(u.t.Context())
	require.NoError(u.t, err)
	d, err := u.s.Send(u.t.Context(), ch, "approval")
	require.NoError(u.t, err)
	return ch, number(u.t, d.Prompt.Data)
}

func (u *signer) verify(ch *mfa.Challenge) error {
	u.t.Helper()
	_, err := u.s.Verify(u.t.Context(), ch, "approval", secret.New(""))
	return err
}

func TestApproval_SignsInWhenTheUserTypesTheNumber(t *testing.T) {
	u := newSigner(t)
	ch, shown := u.ask()
	for range 10 {
		require.ErrorIs(t, u.verify(ch), factor.ErrPending)
	}
	u.decide(u.device, shown, true)
	require.NoError(t, u.verify(ch))
	require.Error(t, u.verify(ch), "an approval signs in once")
}

// Neither what a user of a stolen device, nor what an attacker without the device can answer signs
// in. Each is one failed attempt, and final.
func TestApproval_RefusesOtherAnswers(t *testing.T) {
	_, stranger, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, answer := range map[string]func(u *signer, shown string){
		"a denial": func(u *signer, shown string) {
			u.decide(u.device, shown, false)
			u.decide(u.device, shown, true)
		},
		"a signature of another request": func(u *signer, shown string) {
			a := customfactor.Answer{Challenge: "another", Number: shown, Approve: true}
			a.Sign(u.keys[u.device])
			a.Challenge = u.requests[u.device].Challenge
			u.post(a)
		},
		"another number": func(u *signer, shown string) {
			u.decide(u.device, strings.Map(func(r rune) rune { return '0' + '9' - r }, shown), true)
		},
		"another key": func(u *signer, shown string) {
			a := customfactor.Answer{Challenge: u.requests[u.device].Challenge, Number: shown,
				Approve: true, Key: stranger.Public().(ed25519.PublicKey)}
			a.Sign(stranger)
			u.post(a)
		},
		"a signature of another answer": func(u *signer, shown string) {
			a := customfactor.Answer{Challenge: u.requests[u.device].Challenge, Number: shown}
			a.Sign(u.keys[u.device])
			a.Approve = true
			u.post(a)
		},
	} {
		u := newSigner(t)
		ch, shown := u.ask()
		answer(u, shown)
		require.ErrorIs(t, u.verify(ch), factor.ErrIncorrect, name)
		u.decide(u.device, shown, true)
		require.Error(t, u.verify(ch), "%s is final", name)
	}
}

// An answer to another challenge, an answer before the request and thousands of answers to no
// request leave the request as it is.
func TestApproval_IgnoresWhatNobodyAskedFor(t *testing.T) {
	u := newSigner(t)
	_, old := u.ask()
	earlier := u.requests[u.device]
	ch, shown := u.ask()
	stale := customfactor.Answer{Challenge: earlier.Challenge, Number: old, Approve: true}
	stale.Sign(u.keys[u.device])
	u.post(stale)
	for range 2000 {
		u.post(customfactor.Answer{Challenge: "junk"})
	}
	require.ErrorIs(t, u.verify(ch), factor.ErrPending)
	u.decide(u.device, shown, true)
	require.NoError(t, u.verify(ch))
}

func TestApproval_ExpiresWithItsRequest(t *testing.T) {
	u := newSigner(t)
	ch, shown := u.ask()
	u.clock.Advance(91 * time.Second)
	u.decide(u.device, shown, true)
	require.NotErrorIs(t, u.verify(ch), factor.ErrPending)
	require.Error(t, u.verify(ch))
}

func TestAnswers_RefuseWhatIsNoAnswer(t *testing.T) {
	p := newPhones(t, time.Now)
	for body, status := range map[string]int{"": 400, "{": 400, `{"number":7}`: 400,
		`{"number":"` + strings.Repeat("7", 2000) + `"}`: 400} {
		res, err := http.Post(p.endpoint, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, status, res.StatusCode, "%.20q", body)
	}
	res, err := http.Get(p.endpoint)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
}

func TestNewApproval_SaysWhatIsMissing(t *testing.T) {
	push := func(context.Context, customfactor.Request) error { return nil }
	for want, cfg := range map[string]customfactor.ApprovalConfig{
		"Push":    {Answers: new(customfactor.Answers), PairURL: "x"},
		"Answers": {Push: push, PairURL: "x"}, "PairURL": {Push: push,
			Answers: new(customfactor.Answers)}} {
		_, err := customfactor.NewApproval(cfg)
		require.ErrorContains(t, err, want)
	}
}
