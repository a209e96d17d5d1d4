package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// The limits of every world.
const (
	tries        = 5
	total        = 10
	lockLength   = 3 * time.Minute
	disableAfter = 12
	perUser      = 6
	perTenant    = 16 // below what the users could send together without limits of their own
	challengeTTL = 15 * time.Minute
	grantTTL     = 5 * time.Minute
	noticesADay  = 10
	leaseLength  = 30 * time.Second
)

var levels = map[string]factor.Level{"app": 2, "sms": 2, "push": 2, "key": 3, "pin": 1, "mail": 1}

// ownKinds are the kinds that users enrol.
var ownKinds = []string{"app", "sms", "push", "key", "pin"}

var (
	errDisk  = errors.New("the disk is full")
	errReply = errors.New("the connection broke before the reply")
	errSMTP  = errors.New("the mail server is down")
	start    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// world is one history.
type world struct {
	*rand.Rand // of the present step
	clock      *mfatest.Clock
	latest     time.Time // the latest that the clock has shown
	inner      storage.Store
	keys       [][]byte
	processes  []*process
	witness    *mfa.Manager // reads what is stored, without faults
	policy     policy.Policy
	accounts   []*account
	thief      *thief
	backups    []backup
	recent     int // mfa.Config.RecentRecords of the processes

	outbox      []message
	notices     map[string][]string // events by destination, of this step
	noticed     map[string][]time.Time
	sendersFail bool
	pushDown    bool
	calm        bool            // no more faults
	decided     map[string]bool // requests of a device
	serial      int
	depth       int // of steps inside steps
	// whole means that the ledger learns of the operation's first write at its end, so that no
	// other process works between that and a second one.
	whole bool
	// second means that what interrupts the operation comes after its first write.
	second bool
	log    []string
	seen   map[string]int // what occurred, by name
}

// process is one Manager, and the faults between it and the store.
type process struct {
	m      *mfa.Manager
	faults *mfatest.FaultyStore
	recall *recall
}

// violation is an invariant that does not hold.
type violation struct{ invariant, says string }

func (w *world) fail(invariant, format string, args ...any) {
	panic(violation{invariant, fmt.Sprintf(format, args...)})
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%*s%s", 2*w.depth, "", fmt.Sprintf(format, args...)))
}

// newWorld begins a history.
func newWorld(h history) *world {
	w := &world{Rand: rand.New(rand.NewPCG(h.seed, 0)), clock: mfatest.NewClock(start),
		latest: start, inner: memory.New(), keys: [][]byte{seal.GenerateKey()},
		notices: map[string][]string{},
		noticed: map[string][]time.Time{}, decided: map[string]bool{}, seen: map[string]int{}}
	if w.recent = h.recent; h.wrap != nil {
		w.inner = h.wrap(w.inner)
	}
	w.policy = policy.Policy{Implicit: []string{"mail"}}
	if w.chance(50) {
		w.policy.Remember = 48 * time.Hour
	}
	for range 2 {
		w.processes = append(w.processes, w.newProcess())
	}
	w.witness = w.manager(w.inner, 0)
	for _, id := range []string{"ann", "bob"} {
		w.accounts = append(w.accounts, newAccount(id))
	}
	w.thief = newThief(w.IntN(len(chapters)))
	return w
}

func (w *world) newProcess() *process {
	p := &process{recall: &recall{Store: w.inner, before: map[string]storage.Record{}}}
	p.faults = mfatest.NewFaultyStore(p.recall)
	p.m = w.manager(p.faults, w.recent)
	return p
}

func (w *world) manager(store storage.Store, recent int) *mfa.Manager {
	keys, err := seal.NewKeyring(w.keys[0], w.keys[1:]...)
	must(err)
	codes, err := recovery.New(recovery.Config{})
	must(err)
	temporary, err := access.New(access.Config{})
	must(err)
	m, err := mfa.New(mfa.Config{Store: store, Keys: keys, Clock: w.clock, Policies: w,
		Factors: []factor.Factor{app{}, push{w}, word{"key", factor.Traits{Level: levels["key"]}},
			sent{w, "sms", factor.Traits{Level: levels["sms"]}},
			word{"pin", factor.Traits{Level: levels["pin"], Knowledge: true, OnePerUser: true,
				Expensive: true}},
			mail{sent{w, "mail", factor.Traits{Level: levels["mail"]}}}, codes, temporary},
		Lockout:    lockout.Config{DisableAfter: disableAfter},
		RateLimits: mfa.RateLimits{PerUser: perUser, PerKind: perTenant}, RecentRecords: recent,
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Notify: func(ctx context.Context, send func(context.Context) error) {
			_ = send(ctx)
		}})
	must(err)
	return m
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Policy implements policy.Source.
func (w *world) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return w.policy, nil
}

// newCode returns a code that no other message has, so that chance decides nothing.
func (w *world) newCode() string {
	w.serial++
	return fmt.Sprintf("%06d", w.serial)
}

func (w *world) deliver(kind, destination, code string) error {
	if w.sendersFail {
		return errSMTP
	}
	w.outbox = append(w.outbox, message{kind, destination, code, w.depth})
	return nil
}

// message is a code that arrived, or a request on a device.
type message struct {
	kind, destination, code string
	depth                   int
}

// arrived is the last message since a number of them, without those of interruptions.
func (w *world) arrived(since int) (m message, ok bool) {
	for _, sent := range w.outbox[since:] {
		if sent.depth == w.depth {
			m, ok = sent, true
		}
	}
	return m, ok
}

// notify is called for each notice, and remembers it whether or not it arrives.
func (w *world) notify(destination, event string) error {
	w.notices[destination] = append(w.notices[destination], event)
	at := destination + " " + event
	w.noticed[at] = append(w.noticed[at], w.clock.Now())
	if w.sendersFail {
		return errSMTP
	}
	return nil
}

func pick[T any](w *world, list []T) T { return list[w.IntN(len(list))] }

// chance says yes n times of 100.
func (w *world) chance(n int) bool { return w.IntN(100) < n }

// advance moves the clock, forwards or back. It stands still inside an operation, which reads it
// once.
func (w *world) advance(d time.Duration) {
	if w.depth > 0 {
		return
	}
	w.clock.Advance(d)
	if now := w.clock.Now(); now.After(w.latest) {
		w.latest = now
	}
}

// trouble is what happened to an operation between its process and the store.
type trouble struct {
	any  bool // it may have failed for that alone
	lost bool // a write may have been made although it looks failed
	old  bool // it may have read what was no longer there
}

// do runs an operation on a process, perhaps with a fault.
func (w *world) do(f func(m *mfa.Manager)) (t trouble) {
	p, fault, first := pick(w, w.processes), w.IntN(60), w.IntN(2)
	for _, a := range w.accounts {
		if w.depth == 0 {
			a.overtaken, a.failedSince, a.clearedSince = false, 0, 0
		}
	}
	switch {
	case w.calm:
		fault = 100
	case w.depth > 0: // another process than the one that is interrupted
		p, fault = w.processes[1], 100
	case fault == 5 || fault == 6:
		p = w.processes[0]
		if w.whole {
			first = 0
		}
	}
	if w.depth == 0 {
		w.second = first > 0
	}
	if first > 0 && fault > 0 && fault < 7 {
		p.faults.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
	}
	met := false
	inject := func(op mfatest.Op, times int, fault mfatest.Fault) {
		run := fault.Run
		fault.Run = func(ctx context.Context, key string) {
			if met = true; run != nil {
				run(ctx, key)
			}
		}
		p.faults.Inject(op, times, fault)
	}
	switch fault {
	case 0:
		inject(mfatest.OpGet, 1, mfatest.Fault{Before: errDisk})
	case 1:
		inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errDisk})
	case 2, 3:
		inject(mfatest.OpSwap, 1, mfatest.Fault{After: errReply})
	case 4:
		inject(mfatest.OpSwap, 1+w.IntN(3), mfatest.Fault{Before: storage.ErrConflict})
	case 5, 6:
		inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
			w.interrupt()
		}})
	case 7:
		p.recall.stale = 1 + w.IntN(2)
	}
	f(p.m)
	p.faults.Heal()
	stale := p.recall.served > 0
	p.recall.stale, p.recall.served = 0, 0
	if fault < 7 && met {
		t = trouble{any: fault != 4, lost: fault == 2 || fault == 3}
		w.seen["fault "+[]string{"read", "write", "lost reply", "lost reply", "conflict",
			"interrupted", "interrupted"}[fault]]++
	}
	if stale {
		w.seen["fault stale read"]++
		t.any, t.old = true, true
	}
	return t
}

// recall is a broken adapter that serves a read with what was there before the last write.
type recall struct {
	storage.Store
	before        map[string]storage.Record
	stale, served int
}

func (r *recall) Get(ctx context.Context, key string) (storage.Record, error) {
	if old, ok := r.before[key]; ok && r.stale > 0 {
		r.stale, r.served = r.stale-1, r.served+1
		return old, nil
	}
	return r.Store.Get(ctx, key)
}

func (r *recall) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	was, err := r.Store.Get(ctx, key)
	if swap := r.Store.Swap(ctx, key, old, next); swap != nil || err != nil {
		return swap
	}
	r.before[key] = was
	return nil
}

// backup is a record as it was, and what the ledger knew then.
type backup struct {
	record storage.Record
	of     *account
	ledger *account
}
