package record

import (
	"slices"
	"time"
)

// SendLog counts sends by the minute: pairs of Unix minute and count, oldest first.
type SendLog []int64

const sendWindow = 61 // minutes: one more than an hour, as the oldest counts in full

// Since returns the log without what counts no longer at now.
func (l SendLog) Since(now time.Time) SendLog {
	oldest := now.Unix()/60 - sendWindow
	for len(l) >= 2 && l[0] <= oldest {
		l = l[2:]
	}
	return l
}

// Remove takes one send in a minute back, if it is still counted.
func (l SendLog) Remove(minute int64) SendLog {
	for i := 0; i+1 < len(l); i += 2 {
		if l[i] != minute {
			continue
		}
		if l[i+1] > 1 {
			l = slices.Clone(l)
			l[i+1]--
			return l
		}
		return slices.Concat(l[:i], l[i+2:])
	}
	return l
}

// Add counts one send at now, or says how long to wait until limit allows one. A minute
// counts in full until it is an hour old, so a window holds at most limit.
func (l SendLog) Add(now time.Time, limit int) (SendLog, time.Duration) {
	l = slices.Clone(l.Since(now))
	var sum int64
	for i := 1; i < len(l); i += 2 {
		sum += l[i]
	}
	if sum >= int64(limit) {
		for i := 0; i+1 < len(l); i += 2 {
			if sum -= l[i+1]; sum < int64(limit) {
				return l, time.Unix((l[i]+sendWindow)*60, 0).Sub(now)
			}
		}
		return l, time.Hour
	}
	minute := now.Unix() / 60
	if n := len(l); n >= 2 && l[n-2] >= minute {
		l[n-1]++
		return l, 0
	}
	return append(l, minute, 1), 0
}
