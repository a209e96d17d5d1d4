package trail_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

const origin = "acme.example/trail"

// rig has a trail in a file, whose writer runs.
type rig struct {
	*testing.T
	path    string
	key     ed25519.PrivateKey
	anchors []string
	trail   *trail.Trail
	log     *trail.File
	end     func() error
}

func newRig(t *testing.T) *rig {
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	r := &rig{T: t, key: key, path: filepath.Join(t.TempDir(), "trail.jsonl")}
	r.start()
	return r
}

// start starts a writer, as a process does, and end ends it.
func (r *rig) start() {
	var err error
	r.log, err = trail.OpenFile(r.path)
	require.NoError(r, err)
	r.trail, err = trail.New(trail.Config{Log: r.log, Key: secret.Bytes(r.key), Origin: origin,
		Interval: time.Millisecond,
		Client:   func(context.Context) trail.Client { return trail.Client{Address: "192.0.2.7"} },
		Anchor: func(_ context.Context, checkpoint string) error {
			r.anchors = append(r.anchors, checkpoint)
			return nil
		}})
	require.NoError(r, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.trail.Run(ctx) }()
	r.end = sync.OnceValue(func() error { cancel(); return <-done })
	r.Cleanup(func() { _ = r.end() })
}

// keep keeps events about users in batches of their own.
func (r *rig) keep(users ...string) {
	for _, user := range users {
		r.trail.Events(nil)(r.Context(), mfa.Event{Name: "verify.success", Kind: "totp",
			UserID: user, Tenant: "acme", Time: time.Unix(1700000000, 0), Actor: "carol",
			Note: "ticket <4711>"})
		require.NoError(r, r.trail.Flush(r.Context()))
	}
}

func (r *rig) verify(anchors ...string) (*trail.Result, error) {
	log, err := trail.OpenFile(r.path)
	if err != nil {
		return nil, err
	}
	return r.check(log.Read(r.Context(), 1), anchors...)
}

func (r *rig) check(
	entries iter.Seq2[trail.Entry, error], anchors ...string,
) (*trail.Result, error) {
	return trail.Verify(entries, trail.Verification{Key: r.key.Public().(ed25519.PublicKey),
		Origin: origin, Anchors: anchors})
}

// entries returns what the trail has.
func (r *rig) entries() (list []trail.Entry) {
	for e, err := range r.log.Read(r.Context(), 1) {
		require.NoError(r, err)
		list = append(list, e)
	}
	return list
}

