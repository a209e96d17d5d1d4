package linearizability_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// story is a history written by hand. Each deed comes after the one before has returned, and a
// second later, unless a method says otherwise.
type story struct {
	events []event
	now    int64
	sight  string // what reads say
	until  int64  // the end of the last lock reported
}

func newStory() *story {
	return &story{now: noon, sight: sight(nil, false, -1, 0, nil)}
}

// add adds a deed and what was said of it, and returns its number.
func (s *story) add(d deed, o outcome) int {
	n := len(s.events) + 1
	s.now += 1000
	d.N, d.At = n, s.now
	s.events = append(s.events, event{Deed: d, Outcome: o, Called: int64(10 * n),
		Return: int64(10*n + 5)})
	return n
}

// together lets the last n deeds overlap.
func (s *story) together(n int) {
	last := len(s.events) - 1
	for i := range s.events[last-n+1:] {
		s.events[last-i].Called, s.events[last-i].Return = s.events[last-n+1].Called,
			s.events[last].Return
	}
}

func (s *story) wait(d time.Duration) { s.now += d.Milliseconds() }

func (s *story) soon(d time.Duration) int64 { return s.now + 1000 + d.Milliseconds() }

func (s *story) begin() int {
	return s.add(deed{Do: "begin"}, outcome{Said: okay, Expires: s.soon(15 * time.Minute),
		Sight: s.sight})
}

func (s *story) send(challenge int, code string) {
	s.add(deed{Do: "send", Of: challenge}, outcome{Said: okay, Expires: s.soon(90 * time.Second),
		Code: code})
}

func (s *story) verify(challenge int, kind, response, said string, left int) int {
	o := outcome{Said: said, Left: left}
	switch said {
	case okay:
		o.Expires = s.soon(5 * time.Minute)
	case locked:
		o.Until = s.until
	case incorrect, replayed:
		if left == 0 {
			s.until = s.soon(3 * time.Minute)
			o.Until = s.until
		}
	}
	return s.add(deed{Do: "verify", Kind: kind, Of: challenge, Response: response}, o)
}

// guess is a failed attempt at a new challenge.
func (s *story) guess(kind string, left int) {
	s.verify(s.begin(), kind, "other", incorrect, left)
}

// signIn is a correct response to a mail; the grant is numbered as what is returned.
func (s *story) signIn(code string) int {
	c := s.begin()
	s.send(c, code)
	return s.verify(c, "email", code, okay, -1)
}

const appKey = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// shown is what the app shows at the next deed.
func (s *story) shown() string { return appCode(appKey, s.soon(0)/30_000) }

// enroll enrols an app, and makes recovery codes.
func (s *story) enroll() {
	by := s.signIn("1111111111")
	proven := s.soon(5*time.Minute) - 1000
	e := s.add(deed{Do: "enroll", Of: by}, outcome{Said: okay, Expires: s.soon(15 * time.Minute),
		Code: appKey})
	g := s.add(deed{Do: "confirm", Of: e, Response: s.shown()},
		outcome{Said: okay, Expires: proven})
	s.add(deed{Do: "codes", Of: g}, outcome{Said: okay, Expires: s.soon(0),
		Codes: []string{"AAAA", "BBBB"}})
	s.sight = sight([]string{strconv.Itoa(e)}, true, -1, 0, nil)
	s.wait(2 * time.Minute)
}

// confirmInTheDark enrols an app, does not learn that it is confirmed, and sees that it is.
func (s *story) confirmInTheDark() {
	e := s.add(deed{Do: "enroll", Of: s.signIn("1111111111")},
		outcome{Said: okay, Expires: s.soon(15 * time.Minute), Code: appKey})
	s.add(deed{Do: "confirm", Of: e, Response: s.shown()}, outcome{Said: unknown})
	s.sight = sight([]string{strconv.Itoa(e)}, false, -1, 0, nil)
	s.begin()
	s.wait(2 * time.Minute)
}

// overview is a read of a user with an app and so many recovery codes left.
func (s *story) overview(left int) {
	s.add(deed{Do: "overview"}, outcome{Said: okay, Sight: strings.Replace(s.sight, "left=-1",
		"left="+strconv.Itoa(left), 1)})
}

