package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/trail"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// event is one entry, at a minute after noon.
type event struct {
	minute int
	name   string
	write  int64
	reason string
}

// olderIn returns what was found, by the minute.
func olderIn(t *testing.T, events ...event) map[int]bool {
	t.Helper()
	var entries []trail.Entry
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	for i, e := range events {
		fact, err := json.Marshal(trail.Fact{Time: at(e.minute), Event: e.name, Reason: e.reason})
		require.NoError(t, err)
		who, err := json.Marshal(trail.Personal{User: "ann", Write: e.write})
		require.NoError(t, err)
		entries = append(entries, trail.Entry{Seq: int64(i + 1), Fact: fact, Personal: who})
	}
	all := func(yield func(trail.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
	o, err := newOlderRecords(all)
	require.NoError(t, err)
	for _, err := range o.watch(all) {
		require.NoError(t, err)
	}
	for _, l := range o.users {
		require.LessOrEqual(t, len(l), 2+2*len(o.backups), "memory grows with the entries")
	}
	found := make(map[int]bool)
	for _, f := range o.found {
		found[int(f.at.Sub(noon).Minutes())] = f.Restored
	}
	return found
}

func TestOlderRecords_AreFoundByTheirNumbers(t *testing.T) {
	success := func(minute int, write int64) event {
		return event{minute: minute, name: "verify.success", write: write}
	}
	backup := func(minute, made int) event {
		return event{minute: minute, name: restored,
			reason: noon.Add(time.Duration(made) * time.Minute).Format(time.RFC3339)}
	}
	deleted := event{minute: 3, name: "admin.delete"}
	after := noon.Add(3 * time.Minute).UnixMilli()
	for name, c := range map[string]struct {
		events []event
		want   map[int]bool
	}{
		"in order":               {[]event{success(1, 10), success(2, 12)}, map[int]bool{}},
		"two events of a write":  {[]event{success(1, 10), success(1, 10)}, map[int]bool{}},
		"a late entry":           {[]event{success(2, 12), success(1, 10)}, map[int]bool{}},
		"events without a write": {[]event{success(1, 10), success(2, 0)}, map[int]bool{}},
		"many writes": {[]event{success(1, 10), success(2, 11), success(3, 12), success(4, 13),
			success(5, 5)}, map[int]bool{5: false}},
		"put back": {[]event{success(1, 10), success(2, 5)}, map[int]bool{2: false}},
		"put back after a deletion": {[]event{success(1, 10), deleted, success(4, 11)},
			map[int]bool{4: false}},
		"made after a deletion": {[]event{success(1, 10), deleted, success(4, after+9)},
			map[int]bool{}},
		"restored": {[]event{success(1, 10), success(5, 15), backup(6, 2), success(7, 11)},
			map[int]bool{6: true}},
		"restored, and not written since": {[]event{success(1, 10), backup(6, 2), success(7, 11)},
			map[int]bool{}},
		"restored, and said later": {[]event{success(1, 10), success(5, 15), success(6, 11),
			backup(7, 2), success(8, 12)}, map[int]bool{6: true}},
		"older than the backup": {[]event{success(1, 10), success(5, 15), backup(6, 2),
			success(7, 9)}, map[int]bool{6: true, 7: false}},
		"older than the backup, and said later": {[]event{success(1, 10), success(5, 15),
			success(6, 9), backup(7, 2)}, map[int]bool{6: false}},
		"put back after a restore": {[]event{success(1, 10), success(5, 15), success(6, 11),
			backup(7, 2), success(8, 12), success(9, 11)}, map[int]bool{6: true, 9: false}},
	} {
		require.Equal(t, c.want, olderIn(t, c.events...), name)
	}
}
