package mfatest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

var (
	_ email.Sender = (*mfatest.Outbox[email.Message])(nil)
	_ sms.Sender   = (*mfatest.Outbox[sms.Message])(nil)
)

func TestOutbox_KeepsMessages(t *testing.T) {
	var o mfatest.Outbox[string]
	_, ok := o.Last()
	require.False(t, ok)
	require.Empty(t, o.All())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _ = o.Send(t.Context(), "x") })
	}
	wg.Wait()
	require.NoError(t, o.Send(t.Context(), "last"))
	last, ok := o.Last()
	require.True(t, ok)
	require.Equal(t, "last", last)
	all := o.All()
	require.Len(t, all, 21)
	all[20] = "changed"
	last, _ = o.Last()
	require.Equal(t, "last", last, "what All returns is the caller's")
}

// A failure takes one call, in the order they were asked for, and keeps no message.
func TestOutbox_FailsOneCall(t *testing.T) {
	var o mfatest.Outbox[string]
	one, two := errors.New("one"), errors.New("two")
	o.FailNext(one)
	o.FailNext(two)
	require.ErrorIs(t, o.Send(t.Context(), "lost"), one)
	require.ErrorIs(t, o.Send(t.Context(), "lost"), two)
	require.NoError(t, o.Send(t.Context(), "kept"))
	require.Equal(t, []string{"kept"}, o.All())

	// A context that is over is no call that FailNext was meant for.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.FailNext(one)
	require.ErrorIs(t, o.Send(ctx, "lost"), context.Canceled)
	require.ErrorIs(t, o.Send(t.Context(), "lost"), one)
	require.Equal(t, []string{"kept"}, o.All())
}

func ExampleOutbox() {
	var box mfatest.Outbox[email.Message]
	f, _ := email.New(email.Config{Sender: &box, ServiceName: "Acme"})
	_ = f // goes into mfa.Config.Factors

	box.FailNext(errors.New("mail server is down"))
	fmt.Println(box.Send(context.Background(), email.Message{Subject: "Your Acme code"}))
	fmt.Println(box.Send(context.Background(), email.Message{Subject: "Your Acme code"}))
	m, _ := box.Last()
	fmt.Println(m.Subject)
	// Output:
	// mail server is down
	// <nil>
	// Your Acme code
}

func TestOutbox_RespondsWithTheLatestCode(t *testing.T) {
	var mails mfatest.Outbox[email.Message]
	var texts mfatest.Outbox[sms.Message]
	require.Equal(t, "email", mails.Kind())
	require.Equal(t, "sms", texts.Kind())
	_, err := mails.Respond(factor.Prompt{})
	require.ErrorContains(t, err, "received no new message")
	for _, code := range []string{"123456", "654321"} {
		require.NoError(t, mails.Send(t.Context(), email.Message{Text: secret.New(code)}))
		require.NoError(t, texts.Send(t.Context(), sms.Message{Text: code}))
	}
	for _, d := range []mfatest.Device{&mails, &texts} {
		code, err := d.Respond(factor.Prompt{})
		require.NoError(t, err)
		require.Equal(t, "654321", code)
		_, err = d.Respond(factor.Prompt{})
		require.ErrorContains(t, err, "received no new message", "a code is given once")
	}
	require.NoError(t, mails.Send(t.Context(), email.Message{Text: secret.New("no digits")}))
	_, err = mails.Respond(factor.Prompt{})
	require.ErrorContains(t, err, "has no code")
}

func TestOutbox_RefusesMessagesWithoutText(t *testing.T) {
	for _, d := range []mfatest.Device{
		sentTo(t, "123456"), sentTo(t, struct{ Text int }{123456}),
		sentTo(t, struct{ text string }{"123456"}), sentTo(t, &email.Message{}),
	} {
		_, err := d.Respond(factor.Prompt{})
		require.ErrorContains(t, err, "have no field Text")
	}
}

func sentTo[M any](t *testing.T, m M) *mfatest.Outbox[M] {
	t.Helper()
	o := new(mfatest.Outbox[M])
	require.NoError(t, o.Send(t.Context(), m))
	return o
}
