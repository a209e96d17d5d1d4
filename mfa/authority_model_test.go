package mfa_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// The model drives random histories of a user, an attacker and administrators over one user's
// record, in several sessions and through processes that have different kinds configured, while
// the policy changes. What each grant permits is decided beside it by the table of
// docs/architecture.md, written here once more, from what the user had at that moment.

// levelOf are the kinds of the model, and what they prove.
var levelOf = map[string]factor.Level{"pin": factor.LevelWeak, "app": factor.LevelStrong,
	"sms": factor.LevelStrong, "key": factor.LevelPhishingResistant}

var modelKinds = []string{"app", "key", "pin", "sms"}

// grantModel is a grant, and what the model knows to have been proven for it.
type grantModel struct {
	grant   mfa.Grant
	binding string
	origin  string // first, implied, own, recovery
	level   factor.Level
	proven  time.Time
	life    time.Duration
	added   []string
	kinds   []string // of the policy when it was begun
	implied bool     // the policy had the address as a factor
}

// actorModel is the user or the attacker.
type actorModel struct {
	name    string
	secrets map[string]string // by ID of the factor
	codes   []string          // recovery codes
	mailbox bool
	grants  []grantModel
	pending []pendingModel
}

// pendingModel is an enrolment that was begun, and that may be confirmed later.
type pendingModel struct {
	enrollment   *mfa.Enrollment
	by           grantModel
	kind, secret string
}

// world is one history.
type world struct {
	*rand.Rand
	t        *testing.T
	clock    *mfatest.Clock
	policy   atomic.Pointer[policy.Policy]
	full     *mfa.Manager
	managers []*mfa.Manager
	kinds    map[*mfa.Manager][]string
	mail     *sent
	user     mfa.User
	log      []string
	words    int
	released map[string]bool // codes that a recovery has used
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), t: t, clock: mfatest.NewClock(testStart),
		mail: &sent{kind: "mail"}, user: ann, kinds: map[*mfa.Manager][]string{},
		released: map[string]bool{}}
	w.policy.Store(&policy.Policy{Mode: policy.ModeRequired})
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	store := memory.New()
	build := func(kinds []string) *mfa.Manager {
		factors := []factor.Factor{w.mail, codes{}}
		for _, k := range kinds {
			factors = append(factors, &word{kind: k,
				traits: factor.Traits{Level: levelOf[k]}})
		}
		m, err := mfa.New(mfa.Config{Store: store, Keys: keys, Clock: w.clock, Factors: factors,
			Policies:   w,
			RateLimits: mfa.RateLimits{PerUser: -1, PerDestination: -1},
			Lockout:    lockout.Config{Tries: 100, Total: 1000},
			Authorize:  func(context.Context, mfa.AdminAction) error { return nil }})
		require.NoError(t, err)
		w.kinds[m] = kinds
		return m
	}
	w.full = build(modelKinds)
	w.managers = []*mfa.Manager{w.full, w.full, w.full, build(without(modelKinds, pick(w.Rand,
		modelKinds)))}
	return w
}

// Policy implements policy.Source.
func (w *world) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return *w.policy.Load(), nil
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return x == s })
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log {
		w.t.Log(l)
	}
	w.t.Fatalf(format, args...)
}

// ownModel is a factor of the user's own, as a page of settings shows it.
type ownModel struct {
	id, kind string
	level    factor.Level
	held     bool
}

func (w *world) own() (list []ownModel) {
	o, err := w.full.Overview(w.t.Context(), w.user)
	require.NoError(w.t, err)
	for _, f := range o.Factors {
		if !f.Recovery && !f.Implicit {
			list = append(list, ownModel{f.ID, f.Kind, levelOf[f.Kind], !f.HeldUntil.IsZero()})
		}
	}
	return list
}

// state is everything that a change of factors changes.
func (w *world) state() string {
	o, err := w.full.Overview(w.t.Context(), w.user)
	require.NoError(w.t, err)
	s := ""
	for _, f := range o.Factors {
		if !f.Implicit {
			s += fmt.Sprintf("%s %s %s %s;", f.ID, f.Kind, f.Name, f.HeldUntil)
		}
	}
	return s
}

