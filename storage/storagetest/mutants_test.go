package storagetest

import (
	"context"
	"slices"
	"testing"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// mutant is a store with one fault. The functions that are nil are those of the store inside.
type mutant struct {
	storage.Store
	get  func(ctx context.Context, s storage.Store, key string) (storage.Record, error)
	swap func(ctx context.Context, s storage.Store, key string, old storage.Revision,
		next storage.Record) error
	del  func(ctx context.Context, s storage.Store, key string, old storage.Revision) error
	list func(ctx context.Context, s storage.Lister, prefix string, cursor storage.Cursor,
		limit int) ([]storage.Entry, storage.Cursor, error)
	batch func(ctx context.Context, s bothStores, old []storage.Entry,
		next []storage.Record) ([]bool, error)
}

func (m *mutant) Get(ctx context.Context, key string) (storage.Record, error) {
	if m.get == nil {
		return m.Store.Get(ctx, key)
	}
	return m.get(ctx, m.Store, key)
}

func (m *mutant) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if m.swap == nil {
		return m.Store.Swap(ctx, key, old, next)
	}
	return m.swap(ctx, m.Store, key, old, next)
}

func (m *mutant) Delete(ctx context.Context, key string, old storage.Revision) error {
	if m.del == nil {
		return m.Store.Delete(ctx, key, old)
	}
	return m.del(ctx, m.Store, key, old)
}

func (m *mutant) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	s := m.Store.(storage.Lister)
	if m.list == nil {
		return s.List(ctx, prefix, cursor, limit)
	}
	return m.list(ctx, s, prefix, cursor, limit)
}

func (m *mutant) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) ([]bool, error) {
	s := m.Store.(bothStores)
	if m.batch == nil {
		return s.SwapBatch(ctx, old, next)
	}
	return m.batch(ctx, s, old, next)
}

// mutants have one fault each, by the name of the rule that it breaks.
func mutants() map[string]map[string]*mutant {
	return map[string]map[string]*mutant{
		"absent":            absentMutants(),
		"create":            {"refused and written": {swap: writesRefused}},
		"replace":           {"counts changed rows": {swap: countsChangedRows}},
		"revision-exact":    revisionMutants(),
		"delete":            {"deletes nothing": {del: deletesNothing}},
		"keys":              keyMutants(),
		"data":              {"keeps text": {swap: keepsText}},
		"limits":            limitMutants(),
		"context":           contextMutants(),
		"context-in-flight": {"writes half": {swap: writesHalf}, "says yes": {swap: saysYes}},
		"slices":            {"lends pages": lendsPages()},
		"race-create":       {"looks before a create": {swap: looksBefore(true)}},
		"race-swap":         {"looks before a swap": {swap: looksBefore(false)}},
		"race-delete":       {"looks before a delete": {del: looksBeforeDelete}},
		"lost-update":       {"reads in two steps": {get: readsInTwoSteps}},
		"list-prefix":       listPrefixMutants(),
		"list-pages":        {"never ends": {list: neverEnds}, "drops the last": {list: dropsLast}},
		"list-current": {"lists the deleted": listsStale(false),
			"lists the first": listsStale(true)},
		"list-arguments":   {"takes no limit for all": {list: noLimit}},
		"batch-conditions": batchConditionMutants(),
		"batch-creates":    batchCreateMutants(),
		"batch-arguments":  batchArgumentMutants(),
		"batch-large":      {"cuts at a limit": {batch: cutsAtLimit}},
		"batch-race":       {"looks before a batch": looksBeforeBatch()},
	}
}

// TestRun_CatchesEachMutant runs the kit on each mutant. The rule that names the fault finds it,
// and a few that have nothing to do with it do not.
func TestRun_CatchesEachMutant(t *testing.T) {
	n := 0
	for rule, faults := range mutants() {
		for name, m := range faults {
			n++
			t.Run(rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				m.Store = memory.New()
				var s storage.Store = m
				if m.batch == nil { // a batch of thousands takes long, and shows nothing of it
					s = struct {
						storage.Store
						storage.Lister
					}{m, m}
				}
				got := broken(t, func() storage.Store { return s })
				if !slices.Contains(got, rule) {
					t.Errorf("rule %q did not catch it; broken: %q", rule, got)
				}
				if len(got) > len(rules())/2 {
					t.Errorf("it breaks most rules, and so proves none of them: %q", got)
				}
			})
		}
	}
	if n < 30 {
		t.Errorf("%d mutants, want 30 or more", n)
	}
}
