package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// interruptedRead is a store that has been read when an operator interrupts.
type interruptedRead struct {
	storage.Store
	interrupt func()
}

func (s interruptedRead) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, key)
	s.interrupt()
	return r, err
}

// An interrupt comes between the read and the write of a user. The user is imported, with an event,
// and the next user is not begun.
func TestImport_FinishesWhomItHasBegun(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	store := memory.New()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "secondgate"})
	require.NoError(t, err)
	var imported []string
	m, err := mfa.New(mfa.Config{Store: interruptedRead{store, interrupt}, Keys: keys,
		Factors: []factor.Factor{app},
		Events: func(_ context.Context, e mfa.Event) {
			imported = append(imported, e.Name+" "+e.UserID)
		},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	users := func(yield func(importing.User, error) bool) {
		for _, id := range []string{"ann", "bob"} {
			if !yield(importing.User{User: mfa.User{ID: id}, Factors: []mfa.EnrollRequest{{
				Kind: "totp", Params: map[string]secret.Text{
					"secret": secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")}}}}, nil) {
				return
			}
			<-ctx.Done()
		}
	}
	var out, messages strings.Builder
	c := &call{manager: m, by: "carol", reason: "ticket", out: &out, messages: &messages,
		moving: importOptions{parallel: 2}}
	require.ErrorIs(t, c.importAll(ctx, &source{}, users), errPartly)
	require.Equal(t, "ann\timported totp\n", out.String())
	require.Equal(t, []string{"admin.import ann"}, imported)
	require.Contains(t, messages.String(), "1 imported")
	records, _, err := store.List(t.Context(), "", "", 10)
	require.NoError(t, err)
	require.Len(t, records, 1)
}

// The line about a user without an ID says which one it is, beside those that are about the file.
func TestImport_SaysWhichUserHasNoID(t *testing.T) {
	d := newDesk(t)
	file := d.at("users.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"id":"ann","factors":[{"kind":"totp","params":`+
		`{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}`+"\n"+`{"factors":[]}`+"\n"), 0o600))
	out, _, code := d.act("import", file)
	require.Equal(t, exitPartly, code)
	require.Contains(t, out, "ann\timported totp\n")
	require.Contains(t, out, "(the file)\tfailed: the user at place 2 has no ID\n")
}