// levelRecovery is below every other level.
const levelRecovery factor.Level = 0

// table says what a grant permits, from the documents: nil, or the error.
func (w *world) table(m *mfa.Manager, g grantModel, act, kind, target string) error {
	own := w.own()
	if !w.clock.Now().Before(g.proven.Add(g.life)) {
		return mfa.ErrTokenExpired
	}
	var before []ownModel
	held, allowed, need, lost, cancels := false, false, levelRecovery, false, false
	for _, f := range own {
		if !slices.Contains(w.kinds[m], f.kind) {
			return mfa.ErrKindNotConfigured
		}
		held = held || f.held
		allowed = allowed || !f.held && modelAllows(g.kinds, f.kind)
		if slices.Contains(g.added, f.id) {
			continue
		}
		before = append(before, f)
		if f.held {
			cancels = cancels || act == "remove" && f.id == target
			continue
		}
		need = max(need, f.level)
		lost = lost || f.kind == kind && modelAllows(g.kinds, f.kind)
	}
	later := slices.Contains(g.added, target) || slices.ContainsFunc(own,
		func(f ownModel) bool { return f.held && f.id == target })
	allowedBefore := slices.ContainsFunc(before, func(f ownModel) bool {
		return !f.held && modelAllows(g.kinds, f.kind)
	})
	permitted := false
	switch {
	case len(own) == 0 && act == "codes":
	case len(own) == 0 && g.origin == "first":
		permitted = act == "enroll" && !g.implied
	case len(own) == 0 && g.origin == "recovery":
		permitted = act == "enroll"
	case len(own) == 0:
		permitted = true
	case len(before) == 0 && !held:
		permitted = true
	case g.origin == "first":
	case g.origin == "recovery":
		permitted = act == "enroll" && (lost || !allowedBefore) || (act == "remove" ||
			act == "rename") && later
	case cancels && g.origin == "own":
		permitted = true
	case !allowed:
		permitted = act == "enroll" && g.origin == "own"
	default:
		permitted = g.level >= need
	}
	if !permitted {
		return mfa.ErrProofRequired
	}
	return nil
}

func modelAllows(kinds []string, kind string) bool {
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}

// sessions of both actors.
var bindings = []string{"session-1", "session-2"}

// TestAuthority_Model runs random histories: 500, 2 000 with SECONDGATE_FULL, which make test sets,
// or 100 000 with SECONDGATE_LONG.
func TestAuthority_Model(t *testing.T) {
	brief.SkipOneGoroutine(t)
	histories := 500
	switch {
	case os.Getenv("SECONDGATE_LONG") != "":
		histories = 100_000
	case os.Getenv("SECONDGATE_FULL") != "":
		histories = 2_000
	}
	t.Logf("counted: %d histories", histories)
	for seed := range histories {
		history(t, uint64(seed))
		if t.Failed() {
			return
		}
	}
}

func history(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	w.note("seed %d", seed)
	user := &actorModel{name: "user", secrets: map[string]string{}, mailbox: true}
	attacker := &actorModel{name: "attacker", secrets: map[string]string{}}
	for range 40 {
		a := user
		if w.IntN(3) == 0 {
			a = attacker
		}
		switch w.IntN(3) {
		case 0:
			w.proceed(a)
		case 1:
			w.change(a)
			w.confirmLater(a)
		default:
			w.surroundings()
		}
	}
	// The attacker learns something of the user's, and goes on.
	attacker.mailbox = w.IntN(3) == 0
	if len(user.codes) > 0 && w.IntN(2) == 0 {
		attacker.codes = user.codes[:1]
	}
	for _, f := range w.own() {
		if s := user.secrets[f.id]; s != "" && w.IntN(3) == 0 {
			attacker.secrets[f.id] = s
		}
	}
	for range 30 {
		switch w.IntN(3) {
		case 0:
			w.proceed(attacker)
		case 1:
			w.change(attacker)
			w.confirmLater(attacker)
		default:
			w.surroundings()
		}
	}
	w.getsIn(user)
}
