package mfa

import "time"

// NoticesOf returns how many notices n events of one name get at a time.
func NoticesOf(name string, n int, now time.Time) (got int) {
	r := newRecord()
	for range n {
		if r.noticed(&notice{}, Event{Name: name, Time: now}).notice != nil {
			got++
		}
	}
	return got
}

// EventRules returns, for every event, when the user is notified, or "" and why not.
func EventRules() map[string][2]string {
	rules := make(map[string][2]string, len(eventRules))
	for name, r := range eventRules {
		rules[name] = [2]string{r.notify, r.why}
	}
	return rules
}

// Silence makes an event one that users are not notified of, until restore is called.
func Silence(name string) (restore func()) {
	before := eventRules[name]
	eventRules[name] = eventRule{why: "a test says so"}
	return func() { eventRules[name] = before }
}
