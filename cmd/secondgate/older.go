package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/secondgate/secondgate/trail"
)

// restored is the event by which an operator says that a backup was restored.
const restored = "command.trail-restored"

// older is an entry about a record that is older than what the audit trail had of its user.
type older struct {
	Seq    int64  `json:"seq"`
	User   string `json:"user"`
	Tenant string `json:"tenant,omitempty"`
	// Before is the entry with the newest write of the record before.
	Before int64 `json:"newest_before"`
	// Restored says that the record has the state of a backup that an operator restored.
	Restored bool `json:"restored"`

	at    time.Time
	write int64
}

// account is a user of a tenant.
type account struct{ id, tenant string }

// write is one write of a user's record, as the trail has it.
type write struct {
	seq, number int64
	at          time.Time
	deleted     bool // the record is gone then, and the next one has a greater number
}

// writes are some of one user: the newest, and the newest before each backup that was restored. The
// numbers grow.
type writes []write

// olderRecords goes through a trail, and finds where an older record was put back. Its memory grows
// with the users and the restored backups, and not with the entries.
type olderRecords struct {
	backups []time.Time // all that the trail has
	users   map[account]writes
	found   []older
}

// newOlderRecords returns one for a trail whose entries it goes through once for the backups.
func newOlderRecords(entries iter.Seq2[trail.Entry, error]) (*olderRecords, error) {
	o := &olderRecords{users: make(map[account]writes)}
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(e.Fact, []byte(restored)) {
			continue
		}
		fact, _, err := e.Read()
		if err != nil || fact.Event != restored {
			continue // the second time says what is wrong with it
		}
		if t, err := time.Parse(time.RFC3339, fact.Reason); err == nil {
			o.backups = append(o.backups, t)
		}
	}
	return o, nil
}

// add reads one more entry. Entries of several processes may come late, so one with an earlier
// time than the newest shows nothing.
func (o *olderRecords) add(e *trail.Entry) error {
	fact, who, err := e.Read()
	if err != nil {
		return err
	}
	if fact.Event == restored {
		return o.restore(e.Seq, fact)
	}
	user := account{who.User, who.Tenant}
	w := write{seq: e.Seq, number: who.Write, at: fact.Time}
	if fact.Event == "admin.delete" {
		w.number, w.deleted = fact.Time.UnixMilli(), true
	}
	if w.number == 0 || who.User == "" {
		return nil
	}
	known := o.users[user]
	switch last := known.last(); {
	case w.number >= last.number:
		o.users[user] = known.add(w, o.backups)
	case w.at.After(last.at):
		o.found = append(o.found, older{Seq: e.Seq, User: user.id, Tenant: user.tenant,
			Before: last.seq, at: w.at, write: w.number})
	}
	return nil
}

// add adds the newest write, in place of the one before if no backup was made between them.
func (l writes) add(w write, backups []time.Time) writes {
	if n := len(l); n > 0 && !slices.ContainsFunc(backups, func(t time.Time) bool {
		return !t.Before(l[n-1].at) && t.Before(w.at)
	}) {
		l[n-1] = w
		return l
	}
	return append(l, w)
}

func (l writes) last() write {
	if len(l) == 0 {
		return write{}
	}
	return l[len(l)-1]
}

// until returns the writes up to a time.
func (l writes) until(t time.Time) writes {
	return l[:sort.Search(len(l), func(i int) bool { return l[i].at.After(t) })]
}

// restore accepts the records of a backup: those that have what the trail had at its time, or more.
// A record that is older than the backup is none of its records.
func (o *olderRecords) restore(seq int64, fact trail.Fact) error {
	t, err := time.Parse(time.RFC3339, fact.Reason)
	if err != nil {
		return fmt.Errorf("entry %d: the time of a backup: %w", seq, err)
	}
	if !slices.ContainsFunc(o.backups, t.Equal) {
		return fmt.Errorf("entry %d was added meanwhile, about a restored backup: run it again",
			seq)
	}
	since := make(map[account]writes) // what was written to restored records before this entry
	for i := range o.found {
		f := &o.found[i]
		user := account{f.User, f.Tenant}
		if !f.at.After(t) {
			continue
		}
		since[user] = since[user][:len(since[user]):len(since[user])]
		if f.write > o.users[user].until(t).last().number {
			f.Restored = true
			since[user] = append(since[user], write{seq: f.Seq, number: f.write, at: f.at})
		}
	}
	for user, l := range o.users {
		kept := l.until(t)
		if _, found := since[user]; !found && len(kept) < len(l) {
			o.found = append(o.found, older{Seq: seq, User: user.id, Tenant: user.tenant,
				Before: l.last().seq, Restored: true, at: fact.Time})
		}
		o.users[user] = append(kept[:len(kept):len(kept)], since[user]...)
	}
	return nil
}

// watch adds every entry, as it goes by.
func (o *olderRecords) watch(entries iter.Seq2[trail.Entry, error]) iter.Seq2[trail.Entry, error] {
	return func(yield func(trail.Entry, error) bool) {
		for e, err := range entries {
			if err == nil {
				err = o.add(&e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// finding is an error if no restored backup explains a record.
func (o *olderRecords) finding() error {
	for _, f := range o.found {
		if !f.Restored {
			return fmt.Errorf("%w: older records were put back into the store", errFound)
		}
	}
	return nil
}

// show says what was found, and what to do.
func (o *olderRecords) show(out io.Writer) error {
	if len(o.found) == 0 {
		return nil
	}
	var text strings.Builder
	text.WriteString("\n")
	var back, attack bool
	for _, f := range o.found {
		which := "older than at"
		if f.Restored {
			which, back = "restored from a backup, and older than at", true
		} else {
			attack = true
		}
		fmt.Fprintf(&text, "Entry %d: the record of user %q, tenant %q, is %s entry %d.\n", f.Seq,
			f.User, f.Tenant, which, f.Before)
	}
	if attack {
		text.WriteString("If you restored a backup, say so with trail restored. Otherwise an " +
			"attacker who can write to the store put the records back: reset these users, and " +
			"find out how.\n")
	}
	if back {
		text.WriteString("After a restore used recovery codes are valid again, and removed " +
			"factors are back: ask these users to make new recovery codes and to look at their " +
			"factors.\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}
