package mfa_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// model is the oracle: what a Manager must say, in the most naive form.
type model struct {
	tries, streak map[string]int
	lockedUntil   time.Time
	apps          map[string]bool // words not used yet
	used          map[string]bool
	code          string // the live code, by the challenge that asked
	codeOf        int
	expires       time.Time
	old           []oldCode // superseded, the latest three
	spent         map[int]bool
	request       request
}

// request is what a device is asked to approve, by the challenge that asked.
type request struct {
	of      int
	decided string // "approved", "denied" or ""
	expires time.Time
}

type oldCode struct {
	code    string
	expires time.Time
}

// send is what becomes of the codes when another one is sent.
func (o *model) send(code string, challenge int, expires time.Time) {
	if o.code != "" {
		o.old = append(o.old, oldCode{o.code, o.expires})
		o.old = o.old[max(0, len(o.old)-3):]
	}
	o.code, o.codeOf, o.expires = code, challenge, expires
}

// superseded says whether a code was sent to the user, and is known although another took
// its place.
func (o *model) superseded(code string, now time.Time) bool {
	return slices.ContainsFunc(o.old, func(c oldCode) bool {
		return c.code == code && now.Before(c.expires.Add(time.Hour))
	})
}

// refuses says why nothing is verified, or "".
func (o *model) refuses(kind string, challenge int, issued, now time.Time) string {
	if !o.lockedUntil.IsZero() && !now.Before(o.lockedUntil) {
		o.lockedUntil = time.Time{}
		clear(o.tries)
	}
	switch {
	case !o.lockedUntil.IsZero():
		return "locked"
	case o.spent[challenge] || now.Sub(issued) >= 15*time.Minute:
		return "over"
	case o.streak[kind] >= 100:
		return "stopped"
	}
	return ""
}

// fail counts a failed attempt.
func (o *model) fail(kind, verdict string, now time.Time) string {
	o.tries[kind]++
	o.streak[kind]++
	total := o.tries["app"] + o.tries["mail"] + o.tries["push"]
	if o.tries[kind] >= 5 || total >= 10 {
		o.lockedUntil = now.Add(3 * time.Minute)
	}
	return fmt.Sprint(verdict, max(0, min(5-o.tries[kind], 10-total)))
}

// expectPoll is expect for an approval.
func (o *model) expectPoll(challenge int, issued, now time.Time) string {
	if refusal := o.refuses("push", challenge, issued, now); refusal != "" {
		return refusal
	}
	decided := o.request.decided
	switch {
	case o.request.expires.IsZero() || o.request.of != challenge:
		return "expired"
	case decided == "denied":
		o.request = request{}
		return o.fail("push", "incorrect", now)
	case !now.Before(o.request.expires):
		return "expired"
	case decided == "":
		return "pending"
	}
	o.request, o.spent[challenge] = request{}, true
	o.tries["push"], o.streak["push"] = 0, 0
	return "right"
}

func (o *model) expect(kind, answer string, challenge int, issued, now time.Time) string {
	if refusal := o.refuses(kind, challenge, issued, now); refusal != "" {
		return refusal
	}
	verdict := "incorrect"
	if kind == "app" {
		switch {
		case o.apps[answer]:
			verdict = "right"
		case o.used[answer]:
			verdict = "replayed"
		}
	} else if o.code != "" && o.code == answer && o.codeOf == challenge && now.Before(o.expires) {
		verdict = "right"
	} else if o.superseded(answer, now) ||
		o.code != "" && o.code == answer && now.Before(o.expires.Add(time.Hour)) {
		return "expired" // no guess, and not counted
	}
	if verdict == "right" {
		o.tries[kind], o.streak[kind] = 0, 0
		o.spent[challenge] = true
		if kind == "app" {
			delete(o.apps, answer)
			o.used[answer] = true
		} else {
			o.code = ""
		}
		return verdict
	}
	return o.fail(kind, verdict, now)
}

func told(err error) string {
	var a *mfa.AttemptError
	var l *mfa.LockedError
	var s *mfa.DisabledError
	switch {
	case err == nil:
		return "right"
	case errors.As(err, &a):
		word := "incorrect"
		if errors.Is(err, factor.ErrReplayed) {
			word = "replayed"
		}
		return fmt.Sprint(word, a.Remaining)
	case errors.As(err, &l):
		return "locked"
	case errors.As(err, &s):
		return "stopped"
	case errors.Is(err, mfa.ErrTokenExpired):
		return "over"
	case errors.Is(err, factor.ErrExpired):
		return "expired"
	case errors.Is(err, factor.ErrPending):
		return "pending"
	default:
		return err.Error()
	}
}

