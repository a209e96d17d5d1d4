package trail_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

// changed is a log whose entries an attacker changed, as they are read.
type changed struct {
	trail.Log
	change func(*trail.Entry)
}

// About implements trail.Log. It finds entries by what the attacker made of their subjects.
func (c changed) About(ctx context.Context, subject string) iter.Seq2[trail.Entry, error] {
	return func(yield func(trail.Entry, error) bool) {
		for e, err := range c.Read(ctx, 1) {
			if c.change(&e); (err != nil || e.Subject == subject) && !yield(e, err) {
				return
			}
		}
	}
}

// writer returns another trail with the key, which writes to a log.
func (r *rig) writer(log trail.Log, from trail.Client) *trail.Trail {
	w, err := trail.New(trail.Config{Log: log, Key: secret.Bytes(r.key), Origin: origin,
		Interval: time.Millisecond, Client: func(context.Context) trail.Client { return from }})
	require.NoError(r, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	r.Cleanup(func() { cancel(); require.NoError(r, <-ended) })
	return w
}

// An attacker who can write to the log puts evidence under a user who is to be erased, with or
// without its personal part. The erasure would sign that it was erased.
func TestErase_SignsAwayNoForeignEntry(t *testing.T) {
	ann := mfa.User{ID: "ann", Tenant: "acme"}
	forged := []byte(`{"user":"ann","tenant":"acme"}`)
	for name, change := range map[string]func(bob *trail.Entry, anns string){
		"another user's": func(bob *trail.Entry, anns string) { bob.Subject = anns },
		"without its part": func(bob *trail.Entry, anns string) {
			bob.Subject, bob.Personal = anns, nil
		},
		"with another part": func(bob *trail.Entry, anns string) {
			bob.Subject, bob.Personal = anns, forged
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.keep("ann", "bob", "cas")
			anns := r.entries()[0].Subject
			attacked := r.writer(changed{r.log, func(e *trail.Entry) {
				if e.Seq == 2 {
					change(e, anns)
				}
			}}, trail.Client{})
			err := attacked.Erase(t.Context(), ann)
			require.ErrorIs(t, err, trail.ErrRewritten)
			require.ErrorContains(t, err, "entry 2")
			list, err := attacked.Newest(t.Context(), ann, 10)
			require.NoError(t, err)
			require.Len(t, list, 1, "nor is it shown as the user's")
			require.Len(t, r.entries(), 3, "nothing is signed")
			require.NotEmpty(t, r.entries()[0].Personal, "nothing is erased")
		})
	}
}

// An erased entry is under no user. An attacker could have it shown as another user's.
func TestVerify_FindsASubjectOfAnErasedEntry(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob")
	bobs := r.entries()[1].Subject
	require.NoError(t, r.trail.Erase(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}))
	list := r.entries()
	list[0].Subject = bobs
	_, err := r.check(seq(list))
	require.ErrorContains(t, err, "entry 1: its subject was altered")
}

// A client chooses its User-Agent, and a byte of it can be six in JSON. The trail keeps what comes
// after such an entry, too.
func TestEvents_LongTextsStopNoTrail(t *testing.T) {
	r := newRig(t)
	huge := strings.Repeat("<", 1<<20)
	long := r.writer(r.log, trail.Client{Address: huge, Agent: huge})
	long.Events(nil)(t.Context(), mfa.Event{Name: huge, Kind: huge, Purpose: huge, Reason: huge,
		UserID: huge, Tenant: huge, UserType: huge, FactorID: huge, Actor: huge, Note: huge})
	long.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "ann"})
	require.NoError(t, long.Flush(t.Context()))
	_, err := r.verify()
	require.NoError(t, err)
	list := r.entries()
	require.Len(t, list, 2)
	_, who, err := list[0].Read()
	require.NoError(t, err)
	require.Len(t, who.Agent, 512)
	require.Len(t, who.Note, 4096)
}

// A text that is no UTF-8 comes back from JSON as another one. The trail verifies all the same, and
// a cut falls between two characters.
func TestEvents_KeepOnlyWhatJSONKeeps(t *testing.T) {
	r := newRig(t)
	r.trail.Events(nil)(t.Context(), mfa.Event{Name: "command.unlock", UserID: "a\xffb",
		Note: strings.Repeat("é", 4096)})
	require.NoError(t, r.trail.Flush(t.Context()))
	_, err := r.verify()
	require.NoError(t, err)
	_, who, err := r.entries()[0].Read()
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("é", 2048), who.Note)
}

// A user who causes events in turn with others can still be erased: no entry that says which were
// erased is longer than the line of a file.
func TestErase_OfManyRunsOfEntries(t *testing.T) {
	const many = 10_100
	f := &forger{}
	for i := range 2 * many {
		user := [2]string{"ann", "bob"}[i%2]
		f.append(`{"event":"verify.success"}`, fmt.Sprintf(`{"user":%q,"tenant":"acme"}`, user))
		f.about("acme", user)
	}
	f.sign()
	synctest.Test(t, func(t *testing.T) {
		log := &memory{entries: f.list}
		require.NoError(t, start(t, trail.Config{Log: log}).Erase(t.Context(), ann))
		runs := 0
		for _, e := range log.list()[2*many:] {
			fact, _, err := e.Read()
			require.NoError(t, err)
			runs += len(fact.Erased)
			require.LessOrEqual(t, len(fact.Erased), 10_000)
		}
		require.Equal(t, many, runs)
		require.Len(t, verified(t, log), 2*many+2)
	})
}

// An operator erases as another user of the machine. The application goes on with the file, and
// nobody reads more than before; a link that was put in the way is not followed.
func TestErase_KeepsOwnerAndModeOfTheFile(t *testing.T) {
	r := newRig(t)
	r.keep("ann", "bob")
	const mode, nobody = 0o640, 65534
	require.NoError(t, os.Chmod(r.path, mode))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(r.path, nobody, nobody))
	}
	before, err := os.Stat(r.path)
	require.NoError(t, err)
	victim := filepath.Join(t.TempDir(), "victim")
	require.NoError(t, os.WriteFile(victim, []byte("x"), 0o600))
	require.NoError(t, os.Symlink(victim, r.path+".new"))
	require.NoError(t, r.trail.Erase(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}))
	after, err := os.Stat(r.path)
	require.NoError(t, err)
	require.Equal(t, before.Mode(), after.Mode())
	was, is := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
	require.Equal(t, [2]uint32{was.Uid, was.Gid}, [2]uint32{is.Uid, is.Gid})
	text, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "x", string(text))
	r.keep("cas")
	_, err = r.verify()
	require.NoError(t, err)
}
