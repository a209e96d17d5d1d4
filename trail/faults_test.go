package trail_test

import (
	"context"
	"crypto/ed25519"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/trail"
)

var ann = mfa.User{ID: "ann", Tenant: "acme"}

// A log that fails is reported by each call that reads it, and passes for no trail without entries.
func TestTrail_ReturnsTheErrorsOfItsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		for _, when := range []string{"before", "after"} {
			log.breaks(nil, failing("About", errDown))
			if when == "before" {
				log.breaks(failing("About", errDown), nil)
			}
			require.ErrorIs(t, p.Erase(t.Context(), ann), errDown)
			_, err := p.Newest(t.Context(), ann, 5)
			require.ErrorIs(t, err, errDown)
			var last error
			for _, err := range p.History(t.Context(), ann) {
				last = err
			}
			require.ErrorIs(t, last, errDown)
		}
		log.breaks(nil, failing("Read", errDown))
		_, err := trail.Verify(log.Read(t.Context(), 1), trail.Verification{
			Key: testKey.Public().(ed25519.PublicKey), Origin: origin})
		require.ErrorIs(t, err, errDown)
	})
}

// An erasure that fails at any step returns an error, and another one finishes it.
func TestErase_ReturnsEachErrorAndIsRepeated(t *testing.T) {
	for _, fault := range []struct {
		call string
		skip int // of the calls before the one that fails
	}{{"Append", 0}, {"Append", 1}, {"Erase", 0}} {
		synctest.Test(t, func(t *testing.T) {
			log := &memory{}
			p := start(t, trail.Config{Log: log})
			p.event("ann")
			skip := fault.skip
			log.breaks(func(call string) error {
				if call != fault.call {
					return nil
				}
				if skip--; skip >= 0 {
					return nil
				}
				return errDown
			}, nil)
			require.ErrorIs(t, p.Erase(t.Context(), ann), errDown, fault)
			log.breaks(nil, nil)
			require.NoError(t, p.Erase(t.Context(), ann), fault)
			for _, e := range log.list() {
				require.NotContains(t, string(e.Personal), "ann")
			}
			require.Equal(t, "", strings.Join(verified(t, log), ""))
		})
	}
}

// A user of the same ID in another tenant is another user, also where an attacker files their
// entries together.
func TestErase_SignsAwayNoEntryOfAnotherTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		p.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "ann",
			Tenant: "other"})
		require.NoError(t, p.Flush(t.Context()))
		log.entries[1].Subject = log.entries[0].Subject
		require.ErrorIs(t, p.Erase(t.Context(), ann), trail.ErrRewritten)
		list, err := p.Newest(t.Context(), ann, 5)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

// Without an ID an erasure would be one of the entries that are about nobody, such as those of
// erasures.
func TestErase_NeedsAUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.Events(nil)(t.Context(), mfa.Event{Name: "policy.changed", Actor: "carol"})
		require.ErrorContains(t, p.Erase(t.Context(), mfa.User{}), "without an ID")
		require.NoError(t, p.Flush(t.Context()))
		require.Len(t, log.list(), 1)
		require.Contains(t, string(log.list()[0].Personal), "carol")
		require.Empty(t, log.list()[0].Subject)
	})
}

func TestErase_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		require.NoError(t, p.end())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, p.Erase(ctx, ann), context.DeadlineExceeded, "Run does not run")
		require.NotEmpty(t, log.list()[0].Personal)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, trail.NoteErased(ctx), context.Canceled, "no event is taken from the queue")
}

// A caller may stop reading a history.
func TestHistory_EndsWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		for range 3 {
			p.event("ann")
		}
		require.NoError(t, p.Flush(t.Context()))
		n := 0
		for _, err := range p.History(t.Context(), ann) {
			require.NoError(t, err)
			n++
			break
		}
		require.Equal(t, 1, n)
		list, err := p.Newest(t.Context(), ann, 5)
		require.NoError(t, err)
		require.Len(t, list, 3)
		require.Zero(t, list[0].LockedUntil)
	})
}

// A cut of a text that is too long falls before the character that does not fit, of any length: a
// user's entries would otherwise be under another user than the one they name.
func TestEvents_CutBetweenCharacters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		var want []string
		for _, character := range []string{"a", "é", "€", "𝄞"} {
			for _, before := range []string{"", "a", "ab", "abc"} {
				long := before + strings.Repeat(character, 5000)
				fit := (4096 - len(before)) / len(character) * len(character)
				want = append(want, long[:len(before)+fit])
				p.event(long)
			}
			p.event(strings.Repeat("x", 4096))
			want = append(want, strings.Repeat("x", 4096))
		}
		require.NoError(t, p.Flush(t.Context()))
		require.Equal(t, want, verified(t, log))
	})
}

// Entry.Read says which entry cannot be read.
func TestEntryRead_ReturnsAnErrorOfEitherPart(t *testing.T) {
	for _, e := range []trail.Entry{
		{Seq: 7, Fact: []byte(`{`), Personal: []byte(`{"user":"ann"}`)},
		{Seq: 7, Fact: []byte(`{"event":"x"}`), Personal: []byte(`{`)},
	} {
		fact, personal, err := e.Read()
		require.ErrorContains(t, err, "entry 7")
		require.Zero(t, fact)
		require.Zero(t, personal)
	}
}

// An event whose write failed is written as soon as the log works again, also while a checkpoint
// waits for its interval.
func TestRun_WritesBeforeAnAnchorIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log,
			Anchor: func(context.Context, string) error { return nil }})
		for _, user := range []string{"ann", "bob"} { // the checkpoint of the second one waits
			p.event(user)
			require.NoError(t, p.Flush(t.Context()))
		}
		log.breaks(failing("Append", errDown), nil)
		p.event("carl")
		require.ErrorIs(t, p.Flush(t.Context()), errDown)
		log.breaks(nil, nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"ann", "bob", "carl"}, verified(t, log))
	})
}

// A sign-in waits for no write of its events, also while the log takes a minute.
func TestEvents_WaitForNoWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, held := &memory{}, make(chan struct{})
		log.breaks(func(call string) error {
			if call == "Append" {
				<-held
			}
			return nil
		}, nil)
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		time.Sleep(time.Minute)
		began := time.Now()
		for range 1000 {
			p.event("bob")
		}
		require.Zero(t, time.Since(began), "the log has not returned")
		close(held)
		require.NoError(t, p.Flush(t.Context()))
		require.Len(t, verified(t, log), 1001)
	})
}