func seq(list []trail.Entry) iter.Seq2[trail.Entry, error] {
	return func(yield func(trail.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestTrail_KeepsWhoWhatWhenFromWhereAndWhy(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob", "ann")
	result, err := r.verify()
	require.NoError(t, err)
	require.EqualValues(t, 3, result.Entries)
	require.Equal(t, time.Unix(1700000000, 0).UTC(), result.Newest)

	n := 0
	for e, err := range r.trail.History(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}) {
		require.NoError(t, err)
		fact, personal, err := e.Read()
		require.NoError(t, err)
		require.Equal(t, trail.Fact{Time: time.Unix(1700000000, 0).UTC(), Event: "verify.success",
			Kind: "totp"}, fact)
		personal.Salt = nil
		require.Equal(t, trail.Personal{User: "ann", Tenant: "acme", Actor: "carol",
			Note: "ticket <4711>", Client: trail.Client{Address: "192.0.2.7"}}, personal)
		n++
	}
	require.Equal(t, 2, n)
}

// An attacker who writes to the log changes each byte, removes, repeats and swaps each entry.
func TestVerify_FindsEachChange(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob", "cas", "dan")
	list := r.entries()
	require.Len(t, list, 4)
	broken := func(name string, changed []trail.Entry, problem string) {
		_, err := r.check(seq(changed), list[3].Checkpoint)
		var where *trail.BrokenError
		require.ErrorAs(t, err, &where, name)
		require.Contains(t, where.Problem, problem, name)
	}
	const moved, cut = "entries were removed or reordered", "the end was cut off"
	for i := range list {
		broken(fmt.Sprint("removed ", i), slices.Concat(list[:i], list[i+1:]),
			[]string{moved, moved, moved, cut}[i])
		broken(fmt.Sprint("repeated ", i), slices.Concat(list[:i+1], list[i:]), moved)
		for j := range i {
			swapped := slices.Clone(list)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			broken(fmt.Sprint("swapped ", i, j), swapped, moved)
			swapped[i].Seq, swapped[j].Seq = swapped[j].Seq, swapped[i].Seq
			broken(fmt.Sprint("swapped and numbered ", i, j), swapped, "it was altered")
		}
		for problem, change := range map[string]func(*trail.Entry){
			moved:             func(e *trail.Entry) { e.Seq++ },
			"it was altered":  func(e *trail.Entry) { e.Fact = altered(e.Fact) },
			"it was altered,": func(e *trail.Entry) { e.PersonalHash = flipped(e.PersonalHash) },
			"was altered, or": func(e *trail.Entry) { e.Hash = flipped(e.Hash) },
			"its personal part was altered": func(e *trail.Entry) {
				e.Personal = bytes.Replace(e.Personal, []byte("carol"), []byte("karol"), 1)
			},
			"its personal part was removed": func(e *trail.Entry) {
				e.Personal, e.Subject = nil, ""
			},
			"its subject was altered": func(e *trail.Entry) { e.Subject = "other" },
			// A signature by another key may stand beside it.
			"its checkpoint is not": func(e *trail.Entry) {
				e.Checkpoint = list[(i+1)%4].Checkpoint
			},
		} {
			changed := slices.Clone(list)
			change(&changed[i])
			broken(fmt.Sprint(problem, " of ", i), changed, problem)
		}
	}
}

func altered(text []byte) []byte { return bytes.Replace(text, []byte("e"), []byte("f"), 1) }

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[0] ^= 1
	return b
}

// An attacker cuts the end off at an older checkpoint, which the key has signed.
func TestVerify_FindsACutEndByAnAnchor(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob", "cas")
	require.NoError(t, r.end())
	require.NotEmpty(t, r.anchors, "the end of Run keeps one")
	anchor := r.anchors[len(r.anchors)-1]
	list := r.entries()
	for n := range list {
		_, err := r.check(seq(list[:n]), anchor)
		require.ErrorContains(t, err, "the end was cut off")
	}
	_, err := r.check(seq(list[:2]))
	require.NoError(t, err, "nothing but an anchor shows it")
	_, err = r.check(seq(list), r.anchors...)
	require.NoError(t, err)
}

// An attacker who has no key writes a trail of their own, or goes on with this one.
func TestVerify_RefusesAnotherKeyAndAnotherOrigin(t *testing.T) {
	r, attacker := newRig(t), newRig(t)
	r.keep("ann")
	attacker.keep("ann", "bob")
	_, err := r.check(seq(attacker.entries()))
	require.ErrorContains(t, err, "not of this key")
	_, err = r.check(seq(r.entries()), attacker.entries()[0].Checkpoint)
	require.ErrorContains(t, err, "an anchor")
	forged := append(r.entries(), attacker.entries()[1])
	_, err = r.check(seq(forged))
	require.Error(t, err)
	unsigned := r.entries()
	unsigned[0].Checkpoint = ""
	_, err = r.check(seq(unsigned))
	require.ErrorContains(t, err, "no checkpoint")
}

func TestRun_GoesOnWithNoRewrittenLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it waits before it reads again
		r := newRig(t)
		r.keep("ann", "bob")
		text, err := os.ReadFile(r.path)
		require.NoError(t, err)
		first, _, _ := bytes.Cut(text, []byte("\n"))
		require.NoError(t, os.WriteFile(r.path, append(first, '\n'), 0o600))
		r.trail.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "cas"})
		require.ErrorIs(t, r.trail.Flush(t.Context()), trail.ErrRewritten)
		require.NoError(t, os.WriteFile(r.path, text, 0o600))
		require.NoError(t, r.trail.Flush(t.Context()))
		require.Len(t, r.entries(), 3)
	})
}

func TestErase_LeavesATrailThatVerifies(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob", "ann", "ann")
	require.NoError(t, r.trail.Erase(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}))
	result, err := r.verify(r.entries()[3].Checkpoint)
	require.NoError(t, err)
	require.EqualValues(t, 3, result.Erased)
	require.EqualValues(t, 5, result.Entries)
	text, err := os.ReadFile(r.path)
	require.NoError(t, err)
	require.NotContains(t, string(text), `"ann"`)
	require.Contains(t, string(text), `"erased":[[1,1],[3,4]]`)

	list := r.entries()
	list[1].Personal, list[1].Subject = nil, ""
	_, err = r.check(seq(list))
	require.ErrorContains(t, err, "entry 2: its personal part was removed without an erasure")
	require.NoError(t, r.trail.Erase(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}))
	require.Len(t, r.entries(), 5, "nothing is left to erase")
	r.keep("cas")
	_, err = r.verify()
	require.NoError(t, err)
}

