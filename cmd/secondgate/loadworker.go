package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/totp"
)

// loadWorker signs users in, one after the other, by authenticator codes. A code is accepted once,
// so its clock goes on after each round. No two workers have a user in common.
type loadWorker struct {
	*mfa.Manager
	users  []mfa.User
	secret string // of the app of every user, in Base32
	clock  *loadClock

	next    int // the user who signs in next
	took    latencies
	errors  int
	failure error
}

// loadClock is moved by its worker, between two sign-ins.
type loadClock struct{ now time.Time }

func (c *loadClock) Now() time.Time { return c.now }

// loadPeriod is the time step of the apps. A round is as long as all steps that are accepted at
// one time, because steps near each other have the same code now and then.
const (
	loadPeriod = 30 * time.Second
	loadRound  = 3 * loadPeriod
)

// newLoadWorkers shares users out among workers. The keyring is made for one test: a machine that
// tests needs no key of the application.
func newLoadWorkers(
	o loadOptions, store storage.Store, key []byte,
) (workers []*loadWorker, err error) {
	sealing := make([]byte, 32)
	_, _ = rand.Read(sealing) // never fails
	keys, err := seal.NewKeyring(sealing)
	if err != nil {
		return nil, err
	}
	app, err := totp.New(totp.Config{Issuer: "secondgate"})
	if err != nil {
		return nil, err
	}
	for range o.workers {
		clock := &loadClock{time.Now().Truncate(loadPeriod)}
		m, err := mfa.New(mfa.Config{Store: store, Keys: keys, Factors: []factor.Factor{app},
			Clock:     clock,
			Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
		if err != nil {
			return nil, err
		}
		workers = append(workers, &loadWorker{Manager: m, clock: clock,
			secret: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)})
	}
	for i := range o.users {
		w := workers[i%o.workers]
		w.users = append(w.users, mfa.User{ID: fmt.Sprintf("loadtest-%d", i), Enrolled: true})
	}
	return workers, nil
}

// makeUsers gives every user an app.
func (w *loadWorker) makeUsers(ctx context.Context, done *atomic.Int64) error {
	admin := w.Admin(mfa.System("secondgate"), "load test")
	for _, u := range w.users {
		if _, err := admin.Import(ctx, u, []mfa.EnrollRequest{{Kind: "totp",
			Params: map[string]secret.Text{"secret": secret.New(w.secret)}}}); err != nil {
			return err
		}
		done.Add(1)
	}
	return nil
}

// pauseAfterError is how long a worker waits after an error, so that one that fails at once does
// not fail a million times.
const pauseAfterError = 100 * time.Millisecond

// signIn signs users in until ctx is done, or all workers together have done so many, unless count
// is 0.
func (w *loadWorker) signIn(ctx context.Context, done *atomic.Int64, count int) {
	for ctx.Err() == nil {
		if n := done.Add(1); count > 0 && n > int64(count) {
			return
		}
		began := time.Now()
		err := w.pair(ctx)
		switch {
		case err == nil:
			w.took.add(time.Since(began))
		case ctx.Err() != nil:
			return // the test ended during this one
		default:
			w.fail(ctx, err)
		}
	}
}

func (w *loadWorker) fail(ctx context.Context, err error) {
	w.errors++
	if w.failure == nil {
		w.failure = err
	}
	select {
	case <-ctx.Done():
	case <-time.After(pauseAfterError):
	}
}

// pair is one sign-in: Begin and Verify.
func (w *loadWorker) pair(ctx context.Context) error {
	if w.next == 0 {
		w.clock.now = w.clock.now.Add(loadRound)
	}
	s := w.Session(w.users[w.next], "load test")
	w.next = (w.next + 1) % len(w.users)
	step := uint64(w.clock.now.Unix()) / uint64(loadPeriod.Seconds())
	code, err := hotp.GenerateCodeCustom(w.secret, step,
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return err
	}
	ch, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	_, err = s.Verify(ctx, ch, "totp", secret.New(code))
	return err
}
