package mfa_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// evilNames would speak for the service in its mails. The table of all forms is at
// internal/plainname.
var evilNames = []string{"URGENT https://evil.example", "www.evil", "evil.example/x", "evil.com",
	"eve@evil.example",
	`Ann <a href="x">`, "\u202egnihsihp", "a\u200bb", "a\nb", "\ufeffx", "\xff",
	strings.Repeat("x", 65)}

// Wherever a user gives a name, the same rule holds.
func TestNames_AreNoLinks(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	ch := r.begin(ann)
	requireName := func(err error) {
		t.Helper()
		var p *factor.Problem
		require.ErrorAs(t, err, &p)
		require.Equal(t, "name_form", p.Reason)
	}
	for _, name := range evilNames {
		_, err := r.Session(ann, binding).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "pin",
			Name: name, Params: map[string]secret.Text{"word": secret.New("1234")}})
		requireName(err)
		requireName(r.Session(ann, binding).Rename(t.Context(), g, mfa.FactorInfo{ID: r.id("app"),
			Name: name}))
		_, err = r.Session(ann, binding).RememberDevice(name).Verify(t.Context(), ch, "app",
			secret.New("x"))
		requireName(err)
	}
	for _, name := range []string{"Ann’s iPhone", "Firefox, Windows", "J. Berg", "الهاتف", "🔑"} {
		require.NoError(t, r.Session(ann, binding).Rename(t.Context(), g,
			mfa.FactorInfo{ID: r.id("app"), Name: name}))
	}
}

// named is a word whose instances are named as they could be before there was a rule.
type named struct {
	*word
	name string
}

func (n *named) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	out, err := n.word.Enroll(ctx, in)
	if err == nil {
		out.Name = n.name
	}
	return out, err
}

// A name in an old record reaches no message, and quotation marks in one do not end a quotation.
func TestNames_InOldRecordsReachNoMessage(t *testing.T) {
	for _, name := range append(evilNames[:len(evilNames)-2:len(evilNames)-2], "a” b") {
		f := &named{name: name}
		r := newRig(t, func(c *mfa.Config) {
			f.word = c.Factors[0].(*word)
			c.Factors = append([]factor.Factor{f}, c.Factors[1:]...)
			c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
		})
		g := r.withApp(ann, "word").Grant
		require.NoError(t, r.Session(ann, binding).Remove(t.Context(), g, r.id("app")))
		require.Len(t, r.mail.told, 2)
		for _, in := range r.mail.told {
			require.Contains(t, []string{"", "a' b"}, in.Label, "%q", name)
		}
	}
}
