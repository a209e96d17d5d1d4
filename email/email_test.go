package email_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

type rig struct {
	*mfa.Manager
	box   *mfatest.Outbox[email.Message]
	clock *mfatest.Clock
}

var ann = mfa.Subject{ID: "ann", Email: "ann@example.com", EmailConfirmed: true}

func newRig(t testing.TB, change ...func(*email.Config)) *rig {
	t.Helper()
	r := &rig{box: &mfatest.Outbox[email.Message]{}, clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	cfg := email.Config{Sender: r.box, ServiceName: "Acme",
		ConfirmURL: func(token string) string { return "https://acme.example/mfa/confirm?token=" + token }}
	for _, c := range change {
		c(&cfg)
	}
	f, err := email.New(cfg)
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: r.clock, Factors: []mfa.Factor{f},
		Policies:  mfa.StaticPolicy(mfa.Policy{Implicit: []string{"email"}}),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	return r
}

func (r *rig) begin(t testing.TB, s mfa.Subject) *mfa.Challenge {
	ch, err := r.Begin(t.Context(), mfa.BeginRequest{Subject: s, Binding: "b"})
	require.NoError(t, err)
	return ch
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

func (r *rig) code(t testing.TB) mfa.Secret {
	m, ok := r.box.Last()
	require.True(t, ok)
	return mfa.Secret(sixDigits.FindString(m.Text.Reveal()))
}

func TestSignIn(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {89999 * time.Millisecond, nil}, {90 * time.Second, mfa.ErrExpired}} {
		r := newRig(t)
		ch := r.begin(t, ann)
		require.Equal(t, "a•••@example.com", ch.Options[0].Hint)
		d, err := r.Send(t.Context(), mfa.SendRequest{Challenge: ch.Token, Binding: "b", Kind: "email"})
		require.NoError(t, err)
		require.Equal(t, r.clock.Now().Add(90*time.Second), d.Expires)
		m, _ := r.box.Last()
		require.Equal(t, ann.Email, m.To)
		require.Equal(t, "Your Acme code", m.Subject)
		require.Contains(t, m.Text.Reveal(), "90 seconds")
		code := r.code(t)
		require.Contains(t, m.HTML.Reveal(), string(code))
		require.NotContains(t, m.Subject, string(code), "lock screens show subjects")
		r.clock.Advance(c.after)
		_, err = r.Verify(t.Context(), mfa.VerifyRequest{Challenge: ch.Token, Binding: "b", Kind: "email", Response: code[:3] + " - " + code[3:]})
		require.ErrorIs(t, err, c.want)
	}
}

// An address is confirmed by the code or by the link of the same mail; the link is no more
// than an address: following it confirms nothing until its token is posted.
func TestConfirmByCodeOrLink(t *testing.T) {
	for _, by := range []string{"code", "link"} {
		r := newRig(t)
		ch := r.begin(t, mfa.Subject{ID: "new"})
		require.Equal(t, mfa.Enroll, ch.Next)
		e, err := r.Enroll(t.Context(), mfa.EnrollRequest{Grant: ch.Grant, Binding: "b", Kind: "email", Params: map[string]string{"address": " New@Example.COM "}})
		require.NoError(t, err)
		require.Equal(t, "N•••@example.com", e.Prompt.Hint)
		m, _ := r.box.Last()
		require.Equal(t, "New@example.com", m.To)
		_, token, ok := strings.Cut(m.Text.Reveal(), "confirm?token=")
		require.True(t, ok)
		token, _, _ = strings.Cut(token, "\n")
		if by == "code" {
			_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: "b", Response: mfa.Secret(sixDigits.FindString(m.Text.Reveal()))})
		} else {
			_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Link: mfa.LinkToken(token)})
		}
		require.NoError(t, err)
		_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Link: mfa.LinkToken(token)})
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
		require.Equal(t, mfa.Verify, r.begin(t, mfa.Subject{ID: "new"}).Next)
	}
}

