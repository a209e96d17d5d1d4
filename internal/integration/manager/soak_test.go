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

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// soaking is how many users sign in steadily, for how long, and at which share of the rate that
// the machine can do. With SECONDGATE_LONG it is ten minutes on each of SQLite and PostgreSQL, or
// what SECONDGATE_SOAK says; otherwise a few rounds follow each other on SQLite.
type soaking struct {
	users, rounds int
	lasts         time.Duration
	load          float64
}

func soakingTime(t testing.TB) soaking {
	t.Helper()
	if os.Getenv("SECONDGATE_LONG") == "" {
		return soaking{users: 16, rounds: 20}
	}
	k := soaking{users: 64, lasts: 10 * time.Minute, load: 0.8}
	if s := os.Getenv("SECONDGATE_SOAK"); s != "" {
		lasts, err := time.ParseDuration(s)
		require.NoError(t, err)
		k.lasts = lasts
	}
	return k
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
			k := soakingTime(t)
			s := newSoak(t, place.start(t)(t)(), k)
			first, every := s.warm(t, k)
			before := s.settled(t, usage{goroutines: 1 << 20, files: 1 << 20})
			rounds := s.steady(t, k, first, every)
			after := s.settled(t, before)
			t.Logf("%s before, %s after %d rounds of %d users", before, after, rounds, k.users)
			require.Less(t, after.heap, before.heap+2<<20, "the heap grew; the profile is %s",
				heapProfile(t))
			require.Equal(t, before.records, after.records, "records were added")
			require.Less(t, after.bytes, before.bytes+before.bytes/10, "the records grew")
		})
	}
}

// warm does the first tenth as fast as the machine can. It returns how many rounds there were, and
// how long one may take at the load that follows.
func (s *soak) warm(t testing.TB, k soaking) (rounds int, every time.Duration) {
	t.Helper()
	began := time.Now()
	for rounds < k.rounds/10 || time.Since(began) < k.lasts/10 {
		s.round(t, rounds)
		rounds++
	}
	if k.load == 0 {
		return rounds, 0
	}
	each := time.Since(began) / time.Duration(rounds)
	t.Logf("the machine can do %.0f sign-ins a second", float64(k.users)/each.Seconds())
	return rounds, time.Duration(float64(each) / k.load)
}

// steady does the other rounds, at their pace, and returns how many there were in all.
func (s *soak) steady(t testing.TB, k soaking, round int, every time.Duration) int {
	t.Helper()
	first, began := round, time.Now()
	next, said := began, began
	for round < k.rounds || time.Since(began) < k.lasts {
		s.round(t, round)
		round++
		next = next.Add(every)
		time.Sleep(time.Until(next))
		if time.Since(said) > time.Minute {
			t.Logf("round %d: %s", round, s.usage(t))
			said = time.Now()
		}
	}
	took := time.Since(began)
	t.Logf("%.0f sign-ins a second for %s", float64((round-first)*k.users)/took.Seconds(),
		took.Round(time.Second))
	return round
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
			if err := visit.signIn(s.users[i], s.incorrect(i)); err == nil {
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

// incorrect returns a code that a user's app shows at no time within two minutes. Of so many
// sign-ins, some meet a moment at which 000000 is correct.
func (s *soak) incorrect(i int) secret.Text {
	shown := make(map[string]bool)
	for at := -2 * time.Minute; at <= 2*time.Minute; at += 30 * time.Second {
		code, err := otptotp.GenerateCodeCustom(s.secrets[i], s.clock.Now().Add(at),
			otptotp.ValidateOpts{Period: 30, Digits: otp.DigitsSix})
		require.NoError(s.t, err)
		shown[code] = true
	}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", n); !shown[code] {
			return secret.New(code)
		}
	}
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
