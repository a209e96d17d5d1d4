package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// imported returns how often the audit trail has the import of each user, and by whom.
func (d desk) imported() map[string]int {
	out, messages, code := d.run("trail", "show", "-json")
	require.Zero(d, code, messages)
	count := make(map[string]int)
	for line := range strings.Lines(out) {
		if !strings.Contains(line, `"event":"admin.import"`) {
			continue
		}
		for _, user := range []string{"ann", "bob", "cas"} {
			if strings.Contains(line, `"user":"`+user+`"`) &&
				strings.Contains(line, `"actor":"carol","note":"ticket"`) {
				count[user]++
			}
		}
	}
	return count
}

// An import that is killed between the write of a record and that of its event leaves a user of
// whom the audit trail has nothing. The next import keeps the event, under the operator who
// imported the user, and once.
func TestImport_KeepsTheEventsThatAKilledOneLost(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	kept, err := os.ReadFile(d.at("trail.jsonl"))
	require.NoError(t, err)
	file := d.users("ann", "bob", "cas")
	_, messages, code := d.act("import", file)
	require.Zero(t, code, messages)
	whole, err := os.ReadFile(d.at("trail.jsonl"))
	require.NoError(t, err)
	announced := len(kept) + strings.Index(string(whole[len(kept):]), "\n") + 1
	require.NoError(t, os.WriteFile(d.at("trail.jsonl"), whole[:announced], 0o600))
	require.Equal(t, map[string]int{"ann": 1}, d.imported(), "the process was killed")

	again := []string{"import", "-by", "dave", "-reason", "again", file}
	_, _, code = d.run(append([]string{"import", "-dry-run"}, again[1:]...)...)
	require.Zero(t, code)
	require.Equal(t, map[string]int{"ann": 1}, d.imported(), "a dry run changes nothing")
	out, messages, code := d.run(again...)
	require.Zero(t, code, messages)
	require.Equal(t, 3, strings.Count(out, "\tskipped: imported\n"), out)
	require.Contains(t, messages, "lacked 2 events of an import that was killed")
	once := map[string]int{"ann": 1, "bob": 1, "cas": 1}
	require.Equal(t, once, d.imported())
	_, messages, _ = d.run(again...)
	require.NotContains(t, messages, "was killed")
	require.Equal(t, once, d.imported())

	_, messages, code = d.act("trail erase", "bob")
	require.Zero(t, code, messages)
	_, _, _ = d.run(again...)
	require.Equal(t, map[string]int{"ann": 1, "cas": 1}, d.imported(), "it names no erased user")
}

// An event is one of an import that may have been killed at its time, and of no other.
func TestLostEvents_AreOfAnImportOfTheirTime(t *testing.T) {
	began := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	l := newLostEvents(&call{})
	l.runs = []importRun{{began, began.Add(time.Hour), "carol", "first"},
		{began.Add(2 * time.Hour), began.Add(2 * time.Hour), "dave", "second"}}
	for after, by := range map[time.Duration]string{-time.Second: "", 0: "carol",
		time.Hour + time.Second: "carol", time.Hour + 11*time.Minute: "",
		2*time.Hour + time.Second: "dave", 3 * time.Hour: ""} {
		run, lost := l.runOf(mfa.User{ID: "ann"}, began.Add(after))
		require.Equal(t, by != "", lost, after)
		if lost {
			require.Equal(t, by, run.by, after)
		}
	}
}

// What a file has of a user a second time is not imported, and the operator learns it. A run that
// is repeated skips the user.
func TestImport_SaysThatAUserIsThereTwice(t *testing.T) {
	d := newDesk(t)
	const line = `{"id":"ann","factors":[{"kind":"totp","name":"%s","params":` +
		`{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}` + "\n"
	file := d.file("in.jsonl", fmt.Sprintf(line+line, "phone", "tablet"), 0o600)
	out, messages, code := d.act("import", file)
	require.Equal(t, exitPartly, code, messages)
	require.Equal(t, 1, strings.Count(out, "ann\timported totp\n"), out)
	require.Contains(t, out, "ann\tfailed: the user was imported after this run began")
	out, _, code = d.act("import", file)
	require.Zero(t, code)
	require.Equal(t, 2, strings.Count(out, "ann\tskipped: imported\n"), out)
}
