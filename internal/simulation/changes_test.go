package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

func (a *account) sorted() (list []*owned) {
	for _, f := range a.own {
		list = append(list, f)
	}
	slices.SortFunc(list, func(x, y *owned) int { return x.serial - y.serial })
	return list
}

func (w *world) clearNotices() { clear(w.notices) }

// notified checks that the user was told of a change, unless a day's notices were sent. A change
// whose reply was lost has used up one of them.
func (w *world) notified(a *account, event string) {
	if !contains(w.notices[a.address], event) {
		day := 0
		for _, at := range slices.Concat(w.noticed[a.address+" "+event], a.unsaid) {
			if at.After(w.latest.Add(-25 * time.Hour)) {
				day++
			}
		}
		if day < noticesADay {
			w.fail("notices", "%s was not notified of %s", a.user.ID, event)
		}
	}
	w.seen["notice "+event]++
}

// bounded checks that no address was sent more than ten notices of one event a day. A day is the
// one from the first, so that two of them meet in any 24 hours.
func (w *world) bounded() {
	for at, list := range w.noticed {
		n := 0
		for _, t := range list {
			if t.After(w.latest.Add(-24 * time.Hour)) {
				n++
			}
		}
		if n > 2*noticesADay {
			w.fail("notices", "%d of %s in a day", n, at)
		}
	}
}

// enroll enrols a factor, and keeps its word in words, which belong to an actor.
func (w *world) enroll(
	g *grant, a *account, session, kind string, words map[string]string,
) *grant {
	w.serial++
	word := fmt.Sprintf("word%d", w.serial)
	var e *mfa.Enrollment
	var err error
	permitted := a.permitted(g, "enroll", kind, "")
	before := len(w.outbox)
	t := w.do(func(m *mfa.Manager) {
		e, err = w.handle(m, a, session, "manage").Enroll(w.ctx(), g.Grant,
			mfa.EnrollRequest{Kind: kind, Params: map[string]secret.Text{
				"word": secret.New(word)}})
	})
	w.note("%s enrols a %s for %s by %s: %v", session, kind, a.user.ID, g.origin, err)
	w.compare(g, a, session, "enroll", permitted && g.policy.Allows(kind), err, t)
	if kind == "sms" || kind == "push" {
		w.countSend(a, err, t)
	}
	if err != nil {
		return nil
	}
	response := word
	switch {
	case kind == "app":
		response = codeOf(word, stepAt(w.clock.Now()))
	case kind == "sms" || kind == "push":
		m, ok := w.arrived(before)
		if !ok {
			return nil
		}
		response = m.code
		w.decided[response] = true
	}
	if w.chance(15) && kind != "push" {
		w.confirm(g, a, session, e, pending{kind, word, "typo"}, words)
	}
	return w.confirm(g, a, session, e, pending{kind, word, response}, words)
}

type pending struct{ kind, word, response string }

// confirm confirms an enrolment.
func (w *world) confirm(g *grant, a *account, session string, e *mfa.Enrollment, p pending,
	words map[string]string) *grant {
	var c *mfa.Confirmation
	var err error
	w.clearNotices()
	permitted := a.permitted(g, "enroll", p.kind, "")
	correct := p.response != "typo"
	w.do(func(m *mfa.Manager) {
		c, err = w.handle(m, a, session, "manage").Confirm(w.ctx(), e, secret.New(p.response))
	})
	w.settleLocks(a)
	w.note("%s confirms the %s of %s: %v", session, p.kind, a.user.ID, err)
	var attempt *mfa.AttemptError
	switch {
	case errors.As(err, &attempt):
		w.outcome(err, false)
		w.failed(a, p.kind, attempt)
	case err == nil && !correct:
		w.fail("single use", "an incorrect response confirmed a %s", p.kind)
	case err == nil && !permitted && !a.permitted(g, "enroll", p.kind, ""):
		w.fail("authority", "confirmed by %s, which the table refuses to %s", g.origin, a)
	case errors.Is(err, mfa.ErrUnavailable) && correct:
		a.leased = w.latest.Add(leaseLength)
		w.perhapsFailed(a, p.kind, true)
		w.adopt(a, p, g, words)
	case errors.Is(err, mfa.ErrUnavailable):
		a.leased = w.latest.Add(leaseLength)
		w.perhapsFailed(a, p.kind, false)
	}
	if err != nil {
		return nil
	}
	w.seen["outcome Confirmed"]++
	w.succeeded(a, p.kind)
	f := w.own(a, c.Factor, p)
	words[f.id] = p.word
	if c.Factor.HeldUntil.IsZero() && g.origin == "recovery" && len(a.own) > 1 &&
		!contains(g.added, f.id) && len(a.own) > len(g.added)+1 {
		w.fail("authority", "a recovery enrolled a %s that is not on hold", p.kind)
	}
	if f.held.IsZero() {
		w.notified(a, w.eventOf(a, f))
	} else {
		w.notified(a, "recovery.replacement")
	}
	n := *g
	n.Grant, n.added = c.Grant, append(slices.Clone(g.added), f.id)
	return &n
}

