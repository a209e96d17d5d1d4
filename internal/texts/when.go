package texts

import (
	"fmt"
	"strings"
	"time"
)

// Wait writes how long something takes. Seconds are left out from ten minutes on, and minutes
// from ten hours; both are rounded up.
func (l *Language) Wait(secs int) string {
	secs = max(secs, 0)
	if secs >= 600 {
		secs = (secs + 59) / 60 * 60
	}
	if secs >= 36000 {
		secs = (secs + 3599) / 3600 * 3600
	}
	var s string
	for _, unit := range []struct {
		key string
		n   int
	}{{"time.hours", secs / 3600}, {"time.minutes", secs / 60 % 60}, {"time.seconds", secs % 60}} {
		if unit.n == 0 && (secs > 0 || unit.key != "time.seconds") {
			continue
		}
		part := l.Say(unit.key, "n", unit.n)
		if s != "" {
			part = l.Bare("time.join", "first", s, "then", part)
		}
		s = part
	}
	return s
}

// Lifetime writes how long something is valid, in its largest unit: 90 seconds, 10 minutes, 1 hour.
func (l *Language) Lifetime(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return l.Say("time.hours", "n", int(d/time.Hour))
	case d >= time.Minute && d%time.Minute == 0:
		return l.Say("time.minutes", "n", int(d/time.Minute))
	default:
		return l.Say("time.seconds", "n", int(d/time.Second))
	}
}

// Date writes a day in words, in the zone of t.
func (l *Language) Date(t time.Time) string {
	year, month, day := t.Date()
	names, _ := l.Lookup("date.months")
	name := fmt.Sprint(int(month))
	if list := strings.Fields(names); len(list) == 12 {
		name = list[month-1]
	}
	number := fmt.Sprint(day)
	if first, ok := l.Lookup("date.first"); ok && day == 1 {
		number = first
	}
	return l.Bare("date.format", "day", number, "month", name, "year", year)
}

// Time writes a day in words and the time of day with its zone, in the zone of t.
func (l *Language) Time(t time.Time) string {
	return l.Bare("date.time", "date", l.Date(t), "time", t.Format("15:04\u00a0MST"))
}
