package email_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

func TestSendConfirmations_MailsUsersWithAnAddress(t *testing.T) {
	r := newRig(t)
	admin := r.Admin(mfa.System("root"), "new year")
	users := []mfa.User{{ID: "1", Email: "one@example.com"}, {ID: "2"},
		{ID: "3", Email: "not an address"}, {ID: "4", Email: "four@example.com"}}
	var got []string
	for res := range email.SendConfirmations(t.Context(), admin, slices.Values(users)) {
		require.Equal(t, len(got), res.Index)
		require.Equal(t, users[res.Index].ID, res.User.ID)
		switch {
		case errors.Is(res.Err, email.ErrNoAddress):
			got = append(got, "none")
		case errors.Is(res.Err, factor.ErrMalformed):
			got = append(got, "bad")
		default:
			require.NoError(t, res.Err)
			require.NotNil(t, res.Delivery)
			got = append(got, "sent")
		}
	}
	require.Equal(t, []string{"sent", "none", "bad", "sent"}, got)
	all := r.box.All()
	require.Len(t, all, 2)
	require.Contains(t, all[0].Text.Reveal(), "https://acme.example/mfa/confirm?token=")
	require.Empty(t, sixDigits.FindString(strings.Split(all[0].Text.Reveal(), "https:")[0]),
		"no code that no page waits for")

	r.box.FailNext(errors.New("down"))
	n := 0
	for res := range email.SendConfirmations(t.Context(), admin, slices.Values(users)) {
		require.ErrorIs(t, res.Err, mfa.ErrUnavailable)
		n++
		break // no user after this one gets a mail
	}
	require.Equal(t, 1, n)
	require.Len(t, r.box.All(), 2)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	for res := range email.SendConfirmations(ctx, admin, slices.Values(users)) {
		cancel()
		n++
		if n == 2 {
			require.ErrorIs(t, res.Err, context.Canceled)
		}
	}
	require.Equal(t, 2, n)
}

// confirmer notes what it is asked, and fails for some.
type confirmer struct {
	asked []mfa.User
	fail  map[string]error
}

func (c *confirmer) SendVerificationLink(ctx context.Context, u mfa.User) (*mfa.Delivery, error) {
	c.asked = append(c.asked, u)
	if err := c.fail[u.ID]; err != nil {
		return nil, err
	}
	return &mfa.Delivery{Kind: "email", MaskedDestination: email.Mask(u.Email)}, ctx.Err()
}

// Nobody is written to, and nobody even looked up, before the result of the one before has
// been taken.
func TestSendConfirmations_WaitsForTheConsumer(t *testing.T) {
	pulled := 0
	users := func(yield func(mfa.User) bool) {
		for i := range 1000 {
			pulled++
			if !yield(mfa.User{ID: fmt.Sprint(i), Email: "x@example.com"}) {
				return
			}
		}
	}
	c := &confirmer{fail: map[string]error{"1": mfa.ErrUnavailable, "2": &mfa.LockedError{},
		"3": &mfa.RateLimitError{RetryAfter: time.Hour}}}
	seq := email.SendConfirmations(t.Context(), c, users)
	require.Zero(t, pulled, "nothing happens until the results are asked for")
	for r := range seq {
		require.Equal(t, r.Index+1, pulled)
		require.Len(t, c.asked, pulled)
		require.Equal(t, r.User, c.asked[r.Index])
		require.Equal(t, c.fail[r.User.ID], r.Err)
		require.Equal(t, r.Err != nil, r.Delivery == nil)
		if r.Index == 4 {
			break
		}
	}
	require.Equal(t, 5, pulled)
	require.Len(t, c.asked, 5)
}

// A context that is over before the first is no reason to write to any user.
func TestSendConfirmations_OfADoneContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &confirmer{}
	n := 0
	for r := range email.SendConfirmations(ctx, c,
		slices.Values([]mfa.User{{ID: "1", Email: "a@example.com"}, {ID: "2"}})) {
		require.ErrorIs(t, r.Err, context.Canceled)
		require.Nil(t, r.Delivery)
		n++
	}
	require.Equal(t, 1, n)
	require.Empty(t, c.asked)
}

// For each mail an event says who had it sent and why, as the Admin does: a program or a user.
func TestSendConfirmations_EventsNameTheActorAndTheReason(t *testing.T) {
	var events []mfa.Event
	r := newRig(t)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	f, err := email.New(email.Config{Sender: r.box, ServiceName: "Acme",
		ConfirmURL: func(token string) string { return "https://acme.example/?token=" + token }})
	require.NoError(t, err)
	r.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: r.clock,
		Factors:   []factor.Factor{f},
		Policies:  policy.Static(policy.Policy{Implicit: []string{"email"}}),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Events:    func(_ context.Context, e mfa.Event) { events = append(events, e) }})
	require.NoError(t, err)
	ch := r.begin(t, ann)
	_, err = r.Session(ann, "b").Send(t.Context(), ch, "email")
	require.NoError(t, err)
	v, err := r.Session(ann, "b").Verify(t.Context(), ch, "email", r.code(t))
	require.NoError(t, err)

	users := []mfa.User{{ID: "1", Email: "one@example.com"}, {ID: "4", Email: "four@example.com"}}
	for name, actor := range map[string]mfa.Actor{
		"nightly": mfa.System("nightly"), ann.ID: r.Session(ann, "b").Actor(v.Grant),
	} {
		events = nil
		admin := r.Admin(actor, "the addresses are new: "+name)
		for res := range email.SendConfirmations(t.Context(), admin, slices.Values(users)) {
			require.NoError(t, res.Err)
		}
		sent := map[string]int{}
		for _, e := range events {
			if e.Name == "admin.send-confirmation" {
				require.Equal(t, name, e.Actor)
				require.Equal(t, "the addresses are new: "+name, e.Note)
				sent[e.UserID]++
			}
		}
		require.Equal(t, map[string]int{"1": 1, "4": 1}, sent)
	}
}
