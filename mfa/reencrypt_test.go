package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// withKeys is the same rig on the same store with other keys.
func (r *rig) withKeys(t *testing.T, primary []byte, older ...[]byte) *mfa.Manager {
	t.Helper()
	keys, err := seal.NewKeyring(primary, older...)
	require.NoError(t, err)
	cfg := r.cfg
	cfg.Keys = keys
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	return m
}

func reseal(t *testing.T, m *mfa.Manager, from string) (last report.Progress) {
	t.Helper()
	for p, err := range m.Reencrypt(t.Context(), from) {
		require.NoError(t, err)
		p.Unreadable = append(last.Unreadable, p.Unreadable...)
		last = p
	}
	require.Empty(t, last.Cursor)
	return last
}

// After a walk the old key opens nothing that matters, and every user gets in as before.
func TestReencrypt_RotatesEverything(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	oldKeys, err := seal.NewKeyring(first)
	require.NoError(t, err)
	r := newRig(t, func(c *mfa.Config) { c.Keys = oldKeys })
	const people = 450 // more than two pages
	for i := range people {
		r.withApp(person(i), fmt.Sprintf("word %d", i))
	}
	require.NoError(t, r.Admin(mfa.System("boss"), "").SetPolicy(t.Context(), policy.StoredPolicy{
		Scope: policy.Scope{UserType: "staff"}, Policy: policy.Policy{Mode: policy.ModeOff},
	}))

	both := r.withKeys(t, second, first)
	p := reseal(t, both, "")
	require.GreaterOrEqual(t, p.Records, people+1)
	require.Equal(t, p.Records, p.Reencrypted+p.Removed)
	require.Empty(t, p.Unreadable)
	again := reseal(t, both, "")
	require.Zero(t, again.Reencrypted, "a second walk finds nothing to do")

	r.Manager = r.withKeys(t, second)
	for _, i := range []int{0, 199, 200, 201, 449} {
		_, err := r.verify(r.begin(person(i)), "app", secret.New(fmt.Sprintf("word %d", i)))
		require.NoError(t, err)
	}
	staff, err := r.Policy(t.Context(), policy.Scope{UserType: "staff"})
	require.NoError(t, err)
	require.Equal(t, policy.ModeOff, staff.Mode)
}

// A walk that was interrupted goes on where it was, and an error of the store says where that is.
func TestReencrypt_IsResumable(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	oldKeys, err := seal.NewKeyring(first)
	require.NoError(t, err)
	inner := memory.New()
	store := mfatest.NewFaultyStore(inner)
	r := newRig(t, func(c *mfa.Config) { c.Keys, c.Store = oldKeys, store })
	const people = 650
	for i := range people {
		r.withApp(person(i), "word")
	}
	both := r.withKeys(t, second, first)

	var cursor string
	done := 0
	for p, err := range both.Reencrypt(t.Context(), "") {
		require.NoError(t, err)
		cursor, done = p.Cursor, p.Reencrypted
		break
	}
	require.NotEmpty(t, cursor)
	require.Equal(t, 200, done)

	store.Inject(mfatest.OpSwap, -1, mfatest.Fault{Before: errors.New("down")})
	var failed error
	third := r.withKeys(t, seal.GenerateKey(), second, first)
	for p, err := range third.Reencrypt(t.Context(), cursor) {
		require.Equal(t, cursor, p.Cursor, "it is to be taken up where this page began")
		require.Zero(t, p.Reencrypted)
		failed = err
	}
	require.ErrorIs(t, failed, mfa.ErrUnavailable)
	store.Heal()
	require.Equal(t, people-200, reseal(t, third, cursor).Reencrypted)
	require.Equal(t, 200, reseal(t, third, "").Reencrypted)
}

