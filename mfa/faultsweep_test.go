package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// sweep is a rig in which every operation succeeds, and the records that it begins with. Each call
// has a store of its own with these records.
type sweep struct {
	*rig
	records []storage.Entry
	damaged *damaged // the store of a call
	hooks   map[string]*hook

	ch, keyCh, unused, abandoned, postponed, recovering *mfa.Challenge
	code, keyResponse, openResponse                     secret.Text
	appPending, mailPending, keyPending, moving         *mfa.Enrollment
	mailCode, moveCode, keyConfirms                     secret.Text
	verifyLink, recoveryLink, device                    secret.Text
	appID, codesID, deviceID                            string
}

// hook counts the calls of a function of the application, and fails one of them, or none for 0.
type hook struct{ calls, fails int }

func (h *hook) call() error {
	if h.calls++; h.calls == h.fails {
		return errDisk
	}
	return nil
}

// damaged is a store that returns a damaged record from one Get of those that find one.
type damaged struct {
	*memory.Store
	gets, damages int
}

func (d *damaged) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := d.Store.Get(ctx, key)
	if err != nil {
		return r, err
	}
	if d.gets++; d.gets == d.damages {
		r.Data = []byte("damaged")
	}
	return r, nil
}

// faultyStore has a short name because faults are functions of it.
type faultyStore = mfatest.FaultyStore

// gil has enrolled nothing and may postpone it, and eve has an exception.
var gil, eve = mfa.User{ID: "gil", UserType: "guest"}, mfa.User{ID: "eve", UserType: "guest"}

func newSweep(t *testing.T) *sweep {
	t.Helper()
	s := &sweep{hooks: map[string]*hook{"policy": {}, "brand": {}}}
	own := passwordless
	own.Remember = fortnight
	s.rig = importRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, &signer{resistant: true}, madeCodes{})
		c.Policies = policy.Stored(sourceFunc(func(policy.Scope) (policy.Policy, error) {
			return own, s.hooks["policy"].call()
		}))
		c.Brand = func(context.Context, policy.Scope) (brand.Brand, error) {
			return brand.Brand{}, s.hooks["brand"].call()
		}
		c.RateLimits = mfa.RateLimits{PerUser: 100, PerDestination: 100, PerKind: 100}
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	s.prepare()
	var err error
	s.records, _, err = s.store.List(t.Context(), "", "", 1000)
	require.NoError(t, err)
	return s
}

type sourceFunc func(policy.Scope) (policy.Policy, error)

func (f sourceFunc) Policy(_ context.Context, s policy.Scope) (policy.Policy, error) { return f(s) }