// A batch whose end a killed process did not write is neither trusted nor in the way.
func TestFile_RemovesAnUnfinishedBatch(t *testing.T) {
	r := newRig(t)
	r.keep("ann")
	require.NoError(t, r.end())
	good, err := os.ReadFile(r.path)
	require.NoError(t, err)
	forged := strings.Replace(string(good), `"seq":1`, `"seq":2`, 1)
	forged = forged[:strings.Index(forged, `,"checkpoint"`)] + "}\n"
	for name, rest := range map[string]string{"torn": string(good[:40]), "unsigned": forged,
		"unsigned and torn": forged + forged[:30]} {
		require.NoError(t, os.WriteFile(r.path, append(bytes.Clone(good), rest...), 0o600))
		r.start()
		r.keep("bob")
		require.NoError(t, r.end())
		require.Len(t, r.entries(), 2, name)
		_, err = r.verify()
		require.NoError(t, err, name)
	}
}

// A batch whose reply was lost is there, and is not written again.
func TestRun_WritesNothingTwiceAfterALostReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{after: failing("Append", errors.New("the reply was lost"))}
		p := start(t, trail.Config{Log: log})
		for _, user := range []string{"ann", "bob"} {
			p.event(user)
			require.NoError(t, p.Flush(t.Context()))
		}
		require.Equal(t, []string{"ann", "bob"}, verified(t, log))
	})
}

// While the log fails, events wait in memory of a bounded size; those after it are counted.
func TestEvents_CountsWhatIsLost(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.end())
	late, err := trail.New(trail.Config{Log: r.log, Key: secret.Bytes(r.key), Origin: origin})
	require.NoError(t, err)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10007 {
		late.Events(nil)(over, mfa.Event{Name: "verify.success", UserID: "ann"})
	}
	require.NoError(t, late.Run(over), "the end writes what waits")
	list := r.entries()
	require.Len(t, list, 10001)
	lost := 0
	for _, e := range list {
		fact, _, err := e.Read()
		require.NoError(t, err)
		lost += fact.Lost
	}
	require.Equal(t, 7, lost)
	_, err = r.verify()
	require.NoError(t, err)
}

// While the log fails, Run keeps no more events than one batch, whose write it tries again. Events
// that come for ten minutes then do not fill the memory.
func TestRun_KeepsABoundedNumberOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const queue, batch, seconds = 10_000, 500, 600
		log := &memory{before: failing("Append", errDown)}
		p := start(t, trail.Config{Log: log})
		over, cancel := context.WithCancel(t.Context())
		cancel() // an event that finds no room is lost at once
		keep, made := p.Events(nil), 0
		event := func() {
			keep(over, mfa.Event{Name: "verify.success", UserID: "ann"})
			made++
		}
		for range queue + 2*batch {
			event()
		}
		for range seconds {
			time.Sleep(time.Second)
			event()
		}
		log.breaks(nil, nil)
		require.NoError(t, p.Flush(t.Context()))
		kept, lost := 0, 0
		for _, e := range log.list() {
			fact, _, err := e.Read()
			require.NoError(t, err)
			if lost += fact.Lost; fact.Lost == 0 {
				kept++
			}
		}
		require.Equal(t, made, kept+lost)
		require.LessOrEqual(t, kept, queue+batch)
	})
}

func TestTrail_PrintsNoKey(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.end())
	key := fmt.Sprint([]byte(r.key))
	printed := fmt.Sprintf("%v %+v %#v", r.trail, r.trail, r.trail)
	require.NotContains(t, printed, key[1:40])
	require.NotContains(t, printed, fmt.Sprintf("%#v", []byte(r.key))[7:60])
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	r := newRig(t)
	good := trail.Config{Log: r.log, Key: secret.Bytes(r.key), Origin: origin}
	for name, change := range map[string]func(*trail.Config){
		"log":      func(c *trail.Config) { c.Log = nil },
		"key":      func(c *trail.Config) { c.Key = nil },
		"origin":   func(c *trail.Config) { c.Origin = "a b" },
		"interval": func(c *trail.Config) { c.Interval = time.Hour },
	} {
		cfg := good
		change(&cfg)
		_, err := trail.New(cfg)
		require.Error(t, err, name)
	}
	_, err := trail.NewTable(nil, "sqlite")
	require.Error(t, err)
}