// Answers that come in while their records are re-encrypted are neither lost nor doubled.
func TestReencrypt_BesideTraffic(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	oldKeys, err := seal.NewKeyring(first)
	require.NoError(t, err)
	r := newRig(t, func(c *mfa.Config) { c.Keys = oldKeys })
	const people = 20
	for i := range people {
		r.withApp(person(i), "word")
	}
	var wg sync.WaitGroup
	both, beside := r.withKeys(t, second, first), r.withKeys(t, first, second)
	for i := range people {
		wg.Go(func() {
			for range 4 {
				ch, err := beside.Session(person(i), binding).Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				_, err = beside.Session(person(i), binding).Verify(t.Context(), ch, "app",
					secret.New("wrong"))
				if !errors.Is(err, factor.ErrIncorrect) {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		reseal(t, both, "")
	}
	wg.Wait()
	reseal(t, both, "")
	r.Manager = r.withKeys(t, second)
	for i := range people {
		_, err := r.verify(r.begin(person(i)), "app", secret.New("wrong"))
		require.Zero(t, left(t, err), "the fifth wrong answer locks: all four before it were kept")
	}
}

// A walk takes one read and one write of a page. Over a store that swaps single records it takes
// one write of each.
func TestReencrypt_WritesFromThePage(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	oldKeys, err := seal.NewKeyring(first)
	require.NoError(t, err)
	store := mfatest.NewFaultyStore(memory.New())
	r := newRig(t, func(c *mfa.Config) { c.Keys, c.Store = oldKeys, store })
	for i := range 150 {
		r.withApp(person(i), "word")
	}
	both := r.withKeys(t, second, first)
	reads, writes := store.Calls(mfatest.OpGet), store.Calls(mfatest.OpSwap)
	require.Equal(t, 150, reseal(t, both, "").Reencrypted)
	require.Equal(t, reads, store.Calls(mfatest.OpGet))
	require.Equal(t, writes+1, store.Calls(mfatest.OpSwap))

	r.cfg.Store = singleSwaps{store, store}
	require.Equal(t, 150, reseal(t, r.withKeys(t, seal.GenerateKey(), second), "").Reencrypted)
	require.Equal(t, reads, store.Calls(mfatest.OpGet))
	require.Equal(t, writes+1+150, store.Calls(mfatest.OpSwap))
}

// What no key opens, or what was altered, is named and left alone, and the rest is done.
func TestReencrypt_NamesTheUnreadable(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	oldKeys, err := seal.NewKeyring(first)
	require.NoError(t, err)
	store := memory.New()
	r := newRig(t, func(c *mfa.Config) { c.Keys, c.Store = oldKeys, store })
	for i := range 5 {
		r.withApp(person(i), "word")
	}
	lost, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	put := func(key string, data []byte) {
		rec, err := store.Get(t.Context(), key)
		require.NoError(t, err)
		next := storage.Record{Revision: storage.Revision("put-" + key), Data: data}
		require.NoError(t, store.Swap(t.Context(), key, rec.Revision, next))
	}
	put("p/0//p1", lost.Seal("record", "p/0//p1", []byte("x")))
	rec, err := store.Get(t.Context(), "p/0//p2")
	require.NoError(t, err)
	put("p/0//p3", rec.Data) // another person's
	before := dump(t, store)

	p := reseal(t, r.withKeys(t, second, first), "")
	require.Equal(t, 3, p.Reencrypted)
	require.Len(t, p.Unreadable, 2)
	require.ErrorIs(t, p.Unreadable[0], seal.ErrUnknownKey)
	require.ErrorContains(t, p.Unreadable[0], "p1")
	require.ErrorIs(t, p.Unreadable[1], seal.ErrWrongBinding)
	after := dump(t, store)
	require.Equal(t, before["p/0//p1"], after["p/0//p1"])
	require.Equal(t, before["p/0//p3"], after["p/0//p3"])
}

// Hourly budgets that are over do not stay for ever; those that count do.
func TestReencrypt_RemovesOldRateLimits(t *testing.T) {
	store := memory.New()
	r := newRig(t, func(c *mfa.Config) { c.Store, c.RateLimits.PerDestination = store, 3 })
	budgets := func() (n int) {
		for key := range dump(t, store) {
			if strings.HasPrefix(key, "b/") {
				n++
			}
		}
		return n
	}
	_ = r.send(r.begin(person(1)))
	require.NotZero(t, budgets())
	p := reseal(t, r.Manager, "")
	require.Zero(t, p.Removed)
	require.NotZero(t, budgets())
	r.clock.Advance(2 * time.Hour)
	p = reseal(t, r.Manager, "")
	require.NotZero(t, p.Removed)
	require.Zero(t, budgets())
}

// noLister hides that a store can list.
type noLister struct{ storage.Store }

func TestReencrypt_NeedsALister(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Store = noLister{memory.New()} })
	for _, err := range r.Reencrypt(t.Context(), "") {
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
	_, err := r.Admin(mfa.System("report"), "").Report(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	ok := newRig(t)
	refused := 0
	for _, err := range ok.Reencrypt(t.Context(), "nothing of ours") {
		require.ErrorIs(t, err, factor.ErrMalformed)
		refused++
	}
	require.Equal(t, 1, refused)
}

func TestReport_CountsByTenantAndUserType(t *testing.T) {
	optional, mailOnly := impliedMail, impliedMail
	optional.Mode, mailOnly.Kinds = policy.ModeOptional, []string{"mail"}
	r := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.ByUserType(map[string]policy.Policy{"staff": impliedMail,
			"guest": optional, "mail only": mailOnly})
	})
	who := func(i int, tenant, userType string) mfa.User {
		s := person(i)
		s.Tenant, s.UserType = tenant, userType
		return s
	}
	r.withApp(who(1, "acme", "staff"), "word")
	r.withApp(who(2, "acme", "staff"), "word")
	for range 5 {
		_, _ = r.verify(r.begin(who(2, "acme", "staff")), "app", secret.New("wrong"))
	}
	r.withApp(who(3, "acme", "staff"), "word")
	// a guest from now on
	require.NoError(t, r.Admin(boss, "").Reset(t.Context(), who(3, "acme", "guest")))
	r.withApp(who(4, "", "staff"), "word")
	r.withApp(who(5, "", "staff"), "word")
	// of a type that may not use it
	require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), who(5, "", "mail only")))
	broken := who(6, "", "staff")
	r.withApp(broken, "word")
	key := "p/0//" + broken.ID
	rec, err := r.store.Get(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, r.store.Swap(t.Context(), key, rec.Revision, storage.Record{Revision: "x",
		Data: []byte("garbage")}))

	got, err := r.Admin(mfa.System("report"), "").Report(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, got.Unreadable)
	require.Equal(t, []report.Group{
		{UserType: "mail only", Users: 1, NotEnrolled: 1, Kinds: map[string]int{"app": 1}},
		{UserType: "staff", Users: 1, Enrolled: 1, Kinds: map[string]int{"app": 1}},
		{Tenant: "acme", UserType: "guest", Users: 1, Kinds: map[string]int{}},
		{Tenant: "acme", UserType: "staff", Users: 2, Enrolled: 2, Locked: 1,
			Kinds: map[string]int{"app": 2}},
	}, got.Groups)

	r.store.Inject(mfatest.OpList, 1, mfatest.Fault{Before: context.DeadlineExceeded})
	_, err = r.Admin(mfa.System("report"), "").Report(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// singleSwaps hides that a store can swap several records at once.
type singleSwaps struct {
	storage.Store
	storage.Lister
}

// panicking is a store whose writes panic, as an adapter with a fault does.
type panicking struct{ *memory.Store }

func (panicking) Swap(context.Context, string, storage.Revision, storage.Record) error {
	panic("a fault of the adapter")
}

func (panicking) SwapBatch(
	context.Context, []storage.Entry, []storage.Record,
) ([]bool, error) {
	panic("a fault of the adapter")
}

// An application that recovers from panics does so from those of a store too.
func TestReencrypt_PanicsInTheCaller(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	oldKeys, err := seal.NewKeyring(first)
	require.NoError(t, err)
	store := memory.New()
	r := newRig(t, func(c *mfa.Config) { c.Keys, c.Store = oldKeys, store })
	r.withApp(ann, "tulip")
	r.cfg.Store = panicking{store}
	m := r.withKeys(t, second, first)
	require.PanicsWithValue(t, "a fault of the adapter", func() {
		for range m.Reencrypt(t.Context(), "") {
			continue
		}
	})
}
