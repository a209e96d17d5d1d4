package simulation

import (
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// chapters are those of docs/threat-model.md that are about the second factor. In each the
// attacker has the password of every user, and what the chapter gives besides.
var chapters = []string{"the password", "the mailbox", "the phone number", "a recovery code",
	"a remembered device", "a session", "a copied factor", "a phishing site", "the database",
	"an administrator's session"}

// thief is the attacker.
type thief struct {
	chapter string
	words   map[string]string // by ID of the factor
	codes   []string
	tokens  map[*account]secret.Text // of remembered devices
	grants  []*grant
	// phished is a response that a user typed into a forged page.
	phished map[string]string
	// has says that the attacker has something beside the password.
	has bool
}

func newThief(chapter int) *thief {
	c := chapters[chapter]
	return &thief{chapter: c, has: c == "the mailbox" || c == "the phone number",
		words:  map[string]string{},
		tokens: map[*account]secret.Text{}, phished: map[string]string{}}
}

// anyGrant is a grant that the attacker has, or none.
func (t *thief) anyGrant() mfa.Grant {
	if len(t.grants) == 0 {
		return mfa.Grant{}
	}
	return t.grants[len(t.grants)-1].Grant
}

// tokens gives the browser of a session the token of its device.
func (w *world) tokens(a *account, session string, token secret.Text) {
	a.person.device = token
	if session == "thief" {
		w.thief.tokens[a] = token
	}
}

func (a *account) deviceToken() secret.Text { return a.person.device }

// steal gives the attacker what the chapter says.
func (w *world) steal() {
	a, t := pick(w, w.accounts), w.thief
	switch t.chapter {
	case "a recovery code":
		for code, c := range a.codes {
			if !c.used && contains(a.person.codes[:1], code) {
				t.codes, t.has = append(t.codes, code), true
			}
		}
	case "a remembered device":
		if !a.person.device.IsZero() {
			t.tokens[a], t.has = a.person.device, true
		}
	case "a session":
		if n := len(a.person.grants); n > 0 {
			t.grants, t.has = append(t.grants, a.person.grants[n-1]), true
		}
	case "a copied factor":
		for _, f := range a.sorted() {
			if a.person.words[f.id] != "" {
				t.words[f.id], t.has = f.word, true
				break
			}
		}
	case "a phishing site":
		if f := a.theirs("app"); f != nil {
			t.phished["app"], t.has = codeOf(f.word, stepAt(w.clock.Now())), true
		}
	}
	w.note("the attacker with %s steals from %s", t.chapter, a.user.ID)
	if t.chapter == "a phishing site" { // a code is passed on at once
		w.attackOn(a)
	}
}

// loot is a response that the attacker has, or "".
func (w *world) loot(b *begun, kind string) string {
	a, t := b.of, w.thief
	if t.phished[kind] != "" {
		return t.phished[kind]
	}
	switch {
	case kind == "mail" && t.chapter == "the mailbox" && w.send(b, kind):
		return a.sends[kind].code
	case kind == "recovery" && len(t.codes) > 0:
		return t.codes[0]
	}
	for _, f := range a.sorted() {
		if f.kind != kind || t.words[f.id] == "" && (kind != "sms" ||
			t.chapter != "the phone number") {
			continue
		}
		switch {
		case kind == "app":
			return codeOf(f.word, stepAt(w.clock.Now()))
		case kind == "sms" || kind == "push":
			if !w.send(b, kind) {
				return ""
			}
			w.decided[a.sends[kind].code] = true
			return a.sends[kind].code
		}
		return f.word
	}
	return ""
}

// attack is a sign-in of the attacker, with guesses and with what was stolen.
func (w *world) attack() { w.attackOn(pick(w, w.accounts)) }

func (w *world) attackOn(a *account) {
	purpose := []string{"sign-in", "sign-in", "manage", "step-up"}[w.IntN(4)]
	had := len(a.own) > 0 || a.implied(w.policy)
	b := w.begin(a, "thief", purpose, w.thief.tokens[a])
	if b == nil {
		return
	}
	if b.Remembered {
		w.seen["thief by "+w.thief.chapter]++
		if !b.Device.IsZero() {
			w.thief.tokens[a] = b.Device
		}
		return
	}
	if b.Next == mfa.NextEnroll {
		w.thief.grants = append(w.thief.grants, b.firstGrant(w))
		return
	}
	if b.Next != mfa.NextVerify || len(b.Options) == 0 {
		return
	}
	kind := pick(w, b.Options).Kind
	for range w.IntN(4) {
		_, _ = w.verify(b, "thief", kind, "guess")
	}
	response := w.loot(b, kind)
	if response == "" {
		return
	}
	g, err := w.verify(b, "thief", kind, response)
	var required *mfa.EnrollmentRequiredError
	if err != nil && !errors.As(err, &required) {
		return
	}
	if !w.thief.has && len(w.thief.words) == 0 && had {
		w.fail("authority", "an attacker with the password alone got in to %s", a)
	}
	w.seen["thief by "+w.thief.chapter]++
	w.thief.grants = append(w.thief.grants, g)
}

// misuse tries a change with a grant that the attacker has, on any account and in any session.
func (w *world) misuse() {
	t := w.thief
	if len(t.grants) == 0 {
		return
	}
	g := pick(w, t.grants)
	a, session := g.of, g.session
	if w.chance(15) {
		a = pick(w, w.accounts)
	}
	if w.chance(15) {
		session = "another"
	}
	alone := !t.has && len(t.words) == 0 && len(a.own) > 0
	before := len(a.own)
	switch w.IntN(4) {
	case 0:
		if codes := w.newCodes(g, a, session); codes != nil {
			t.codes = codes
		}
	case 1:
		w.remove(g, a, session)
	default:
		if n := w.enroll(g, a, session, pick(w, ownKinds), t.words); n != nil {
			t.grants = append(t.grants, n)
		}
	}
	if alone && len(a.own) != before {
		w.fail("authority", "an attacker with the password alone changed %s", a)
	}
}

// annoy is what a locked user could be annoyed by: codes, requests for support, cancelled sign-ins.
func (w *world) annoy() {
	a := pick(w, w.accounts)
	b := w.begin(a, "thief", "sign-in", secret.Text{})
	if b == nil || b.Next != mfa.NextVerify {
		return
	}
	for _, o := range b.Options {
		for range w.IntN(5) {
			if o.Sends {
				w.send(b, o.Kind)
			}
		}
	}
	var err error
	t := w.do(func(m *mfa.Manager) {
		err = w.handle(m, a, "thief", "sign-in").RequestSupport(w.ctx(), b.Challenge,
			report.Case{From: "thief"})
	})
	w.countSend(a, err, t)
	w.do(func(m *mfa.Manager) {
		err = w.handle(m, a, "thief", "sign-in").Cancel(w.ctx(), b.Challenge)
	})
	if err == nil {
		a.spent[b.Challenge] = true
	}
	w.note("the attacker annoys %s", a.user.ID)
}

// guess fails many times in a row, over days, until the kind is disabled.
func (w *world) guess() {
	a := pick(w, w.accounts)
	kinds := a.sorted()
	if len(kinds) == 0 {
		return
	}
	kind := pick(w, kinds).kind
	for range 4 {
		b := w.begin(a, "thief", "sign-in", secret.Text{})
		if b == nil || b.Next != mfa.NextVerify {
			return
		}
		for i := range tries {
			if _, err := w.verify(b, "thief", kind, fmt.Sprint("guess", i)); err == nil {
				return
			}
		}
		w.advance(lockLength + time.Second)
	}
}
