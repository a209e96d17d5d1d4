package exploration

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// state is what there is between two calls to the store. States share what they do not change.
type state struct {
	records records
	doing   [2]*running // what each process does
	ledgers [2]ledger
	left    int // operations that may still begin
	path    *path
}

// path is how a state was reached.
type path struct {
	before *path
	says   string
}

func (p *path) String() string {
	var lines []string
	for ; p != nil; p = p.before {
		lines = append(lines, p.says)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

func (s state) idle() bool { return s.doing[0] == nil && s.doing[1] == nil }

// begin returns the states in which a process that does nothing has begun an operation.
func (w *world) begin(s state, process int) (next []state) {
	if s.doing[process] != nil || s.left == 0 {
		return nil
	}
	for user := range s.ledgers {
		for k := range kinds {
			n, o := s, operation{kind: k, user: user}
			l := s.ledgers[user].clone()
			switch k {
			case sending:
				l.issued++
				o.code = codeName(l.issued)
			case responding:
				if o.code = l.code; o.code == "" {
					continue
				}
			}
			n.ledgers[user] = l
			n.left--
			first, _ := w.resume(process, o, nil)
			n.doing[process] = &running{op: o, next: *first}
			n.doing = together(n.doing)
			n.path = &path{s.path, fmt.Sprintf("process %d begins %v", process+1, o)}
			next = append(next, n)
		}
	}
	return next
}

// together notes messages that are on their way at the same time.
func together(doing [2]*running) [2]*running {
	if doing[0] == nil || doing[1] == nil || doing[0].op.kind != sending ||
		doing[1].op.kind != sending {
		return doing
	}
	for i := range doing {
		r := *doing[i]
		r.besides = true
		doing[i] = &r
	}
	return doing
}

// step answers the call that a process waits with.
func (w *world) step(s state, process int) (state, *violation) {
	is := *s.doing[process]
	var a answer
	if is.next.swap {
		is.next.next.content = w.content(is.next.key, is.next.next.Record)
	}
	s.records, a = w.store(s.records, is.next)
	s.path = &path{s.path, fmt.Sprintf("process %d: %s", process+1, w.says(is.next, a))}
	is.conflict = is.conflict || errors.Is(a.err, storage.ErrConflict)
	is.answers = append(slices.Clip(is.answers), a)
	next, out := w.resume(process, is.op, is.answers)
	if next != nil {
		is.next = *next
		s.doing[process] = &is
		return s, nil
	}
	s.doing[process] = nil
	w.seen[names[is.op.kind]+": "+out.result()]++
	if is.conflict {
		w.seen["after a conflict"]++
	}
	s.path = &path{s.path, fmt.Sprintf("process %d ends %v: %v", process+1, is.op, out.err)}
	l := s.ledgers[is.op.user].clone()
	v := l.conclude(is.op, out, s.ledgers[1-is.op.user].sent, is.besides)
	s.ledgers[is.op.user] = l
	if v == nil && s.idle() {
		v = w.settled(s)
	}
	return s, v
}

func (w *world) says(c call, a answer) string {
	method := "Get"
	if c.swap {
		method = "Swap"
	}
	return fmt.Sprintf("%s %s: %v", method, c.key, a.err)
}

// settled checks that the shared limit is charged for what was sent, and for nothing else.
func (w *world) settled(s state) *violation {
	var log record.SendLog
	if r, ok := s.records[sharedKey]; ok {
		plain, err := w.keys.Open("budget", sharedKey, r.Data)
		if err == nil {
			err = cbor.Unmarshal(plain, &log)
		}
		if err != nil {
			return broken("allowances", "%v", err)
		}
	}
	charged := int64(0)
	for i := 1; i < len(log); i += 2 {
		charged += log[i]
	}
	if sent := s.ledgers[0].sent + s.ledgers[1].sent; charged != int64(sent) {
		return broken("no lost update", "%d messages are charged, and %d were sent", charged, sent)
	}
	return nil
}

// identity is the same for states that differ in random values alone, or in which user and which
// process is which.
func (w *world) identity(s state) (least [16]byte) {
	for _, user := range []int{0, 1} {
		for _, process := range []int{0, 1} {
			sum := sha256.Sum256([]byte(w.seenFrom(s, user, process)))
			if id := [16]byte(sum[:]); least == [16]byte{} || string(id[:]) < string(least[:]) {
				least = id
			}
		}
	}
	return least
}

// seenFrom is the text of a state that begins with a user and with a process.
func (w *world) seenFrom(s state, user, process int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d left; shared %s\n", s.left, s.records[sharedKey].content)
	for _, u := range []int{user, 1 - user} {
		key := w.users[u].key
		fmt.Fprintf(&b, "%v\n%s\n", s.ledgers[u], s.records[key].content)
	}
	for _, p := range []int{process, 1 - process} {
		r := s.doing[p]
		if r == nil {
			b.WriteString("idle\n")
			continue
		}
		fmt.Fprintf(&b, "%d %t %q %t", r.op.kind, r.op.user == user, r.op.code, r.besides)
		for i, a := range r.answers {
			fmt.Fprintf(&b, " %s %v", a.content, a.err)
			if i == len(r.answers)-1 {
				fmt.Fprintf(&b, " %t", s.records[r.next.key].Revision == a.Revision)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// content opens a record, and puts names in the place of random values.
func (w *world) content(key string, r storage.Record) string {
	if r.Revision == "" {
		return "none"
	}
	purpose := seal.Purpose("record")
	if key == sharedKey {
		purpose = "budget"
	}
	plain, err := w.keys.Open(purpose, key, r.Data)
	if err != nil {
		panic(err)
	}
	text := string(plain)
	for _, u := range w.users {
		if u.key == key {
			text = u.drawn.Replace(text)
		}
	}
	sum := sha256.Sum256([]byte(text))
	return string(sum[:8])
}
