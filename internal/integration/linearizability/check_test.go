package linearizability_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// model is user, as the checker wants it.
var model = porcupine.Model{
	Init: func() any { return keyed(noUser) },
	Step: func(state, input, output any) (bool, any) {
		next, legal := state.(keyedUser).do(input.(deed), output.(outcome))
		return legal, keyed(next)
	},
	Equal: func(a, b any) bool { return a.(keyedUser).key == b.(keyedUser).key },
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%v → %v", input, output)
	},
	DescribeState: func(state any) string { return state.(keyedUser).String() },
}

// keyedUser is a user whose key is computed once.
type keyedUser struct {
	user
	key string
}

func keyed(p user) keyedUser { return keyedUser{p, p.key()} }

// operations are a history as the checker wants it. What may still take effect after the end
// returns after everything.
func operations(history []event) (list []porcupine.Operation) {
	var end int64
	for _, e := range history {
		end = max(end, e.Called, e.Return)
	}
	for _, e := range history {
		op := porcupine.Operation{ClientId: e.Process, Input: e.Deed, Output: e.Outcome,
			Call: e.Called, Return: e.Return}
		switch {
		case e.Outcome.Said == nothing, e.Outcome.Said == unknown && readsOnly(e.Deed.Do):
			continue
		case e.Outcome.Said == unknown:
			op.Return = end + 1
		}
		list = append(list, op)
	}
	return list
}

func readsOnly(do string) bool { return do == "begin" || do == "overview" }

// verdict is the checker's.
func verdict(
	history []event, patience time.Duration,
) (porcupine.CheckResult, porcupine.LinearizationInfo) {
	return porcupine.CheckOperationsVerbose(model, operations(history), patience)
}

// longCheck is how long the checker may take where no other history takes the place of one.
const longCheck = 2 * time.Minute

// checking is how long the checker may take for a history. It takes milliseconds for nearly all,
// and very long for a few that have many deeds whose outcome is not known. To make another history
// takes less time than to wait for such a one.
func checking() time.Duration {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return longCheck
	}
	return 20 * time.Second
}

// requireLinearizable fails the test unless there is an order, and then leaves a picture. It
// returns false for a history that the checker did not get through. Such a one says nothing, and
// another takes its place.
func requireLinearizable(t testing.TB, history []event) (decided bool) {
	t.Helper()
	result, info := verdict(history, checking())
	switch result {
	case porcupine.Ok:
		return true
	case porcupine.Unknown:
		t.Logf("the checker did not get through a history of %d deeds", len(history))
		return false
	}
	dir, err := os.MkdirTemp("", "secondgate-history-") // not the test's own, which is removed
	require.NoError(t, err)
	require.NoError(t, porcupine.VisualizePath(model, info, filepath.Join(dir, "history.html")))
	data, err := json.MarshalIndent(history, "", "\t")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "history.json"), data, 0o600))
	t.Fatalf("no order of the calls explains the replies; the longest that comes close is in %s",
		filepath.Join(dir, "history.html"))
	return false
}

// requireOnce fails if anything valid for one success gave two. It says no more than
// the checker does, but needs no model to say it.
func requireOnce(t testing.TB, history []event) {
	t.Helper()
	seen := make(map[string]event)
	for _, e := range history {
		if e.Deed.Do != "verify" || e.Outcome.Said != okay {
			continue
		}
		for _, what := range []string{fmt.Sprint("challenge ", e.Deed.Of), e.Deed.Kind + " code " +
			e.Deed.Response} {
			if first, twice := seen[what]; twice {
				t.Errorf("%s was accepted twice: %v and %v", what, first.Deed, e.Deed)
			}
			seen[what] = e
		}
	}
}

// report logs what a history has, and adds it to what those before it had.
func (c *crowd) report(seen map[string]int) {
	c.t.Helper()
	counts := make(map[string]int)
	together := 0
	for i, e := range c.history {
		counts[strings.TrimSpace(e.Deed.Do+" "+e.Deed.Kind)+" "+e.Outcome.Said]++
		for _, f := range c.history[i+1:] {
			if e.Return != 0 && f.Return != 0 && e.Called < f.Return && f.Called < e.Return {
				together++
				break
			}
		}
	}
	c.t.Logf("%d deeds, %d of them beside another, %d conflicts: %v",
		len(c.history), together, c.conflicts, counts)
	for what, n := range counts {
		seen[what] += n
	}
	if together > len(c.history)/4 {
		seen[metOften]++
	}
	seen[conflicted] += c.conflicts
}

const (
	metOften   = "processes that met in a quarter of their deeds"
	conflicted = "two processes that wrote at the same moment"
)

// missing returns what is in no history so far, and without which they prove too little. Chance
// decides what a history has, so there are more histories until nothing is missing.
func missing(seen map[string]int) (list []string) {
	for _, must := range []string{metOften, conflicted, "verify totp ok", "verify email ok",
		"verify recovery ok", "verify totp replayed", "verify totp locked",
		"verify email incorrect", "confirm ok", "send ok", "verify totp over"} {
		if seen[must] == 0 {
			list = append(list, must)
		}
	}
	return list
}
