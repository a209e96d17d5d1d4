package storagetest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// broken opens the rules' stores and says which rules found fault with them.
func broken(t *testing.T, open func() storage.Store) []string {
	t.Helper()
	var names []string
	for _, r := range rules() {
		if err := r.check(t.Context(), &subject{openStore: open}); err != nil {
			t.Logf("%s: %v", r.name, err)
			names = append(names, r.name)
		}
	}
	return names
}

// Each adapter here has one fault that real adapters have had, over a store without faults.
func TestRun_FindsEachFault(t *testing.T) {
	used := map[string]bool{}
	for rule := range mutants() {
		used[rule] = true
	}
	for _, c := range []struct {
		name   string
		open   func() func() storage.Store
		caught []string // must be among the rules broken
		sound  []string // must not be: the fault is named for what it is
	}{
		{"sound", one(func(s storage.Store) storage.Store { return s }), nil, ruleNames()},
		{"lost update", one(func(s storage.Store) storage.Store { return lostUpdates{s} }),
			[]string{"lost-update", "race-swap", "race-create", "race-delete"},
			[]string{"replace", "keys", "data"}},
		{"ignores the revision", one(func(s storage.Store) storage.Store { return noCondition{s} }),
			[]string{"replace", "revision-exact", "aba", "lost-update"}, []string{"keys", "data"}},
		{"creates over a record", one(func(s storage.Store) storage.Store { return upsert{s} }),
			[]string{"create", "race-create"}, []string{"replace", "lost-update", "race-swap"}},
		{"ignores the case of revisions", one(func(s storage.Store) storage.Store {
			return foldRevision{s}
		}),
			[]string{"revision-exact"}, []string{"replace", "keys", "lost-update"}},
		{"ignores the case of keys", one(func(s storage.Store) storage.Store {
			return mapKeys{s, strings.ToLower}
		}),
			[]string{"keys"}, []string{"data", "lost-update"}},
		{"pads keys", one(func(s storage.Store) storage.Store {
			return mapKeys{s, func(k string) string { return strings.TrimRight(k, " ") }}
		}), []string{"keys"}, []string{"data", "lost-update"}},
		{"ends keys at a NUL", one(func(s storage.Store) storage.Store {
			return mapKeys{s, func(k string) string {
				k, _, _ = strings.Cut(k, "\x00")
				return k + "."
			}}
		}), []string{"keys"}, []string{"data", "lost-update"}},
		{"makes keys UTF-8", one(func(s storage.Store) storage.Store {
			return mapKeys{s, func(k string) string { return strings.ToValidUTF8(k, "\ufffd") }}
		}), []string{"keys"}, []string{"data", "lost-update"}},
		{"cuts long keys", one(func(s storage.Store) storage.Store {
			return mapKeys{s, func(k string) string { return k[:min(len(k), storage.MaxKeyLen-1)] }}
		}), []string{"keys"}, []string{"data", "lost-update"}},
		{"trims data", one(func(s storage.Store) storage.Store {
			return mapData{s, func(b []byte) []byte {
				return append([]byte("."), bytes.TrimRight(b, " \r\n")...)
			}}
		}), []string{"data"}, []string{"replace", "keys"}},
		{"cuts data", one(func(s storage.Store) storage.Store {
			return mapData{s, func(b []byte) []byte {
				return append([]byte("."), b[:min(len(b), 60000)]...)
			}}
		}), []string{"limits"}, []string{"replace", "keys", "data"}},
		{"takes anything", one(func(s storage.Store) storage.Store { return unlimited{s} }),
			[]string{"limits"}, []string{"replace", "keys"}},
		{"stale reads", each(func(s storage.Store) storage.Store { return &cached{Store: s} }),
			[]string{"two-stores"}, []string{"replace", "keys", "read-your-writes"}},
		{"lagging reads", one(func(s storage.Store) storage.Store { return &lagging{Store: s} }),
			[]string{"read-your-writes", "create"}, nil},
		{"two databases", func() func() storage.Store {
			return func() storage.Store { return noList{memory.New()} }
		}, []string{"two-stores", "lost-update"}, []string{"replace", "keys"}},
		{"an error is 'not found'", one(func(s storage.Store) storage.Store {
			return hidesErrors{s}
		}),
			[]string{"context"}, []string{"replace", "keys", "absent"}},
		{"an error is a conflict", one(func(s storage.Store) storage.Store {
			return hidesWriteErrors{s}
		}),
			[]string{"context", "context-in-flight"}, []string{"replace", "keys", "absent"}},
		{"ignores the context", one(func(s storage.Store) storage.Store { return noContext{s} }),
			[]string{"context"}, []string{"replace", "keys"}},
		{"keeps the caller's slice", one(func(s storage.Store) storage.Store {
			return &keepsSlice{Store: s, data: map[string][]byte{}}
		}),
			[]string{"slices"}, []string{"replace", "keys"}},
		{"lends its slice", one(func(s storage.Store) storage.Store {
			return &lendsSlice{Store: s, data: map[string][]byte{}}
		}),
			[]string{"slices"}, []string{"replace", "keys"}},
		{"compares data", one(func(s storage.Store) storage.Store {
			return &comparesData{Store: s, was: map[string][]byte{}}
		}),
			[]string{"aba"}, []string{"create", "keys"}},
		{"remembers the deleted", one(func(s storage.Store) storage.Store {
			return &tombstone{Store: s, last: map[string]storage.Revision{}}
		}),
			[]string{"recreate"}, []string{"replace", "delete", "aba"}},
		{"an absent record is an empty one", one(func(s storage.Store) storage.Store {
			return zeroRecord{s}
		}),
			[]string{"absent"}, []string{"replace", "create"}},
		{"deletes whatever is there", one(func(s storage.Store) storage.Store {
			return deletesAll{s}
		}),
			[]string{"delete", "recreate", "aba"}, []string{"replace", "create", "lost-update"}},
		{"lists by pattern", one(func(s storage.Store) storage.Store { return likes{s} }),
			[]string{"list-prefix"}, []string{"keys"}},
		{"lists by offset", one(func(s storage.Store) storage.Store { return byOffset{s} }),
			[]string{"list-resumed"}, []string{"keys", "list-prefix", "list-pages"}},
		{"lists the last key again", one(func(s storage.Store) storage.Store {
			return inclusive{s}
		}),
			[]string{"list-pages"}, []string{"keys", "list-prefix"}},
		{"lists without the first", one(func(s storage.Store) storage.Store {
			return exclusive{s}
		}),
			[]string{"list-pages"}, []string{"keys", "list-prefix"}},
		{"lists all at once", one(func(s storage.Store) storage.Store { return allAtOnce{s} }),
			[]string{"list-pages"}, []string{"keys", "list-prefix"}},
		{"cursors of one process", each(func(s storage.Store) storage.Store {
			return &ownCursors{s, map[storage.Cursor]storage.Cursor{}}
		}),
			[]string{"list-resumed"}, []string{"keys", "list-prefix", "list-pages"}},
		{"lists nothing on an error", one(func(s storage.Store) storage.Store {
			return quietList{s}
		}),
			[]string{"list-arguments"}, []string{"keys", "list-pages"}},
	} {
		for _, name := range c.caught {
			used[name] = true
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := broken(t, c.open())
			for _, want := range c.caught {
				if !slices.Contains(got, want) {
					t.Errorf("rule %q did not catch it; broken: %q", want, got)
				}
			}
			for _, not := range c.sound {
				if slices.Contains(got, not) {
					t.Errorf("rule %q found fault where there is none", not)
				}
			}
		})
	}
	// A rule that catches none of these could be missing without notice.
	for _, r := range rules() {
		if !used[r.name] || len(r.why) < 40 {
			t.Errorf("rule %q catches no broken adapter here, or is not explained", r.name)
		}
	}
}

func ruleNames() (names []string) {
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// one makes an opener whose stores are the same value, each one whose stores are different
// values over the same memory.
func one(f func(storage.Store) storage.Store) func() func() storage.Store {
	return func() func() storage.Store {
		s := f(memory.New())
		return func() storage.Store { return s }
	}
}

func each(f func(storage.Store) storage.Store) func() func() storage.Store {
	return func() func() storage.Store {
		m := memory.New()
		return func() storage.Store { return f(m) }
	}
}