// TestManager_AgreesWithTheModel drives random sequences of operations, by several Managers, with
// the clock going on, against the oracle.
func TestManager_AgreesWithTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		push := newApproval("push")
		push.traits.Expensive = rapid.Bool().Draw(rt, "expensive")
		r := &approvalRig{push: push, rig: newRig(t, func(c *mfa.Config) {
			c.Factors = append(c.Factors, push)
		})}
		managers := []*mfa.Manager{r.Manager, r.another()}
		g := r.signIn(ann).Grant
		words := []string{"one", "two", "three"}
		for _, w := range words {
			g = r.enroll(g, "app", w).Grant
		}
		r.grant = g
		r.enrolApproval(push, "phone")
		r.clock.Advance(time.Second)
		o := &model{tries: map[string]int{}, streak: map[string]int{},
			apps: map[string]bool{"one": true, "two": true, "three": true},
			used: map[string]bool{}, spent: map[int]bool{}}
		type challenge struct {
			*mfa.Challenge
			at time.Time
		}
		var open []challenge
		var sentCodes []string
		begin := func() {
			open = append(open, challenge{r.begin(ann), r.clock.Now()})
		}
		begin()
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			m := managers[rapid.IntRange(0, 1).Draw(rt, "manager")]
			i := rapid.IntRange(0, len(open)-1).Draw(rt, "challenge")
			now := r.clock.Now()
			do := rapid.SampledFrom([]string{"begin", "send", "wait", "app", "app", "mail", "mail",
				"mail", "request", "approved", "denied", "poll", "poll"}).Draw(rt, "do")
			switch do {
			case "begin":
				begin()
			case "wait":
				r.clock.Advance(time.Duration(rapid.SampledFrom([]int{1, 60_000, 89_999, 90_000,
					180_000, 900_000}).Draw(rt, "ms")) * time.Millisecond)
			case "send":
				_, err := m.Session(ann, binding).Send(t.Context(), open[i].Challenge, "mail")
				var over *mfa.RateLimitError
				if err == nil {
					sentCodes = append(sentCodes, r.mail.code(ann.Email).Reveal())
					o.send(r.mail.code(ann.Email).Reveal(), i, now.Add(90*time.Second))
				} else if got := told(err); got != "locked" && got != "over" && got != "stopped" &&
					!errors.As(err, &over) {
					rt.Fatalf("send: %v", err)
				}
			case "request":
				_, err := m.Session(ann, binding).Send(t.Context(), open[i].Challenge, "push")
				if err == nil {
					o.request = request{of: i, expires: now.Add(90 * time.Second)}
				}
			case "approved", "denied":
				if o.request.decided == "" {
					o.request.decided = do
					push.decide("phone", map[string]error{"denied": factor.ErrIncorrect}[do])
				}
			case "poll":
				want := o.expectPoll(i, open[i].at, now)
				_, err := m.Session(ann, binding).Verify(t.Context(), open[i].Challenge, "push",
					secret.Text{})
				if got := told(err); got != want {
					rt.Fatalf("poll: got %q, want %q (%v)", got, want, err)
				}
			case "app":
				answer := rapid.SampledFrom(append([]string{"wrong"}, words...)).Draw(rt, "answer")
				want := o.expect("app", answer, i, open[i].at, now)
				_, err := m.Session(ann, binding).Verify(t.Context(), open[i].Challenge, "app",
					secret.New(answer))
				if got := told(err); got != want {
					rt.Fatalf("app %q: got %q, want %q (%v)", answer, got, want, err)
				}
			case "mail":
				answer := o.code
				if n := len(sentCodes); n > 0 && rapid.Bool().Draw(rt, "an earlier one") {
					answer = sentCodes[rapid.IntRange(0, n-1).Draw(rt, "which")]
				}
				if answer == "" || rapid.Bool().Draw(rt, "wrong") {
					answer = strings.Repeat("0", 5)
				}
				want := o.expect("mail", answer, i, open[i].at, now)
				_, err := m.Session(ann, binding).Verify(t.Context(), open[i].Challenge, "mail",
					secret.New(answer))
				if got := told(err); got != want {
					rt.Fatalf("mail: got %q, want %q (%v)", got, want, err)
				}
			}
		}
	})
}
