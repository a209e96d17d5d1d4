package mfahttp_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// ailingStore fails, or takes its time.
type ailingStore struct {
	storage.Store
	ails atomic.Pointer[ailment]
}

type ailment struct {
	err   error
	takes time.Duration
}

func (s *ailingStore) Get(ctx context.Context, key string) (storage.Record, error) {
	a := s.ails.Load()
	if a.err != nil {
		return storage.Record{}, a.err
	}
	select {
	case <-ctx.Done():
		return storage.Record{}, ctx.Err()
	case <-time.After(a.takes):
		return s.Store.Get(ctx, key)
	}
}

func healthOf(t *testing.T, h http.Handler) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	return w.Code, w.Body.String()
}

func TestLive_SaysThatTheProcessRuns(t *testing.T) {
	status, body := healthOf(t, mfahttp.Live())
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"status":"alive"}`, body)
}

func TestReady_FollowsTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &ailingStore{Store: memory.New()}
		h := mfahttp.Ready(s, 500*time.Millisecond)
		answers := func(a ailment, status int, want string) {
			t.Helper()
			s.ails.Store(&a)
			got, body := healthOf(t, h)
			require.Equal(t, status, got, body)
			require.JSONEq(t, want, body)
			time.Sleep(2 * time.Second) // until the result is not used any more
		}
		answers(ailment{}, 200, `{"status":"ready","store":"ok"}`)
		answers(ailment{err: errors.New("dial tcp 10.0.0.7:5432: password geheim refused")},
			503, `{"status":"unavailable","store":"failed"}`)
		began := time.Now()
		answers(ailment{takes: time.Hour}, 503, `{"status":"unavailable","store":"slow"}`)
		require.Equal(t, 2500*time.Millisecond, time.Since(began), "it waits within its bound")
		answers(ailment{takes: 400 * time.Millisecond}, 200, `{"status":"ready","store":"ok"}`)
	})
}

// A store that is missing or panics is not ready, and ends no process.
func TestReady_SurvivesAStoreThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status, body := healthOf(t, mfahttp.Ready(nil, 0))
		require.Equal(t, 503, status)
		require.JSONEq(t, `{"status":"unavailable","store":"failed"}`, body)
	})
}

// Without a bound the store has a second.
func TestReady_WaitsASecondByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &ailingStore{Store: memory.New()}
		for _, within := range []time.Duration{0, -time.Minute} {
			s.ails.Store(&ailment{takes: 900 * time.Millisecond})
			status, body := healthOf(t, mfahttp.Ready(s, within))
			require.Equal(t, 200, status, body)
			s.ails.Store(&ailment{takes: time.Hour})
			began := time.Now()
			status, _ = healthOf(t, mfahttp.Ready(s, within))
			require.Equal(t, 503, status)
			require.Equal(t, time.Second, time.Since(began))
		}
	})
}

// A request that waits for the read of another one has its result. The result stays what it is for
// a second, also when a read may not take that long.
func TestReady_SharesAResultForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &deafStore{release: make(chan struct{}), fails: errors.New("down")}
		h := mfahttp.Ready(s, 500*time.Millisecond)
		bodies := make(chan string, 2)
		for range 2 {
			go func() {
				_, body := healthOf(t, h)
				bodies <- body
			}()
		}
		synctest.Wait()
		close(s.release)
		for range 2 {
			require.JSONEq(t, `{"status":"unavailable","store":"failed"}`, <-bodies)
		}
		time.Sleep(time.Second - 1)
		for range 40 {
			_, body := healthOf(t, h)
			require.Contains(t, body, "failed", "it is not slow")
		}
		require.EqualValues(t, 1, s.reads.Load())
		time.Sleep(time.Nanosecond)
		_, _ = healthOf(t, h)
		require.EqualValues(t, 2, s.reads.Load())
	})
}

// deafStore does not honour its context.
type deafStore struct {
	storage.Store
	release chan struct{}
	fails   error // nil: nothing is there
	reads   atomic.Int32
}

func (s *deafStore) Get(context.Context, string) (storage.Record, error) {
	s.reads.Add(1)
	<-s.release
	return storage.Record{}, cmp.Or(s.fails, storage.ErrNotFound)
}

// Strangers who ask as often as they can cost the store one read.
func TestReady_ReadsOnceForAllWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &deafStore{release: make(chan struct{})}
		release := sync.OnceFunc(func() { close(s.release) })
		defer release()
		h := mfahttp.Ready(s, 500*time.Millisecond)
		var slow atomic.Int32
		for range 100 {
			go func() {
				if status, _ := healthOf(t, h); status == 503 {
					slow.Add(1)
				}
			}()
		}
		synctest.Wait()
		require.EqualValues(t, 0, slow.Load(), "they wait")
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 99, slow.Load(), "all but the one that reads")
		for range 100 {
			time.Sleep(time.Second)
			began := time.Now()
			status, _ := healthOf(t, h)
			require.Equal(t, 503, status)
			require.Zero(t, time.Since(began), "what is known to be slow is said at once")
		}
		require.EqualValues(t, 1, s.reads.Load(), "a store that hangs gets no second read")
		release()
		synctest.Wait()
		status, _ := healthOf(t, h)
		require.Equal(t, 200, status)
		status, _ = healthOf(t, h)
		require.Equal(t, 200, status)
		require.EqualValues(t, 2, s.reads.Load(), "the result is used for a second")
		time.Sleep(2 * time.Second)
		_, _ = healthOf(t, h)
		require.EqualValues(t, 3, s.reads.Load())
	})
}
