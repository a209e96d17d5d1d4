package trail_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/trail"
)

// An attacker who can write to the file takes the checkpoints off its end. The entries there would
// look like a batch that a killed process did not finish, and the trail itself would remove them.
func TestRun_RemovesNothingThatItWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it waits before it reads again
		r := newRig(t)
		r.keep("ann", "bob", "cas")
		text, err := os.ReadFile(r.path)
		require.NoError(t, err)
		lines := bytes.SplitAfter(text, []byte("\n"))
		checkpoint := regexp.MustCompile(`,"checkpoint":"[^"]*"`)
		for _, from := range []int{1, 2} {
			attacked := bytes.Join(lines[:from], nil)
			for _, line := range lines[from:] {
				attacked = append(attacked, checkpoint.ReplaceAll(line, nil)...)
			}
			require.NoError(t, os.WriteFile(r.path, attacked, 0o600))
			r.trail.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "dan"})
			require.ErrorIs(t, r.trail.Flush(t.Context()), trail.ErrRewritten)
			kept, err := os.ReadFile(r.path)
			require.NoError(t, err)
			require.Equal(t, string(attacked), string(kept))
		}
	})
}

// An attacker alters the last entry while a process runs. The process signs nothing behind it,
// though it has written the rest of that entry itself.
func TestRun_GoesOnBehindItsOwnEntryAlone(t *testing.T) {
	for name, alter := range map[string]func(last *trail.Entry){
		"the number":     func(last *trail.Entry) { last.Seq++ },
		"the hash":       func(last *trail.Entry) { last.Hash = bytes.Repeat([]byte{1}, 32) },
		"the checkpoint": func(last *trail.Entry) { last.Checkpoint = "" },
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &memory{}
			p := start(t, trail.Config{Log: log})
			p.event("ann")
			require.NoError(t, p.Flush(t.Context()))
			p.event("bob")
			require.NoError(t, p.Flush(t.Context()))
			alter(&log.entries[1])
			p.event("cas")
			require.ErrorIs(t, p.Flush(t.Context()), trail.ErrRewritten, name)
			require.Len(t, log.list(), 2)
		})
	}
}

// An attacker who can write to the log makes an entry of another user one of the user's, with its
// hashes. The erasure would sign that it was erased, and the attacker would then put the hashes
// back: the trail would verify without the evidence.
func TestErase_SignsAwayNoForgedEntry(t *testing.T) {
	personal := json.RawMessage(`{"salt":"AAAA","user":"ann","tenant":"acme"}`)
	for name, users := range map[string][]string{"the last": {"ann", "bob"},
		"the first": {"bob", "ann"}, "in the middle": {"ann", "bob", "ann", "cas"}} {
		for _, rehashed := range []bool{false, true} {
			t.Run(name+fmt.Sprint(" rehashed ", rehashed), func(t *testing.T) {
				f := &forger{}
				for _, user := range users {
					f.add(`{"event":"verify.success"}`,
						fmt.Sprintf(`{"user":%q,"tenant":"acme"}`, user))
					f.about("acme", user)
				}
				bobs := slices.Index(users, "bob")
				forged := &forger{list: slices.Clone(f.list[:bobs])}
				forged.add(string(f.list[bobs].Fact), string(personal))
				forged.about("acme", "ann")
				attacked := slices.Clone(f.list)
				attacked[bobs] = forged.list[bobs]
				attacked[bobs].Checkpoint = f.list[bobs].Checkpoint
				if !rehashed {
					attacked[bobs].Hash = f.list[bobs].Hash
				}
				synctest.Test(t, func(t *testing.T) {
					log := &memory{entries: attacked}
					p := start(t, trail.Config{Log: log})
					require.ErrorIs(t, p.Erase(t.Context(), ann), trail.ErrRewritten)
					require.Equal(t, attacked, log.list(), "nothing is signed, and nothing erased")
				})
			})
		}
	}
}