// prepare makes everything that the operations need.
func (s *sweep) prepare() {
	t, ctx, ses := s.t, s.t.Context(), s.Session(ann, binding)
	s.grant = s.enroll(s.withKey(ann, "k1").Grant, "app", "word").Grant
	s.grant = s.enroll(s.grant, "pin", "1234").Grant
	s.codesID = s.makeCodes(s.grant).Confirmed.Factor.ID
	s.appID, s.device = s.id("app"), s.onDevice(ann, "Laptop")
	o, err := s.Overview(ctx, ann)
	require.NoError(t, err)
	s.deviceID = o.Devices[0].ID
	v, err := s.respondTo(ses.ManageFactors(), s.beginFor(ann, "manage"), "k1", "")
	require.NoError(t, err)
	s.grant = v.Grant

	s.appPending, err = s.begun(s.grant, "app", "other")
	require.NoError(t, err)
	s.mailPending, err = s.begun(s.grant, "mail", "home@example.com")
	require.NoError(t, err)
	s.mailCode = s.mail.code("home@example.com")
	s.moving, err = s.changeAddress(s.grant)
	require.NoError(t, err)
	s.moveCode = s.mail.code(annsNext)
	s.keyPending, err = ses.Enroll(ctx, s.grant, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	s.keyConfirms = secret.New("k2 " + string(s.keyPending.Prompt.Data))

	s.ch, s.abandoned, s.keyCh, s.unused = s.begin(ann), s.begin(ann), s.begin(ann), s.open()
	s.send(s.ch)
	s.code = s.mail.code(ann.Email)
	d, err := ses.Send(ctx, s.keyCh, "key")
	require.NoError(t, err)
	s.keyResponse = secret.New("k1 " + string(d.Prompt.Data))
	s.openResponse = secret.New("k1 " + string(s.unused.Prompt.Data))
	s.prepareAdmin()
}

// prepareAdmin makes what needs an administrator.
func (s *sweep) prepareAdmin() {
	t, ctx, admin := s.t, s.t.Context(), s.Admin(boss, "badge 7")
	require.NoError(t, admin.SetPolicy(ctx, policy.StoredPolicy{
		Scope:  policy.Scope{UserType: gil.UserType},
		Policy: policy.Policy{Mode: policy.ModeRequired, EnrollSkips: 2, EnrollWithin: day}}))
	s.postponed = s.begin(gil)
	require.NoError(t, admin.GrantException(ctx, eve, "director", s.clock.Now().Add(day)))
	_, err := admin.SendVerificationLink(ctx, person(2)) // it would take the place of s.moving
	require.NoError(t, err)
	s.verifyLink = secret.New(s.mail.link[person(2).Email])
	s.recovering, err = s.Session(ann, elsewhere).Recovery().OpenRecoveryLink(ctx, s.setupLink(ann))
	require.NoError(t, err)
	s.recoveryLink = s.setupLink(ann)
	require.NoError(t, s.Session(ann, binding).RequestSupport(ctx, s.ch,
		report.Case{Message: "lost"}))
}

// call calls an operation over a store with the records, in which a fault may be injected.
func (s *sweep) call(
	do operation, inject func(*faultyStore),
) (store *faultyStore, events []mfa.Event, err error) {
	s.t.Helper()
	mem := memory.New()
	for _, e := range s.records {
		require.NoError(s.t, mem.Swap(s.t.Context(), e.Key, "", e.Record))
	}
	s.damaged = &damaged{Store: mem}
	store = mfatest.NewFaultyStore(s.damaged)
	cfg := s.cfg
	cfg.Store = store
	m, err := mfa.New(cfg)
	require.NoError(s.t, err)
	s.events, *s.hooks["policy"], *s.hooks["brand"] = nil, hook{}, hook{}
	inject(store)
	err = do(s, m)
	return store, s.events, err
}

var storeOps = []mfatest.Op{mfatest.OpGet, mfatest.OpSwap, mfatest.OpDelete, mfatest.OpList}

// operation is an operation of the Manager that succeeds.
type operation func(*sweep, *mfa.Manager) error

// faults returns, under their names, all faults that an operation can meet.
func (s *sweep) faults(do operation) map[string]func(*faultyStore) {
	s.t.Helper()
	store, _, err := s.call(do, func(*faultyStore) {})
	require.NoError(s.t, err)
	all := make(map[string]func(*faultyStore))
	for name, h := range s.hooks {
		for i := range h.calls {
			all[fmt.Sprint(name, " ", i+1)] = func(*faultyStore) { h.fails = i + 1 }
		}
	}
	for i := range s.damaged.gets {
		all[fmt.Sprint("damaged ", i+1)] = func(*faultyStore) { s.damaged.damages = i + 1 }
	}
	for _, op := range storeOps {
		for i := range store.Calls(op) {
			all[fmt.Sprint(op, " ", i+1)] = func(f *faultyStore) {
				if i > 0 {
					f.Inject(op, i, mfatest.Fault{})
				}
				f.Inject(op, 1, mfatest.Fault{Before: errDisk})
			}
		}
	}
	return all
}

// TestManager_ReportsEveryFault lets every access of every operation to the store fail, every
// record that it reads be damaged, and every call of the application's functions fail, one at a
// time. The operation then fails with ErrUnavailable and the cause, and reports no event. What it
// does despite a fault is in tolerated, and a notice that fails is an event.
func TestManager_ReportsEveryFault(t *testing.T) {
	s := newSweep(t)
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			var did []string
			for fault, inject := range s.faults(do) {
				_, events, err := s.call(do, inject)
				if err != nil {
					require.ErrorIs(t, err, mfa.ErrUnavailable, fault)
					require.True(t, errors.Is(err, errDisk) || errors.Is(err, seal.ErrMalformed) ||
						errors.Is(err, record.ErrUnreadable), "%s: %v", fault, err)
				}
				failed := func(e mfa.Event) bool { return e.Name == "notice.failed" }
				switch {
				case err == nil && slices.ContainsFunc(events, failed):
				case err == nil:
					did = append(did, "succeeds: "+fault)
				case len(events) > 0:
					did = append(did, "says "+events[0].Name+": "+fault)
				}
			}
			require.ElementsMatch(t, tolerated[name], did)
		})
	}
}
