// Package linearizability_test checks that a Manager on a real database is one object, however
// many processes work on it: that every reply that any of them gave, and every count in it,
// is the one that a single process working through the calls one after the other could have
// given, in an order in which no call comes before one that had returned when it began
// (linearizability, Herlihy and Wing 1990). From this follows what is promised: nothing
// acknowledged is lost, nothing is accepted twice, and limits are exact.
//
// A crowd of processes works on one user's record, and writes down what they asked, what they
// were given as replies, and when. Then the checker of github.com/anishathalye/porcupine looks for
// such an order, by a model of one user that is written from the documentation, and shares no code
// with the Manager.
//
//   - wire_test.go is what is asked and replied.
//   - worker_test.go is a process of the crowd, store_test.go what it opens.
//   - crowd_test.go drives the processes, and users_test.go chooses what they are asked.
//   - user_test.go and deeds_test.go are the model; model_test.go shows what it refuses.
//   - check_test.go asks the checker, and broken_test.go shows that it says no.
package linearizability_test

import (
	"fmt"
	"strings"
	"time"
)

// deed is one call of the Manager, and the input of the model. Its number names what it makes:
// the challenge of begin 3 is challenge 3, and verify 5 may use it.
type deed struct {
	N int
	// "begin", "send", "verify", "enroll", "confirm", "codes", "unlock", "reset", "overview"
	Do string
	// At is what the clock of the process shows, in Unix milliseconds. Processes differ.
	At int64
	// Kind and Response are for verify; Response also for confirm.
	Kind, Response string
	// Of is the number of the deed that made the challenge, grant or enrolment that is used,
	// and Token the thing itself.
	Of    int
	Token string
}

func (d deed) String() string {
	s := fmt.Sprintf("%d@%s %s", d.N, clockText(d.At), d.Do)
	if d.Kind != "" {
		s += " " + d.Kind
	}
	if d.Of != 0 {
		s += fmt.Sprintf(" of %d", d.Of)
	}
	if d.Response != "" {
		s += " " + d.Response
	}
	return s
}

// What a deed came to. These are the verdicts of the Manager, and two that it has no word for.
const (
	okay      = "ok"
	incorrect = "incorrect"
	expired   = "expired"
	replayed  = "replayed"
	locked    = "locked"
	disabled  = "disabled"
	over      = "over"      // mfa.ErrTokenExpired
	none      = "none"      // mfa.ErrNotAvailable
	forbidden = "forbidden" // mfa.ErrForbidden
	limited   = "limited"
	// unknown: it failed after something may have been written, or the process was killed. The
	// deed took effect at some time after it began, perhaps after it returned, or never.
	unknown = "unknown"
	// nothing: it failed before anything was written.
	nothing = "nothing"
)

// outcome is the reply to a deed, and the output of the model.
type outcome struct {
	Said string
	// Left is how many tries are left after a failed attempt, and how many recovery codes after
	// one was used.
	Left int
	// Until is the end of a lock, and Expires of what was made, in Unix milliseconds; for
	// recovery codes, which do not end, Expires is when they were made. Both give away the
	// record's time.
	Until, Expires int64
	// Sight is what a read saw of the user.
	Sight string

	// What the user is given: a token, a code in a mail, a secret, a set of codes.
	Token, Code string
	Codes       []string
}

func (o outcome) String() string {
	s := o.Said
	if o.Left > 0 {
		s += fmt.Sprintf(" left=%d", o.Left)
	}
	if o.Until != 0 {
		s += " until=" + clockText(o.Until)
	}
	if o.Expires != 0 {
		s += " expires=" + clockText(o.Expires)
	}
	if o.Sight != "" {
		s += " " + o.Sight
	}
	if o.Code != "" {
		s += " code=" + o.Code
	}
	return s
}

// same looks at what the model knows, and not at what only the user is given.
func (o outcome) same(p outcome) bool {
	return o.Said == p.Said && o.Left == p.Left && o.Until == p.Until && o.Expires == p.Expires &&
		o.Sight == p.Sight
}

// sight puts what a read sees of a user into one comparable line. apps are the numbers of the
// deeds that enrolled them, recovery how many codes are left, or -1 if a read does not say.
func sight(apps []string, codes bool, recovery int, until int64, disabled []string) string {
	return fmt.Sprintf("apps=%s codes=%t left=%d until=%s disabled=%s",
		strings.Join(apps, ","), codes, recovery, clockText(until), strings.Join(disabled, ","))
}

func clockText(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).UTC().Format("15:04:05.000")
}

// reply is what a process writes back for a deed: the outcome, and when the call began and
// returned, by the monotonic clock of the machine, which all its processes share.
type reply struct {
	N                int
	Outcome          outcome
	Called, Returned int64
	// Conflicts is how often the store said that another process had been faster.
	Conflicts int
}