// Without a checkpoint behind them, nothing shows that entries are as they were written.
func TestErase_NeedsACheckpointBehindTheEntries(t *testing.T) {
	f := &forger{}
	f.add(`{"event":"verify.success"}`, `{"user":"ann","tenant":"acme"}`)
	f.about("acme", "ann")
	f.list[0].Checkpoint = ""
	synctest.Test(t, func(t *testing.T) {
		p := start(t, trail.Config{Log: &memory{entries: f.list}})
		err := p.Erase(t.Context(), ann)
		require.ErrorIs(t, err, trail.ErrRewritten)
		require.ErrorContains(t, err, "no checkpoint")
	})
}

// Erasures may say of one entry more than once that it was erased, and in any order. They say
// nothing about entries behind them.
func TestVerify_ReadsErasuresInAnyOrder(t *testing.T) {
	for name, c := range map[string]struct {
		erased  [][2]int64
		problem string
	}{
		"each":                {[][2]int64{{4, 4}, {1, 1}, {2, 3}}, ""},
		"one in the other":    {[][2]int64{{1, 4}, {2, 2}}, ""},
		"overlapping":         {[][2]int64{{2, 4}, {1, 3}, {1, 3}}, ""},
		"beyond both ends":    {[][2]int64{{-5, 1 << 60}}, ""},
		"one is left out":     {[][2]int64{{1, 1}, {3, 4}}, "entry 2"},
		"the last":            {[][2]int64{{1, 3}, {5, 9}}, "entry 4"},
		"from the end":        {[][2]int64{{4, 1}}, "entry 1"},
		"after the one wider": {[][2]int64{{1, 2}, {1, 1}}, "entry 3"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &forger{}
			for range 4 {
				f.append(`{"event":"verify.success"}`, "")
			}
			fact, err := json.Marshal(trail.Fact{Event: "trail.erased", Erased: c.erased})
			require.NoError(t, err)
			f.add(string(fact), `{}`)
			_, err = f.verify()
			if c.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.problem+": its personal part was removed")
			f.add(`{"event":"trail.erased","erased":[[1,4]]}`, `{}`)
			_, err = f.verify()
			require.NoError(t, err)
		})
	}
	f := &forger{}
	f.add(`{"event":"trail.erased","erased":[[1,99]]}`, `{}`)
	f.add(`{"event":"verify.success"}`, "")
	_, err := f.verify()
	require.ErrorContains(t, err, "entry 2: its personal part was removed")
}

// An attacker who writes to the log cannot keep an auditor waiting: Verify looks once at each entry
// that was erased, and once at each erasure.
func TestVerify_LooksOnceAtEachErasure(t *testing.T) {
	const entries, each = 2000, 3
	require.LessOrEqual(t, trail.Looks(entries, each), entries+each*entries)
}

// A log with other entries than this process has seen there is not continued, though the key signed
// it: it is that of another trail, or a backup that another process continued.
func TestRun_GoesOnWithNoOtherLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		f := &forger{}
		f.add(`{"event":"verify.success"}`, `{"user":"bob"}`)
		f.add(`{"event":"verify.success"}`, `{"user":"cas"}`)
		log.entries = f.list
		p.event("dan")
		require.ErrorIs(t, p.Flush(t.Context()), trail.ErrRewritten)
		require.Len(t, log.list(), 2)
	})
}

// torn is a log whose first Append writes one entry alone, as on a disk that fails.
type torn struct {
	*trail.File
	once *sync.Once
	path string
}

func (l torn) Append(ctx context.Context, batch []trail.Entry) (err error) {
	err = l.File.Append(ctx, batch)
	l.once.Do(func() {
		text, readErr := os.ReadFile(l.path)
		first, _, _ := bytes.Cut(text, []byte("\n"))
		err = errors.Join(errDown, readErr, os.WriteFile(l.path, append(first, '\n'), 0o600))
	})
	return err
}

// A batch that was written in part is written again.
func TestRun_WritesABatchWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	file, err := trail.OpenFile(path)
	require.NoError(t, err)
	log := torn{file, &sync.Once{}, path}
	synctest.Test(t, func(t *testing.T) {
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		p.event("bob")
		require.ErrorIs(t, p.Flush(t.Context()), errDown)
		require.NoError(t, p.Flush(t.Context()))
		require.Equal(t, []string{"ann", "bob"}, verified(t, log))
	})
}
