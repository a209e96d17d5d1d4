package simulation

import (
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// responseOf returns a response of the honest user that is correct, or "" if they cannot give one.
func (w *world) responseOf(b *begun, kind string) string {
	a := b.of
	p := a.person
	switch kind {
	case "recovery":
		for _, code := range p.codes {
			if c := a.codes[code]; c != nil && !c.used {
				return code
			}
		}
		return ""
	case "access":
		for code, c := range a.access {
			if !c.used {
				return code
			}
		}
		return ""
	case "mail":
		if !w.send(b, kind) {
			return ""
		}
		return a.sends[kind].code
	}
	f := a.theirs(kind)
	switch {
	case f == nil:
		return ""
	case kind == "app":
		return codeOf(f.word, stepAt(w.clock.Now()))
	case kind == "sms", kind == "push":
		if !w.send(b, kind) {
			return ""
		}
		if kind == "push" && w.chance(80) {
			w.decided[a.sends[kind].code] = w.chance(85)
		}
		return a.sends[kind].code
	}
	return f.word
}

// theirs is a factor of a kind that the user still has in their hands.
func (a *account) theirs(kind string) (found *owned) {
	for id := range a.person.words {
		f := a.own[id]
		if f != nil && f.kind == kind && (found == nil || f.serial > found.serial) {
			found = f
		}
	}
	return found
}

// visit is a sign-in of an honest user, or a proof for something else, with mistakes.
func (w *world) visit() {
	a := pick(w, w.accounts)
	purpose := []string{"sign-in", "sign-in", "sign-in", "manage", "step-up"}[w.IntN(5)]
	session := a.user.ID + fmt.Sprint(w.IntN(2))
	var token secret.Text
	if purpose == "sign-in" && w.chance(30) {
		token = a.deviceToken()
	}
	b := w.begin(a, session, purpose, token)
	if b == nil {
		return
	}
	if b.Remembered && !b.Device.IsZero() {
		w.tokens(a, session, b.Device)
	}
	if g := w.proceed(b, a.person.mistake(w)); g != nil {
		a.person.grants = append(a.person.grants, g)
	}
}

// mistake is what a user does wrong with a response, or nothing.
func (p *person) mistake(w *world) string {
	return []string{"typo", "again", "slow", "crash", "overtaken", "", "", "", ""}[w.IntN(9)]
}

// proceed responds to a challenge with what the user has, and returns the grant.
func (w *world) proceed(b *begun, mistake string) *grant {
	if b.Next == mfa.NextEnroll {
		return b.firstGrant(w)
	}
	if b.Next != mfa.NextVerify || len(b.Options) == 0 {
		return nil
	}
	o := b.Options[w.IntN(len(b.Options))]
	response := w.responseOf(b, o.Kind)
	if response == "" {
		return nil
	}
	switch mistake {
	case "typo":
		_, _ = w.verify(b, b.session, o.Kind, "typo")
	case "slow":
		w.advance(2 * time.Minute)
	case "overtaken": // another browser has a code sent before this one is typed
		if o.Sends {
			if other := w.begin(b.of, "thief", "sign-in", secret.Text{}); other != nil &&
				other.Next == mfa.NextVerify {
				w.send(other, o.Kind)
			}
		}
	case "crash":
		if o.Kind == "key" {
			response = "crash"
		}
	}
	g, err := w.verify(b, b.session, o.Kind, response)
	if mistake == "again" {
		_, _ = w.verify(b, b.session, o.Kind, response)
	}
	var required *mfa.EnrollmentRequiredError
	if errors.As(err, &required) {
		return g
	}
	if o.Disabled && o.Kind == "app" {
		w.unlock(b)
	}
	return g
}

// unlock enables a disabled app by three codes, half a minute apart.
func (w *world) unlock(b *begun) bool {
	f := b.of.theirs("app")
	if f == nil || w.depth > 0 {
		return false
	}
	for range 4 {
		w.advance(stepLength + time.Second)
		response := codeOf(f.word, stepAt(w.clock.Now()))
		var err error
		remaining := 0
		t := w.do(func(m *mfa.Manager) {
			remaining, err = w.handle(m, b.of, b.session, b.purpose).UnlockByProof(w.ctx(),
				b.Challenge, "app", secret.New(response))
		})
		w.settleLocks(b.of)
		w.note("proof of %s: %d %v", b.of.user.ID, remaining, err)
		c := b.of.count("app")
		var locked *mfa.LockedError
		if c.proofs > 0 && errors.As(err, &locked) && locked.RetryAfter <= stepLength {
			continue // half a minute has not passed by the record's time
		}
		var attempt *mfa.AttemptError
		if errors.As(err, &attempt) {
			w.failed(b.of, "app", attempt)
			return false
		}
		if err != nil {
			w.told(b.of, b, "app", w.claim(b, "app", response), err, t)
			return false
		}
		f.last, f.lastPerhaps = stepAt(w.clock.Now()), max(f.lastPerhaps, stepAt(w.latest))
		if w.latest.Before(b.of.lockedSurely) {
			w.fail("limits exact", "a proof was verified during a lock")
		}
		c.proofs++
		if remaining > 0 {
			w.seen["outcome Proven"]++
			continue
		}
		if c.proofs < 3 && !b.of.blurred {
			w.fail("limits exact", "enabled after %d proofs", c.proofs)
		}
		w.seen["outcome Enabled"]++
		*c = count{}
		return true
	}
	return false
}

// change is a change of factors by an honest user, mostly after a proof that was just made.
func (w *world) change() {
	a := pick(w, w.accounts)
	purpose := []string{"sign-in", "manage"}[w.IntN(2)]
	if w.chance(75) {
		if b := w.begin(a, a.user.ID+"0", purpose, secret.Text{}); b != nil {
			if g := w.proceed(b, ""); g != nil {
				a.person.grants = append(a.person.grants, g)
			}
		}
	}
	for range 1 + w.IntN(3) {
		if len(a.person.grants) == 0 {
			return
		}
		g := a.person.grants[len(a.person.grants)-1]
		switch w.IntN(8) {
		case 0, 1:
			if codes := w.newCodes(g, a, g.session); codes != nil {
				a.person.codes = codes
			}
		case 2:
			w.remove(g, a, g.session)
		default:
			if n := w.enroll(g, a, g.session, pick(w, ownKinds), a.person.words); n != nil {
				a.person.grants = append(a.person.grants, n)
			}
		}
	}
}

// lose takes something out of an honest user's hands.
func (w *world) lose() {
	a := pick(w, w.accounts)
	for _, f := range a.sorted() {
		if a.person.words[f.id] != "" && w.chance(50) {
			w.note("%s loses the %s", a.user.ID, f.kind)
			delete(a.person.words, f.id)
			return
		}
	}
}

// support is a request for help, in a session that has passed the first factor.
func (w *world) support() {
	a := pick(w, w.accounts)
	b := w.begin(a, "desk", "sign-in", secret.Text{})
	if b == nil || b.Next != mfa.NextVerify {
		return
	}
	var err error
	t := w.do(func(m *mfa.Manager) {
		err = w.handle(m, a, "desk", "sign-in").RequestSupport(w.ctx(), b.Challenge,
			report.Case{Message: "I lost my phone"})
	})
	w.note("support for %s: %v", a.user.ID, err)
	w.countSend(a, err, t)
}

// administer is an act of a program, or of a user with no proof.
func (w *world) administer() {
	a := pick(w, w.accounts)
	act := []string{"unlock", "unlock", "access", "access", "reset"}[w.IntN(5)]
	actor := mfa.System("desk")
	foreign := w.chance(30)
	if foreign { // an administrator's session, without a proof that suffices
		admin := w.processes[0].m.Session(mfa.User{ID: "ada", UserType: "employee"}, "ada0")
		actor = admin.Actor(w.thief.anyGrant())
	}
	var err error
	var e *mfa.Enrollment
	w.clearNotices()
	w.whole = true // the second write takes the user off the list of support
	t := w.do(func(m *mfa.Manager) {
		switch admin := m.Admin(actor, "asked"); act {
		case "unlock":
			err = admin.Unlock(w.ctx(), a.user)
		case "reset":
			err = admin.Reset(w.ctx(), a.user)
		default:
			e, err = admin.Enroll(w.ctx(), a.user, mfa.EnrollRequest{Kind: "access"})
		}
	})
	w.whole = false
	w.note("%s of %s by %s: %v", act, a.user.ID, actor.Name(), err)
	if foreign {
		if err == nil {
			w.fail("authority", "%s by an administrator who has proven nothing", act)
		}
		return
	}
	w.administered(a, act, e, err, t)
}
