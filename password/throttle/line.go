package throttle

import (
	"slices"
	"time"
)

// limits are those of a line.
type limits struct {
	places int
	every  time.Duration // to refill a place; 0: a place is free when it is left
	queue  int           // attempts that wait at once
}

// line is a number of places and those who wait for one. Attempts under way hold a place. A
// failed one holds it on, until it is refilled by time. Held places and places to refill are
// counted apart, because an attempt under way must not be refilled: by waiting, it would free
// a place twice.
type line struct {
	limits
	held   int
	full   time.Duration // when all places of failed attempts are refilled
	queues [2]queue      // attempts without a pass, and with one
	second bool          // whose turn it is, where both wait
	users  int           // attempts that have the line in hand and have not joined it
}

// ready returns when a place is free, if no attempt under way ends before.
func (l *line) ready() (at time.Duration, ever bool) {
	free := l.places - 1 - l.held
	return l.full - time.Duration(free)*l.every, free >= 0
}

// next returns when those who wait should look again.
func (l *line) next(now time.Duration) time.Duration {
	at, ever := l.ready()
	if !ever {
		return 1<<63 - 1 // another attempt's end wakes them
	}
	return max(at, now+time.Millisecond)
}

// join adds an attempt. It may be granted or refused at once.
func (l *line) join(flow string, fast bool, now time.Duration) *waiter {
	w := &waiter{done: make(chan struct{})}
	if fast {
		w.queue = 1
	}
	l.dispatch(now)
	q := &l.queues[w.queue]
	if q.waiting >= l.queue && !q.displace(flow) {
		w.end(refused)
		return w
	}
	q.push(flow, w)
	l.dispatch(now)
	return w
}

// dispatch grants the places that are free, to the flows in turn.
func (l *line) dispatch(now time.Duration) {
	for {
		at, ever := l.ready()
		if !ever || at > now {
			return
		}
		first, other := 0, 1
		if l.second {
			first, other = other, first
		}
		w := l.queues[first].pop()
		if w == nil {
			first, w = other, l.queues[other].pop()
		}
		if w == nil {
			return
		}
		l.second = first == 0
		l.held++
		w.end(granted)
	}
}

// leave frees a place, or has it refilled after a failed attempt.
func (l *line) leave(failed bool, now time.Duration) {
	l.held--
	if failed {
		l.full = max(l.full, now) + l.every
	}
	l.dispatch(now)
}

func (l *line) idle(now time.Duration) bool {
	return l.users+l.held+l.queues[0].waiting+l.queues[1].waiting == 0 && l.full <= now
}

// retryAfter is about the time that those who wait now will take.
func (l *line) retryAfter() time.Duration {
	d := time.Duration(l.queues[0].waiting+l.queues[1].waiting) * l.every
	return max(d, time.Second)
}

// lines are the lines of one kind, by client or by name.
type lines struct {
	limits
	of    map[string]*line
	sweep int // the number of lines at which idle ones are dropped
	swept time.Duration
}

const firstSweep = 64

func newLines(l limits) lines {
	return lines{limits: l, of: make(map[string]*line), sweep: firstSweep}
}

// get returns the line of a key, and marks it as in use; nil when there are too many.
func (ls *lines) get(key string, now time.Duration) *line {
	l := ls.of[key]
	if l == nil {
		if len(ls.of) >= ls.sweep || len(ls.of) >= maxKeys && now-ls.swept >= ls.every {
			ls.dropIdle(now)
		}
		if len(ls.of) >= maxKeys {
			return nil
		}
		l = &line{limits: ls.limits}
		ls.of[key] = l
	}
	l.users++
	return l
}

// dropIdle drops idle lines. So that a sweep costs little for each key, the next one is at twice as
// many. Where there can be no more, it is when a place of each line has been refilled: lines that
// are idle by then must not keep others out.
func (ls *lines) dropIdle(now time.Duration) {
	for k, l := range ls.of {
		if l.idle(now) {
			delete(ls.of, k)
		}
	}
	ls.sweep, ls.swept = max(firstSweep, 2*len(ls.of)), now
}

type state int

const (
	waits state = iota
	granted
	refused
)

// waiter is one attempt in a line.
type waiter struct {
	state state
	queue int
	flow  *flow
	done  chan struct{}
}

func (w *waiter) end(s state) {
	w.state = s
	close(w.done)
}

// queue is those who wait, by flow. The flows take turns.
type queue struct {
	flows   map[string]*flow
	turns   []*flow
	waiting int
}

type flow struct {
	key     string
	waiters []*waiter
}

func (q *queue) push(key string, w *waiter) {
	f := q.flows[key]
	if f == nil {
		if q.flows == nil {
			q.flows = make(map[string]*flow)
		}
		f = &flow{key: key}
		q.flows[key] = f
		q.turns = append(q.turns, f)
	}
	w.flow = f
	f.waiters = append(f.waiters, w)
	q.waiting++
}

// pop removes the first of the flow whose turn it is, or returns nil if no attempt waits.
func (q *queue) pop() *waiter {
	if len(q.turns) == 0 {
		return nil
	}
	f := q.turns[0]
	w := f.waiters[0]
	q.remove(w)
	if len(f.waiters) > 0 { // to the end
		q.turns = append(q.turns[1:], f)
	}
	return w
}

func (q *queue) remove(w *waiter) {
	f := w.flow
	i := slices.Index(f.waiters, w)
	f.waiters = slices.Delete(f.waiters, i, i+1)
	q.waiting--
	if len(f.waiters) == 0 {
		delete(q.flows, f.key)
		q.turns = slices.DeleteFunc(q.turns, func(o *flow) bool { return o == f })
	}
}

// displace refuses the newest of the longest flow, if it is longer than the flow of key would
// be with one more.
func (q *queue) displace(key string) bool {
	own, longest := 0, (*flow)(nil)
	if f := q.flows[key]; f != nil {
		own = len(f.waiters)
	}
	for _, f := range q.turns {
		if longest == nil || len(f.waiters) > len(longest.waiters) {
			longest = f
		}
	}
	if longest == nil || len(longest.waiters) <= own+1 {
		return false
	}
	w := longest.waiters[len(longest.waiters)-1]
	q.remove(w)
	w.end(refused)
	return true
}