func TestSendConfirmations(t *testing.T) {
	r := newRig(t)
	people := []mfa.Subject{{ID: "1", Email: "one@example.com"}, {ID: "2"}, {ID: "3", Email: "not an address"}, {ID: "4", Email: "four@example.com"}}
	var got []string
	for res := range email.SendConfirmations(t.Context(), r, "root", "new year", slices.Values(people)) {
		require.Equal(t, len(got), res.Index)
		require.Equal(t, people[res.Index].ID, res.Subject.ID)
		switch {
		case errors.Is(res.Err, email.ErrNoAddress):
			got = append(got, "none")
		case errors.Is(res.Err, mfa.ErrMalformed):
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
	require.Empty(t, sixDigits.FindString(strings.Split(all[0].Text.Reveal(), "https:")[0]), "no code that no page waits for")

	r.box.FailNext(errors.New("down"))
	n := 0
	for res := range email.SendConfirmations(t.Context(), r, "root", "", slices.Values(people)) {
		require.ErrorIs(t, res.Err, mfa.ErrUnavailable)
		n++
		break // stopped: nobody after is written to
	}
	require.Equal(t, 1, n)
	require.Len(t, r.box.All(), 2)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	for res := range email.SendConfirmations(ctx, r, "root", "", slices.Values(people)) {
		cancel()
		n++
		if n == 2 {
			require.ErrorIs(t, res.Err, context.Canceled)
		}
	}
	require.Equal(t, 2, n)
}

func TestAddresses(t *testing.T) {
	f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"})
	require.NoError(t, err)
	for in, hint := range map[string]string{
		"ann@example.com": "a•••@example.com", "a@example.com": "•••@example.com", "éa@example.com": "é•••@example.com",
		"ann+tag@sub.example.co.uk": "a•••@sub.example.co.uk", " ann@EXAMPLE.com ": "a•••@example.com",
	} {
		out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": in}})
		require.NoError(t, err, in)
		require.Equal(t, hint, out.Hint)
	}
	for _, in := range []string{"", "ann", "ann@", "@example.com", "ann@example", "Ann <ann@example.com>", "ann@example.com, bob@example.com",
		"ann@example.com\r\nBcc: x@example.com", "ann@exam ple.com", "ann@-example.com", "ann@[127.0.0.1]", strings.Repeat("a", 65) + "@example.com",
		"a@" + strings.Repeat("b.", 130) + "com", "ann@example..com", "ann\x00@example.com", "\xff@example.com", "\"a b\"@example.com", strings.Repeat("a", 1<<20)} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": in}})
		var p *factor.Problem
		require.ErrorAs(t, err, &p, "%.40q", in)
		require.Equal(t, "address_form", p.Reason)
		if len(in) > 3 && len(in) < 100 {
			require.NotContains(t, err.Error(), in)
		}
	}
	_, err = f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": "ANN@example.com"}, Existing: []factor.Instance{{State: []byte("ann@example.com")}}})
	require.ErrorContains(t, err, "already")
}

func TestMailsInFourLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, locale := range []string{"en", "nl-BE", "nb_NO", "no", "de", "fr", ""} {
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			m, err := email.Compose(email.Content{To: "ann@example.com", ServiceName: `A&B <"x">`, Locale: locale, Purpose: purpose, Code: "012345",
				Link: "https://acme.example/c?token=x&y=1", TTL: 90 * time.Second})
			require.NoError(t, err)
			require.Contains(t, m.Text.Reveal(), "012345")
			require.Contains(t, m.HTML.Reveal(), "012345")
			require.NotContains(t, m.HTML.Reveal(), `<"x">`)
			require.NotContains(t, m.Text.Reveal()+m.Subject, "%!")
			seen[m.Text.Reveal()] = true
		}
	}
	require.Len(t, seen, 4*5)
}

func TestNothingSecretIsPrinted(t *testing.T) {
	m := email.Message{To: "ann@example.com", Subject: "s", Text: "012345", HTML: "012345"}
	j, err := json.Marshal(m)
	require.NoError(t, err)
	s := fmt.Sprintf("%v %+v %#v %s %x %d", m, m, m, m, m, m)
	require.NotContains(t, s+string(j), "012345")
	require.NotContains(t, s, "ann@")
}

func TestConfigIsRefusedWithASentence(t *testing.T) {
	for name, change := range map[string]func(*email.Config){
		"Sender":      func(c *email.Config) { c.Sender = nil },
		"ServiceName": func(c *email.Config) { c.ServiceName = "\n" },
		"TTL is 29s":  func(c *email.Config) { c.TTL = 29 * time.Second },
		"TTL is 10m":  func(c *email.Config) { c.TTL = 10*time.Minute + 1 },
		"Digits is 5": func(c *email.Config) { c.Digits = 5 },
	} {
		cfg := email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"}
		change(&cfg)
		_, err := email.New(cfg)
		require.ErrorContains(t, err, name)
	}
	r := newRig(t, func(c *email.Config) { c.ConfirmURL = nil })
	_, err := r.SendConfirmation(t.Context(), mfa.AdminRequest{Subject: ann, Actor: "root"})
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorContains(t, err, "ConfirmURL")
}

func FuzzAddress(f *testing.F) {
	fac, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("ann@example.com")
	f.Add("\"a\"@x.y\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		out, err := fac.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": in}})
		if err != nil {
			return
		}
		if strings.ContainsAny(string(out.State), "\r\n\x00 ,<>") || len(out.State) > 254 {
			t.Fatalf("accepted %q", in)
		}
	})
}

func ExampleSendConfirmations() {
	box := &mfatest.Outbox[email.Message]{}
	f, _ := email.New(email.Config{Sender: box, ServiceName: "Acme",
		ConfirmURL: func(token string) string { return "https://acme.example/mfa/confirm?token=" + token }})
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	m, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []mfa.Factor{f},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	people := slices.Values([]mfa.Subject{{ID: "1", Email: "one@example.com"}, {ID: "2"}})
	for r := range email.SendConfirmations(context.Background(), m, "root", "address check", people) {
		fmt.Println(r.Index, r.Subject.ID, r.Err)
	}
	// Output:
	// 0 1 <nil>
	// 1 2 email: the person has no address
}
