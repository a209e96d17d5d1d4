package main

import (
	"fmt"
	"time"
)

// progress says on standard error how much of something is done: on a terminal on one line that
// it overwrites, and elsewhere on a line now and then.
type progress struct {
	c           *call
	what        string // such as "records"
	all         int    // how many there are, or 0 if that is not known
	began, last time.Time
	overwriting bool
}

// Between two lines, so that a log stays short.
const (
	terminalInterval = 200 * time.Millisecond
	logInterval      = 10 * time.Second
)

func (c *call) progress(what string, all int) *progress {
	p := &progress{c: c, what: what, all: all, began: time.Now(),
		overwriting: isTerminal(c.messages)}
	if !p.overwriting {
		p.last = p.began // a terminal shows the first page at once
	}
	return p
}

// show says that so many are done, unless it has just said so.
func (p *progress) show(done int) {
	now := time.Now()
	interval := logInterval
	if p.overwriting {
		interval = terminalInterval
	}
	if now.Sub(p.last) < interval {
		return
	}
	p.last = now
	text := pace(p.what, done, p.all, now.Sub(p.began))
	if p.overwriting {
		fmt.Fprintf(raw(p.c.messages), "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(p.c.messages, text)
}

// end leaves the line that was overwritten.
func (p *progress) end() {
	if p.overwriting {
		fmt.Fprint(raw(p.c.messages), "\r\x1b[K")
	}
}

// pace says how many are done, how fast, and how long the others take at that rate.
func pace(what string, done, all int, took time.Duration) string {
	rate := float64(done) / took.Seconds()
	text := fmt.Sprintf("%d %s, %.0f a second", done, what, rate)
	if all > done && done > 0 {
		left := time.Duration(float64(all-done) / rate * float64(time.Second))
		text = fmt.Sprintf("%d of %d %s, %.0f a second, %s remaining", done, all, what, rate,
			left.Round(time.Second))
	}
	return text
}