func TestModel_AcceptsCorrectHistoriesOnly(t *testing.T) {
	for _, c := range []struct {
		name  string
		want  porcupine.CheckResult
		write func(s *story)
	}{
		{"an enrolment and a sign-in", porcupine.Ok, func(s *story) {
			s.enroll()
			s.verify(s.begin(), "totp", s.shown(), okay, -1)
		}},
		{"a code of an app accepted twice", porcupine.Illegal, func(s *story) {
			s.enroll()
			a, b, code := s.begin(), s.begin(), s.shown()
			s.verify(a, "totp", code, okay, -1)
			s.verify(b, "totp", code, okay, -1)
		}},
		{"a code of an app accepted twice at once", porcupine.Illegal, func(s *story) {
			s.enroll()
			a, b, code := s.begin(), s.begin(), s.shown()
			s.verify(a, "totp", code, okay, -1)
			s.verify(b, "totp", code, okay, -1)
			s.together(2)
		}},
		{"a code of an app once accepted and once replayed", porcupine.Ok, func(s *story) {
			s.enroll()
			a, b, code := s.begin(), s.begin(), s.shown()
			s.verify(b, "totp", code, replayed, 4)
			s.verify(a, "totp", code, okay, -1)
			s.together(2)
		}},
		{"a code replayed before it was used", porcupine.Illegal, func(s *story) {
			s.enroll()
			a, b, code := s.begin(), s.begin(), s.shown()
			s.verify(b, "totp", code, replayed, 4)
			s.verify(a, "totp", code, okay, -1)
		}},
		{"a code of two steps ago", porcupine.Illegal, func(s *story) {
			s.enroll()
			code := s.shown()
			s.wait(time.Minute)
			s.verify(s.begin(), "totp", code, okay, -1)
		}},
		{"the code that confirmed used to sign in", porcupine.Illegal, func(s *story) {
			s.enroll()
			s.wait(-2 * time.Minute)
			s.verify(s.begin(), "totp", s.shown(), okay, -1)
		}},
		{"a challenge used twice", porcupine.Illegal, func(s *story) {
			s.enroll()
			c := s.begin()
			s.send(c, "1234567890")
			s.verify(c, "totp", s.shown(), okay, -1)
			s.verify(c, "email", "1234567890", okay, -1)
		}},
		{"a challenge used after its time", porcupine.Illegal, func(s *story) {
			s.enroll()
			c := s.begin()
			s.wait(15 * time.Minute)
			s.verify(c, "totp", s.shown(), okay, -1)
		}},
		{"two recovery codes", porcupine.Ok, func(s *story) {
			s.enroll()
			s.verify(s.begin(), "recovery", "AAAA", okay, 1)
			s.verify(s.begin(), "recovery", "BBBB", okay, 0)
		}},
		{"a recovery code accepted twice", porcupine.Illegal, func(s *story) {
			s.enroll()
			s.verify(s.begin(), "recovery", "AAAA", okay, 1)
			s.verify(s.begin(), "recovery", "AAAA", okay, 1)
		}},
		{"a mail replaced by another", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.send(c, "1111111111")
			s.send(c, "2222222222")
			s.verify(c, "email", "1111111111", okay, -1)
		}},
		{"a code used in another challenge", porcupine.Illegal, func(s *story) {
			c, d := s.begin(), s.begin()
			s.send(c, "1111111111")
			s.verify(d, "email", "1111111111", okay, -1)
		}},
		{"a code used too late", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.send(c, "1111111111")
			s.wait(90 * time.Second)
			s.verify(c, "email", "1111111111", okay, -1)
		}},
		{"mails too late, replaced, and of another challenge, none of them counted", porcupine.Ok,
			func(s *story) {
				c, d := s.begin(), s.begin()
				s.send(c, "1111111111")
				s.verify(d, "email", "1111111111", expired, 0)
				s.send(c, "2222222222")
				s.verify(c, "email", "1111111111", expired, 0)
				s.wait(90 * time.Second)
				s.verify(c, "email", "2222222222", expired, 0)
				s.verify(c, "email", "other", incorrect, 4)
			}},
		{"a mail too late, counted", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.send(c, "1111111111")
			s.wait(90 * time.Second)
			s.verify(c, "email", "1111111111", expired, 0)
			s.verify(c, "email", "other", incorrect, 3)
		}},
		{"a mail replaced four times, and forgotten", porcupine.Ok, func(s *story) {
			c := s.begin()
			for _, code := range []string{"1111111111", "2222222222", "3333333333", "4444444444",
				"5555555555"} {
				s.send(c, code)
			}
			s.verify(c, "email", "2222222222", expired, 0)
			s.verify(c, "email", "1111111111", incorrect, 4)
		}},
		{"a mail that was never sent, said to be late", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.send(c, "1111111111")
			s.verify(c, "email", "2222222222", expired, 0)
		}},
		{"a mail that was used, said to be late", porcupine.Illegal, func(s *story) {
			s.signIn("1111111111")
			s.verify(s.begin(), "email", "1111111111", expired, 0)
		}},
		{"five failed attempts and a lock, to the millisecond", porcupine.Ok, func(s *story) {
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.wait(3*time.Minute - time.Second - time.Millisecond)
			s.verify(c, "email", "other", locked, 0)
			s.wait(-time.Second + time.Millisecond)
			s.verify(c, "email", "other", incorrect, 4)
		}},
		{"a sixth failed attempt", porcupine.Illegal, func(s *story) {
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.verify(c, "email", "other", incorrect, 0)
		}},
		{"a lock that ends early", porcupine.Illegal, func(s *story) {
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.wait(3*time.Minute - time.Second - time.Millisecond)
			s.verify(c, "email", "other", incorrect, 4)
		}},
		{"a lock that ends late", porcupine.Illegal, func(s *story) {
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.wait(3*time.Minute - time.Second)
			s.verify(c, "email", "other", locked, 0)
		}},
		{"a correct response while locked", porcupine.Illegal, func(s *story) {
			s.enroll()
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.verify(c, "totp", s.shown(), okay, -1)
		}},
		{"a tenth failed attempt over all kinds", porcupine.Ok, func(s *story) {
			s.enroll()
			c := s.begin()
			for i, kind := range []string{"email", "totp", "recovery", "email", "totp", "recovery",
				"email", "totp", "email", "totp"} {
				s.verify(c, kind, "other", incorrect, min(4-i/3, 9-i))
			}
			s.verify(c, "recovery", "AAAA", locked, 0)
		}},
		{"an eleventh", porcupine.Illegal, func(s *story) {
			s.enroll()
			c := s.begin()
			for i, kind := range []string{"email", "totp", "recovery", "email", "totp", "recovery",
				"email", "totp", "email", "totp"} {
				s.verify(c, kind, "other", incorrect, min(4-i/3, 9-i))
			}
			s.verify(c, "recovery", "other", incorrect, 2)
		}},
		{"a count that was lost", porcupine.Illegal, func(s *story) {
			s.guess("email", 4)
			s.guess("email", 4)
		}},
		{"a count that was lost at once", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", incorrect, 4)
			s.verify(c, "email", "other", incorrect, 4)
			s.together(2)
		}},
		{"counts reported in another order than they were asked for", porcupine.Ok, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", incorrect, 3)
			s.verify(c, "email", "other", incorrect, 4)
			s.together(2)
		}},
		{"counts reported in an order that cannot be", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", incorrect, 3)
			s.verify(c, "email", "other", incorrect, 4)
		}},
		{"a failed attempt counted twice", porcupine.Illegal, func(s *story) {
			s.guess("email", 4)
			s.guess("email", 2)
		}},
		{"a read that does not see the lock", porcupine.Illegal, func(s *story) {
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.begin()
		}},
		{"a read beside the response that locks", porcupine.Ok, func(s *story) {
			c := s.begin()
			for left := range 5 {
				s.verify(c, "email", "other", incorrect, 4-left)
			}
			s.now -= 1000
			s.begin()
			s.together(2)
		}},
		{"a failed attempt in the dark, counted", porcupine.Ok, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", unknown, 0)
			s.verify(c, "email", "other", incorrect, 3)
		}},
		{"a failed attempt in the dark, not counted", porcupine.Ok, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", unknown, 0)
			s.verify(c, "email", "other", incorrect, 4)
			s.verify(c, "email", "other", incorrect, 3)
		}},
		{"a failed attempt in the dark, counted after it returned", porcupine.Ok, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", unknown, 0)
			s.verify(c, "email", "other", incorrect, 4)
			s.verify(c, "email", "other", incorrect, 2)
		}},
		{"a failed attempt in the dark, counted twice", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", unknown, 0)
			s.verify(c, "email", "other", incorrect, 2)
		}},
		{"a failed attempt counted before it was given", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.verify(c, "email", "other", incorrect, 3)
			s.verify(c, "email", "other", unknown, 0)
		}},
		{"a correct response in the dark, and then replayed", porcupine.Ok, func(s *story) {
			s.enroll()
			a, b, code := s.begin(), s.begin(), s.shown()
			s.verify(a, "totp", code, unknown, 0)
			s.verify(b, "totp", code, replayed, 4)
		}},
		{"a correct response in the dark, and then accepted twice", porcupine.Illegal,
			func(s *story) {
				s.enroll()
				a, b, c, code := s.begin(), s.begin(), s.begin(), s.shown()
				s.verify(a, "totp", code, unknown, 0)
				s.verify(b, "totp", code, okay, -1)
				s.verify(c, "totp", code, okay, -1)
			}},
		{"recovery codes made in the dark, which end those before", porcupine.Ok, func(s *story) {
			s.enroll()
			g := s.verify(s.begin(), "totp", s.shown(), okay, -1)
			s.add(deed{Do: "codes", Of: g}, outcome{Said: unknown})
			s.verify(s.begin(), "recovery", "AAAA", incorrect, 4)
			s.overview(10)
		}},
		{"recovery codes made in the dark, beside those before", porcupine.Illegal, func(s *story) {
			s.enroll()
			g := s.verify(s.begin(), "totp", s.shown(), okay, -1)
			s.add(deed{Do: "codes", Of: g}, outcome{Said: unknown})
			s.overview(10)
			s.verify(s.begin(), "recovery", "AAAA", okay, 1)
		}},
		{"an app confirmed in the dark, and there", porcupine.Ok, func(s *story) {
			s.confirmInTheDark()
			s.verify(s.begin(), "totp", s.shown(), okay, -1)
		}},
		{"an app confirmed in the dark, and gone", porcupine.Illegal, func(s *story) {
			s.confirmInTheDark()
			s.sight = sight(nil, false, -1, 0, nil)
			s.begin()
		}},
		{"a challenge from before a reset", porcupine.Illegal, func(s *story) {
			c := s.begin()
			s.add(deed{Do: "reset"}, outcome{Said: okay})
			s.send(c, "1111111111")
		}},
		{"a grant from before a reset", porcupine.Illegal, func(s *story) {
			g := s.signIn("1111111111")
			s.add(deed{Do: "reset"}, outcome{Said: okay})
			s.add(deed{Do: "enroll", Of: g}, outcome{Said: okay, Expires: s.soon(15 * time.Minute),
				Code: appKey})
		}},
		{"an app that was reset", porcupine.Illegal, func(s *story) {
			s.enroll()
			s.add(deed{Do: "reset"}, outcome{Said: okay})
			s.sight = sight(nil, false, -1, 0, nil)
			s.verify(s.begin(), "totp", s.shown(), okay, -1)
		}},
		{"a grant of a mail that adds an app beside another", porcupine.Illegal, func(s *story) {
			s.enroll()
			g := s.signIn("2222222222")
			s.add(deed{Do: "enroll", Of: g}, outcome{Said: okay, Expires: s.soon(15 * time.Minute),
				Code: appKey})
		}},
		{"a kind that is disabled", porcupine.Ok, func(s *story) {
			for i := range stopAfter {
				s.guess("email", 4-i%5)
				if i%5 == 4 {
					s.wait(3 * time.Minute)
				}
			}
			s.sight = sight(nil, false, -1, 0, []string{"email"})
			s.verify(s.begin(), "email", "other", disabled, 0)
		}},
		{"a kind that is not disabled", porcupine.Illegal, func(s *story) {
			for i := range stopAfter + 1 {
				s.guess("email", 4-i%5)
				if i%5 == 4 {
					s.wait(3 * time.Minute)
				}
			}
		}},
		{"as many codes as may be sent", porcupine.Ok, func(s *story) {
			c := s.begin()
			for range perHour {
				s.send(c, "1111111111")
			}
			s.add(deed{Do: "send", Of: c}, outcome{Said: limited})
			s.wait(time.Hour + time.Minute)
			s.send(s.begin(), "1111111111")
		}},
		{"one code too many", porcupine.Illegal, func(s *story) {
			c := s.begin()
			for range perHour + 1 {
				s.send(c, "1111111111")
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory()
			c.write(s)
			result, info := verdict(s.events, longCheck)
			require.Equal(t, c.want, result, "%v", info.PartialLinearizationsOperations())
			if c.want == porcupine.Illegal {
				// It is the end that is illegal, and not how the story was written.
				before, _ := verdict(s.events[:len(s.events)-2], longCheck)
				require.Equal(t, porcupine.Ok, before, "without the last two deeds")
			}
		})
	}
}
