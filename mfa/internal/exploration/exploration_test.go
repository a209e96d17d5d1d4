package exploration

import (
	"cmp"
	"flag"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/storage"
)

var operations = flag.Int("operations", 0, "how many operations there are in an exploration")

// The operations of an exploration in make test, and in make test-long.
const (
	few = 3
	all = 6
)

// figures count what an exploration has looked at.
type figures struct{ states, transitions int }

// explore looks at every state that some operations lead to, until an invariant does not hold. It
// returns the states in which both processes have nothing to do.
func (w *world) explore(made records, operations int) (
	f figures, ends map[[16]byte]struct{}, v *violation, at *path,
) {
	visited, ends := map[[16]byte]struct{}{}, map[[16]byte]struct{}{}
	stack := []state{{records: made, left: operations}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		f.states++
		after, v := w.after(s)
		f.transitions += len(after)
		if v != nil {
			return f, ends, v, after[len(after)-1].path
		}
		for _, next := range after {
			id := w.identity(next)
			if next.idle() {
				ends[id] = struct{}{}
			}
			if _, before := visited[id]; !before {
				visited[id] = struct{}{}
				stack = append(stack, next)
			}
		}
	}
	return f, ends, nil, nil
}

// after returns the states that can follow a state. The last one is that of a violation.
func (w *world) after(s state) (list []state, v *violation) {
	for process := range s.doing {
		begun := []state{s}
		if s.doing[process] == nil {
			begun = w.begin(s, process)
		}
		for _, n := range begun {
			if s.doing[process] != nil || !w.everyOrder && !n.doing[process].op.chosenBefore() {
				n, v = w.step(n, process)
			}
			if list = append(list, n); v != nil {
				return list, v
			}
		}
		if s.apart() && !w.everyOrder {
			break
		}
	}
	return list, nil
}

// chosenBefore says that what the user responds with is older than the process's first call. Other
// operations begin with it: until then nothing can tell that they have begun.
func (o operation) chosenBefore() bool { return o.kind == responding }

// apart says that what the processes still do has no key in common, so that its order does not
// matter: no operation begins any more, they serve different users, and one of them sends nothing.
func (s state) apart() bool {
	a, b := s.doing[0], s.doing[1]
	return s.left == 0 && a != nil && b != nil && a.op.user != b.op.user &&
		(a.op.kind != sending || b.op.kind != sending)
}

// TestExploration_HoldsEveryInvariant explores three operations, or six with SECONDGATE_LONG, and
// checks that everything that can happen has happened. With the race detector it explores two.
func TestExploration_HoldsEveryInvariant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := few
		switch {
		case os.Getenv("SECONDGATE_LONG") != "":
			n = all
		case brief.WithRace():
			n = few - 1
		}
		n = cmp.Or(*operations, n)
		w, made := newWorld(t, conforming)
		f, ends, v, at := w.explore(made, n)
		if v != nil {
			t.Fatalf("%s: %s\n\n%s", v.invariant, v.says, at)
		}
		t.Logf("%d operations: %d states, %d transitions, %d ends", n, f.states, f.transitions,
			len(ends))
		for _, name := range slices.Sorted(maps.Keys(w.seen)) {
			t.Logf("%9d %s", w.seen[name], name)
		}
		for _, name := range mustOccur() {
			if w.seen[name] == 0 && n >= few {
				t.Errorf("%q has not occurred", name)
			}
		}
	})
}

// mustOccur are the outcomes that three operations can have.
func mustOccur() []string {
	list := []string{"after a conflict", "code to 1: done", "code to 1: ended"}
	for kind, results := range map[kindOf][]string{
		appFirst:   {"done", "counted", "ended", "locked"},
		appSecond:  {"done", "counted", "ended", "locked"},
		incorrect:  {"counted", "ended", "locked"},
		recovering: {"done", "ended", "locked"},
		sending:    {"done", "ended", "locked", "limited"},
	} {
		for _, result := range results {
			list = append(list, names[kind]+": "+result)
		}
	}
	return list
}

// What the exploration leaves out is reached in another order.
func TestExploration_LeavesNoEndOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, made := newWorld(t, conforming)
		reduced, ends, v, _ := w.explore(made, 2)
		require.Nil(t, v)
		w.everyOrder = true
		whole, every, v, _ := w.explore(made, 2)
		require.Nil(t, v)
		require.Equal(t, every, ends)
		require.Less(t, reduced.states, whole.states)
	})
}

func TestIdentity_IsThatOfTheMirrorImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, made := newWorld(t, conforming)
		at := func(process, user int, kind kindOf) [16]byte {
			for _, s := range w.begin(state{records: made, left: 2}, process) {
				if o := s.doing[process].op; o.user == user && o.kind == kind {
					s, v := w.step(s, process)
					require.Nil(t, v)
					return w.identity(s)
				}
			}
			t.Fatal("no such operation")
			return [16]byte{}
		}
		one := at(0, 0, appFirst)
		require.Equal(t, one, at(1, 0, appFirst))
		require.Equal(t, one, at(0, 1, appFirst))
		require.NotEqual(t, one, at(0, 0, appSecond))
	})
}

// Each fault is one that no conforming store has.
func TestExploration_FindsBrokenStores(t *testing.T) {
	for name, broken := range map[string]store{
		"ignores the revision": func(r records, c call) (records, answer) {
			c.old = r[c.key].Revision
			return conforming(r, c)
		},
		"acknowledges what it does not keep": func(r records, c call) (records, answer) {
			if after, a := conforming(r, c); !c.swap || a.err != nil || c.key == sharedKey {
				return after, a
			}
			return r, answer{}
		},
		"keeps what it reports as a conflict": func(r records, c call) (records, answer) {
			after, a := conforming(r, c)
			if c.swap && a.err == nil {
				a.err = storage.ErrConflict
			}
			return after, a
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, made := newWorld(t, broken)
				_, _, v, at := w.explore(made, 2)
				require.NotNil(t, v)
				t.Logf("%s: %s\n%s", v.invariant, v.says, at)
			})
		})
	}
}
