package exploration

import (
	"context"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// kindOf is an operation of a user.
type kindOf uint8

const (
	appFirst   kindOf = iota // the code of the app, to the first challenge
	appSecond                // the same code, to the second challenge
	incorrect                // an incorrect code of the app, to the first challenge
	recovering               // the recovery code, to the second challenge
	sending                  // a code is sent for the first challenge
	responding               // the code that arrived last, to the first challenge
	kinds
)

var names = [kinds]string{"app to 1", "app to 2", "incorrect to 1", "recovery to 2",
	"send for 1", "code to 1"}

// challenge is the one that an operation is about.
func (k kindOf) challenge() int {
	if k == appSecond || k == recovering {
		return 1
	}
	return 0
}

// factor is the kind of factor.
func (k kindOf) factor() string {
	switch k {
	case recovering:
		return "recovery"
	case sending, responding:
		return "sms"
	}
	return "totp"
}

// operation is what a process does for a user.
type operation struct {
	kind kindOf
	user int
	code string // what is sent, or what the user responds with
}

func (o operation) String() string {
	return fmt.Sprintf("%s of %s", names[o.kind], []string{"ann", "bob"}[o.user])
}

// outcome is what the caller gets.
type outcome struct {
	err error
}

// result names an outcome.
func (o outcome) result() string {
	var attempt *mfa.AttemptError
	var locked *mfa.LockedError
	var limited *mfa.RateLimitError
	switch {
	case o.err == nil:
		return "done"
	case errors.As(o.err, &attempt) && !errors.Is(o.err, mfa.ErrUnavailable):
		return "counted"
	case errors.As(o.err, &locked):
		return "locked"
	case errors.As(o.err, &limited):
		return "limited"
	case errors.Is(o.err, mfa.ErrTokenExpired), errors.Is(o.err, factor.ErrExpired):
		return "ended"
	}
	return "failed"
}

// run does an operation.
func (w *world) run(m *mfa.Manager, o operation) outcome {
	u := &w.users[o.user]
	ctx := context.WithValue(context.Background(), codeKey{}, o.code)
	s, ch := m.Session(u.User, "session"), u.challenges[o.kind.challenge()]
	var err error
	switch o.kind {
	case sending:
		_, err = s.Send(ctx, ch, "sms")
	case responding:
		_, err = s.Verify(ctx, ch, "sms", secret.New(o.code))
	case incorrect:
		_, err = s.Verify(ctx, ch, "totp", secret.New("000000"))
	case recovering:
		_, err = s.Verify(ctx, ch, "recovery", secret.New(u.recovery))
	default:
		_, err = s.Verify(ctx, ch, "totp", secret.New(u.code))
	}
	return outcome{err}
}

// codeName is the text of a code.
func codeName(n int) string { return fmt.Sprint("code ", n) }

// ledger is what the documents say of one user after what has happened so far.
type ledger struct {
	used     [challenges]bool
	app      bool // the code of the app was accepted
	recovery bool // the recovery code was
	tries    map[string]int
	locked   bool
	code     string // the last that was sent
	issued   int    // how many codes were drawn, without those that were not sent
	sent     int    // how many of them were sent
}

func (l ledger) clone() ledger {
	tries := map[string]int{}
	for k, n := range l.tries {
		tries[k] = n
	}
	l.tries = tries
	return l
}

func (l ledger) total() (n int) {
	for _, k := range l.tries {
		n += k
	}
	return n
}

// correct says that a response is one that nobody has used.
func (l ledger) correct(o operation) bool {
	switch o.kind {
	case appFirst, appSecond:
		return !l.app
	case recovering:
		return !l.recovery
	case responding:
		return o.code == l.code
	}
	return false
}

// violation is an invariant that does not hold.
type violation struct{ invariant, says string }

func broken(invariant, format string, args ...any) *violation {
	return &violation{invariant, fmt.Sprintf(format, args...)}
}

// conclude compares the outcome of an operation with the ledger, and writes it down. An operation
// takes effect with its last call to the store for the user's record, after which it ends.
func (l *ledger) conclude(o operation, out outcome, others int, besides bool) *violation {
	free := !l.locked && !l.used[o.kind.challenge()]
	if out.err != nil && o.kind == sending && o.code == codeName(l.issued) {
		l.issued-- // the next one may have the name
	}
	switch out.result() {
	case "done":
		return l.done(o, others)
	case "counted":
		return l.counted(o, out)
	case "locked":
		if !l.locked {
			return broken("limits exact", "%v: locked without a reason", o)
		}
	case "limited":
		if l.sent < perUser && others+l.sent < perTenant && !besides {
			return broken("allowances", "%v: refused after %d of %d, and %d of all", o, l.sent,
				perUser, others+l.sent)
		}
	case "ended":
		if free && (o.kind != responding || l.correct(o)) {
			return broken("no dead end", "%v: refused as ended: %v", o, out.err)
		}
	default:
		return broken("no dead end", "%v: %v", o, out.err)
	}
	return nil
}

func (l *ledger) done(o operation, others int) *violation {
	switch {
	case l.locked:
		return broken("limits exact", "%v: accepted while locked", o)
	case l.used[o.kind.challenge()]:
		return broken("single use", "%v: the challenge was used before", o)
	case o.kind == sending:
		if l.sent++; l.sent > perUser || l.sent+others > perTenant {
			return broken("allowances", "%v: %d sent to the user, %d in all", o, l.sent,
				l.sent+others)
		}
		l.code = o.code
		return nil
	case !l.correct(o):
		return broken("single use", "%v: the response was used or incorrect", o)
	}
	l.used[o.kind.challenge()] = true
	delete(l.tries, o.kind.factor())
	switch o.kind {
	case appFirst, appSecond:
		l.app = true
	case recovering:
		l.recovery = true
	case responding:
		l.code = ""
	}
	return nil
}

func (l *ledger) counted(o operation, out outcome) *violation {
	var attempt *mfa.AttemptError
	errors.As(out.err, &attempt)
	switch {
	case l.locked:
		return broken("limits exact", "%v: a verdict while locked", o)
	case l.used[o.kind.challenge()]:
		return broken("limits exact", "%v: counted for a challenge that was used", o)
	case l.correct(o):
		return broken("no dead end", "%v: correct, and refused: %v", o, out.err)
	}
	l.tries[o.kind.factor()]++
	remaining := max(0, min(tries-l.tries[o.kind.factor()], total-l.total()))
	l.locked = remaining == 0
	if attempt.Remaining != remaining {
		return broken("no lost update", "%v: %d attempts remain, want %d", o, attempt.Remaining,
			remaining)
	}
	return nil
}
