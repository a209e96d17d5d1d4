package linearizability_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"
)

// users is who the crowd serves: one user, attackers who know the user's password, and an
// administrator, all at once. It knows what each deed was given, and chooses the next ones so
// that the same code, challenge or grant is in several hands at the same moment.
type users struct {
	mu   sync.Mutex
	rand *mathrand.Rand
	now  int64 // the clock, in Unix milliseconds
	n    int
	last deed

	challenges, grants []made
	mails              []made // the code, and the challenge it is for
	pending, apps      []made // the token or nothing, and the secret
	codes              [][]string
	lockedUntil        int64
	// attack is how many deeds an attacker goes on guessing, at attacked.
	attack   int
	attacked string
}

// made is what a deed made.
type made struct {
	n           int
	token, code string
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()

func newUsers(seed uint64) *users {
	return &users{rand: mathrand.New(mathrand.NewPCG(seed, 0)), now: noon}
}

// skew is by how much the clocks of processes differ at most.
const skew = 1500

// next chooses a deed.
func (p *users) next() deed {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.last
	if p.n == 0 || !p.chance(20) { // else once more what is perhaps still under way
		d = p.choose()
	}
	p.n++
	p.now += p.rand.Int64N(1000)
	d.N, d.At = p.n, p.now-p.rand.Int64N(skew)
	if end := p.lockedUntil; d.At-skew < end && end < d.At+skew && p.chance(50) {
		d.At = end - p.rand.Int64N(2) // the last moment of the lock, or the first without
	}
	p.last = d
	return d
}

// look is the deed that changes nothing.
func (p *users) look() deed {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	return deed{N: p.n, At: p.now, Do: "overview"}
}

func (p *users) chance(percent int) bool { return p.rand.IntN(100) < percent }

// choose draws what to do; what is impossible for want of a challenge or a grant becomes the
// deed that gives one.
func (p *users) choose() deed {
	if p.attack--; p.attack > 0 && p.chance(70) {
		return p.guesses(p.attacked)
	}
	switch n := p.rand.IntN(100); {
	case n < 12:
		return deed{Do: "begin"}
	case n < 22:
		return p.uses(p.challenges, deed{Do: "send"})
	case n < 38:
		return p.respondsByMail()
	case n < 60:
		return p.respondsByApp()
	case n < 68:
		return p.respondsByRecovery()
	case n < 75:
		if kind := kinds[p.rand.IntN(len(kinds))]; p.chance(50) {
			return p.guesses(kind)
		} else {
			p.attack, p.attacked = 10, kind
		}
		return deed{Do: "begin"}
	case n < 79:
		return p.uses(p.grants, deed{Do: "enroll"})
	case n < 87:
		return p.confirms()
	case n < 90:
		return p.uses(p.grants, deed{Do: "codes"})
	case n < 97:
		return deed{Do: "overview"}
	case n < 99 || p.chance(50):
		return deed{Do: "unlock"}
	default:
		return deed{Do: "reset"}
	}
}

// pick takes the latest most of the time, and else one of those before.
func pick[T any](p *users, list []T) T {
	if p.chance(70) {
		return list[len(list)-1]
	}
	return list[p.rand.IntN(len(list))]
}

// uses lets d use one of those things; without any the user begins.
func (p *users) uses(things []made, d deed) deed {
	if len(things) == 0 {
		return deed{Do: "begin"}
	}
	m := pick(p, things)
	d.Of, d.Token = m.n, m.token
	return d
}

func (p *users) respondsByMail() deed {
	if len(p.mails) == 0 {
		return p.uses(p.challenges, deed{Do: "send"})
	}
	m := pick(p, p.mails)
	if p.chance(10) { // to another challenge than the one it was sent for
		return p.uses(p.challenges, deed{Do: "verify", Kind: "email", Response: m.code})
	}
	return deed{Do: "verify", Kind: "email", Response: m.code, Of: m.n, Token: m.token}
}

// shown is what an app shows, at times a moment early or late.
func (p *users) shown(app made) string {
	step := p.now / 1000 / period
	if p.chance(40) {
		step += []int64{-2, -1, 1, 1, 2}[p.rand.IntN(5)]
	}
	return appCode(app.code, step)
}

func (p *users) respondsByApp() deed {
	if len(p.apps) == 0 {
		return p.confirms()
	}
	return p.uses(p.challenges, deed{Do: "verify", Kind: "totp",
		Response: p.shown(pick(p, p.apps))})
}

func (p *users) respondsByRecovery() deed {
	if len(p.codes) == 0 {
		return p.uses(p.grants, deed{Do: "codes"})
	}
	set := pick(p, p.codes)
	return p.uses(p.challenges, deed{Do: "verify", Kind: "recovery",
		Response: set[p.rand.IntN(len(set))]})
}

// guesses tries a code that no user received.
func (p *users) guesses(kind string) deed {
	guess := map[string]string{"totp": fmt.Sprintf("%08d", p.rand.IntN(1e8)), "email": "0123456789",
		"recovery": "0000-0000-0000-0000"}[kind]
	return p.uses(p.challenges, deed{Do: "verify", Kind: kind, Response: guess})
}

func (p *users) confirms() deed {
	if len(p.pending) == 0 {
		return p.uses(p.grants, deed{Do: "enroll"})
	}
	m := pick(p, p.pending)
	d := deed{Do: "confirm", Of: m.n, Token: m.token, Response: p.shown(m)}
	if p.chance(10) {
		d.Response = fmt.Sprintf("%08d", p.rand.IntN(1e8))
	}
	return d
}

// learn takes note of what came of d.
func (p *users) learn(d deed, o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Until != 0 {
		p.lockedUntil = o.Until
	}
	switch {
	case o.Said == over && p.chance(50), o.Said == okay && d.Do == "confirm", o.Said == okay &&
		d.Do == "verify" && p.chance(75):
		for _, list := range []*[]made{&p.challenges, &p.mails, &p.grants} {
			*list = slices.DeleteFunc(*list, func(m made) bool { return m.n == d.Of })
		}
	}
	switch {
	case o.Said == none && d.Kind == "totp", o.Said == okay && d.Do == "reset":
		p.apps = nil // so that the user enrols anew
	case o.Said == none && d.Kind == "recovery":
		p.codes = nil
	}
	if d.Do == "confirm" && o.Said == over {
		p.pending = slices.DeleteFunc(p.pending, func(m made) bool { return m.n == d.Of })
	}
	if o.Said != okay {
		return
	}
	m := made{d.N, o.Token, o.Code}
	switch d.Do {
	case "begin":
		keep(&p.challenges, m, 5)
	case "send":
		keep(&p.mails, made{d.Of, d.Token, o.Code}, 4)
	case "verify":
		keep(&p.grants, m, 4)
	case "enroll":
		keep(&p.pending, m, 3)
	case "confirm":
		keep(&p.grants, m, 4)
		for _, e := range p.pending {
			if e.n == d.Of {
				keep(&p.apps, e, 5)
			}
		}
	case "codes":
		keep(&p.codes, o.Codes, 2)
	}
}

func keep[T any](list *[]T, v T, most int) {
	*list = append(*list, v)
	*list = (*list)[max(0, len(*list)-most):]
}

// sleep says how long every user waits now; mostly not at all.
func (p *users) sleep() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Duration(p.lockedUntil-p.now) * time.Millisecond
	switch {
	case left > 0 && p.chance(10):
		return left + time.Duration(p.rand.IntN(skew)-skew/2)*time.Millisecond
	case !p.chance(8):
		return 0
	default:
		return []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second, time.Minute,
			time.Minute,
			2 * time.Minute, 3 * time.Minute, 6 * time.Minute, 16 * time.Minute}[p.rand.IntN(9)]
	}
}

func (p *users) wake(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now += after.Milliseconds()
}
