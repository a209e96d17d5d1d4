package main

import (
	"math"
	"time"
)

// latencies counts durations in classes, so that a long test needs no more memory than a short
// one. Each class ends 2 % above the one before it, from a microsecond to hours.
type latencies struct {
	classes [1200]int
	all     int
	longest time.Duration
}

var classWidth = math.Log(1.02)

func (l *latencies) add(took time.Duration) {
	class := math.Ceil(math.Log(float64(took)/float64(time.Microsecond)) / classWidth)
	l.classes[int(min(max(class, 0), float64(len(l.classes)-1)))]++
	l.all++
	l.longest = max(l.longest, took)
}

// merge adds the durations of another.
func (l *latencies) merge(other *latencies) {
	for i, n := range other.classes {
		l.classes[i] += n
	}
	l.all += other.all
	l.longest = max(l.longest, other.longest)
}

// within returns the duration within which a share of all durations are: the end of the class, so
// up to 2 % too much.
func (l *latencies) within(share float64) time.Duration {
	rank := int(math.Ceil(share * float64(l.all)))
	for i, n := range l.classes {
		if rank -= n; rank <= 0 && l.all > 0 {
			end := time.Duration(math.Exp(float64(i)*classWidth) * float64(time.Microsecond))
			return min(end, l.longest)
		}
	}
	return l.longest
}
