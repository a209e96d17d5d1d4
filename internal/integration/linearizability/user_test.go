package linearizability_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// What the documentation promises, and what newManager configures.
const (
	tries     = 5
	total     = 10
	stopAfter = 12
	perHour   = 15
	wait      = 3 * time.Minute
	codeTTL   = 90 * time.Second

	challengeTTL  = 15 * time.Minute
	grantTTL      = 5 * time.Minute
	enrollmentTTL = 15 * time.Minute
	codeMemory    = time.Hour

	period, digits = 30, 8
	codesInSet     = 10
	maxApps        = 5
	maxSpent       = 16
	limitMinutes   = 61
	maxSuperseded  = 3
)

var kinds = []string{"totp", "email", "recovery"}

// user is the model: one user's second factor, and what has been given out for it. A
// user is a value. Slices are never written into, so that copies of it may share them.
//
// The user has an address that counts as a factor without being enrolled, may enrol
// authenticator apps and a set of recovery codes, and has been reset by an administrator just
// before the first deed.
type user struct {
	// seen is the time of the latest write: the record's clock does not go back behind it.
	seen int64
	// void: only so many used challenges are remembered; challenges begun until then count
	// as used.
	void int64

	lockedUntil int64
	tally       [3]tally // by kind

	apps    []app
	pending app // an enrolment not yet confirmed; its grant in pendingBy
	ends    int64
	by      grant
	codes   codes
	mail    mail
	old     []mail // of which another has taken the place; the latest three

	challenges []issued // begun, not used
	grants     []grant
	spent      []int64 // when the challenges were begun that were used
	sends      []int64 // in which minutes codes were sent
}

type tally struct{ tries, streak int }

// app is an authenticator app, named by the deed that enrolled it.
type app struct {
	n      int
	secret string
	last   int64 // the step of the last code that was accepted, or -1
	// held: a recovery enrolled it less than a day ago, which no history lasts.
	held bool
}

// codes is a set of recovery codes, named by the deed that made it.
type codes struct {
	n    int
	list []string
	used int // bits
}

func (c codes) left() (left int) {
	for i := range c.list {
		if c.used&(1<<i) == 0 {
			left++
		}
	}
	return left
}

// mail is the code sent last, and the challenge that it belongs to.
type mail struct {
	challenge int
	code      string
	ends      int64
}

type issued struct {
	n  int
	at int64
}

// grant permits changes, as far as what was proven at a time does: the address (level 1), an app
// (2), or a recovery, which an app on hold proves too. A grant of a confirmation keeps the proof
// of the grant that opened the enrolment, and names the apps that it added.
type grant struct {
	n        int
	at       int64
	level    int
	recovery bool
	added    []int
}

func grantNumber(g grant) int { return g.n }

// with is a list with one more, in the order of their numbers: in whatever order things were
// given out, the user is the same, and the checker need not go on with each.
func with[T any](list []T, v T, number func(T) int) []T {
	i, _ := slices.BinarySearchFunc(list, number(v), func(w T, n int) int { return number(w) - n })
	return slices.Insert(slices.Clone(list), i, v)
}

// key distinguishes users.
func (p user) key() string {
	b := make([]byte, 0, 256)
	b = fmt.Append(b, p.seen, p.void, p.lockedUntil, p.tally, p.ends, p.by, p.mail, p.old,
		p.challenges, p.grants, p.spent, p.sends, p.codes.n, p.codes.used, p.pending.n)
	for _, a := range p.apps {
		b = fmt.Append(b, "app", a.n, a.last, a.held)
	}
	return string(b)
}

// slack is for how long the model remembers what is over: clocks differ by less.
const slack = time.Minute

// written is the user after a write at now. What is over, and was remembered only so that it
// is not used again, is forgotten.
func (p user) written(now int64) user {
	p.seen = max(p.seen, now)
	p.spent = slices.DeleteFunc(slices.Clone(p.spent), func(at int64) bool {
		return now >= at+challengeTTL.Milliseconds()
	})
	p.sends = p.sentSince(now / 60_000)
	p.challenges = slices.DeleteFunc(slices.Clone(p.challenges), func(c issued) bool {
		return now >= c.at+(challengeTTL+slack).Milliseconds()
	})
	p.grants = slices.DeleteFunc(slices.Clone(p.grants), func(g grant) bool {
		return now >= g.at+(grantTTL+slack).Milliseconds()
	})
	if now >= p.ends {
		p.pending, p.by, p.ends = app{}, grant{}, 0
	}
	return p
}

// sentSince are the sends that count: a minute counts until it is wholly an hour ago.
func (p user) sentSince(minute int64) []int64 {
	i := 0
	for i < len(p.sends) && p.sends[i] <= minute-limitMinutes {
		i++
	}
	return p.sends[i:]
}

// settled starts tries from zero when a lock is over. Streaks go on.
func (p user) settled(now int64) user {
	if p.lockedUntil != 0 && now >= p.lockedUntil {
		p.lockedUntil = 0
		for i := range p.tally {
			p.tally[i].tries = 0
		}
	}
	return p
}

func (p user) allTries() (n int) {
	for _, t := range p.tally {
		n += t.tries
	}
	return n
}

func (p user) isLocked(now int64) bool { return p.lockEnd(now) != 0 }

func (p user) lockEnd(now int64) int64 {
	if now >= p.lockedUntil {
		return 0
	}
	return p.lockedUntil
}

func (p user) locked(now int64) []outcome {
	return say(outcome{Said: locked, Until: p.lockEnd(now)})
}

func (p user) isDisabled(kind string) bool {
	return p.tally[slices.Index(kinds, kind)].streak >= stopAfter
}

// disabledKinds names the kinds that are disabled, of those the user has.
func (p user) disabledKinds() (list []string) {
	for _, k := range kinds {
		if p.isDisabled(k) && (k != "totp" || len(p.apps) > 0) &&
			(k != "recovery" || p.codes.n != 0) {
			list = append(list, k)
		}
	}
	return list
}

func (p user) appNames() (list []string) {
	for _, a := range p.apps {
		list = append(list, strconv.Itoa(a.n))
	}
	slices.Sort(list)
	return list
}

func (p user) overview(now int64) string {
	return sight(p.appNames(), p.codes.n != 0, p.codes.left(), p.lockEnd(now), p.disabledKinds())
}

// appCode is what an authenticator app shows in a step (RFC 6238 with HMAC-SHA1, RFC 4226
// section 5.3).
func appCode(secret string, step int64) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil || step < 0 {
		return ""
	}
	h := hmac.New(sha1.New, key)
	_ = binary.Write(h, binary.BigEndian, step) // a hash takes everything
	sum := h.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & math.MaxInt32
	return fmt.Sprintf("%0*d", digits, n%100_000_000)
}

// String is for the picture of a history that is refused.
func (p user) String() string {
	return fmt.Sprintf("seen %s, locked until %s, failed (tries, streak) of %v: %v, apps %v, "+
		"pending %d by %v, codes %d used %b, "+
		"mail for %d %s until %s, before it %v, challenges %v, grants %v, %d used, void until "+
		"%s, sends %v",
		clockText(p.seen), clockText(p.lockedUntil), kinds, p.tally, p.apps, p.pending.n, p.by,
		p.codes.n, p.codes.used,
		p.mail.challenge, p.mail.code, clockText(p.mail.ends), p.old, p.challenges, p.grants,
		len(p.spent), clockText(p.void), p.sends)
}