// eventOf is what the user is notified of: a PIN takes the place of the one before.
func (w *world) eventOf(a *account, f *owned) string {
	for _, e := range w.notices[a.address] {
		if e == "factor.replaced" && f.kind == "pin" {
			return e
		}
	}
	return "factor.added"
}

// own adds a factor that is stored to the ledger.
func (w *world) own(a *account, info mfa.FactorInfo, p pending) *owned {
	w.serial++
	f := &owned{id: info.ID, kind: p.kind, word: p.word, held: info.HeldUntil, serial: w.serial}
	if p.kind == "app" {
		_, f.last = split(p.response)
		f.lastPerhaps = max(f.last, stepAt(w.latest))
	}
	for id, old := range a.own {
		switch {
		case p.kind == "pin" && old.kind == "pin" && f.held.IsZero():
			delete(a.own, id) // one for each user
		case !f.held.IsZero() && !old.held.IsZero() && old.kind == p.kind:
			delete(a.own, id) // another replacement takes its place
		}
	}
	a.own[f.id] = f
	a.endDevice()
	return f
}

// adopt looks whether an enrolment took effect whose reply was lost.
func (w *world) adopt(a *account, p pending, g *grant, words map[string]string) {
	o, err := w.witness.Overview(w.ctx(), a.user)
	must(err)
	for _, f := range o.Factors {
		if f.Recovery || f.Implicit || a.own[f.ID] != nil {
			continue
		}
		if !a.permitted(g, "enroll", p.kind, "") || f.Kind != p.kind {
			w.fail("authority", "a lost reply enrolled a %s for %s", f.Kind, a)
		}
		w.own(a, f, p)
		words[f.ID] = p.word
		a.unsaid = append(a.unsaid, w.latest)
	}
}

// remove removes a random factor.
func (w *world) remove(g *grant, a *account, session string) {
	list := a.sorted()
	if len(list) == 0 {
		return
	}
	f := pick(w, list)
	permitted := a.permitted(g, "remove", "", f.id)
	var err error
	w.clearNotices()
	t := w.do(func(m *mfa.Manager) {
		err = w.handle(m, a, session, "manage").Remove(w.ctx(), g.Grant, f.id)
	})
	w.note("%s removes the %s of %s by %s: %v", session, f.kind, a.user.ID, g.origin, err)
	permitted = permitted || a.permitted(g, "remove", "", f.id)
	w.compare(g, a, session, "remove", permitted, err, t)
	gone := err == nil
	if errors.Is(err, mfa.ErrUnavailable) {
		gone = !w.stored(a, f.id)
		a.blurred = true
		if gone && !permitted {
			w.fail("authority", "a lost reply removed the %s of %s", f.kind, a)
		}
	}
	if !gone {
		return
	}
	delete(a.own, f.id)
	a.endDevice()
	if len(a.own) == 0 {
		clear(a.codes)
	}
	if err == nil {
		w.notified(a, "factor.removed")
	} else {
		a.unsaid = append(a.unsaid, w.latest)
	}
}

func (w *world) stored(a *account, id string) bool {
	o, err := w.witness.Overview(w.ctx(), a.user)
	must(err)
	return slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool { return f.ID == id })
}

// newCodes makes recovery codes, which end those before.
func (w *world) newCodes(g *grant, a *account, session string) []string {
	permitted := a.permitted(g, "codes", "", "")
	var e *mfa.Enrollment
	var err error
	t := w.do(func(m *mfa.Manager) {
		e, err = w.handle(m, a, session, "manage").NewRecoveryCodes(w.ctx(), g.Grant)
	})
	w.note("%s makes codes for %s by %s: %v", session, a.user.ID, g.origin, err)
	w.compare(g, a, session, "codes", permitted, err, t)
	if errors.Is(err, mfa.ErrUnavailable) {
		for _, c := range a.codes {
			c.perhaps = true
		}
		a.renewed(false)
	}
	if err != nil {
		return nil
	}
	a.renewed(true)
	clear(a.codes)
	var codes []string
	for _, c := range e.Prompt.Codes {
		code := strings.Clone(c.Reveal())
		codes = append(codes, code)
		a.codes[code] = &recoveryCode{}
	}
	return codes
}

// administered is what an act of an administrator leaves.
func (w *world) administered(a *account, act string, e *mfa.Enrollment, err error, t trouble) {
	if err != nil && !t.any {
		w.fail("no dead end", "%s of %s: %v", act, a.user.ID, err)
	}
	switch {
	case err != nil && act == "access":
		for _, c := range a.access {
			c.used = true // another one may have taken its place
		}
		a.blurred = true
	case err != nil && act == "reset":
		for id := range a.own {
			if !w.stored(a, id) {
				a.clear()
				break
			}
		}
		a.perhapsReset()
	case err != nil: // perhaps unlocked
		a.perhapsReset()
	case act == "reset":
		a.clear()
		a.person.words, a.person.codes = map[string]string{}, nil
	case act == "unlock":
		clear(a.counts)
		a.lockedSurely, a.lockedPerhaps = time.Time{}, time.Time{}
	default:
		clear(a.access)
		code := e.Prompt.Codes[0].Reveal()
		a.access[code] = &accessCode{expires: e.Expires}
	}
}
