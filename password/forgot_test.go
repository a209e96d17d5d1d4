package password_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

func TestForgot_HonoursRateLimits(t *testing.T) {
	r := newRig(t, nil)
	ask := func(address, client string) error {
		return r.Forgot(t.Context(), password.ForgotRequest{Address: secret.New(address),
			Client: client})
	}
	refused := func(err error, wait time.Duration) {
		t.Helper()
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
		require.Equal(t, wait, over.RetryAfter)
	}
	for _, address := range []string{"olivia@acme.example", "nobody@acme.example"} {
		for i := range 5 {
			require.NoError(t, ask(address, fmt.Sprint("client ", i)))
		}
		refused(ask(address, "client 6"), 30*time.Minute)
		refused(ask(strings.ToUpper(address), "client 7"), 30*time.Minute)
	}
	require.Len(t, r.later, 10, "nothing is done for what was refused")
	r.clock.Advance(20 * time.Minute)
	for i := range 30 {
		require.NoError(t, ask(fmt.Sprintf("n%d@acme.example", i), "busy"))
	}
	refused(ask("n31@acme.example", "busy"), time.Hour)
	refused(ask("olivia@acme.example", "calm"), 10*time.Minute)
	r.clock.Advance(10 * time.Minute)
	require.NoError(t, ask("olivia@acme.example", "calm"))
	r.clock.Advance(30 * time.Minute)
	refused(ask("n31@acme.example", "busy"), 20*time.Minute)
	r.clock.Set(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) // back to before
	refused(ask("n31@acme.example", "busy"), time.Hour)
}

// Requests that the limit of an address refuses cost the network nothing, and the other way
// around; and they write nothing.
func TestForgot_RefusalCostsNothing(t *testing.T) {
	r := newRig(t, nil)
	ask := func(address, client string) error {
		return r.Forgot(t.Context(), password.ForgotRequest{Address: secret.New(address),
			Client: client})
	}
	var over *mfa.RateLimitError
	for range 5 {
		require.NoError(t, ask("olivia@acme.example", "office"))
	}
	writes := r.store.Calls(mfatest.OpSwap)
	for range 100 {
		require.ErrorAs(t, ask("olivia@acme.example", "office"), &over)
	}
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
	for i := range 25 { // the rest of the network's
		require.NoError(t, ask(fmt.Sprintf("n%d@acme.example", i), "office"))
	}
	for range 100 {
		require.ErrorAs(t, ask("robin@acme.example", "office"), &over)
	}
	for i := range 5 {
		require.NoError(t, ask("robin@acme.example", fmt.Sprint("home ", i)))
	}
	require.ErrorAs(t, ask("robin@acme.example", "home"), &over)
}

// Many spellings of an address do not make many mails: what the application takes for equal
// may be wider than lower case.
func TestForgot_LimitsAllSpellingsOfAnAddress(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.Accounts = findsAll{r.people}
	m, err := password.New(r.cfg)
	require.NoError(t, err)
	for i := range 8 {
		require.NoError(t, m.Forgot(t.Context(), password.ForgotRequest{
			Address: secret.New(fmt.Sprintf("olivia+%d@acme.example", i)), Client: "d"}))
	}
	require.NoError(t, r.work())
	require.Len(t, r.mails.All(), 5)
	require.Contains(t, r.names(), "password.limited")
}

// findsAll takes every address for Olivia's.
type findsAll struct{ *people }

func (f findsAll) Find(context.Context, string) ([]password.Account, error) {
	return []password.Account{f.account("acme/1")}, nil
}

func TestForgot_RefusesInvalidInput(t *testing.T) {
	r := newRig(t, nil)
	for _, address := range []string{"", "olivia", "@acme.example", "olivia@",
		"a\r\nBcc: b@acme.example", strings.Repeat("x", 250) + "@acme.example",
		"\xff@acme.example"} {
		requireReason(t, r.forgot(address), "address_form")
	}
	require.Error(t, r.Forgot(t.Context(), password.ForgotRequest{
		Address: secret.New("olivia@acme.example")}),
		"no client")
	require.Zero(t, r.store.Calls(mfatest.OpSwap))
}
