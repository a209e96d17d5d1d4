package manager_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// soaking is how long users sign in steadily, and how many there are. With SECONDGATE_LONG it is
// ten minutes at least on each of SQLite and PostgreSQL; otherwise a few rounds follow each other
// on SQLite.
type soaking struct {
	users, rounds int
	every         time.Duration
}

func soakingTime() soaking {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return soaking{users: 64, rounds: 1200, every: time.Second / 2}
	}
	return soaking{users: 16, rounds: 20}
}

// Users sign in over HTTP and by calls, for minutes: with correct and incorrect codes, with codes
// by mail and on connections of their own, and some end a sign-in halfway. The heap,
// the goroutines, the open files and the records are no more afterwards than after the first tenth.
func TestManager_SteadySignInsLeakNothing(t *testing.T) {
	for _, place := range places {
		if place.name != "sqlite" && (os.Getenv("SECONDGATE_LONG") == "" ||
			place.name != "postgresql") {
			continue
		}
		t.Run(place.name, func(t *testing.T) {
			k := soakingTime()
			s := newSoak(t, place.start(t)(t)(), k)
			var before usage
			began, next := time.Now(), time.Now()
			for round := range k.rounds {
				s.round(t, round)
				if round == k.rounds/10 {
					before = s.settled(t, usage{goroutines: 1 << 20, files: 1 << 20})
					began = time.Now()
				}
				if round%120 == 0 {
					t.Logf("round %d: %s", round, s.usage(t))
				}
				next = next.Add(k.every)
				time.Sleep(time.Until(next))
			}
			after := s.settled(t, before)
			t.Logf("%s before, %s after %d rounds of %d users in %s", before, after, k.rounds,
				k.users, time.Since(began).Round(time.Second))
			require.Less(t, after.heap, before.heap+2<<20, "the heap grew; the profile is %s",
				heapProfile(t))
			require.Equal(t, before.records, after.records, "records were added")
			require.Less(t, after.bytes, before.bytes+before.bytes/10, "the records grew")
		})
	}
}

// soak is users who sign in at a site for a long time.
type soak struct {
	*crowd
	site  *site
	store storage.Lister
	mails *lastMails
}

func newSoak(t testing.TB, store storage.Store, k soaking) *soak {
	t.Helper()
	s := &soak{crowd: newCrowd(t, store, k.users), store: store.(storage.Lister),
		mails: new(lastMails)}
	s.sender = s.mails
	s.m = s.manager(store)
	s.site = s.jsonAPI(t, s.m)
	for i := range s.users {
		s.users[i].Email, s.users[i].EmailVerified = fmt.Sprintf("user-%d@example.com", i), true
	}
	return s
}

// lastMails keeps the last message to each address.
type lastMails struct{ to sync.Map }

func (l *lastMails) Send(_ context.Context, m email.Message) error {
	l.to.Store(m.To, m.Text)
	return nil
}

// round has every user sign in once, an hour after the round before.
func (s *soak) round(t testing.TB, round int) {
	t.Helper()
	s.clock.Advance(time.Hour)
	codes := make([]secret.Text, len(s.users))
	for i := range codes {
		codes[i] = s.code(i)
	}
	inParallel(t, 8, len(s.users), func(i int) error {
		visit := *s.site
		visit.session = rand.Text()
		switch (i + round) % 16 {
		case 1:
			if err := visit.signIn(s.users[i], secret.New("000000")); err == nil {
				return errors.New("an incorrect code is accepted")
			}
		case 2: // the user leaves
			_, err := visit.post(visit.begin, s.users[i], nil, new(pair))
			return err
		case 3: // the request is cancelled, whatever the server was doing
			ctx, cancel := context.WithTimeout(t.Context(),
				time.Duration(round%50)*20*time.Microsecond)
			defer cancel()
			_, err := s.m.Session(s.users[i], visit.session).Begin(ctx)
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		case 4:
			visit.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		case 5:
			return s.signInByMail(t.Context(), s.users[i], visit.session)
		}
		return visit.signIn(s.users[i], codes[i])
	})
	_, err := s.m.Admin(mfa.System("report"), "").Report(t.Context())
	require.NoError(t, err)
}

func (s *soak) signInByMail(ctx context.Context, u mfa.User, session string) error {
	h := s.m.Session(u, session)
	ch, err := h.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := h.Send(ctx, ch, "email"); err != nil {
		return err
	}
	text, _ := s.mails.to.Load(u.Email)
	code := sixDigits.FindString(text.(secret.Text).Reveal())
	_, err = h.Verify(ctx, ch, "email", secret.New(code))
	return err
}

// usage is what a process holds.
type usage struct {
	heap, bytes                uint64
	goroutines, files, records int
}

func (u usage) String() string {
	return fmt.Sprintf("%d kB of heap, %d goroutines, %d files, %d records of %d kB", u.heap>>10,
		u.goroutines, u.files, u.records, u.bytes>>10)
}

func (s *soak) usage(t testing.TB) (u usage) {
	t.Helper()
	runtime.GC()
	runtime.GC() // what pools keep goes with the second
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	u.heap, u.goroutines = memory.HeapAlloc, runtime.NumGoroutine()
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	u.files = len(files)
	for cursor := storage.Cursor(""); ; {
		page, next, err := s.store.List(t.Context(), "", cursor, 200)
		require.NoError(t, err)
		for _, e := range page {
			u.records, u.bytes = u.records+1, u.bytes+uint64(len(e.Record.Data))
		}
		if cursor = next; next == "" {
			return u
		}
	}
}

// settled waits until no more goroutines and files are there than before, but for those of a few
// connections that the pools had not opened then, and returns the usage.
func (s *soak) settled(t testing.TB, before usage) (u usage) {
	t.Helper()
	const few = 10
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		s.site.client.CloseIdleConnections()
		u = s.usage(t)
		if u.goroutines <= before.goroutines+few && u.files <= before.files+few {
			return u
		}
		require.Less(t, time.Since(began), 2*time.Minute, "%s before, and what is there stays: %s",
			before, u)
	}
}

// heapProfile writes what the heap has to a file, and returns its name.
func heapProfile(t testing.TB) string {
	t.Helper()
	f, err := os.CreateTemp("", "secondgate-heap")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	require.NoError(t, pprof.WriteHeapProfile(f))
	return f.Name()
}
