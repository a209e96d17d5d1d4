package main

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/transittest"
)

// once calls a function at the first write.
type once struct {
	strings.Builder
	at func()
}

func (o *once) Write(p []byte) (int, error) {
	if o.at != nil {
		o.at()
		o.at = nil
	}
	return o.Builder.Write(p)
}

// vaulted is a desk whose keys a transit engine encrypts.
func vaulted(t *testing.T) (d desk, engine *transittest.Engine, encryptsNot *atomic.Bool) {
	engine, encryptsNot = transittest.New(t), new(atomic.Bool)
	whole := engine.Config.Handler
	engine.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if encryptsNot.Load() && strings.Contains(r.URL.Path, "/encrypt/") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		whole.ServeHTTP(w, r)
	})
	t.Setenv("SECONDGATE_VAULT", engine.URL+"/v1/transit/keys/secondgate")
	t.Setenv("SECONDGATE_VAULT_TOKEN", transittest.Token)
	return newDesk(t), engine, encryptsNot
}

// Without its vault init makes neither a key file nor a database.
func TestInit_MakesNothingWithoutTheVault(t *testing.T) {
	d, engine, _ := vaulted(t)
	engine.Down.Store(true)
	before, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	_, messages, code := d.run("init", "-keys", d.at("other.keys"), "-store",
		"sqlite:"+d.at("other.db"))
	require.Equal(t, 1, code)
	require.Contains(t, messages, "the vault did not decrypt or encrypt a key")
	require.Contains(t, messages, "503")
	after, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	require.Equal(t, names(before), names(after))
}

// An import that has begun goes on while the vault is down. One that begins then imports nobody and
// leaves no trace, and is run again later.
func TestImport_WhileTheVaultIsDown(t *testing.T) {
	d, engine, _ := vaulted(t)
	first := d.users("ann", "bob", "carl")
	out := &once{at: func() { engine.Down.Store(true) }}
	var messages strings.Builder
	require.Zero(t, run(t.Context(), []string{"import", "-by", "carol", "-reason", "ticket",
		"-parallel", "1", first}, out, &messages), messages.String())
	require.Equal(t, 3, strings.Count(out.String(), "imported totp"))

	entries := d.entries()
	second := d.users("ann", "dora")
	lines, refused, code := d.act("import", second)
	require.Equal(t, 1, code)
	require.Empty(t, lines)
	require.Contains(t, refused, "the vault did not decrypt or encrypt a key")
	require.Equal(t, entries, d.entries())
	engine.Down.Store(false)
	lines, _, code = d.act("import", second)
	require.Zero(t, code)
	require.Equal(t, "ann\tskipped: imported\ndora\timported totp\n", sorted(lines))
}

func sorted(lines string) string {
	list := strings.SplitAfter(lines, "\n")
	if len(list) == 3 && list[0] > list[1] {
		list[0], list[1] = list[1], list[0]
	}
	return strings.Join(list, "")
}

// A rotation that has begun ends while the vault is down. One that begins then changes nothing, and
// a key that the vault does not encrypt is not added.
func TestRotate_WhileTheVaultIsDown(t *testing.T) {
	d, engine, encryptsNot := vaulted(t)
	d.imports("ann", "bob")
	keys, err := os.ReadFile(d.at("acme.keys"))
	require.NoError(t, err)
	encryptsNot.Store(true)
	_, messages, code := d.act("keys add")
	require.Equal(t, 1, code)
	require.Contains(t, messages, "the vault did not decrypt or encrypt a key")
	now, err := os.ReadFile(d.at("acme.keys"))
	require.NoError(t, err)
	require.Equal(t, keys, now)
	encryptsNot.Store(false)
	_, messages, code = d.act("keys add")
	require.Zero(t, code, messages)

	engine.Down.Store(true)
	_, messages, code = d.act("rotate")
	require.Equal(t, 1, code)
	require.Contains(t, messages, "503")
	engine.Down.Store(false)
	var out strings.Builder
	begun := &once{at: func() { engine.Down.Store(true) }} // by the event of the act
	require.Zero(t, run(t.Context(), []string{"rotate", "-json", "-by", "carol", "-reason",
		"ticket"}, &out, begun), begun.String())
	require.Contains(t, out.String(), `"reencrypted":2`)
	engine.Down.Store(false)
	out.Reset()
	require.Zero(t, run(t.Context(), []string{"rotate", "-json", "-by", "carol", "-reason",
		"ticket"}, &out, begun))
	require.Contains(t, out.String(), `"reencrypted":0`)
}
