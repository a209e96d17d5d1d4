package mfa_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// story writes down everything that events and notices say, a line for each, and notices indented.
// Factors are numbered in the order in which they appear, times and writes are counted from the
// start, and the user is left out for ann, an employee.
type story struct {
	*rig
	key   *signer
	ids   []string
	text  strings.Builder
	since int // how many events are written down
}

// newStory is a rig with every kind of factor, in which ann is notified of everything at once.
func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{key: &signer{resistant: true}}
	p := passwordless
	p.Remember = fortnight
	s.rig = newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, s.key, madeCodes{})
		c.Policies = policy.Stored(policy.Static(p))
		c.Lockout = lockout.Config{DisableAfter: 10}
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	return s
}

func (s *story) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Sub(testStart).String()
}

// factor is the number of a factor.
func (s *story) factor(id string) string {
	if id == "" {
		return ""
	}
	if !slices.Contains(s.ids, id) {
		s.ids = append(s.ids, id)
	}
	return fmt.Sprint("#", slices.Index(s.ids, id)+1)
}

// add adds a line of the fields that are not empty.
func (s *story) add(fields ...string) {
	for i, f := range fields {
		if label, value, ok := strings.Cut(f, "="); ok && (value == "" || value == "-1") ||
			ok && label == "write" && value == "0" {
			fields[i] = ""
		}
	}
	fields = slices.DeleteFunc(fields, func(f string) bool { return f == "" })
	s.text.WriteString(strings.Join(fields, " ") + "\n")
}

// tell writes down what has happened since the last call, under what was done, and lets a second
// pass.
func (s *story) tell(done string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(done + ":\n")
	for _, e := range s.events[s.since:] {
		user := strings.TrimPrefix(e.Tenant+"/"+e.UserID+"/"+e.UserType, "/")
		if user == "ann/employee" {
			user = ""
		}
		write := e.Write
		if write > 0 {
			write -= testStart.UnixMilli()
		}
		s.add(s.at(e.Time), e.Name, user, e.Kind+s.factor(e.FactorID), e.Purpose, e.Reason,
			fmt.Sprint("remaining=", e.Remaining), "locked="+s.at(e.LockedUntil),
			"held="+s.at(e.HeldUntil), "approver="+e.Approver, "ends="+s.at(e.ExceptionEnds),
			fmt.Sprint("write=", write), "by="+e.Actor, "note="+e.Note)
	}
	s.since = len(s.events)
	for _, in := range s.mail.told {
		s.add(" ", s.at(in.Time), in.Event, "to="+string(in.State), "user="+in.User.ID, in.Kind,
			"label="+in.Label, "cause="+in.Cause, "until="+s.at(in.Until),
			fmt.Sprint("remaining=", in.Remaining))
	}
	s.mail.told = nil
	s.clock.Advance(time.Second)
}

// TestEvents_SayEverythingInOrder compares all that the events and the notices of whole histories
// say with what they are to say.
func TestEvents_SayEverythingInOrder(t *testing.T) {
	for name, happens := range stories {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", "events", name+".txt"))
			require.NoError(t, err)
			s := newStory(t)
			happens(s)
			require.Equal(t, string(want), s.text.String())
		})
	}
}
