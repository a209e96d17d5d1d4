package simulation

import (
	"context"
	"errors"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

func (w *world) ctx() context.Context { return context.Background() }

// begun is a challenge of a session, and what was true when it was begun.
type begun struct {
	*mfa.Challenge
	of               *account
	session, purpose string
	policy           policy.Policy
	at               time.Time
	epoch            int
}

// handle returns the handle for a purpose.
func (w *world) handle(m *mfa.Manager, a *account, session, purpose string) mfa.Session {
	s := m.Session(a.user, session)
	switch purpose {
	case "step-up":
		return s.StepUp().FirstFactorAt(w.clock.Now())
	case "manage":
		return s.ManageFactors().FirstFactorAt(w.clock.Now())
	}
	return s
}

// begin begins a challenge after the first factor, and checks what it asks for.
func (w *world) begin(a *account, session, purpose string, d secret.Text) *begun {
	w.advance(time.Millisecond)
	var ch *mfa.Challenge
	var err error
	_, had := a.strongest(nil)
	t := w.do(func(m *mfa.Manager) {
		ch, err = w.handle(m, a, session, purpose).OnDevice(d).Begin(w.ctx())
	})
	w.note("%s begins %s for %s: %v", session, purpose, a.user.ID, err)
	if err != nil {
		nothing := errors.Is(err, mfa.ErrNotAvailable) && purpose != "sign-in" && !had
		if !t.any && !nothing {
			w.fail("no dead end", "begin for %s: %v", a, err)
		}
		return nil
	}
	p := w.policy
	switch {
	case t.old: // what it was before the last write
	case ch.Next == mfa.NextEnroll && (had || a.implied(p)):
		w.fail("never none", "asked to enrol: %s", a)
	case ch.Next == mfa.NextDone && ch.Remembered && (a.device == nil || a.device.endsSurely ||
		!d.IsZero() && purpose != "sign-in"):
		w.fail("devices", "a device that has ended signs in to %s", a)
	case ch.Next == mfa.NextDone && !ch.Remembered && (had || p.Mode != policy.ModeOptional):
		w.fail("never none", "nothing is asked of %s", a)
	}
	for _, o := range ch.Options {
		if o.Kind == "mail" && had && !p.KeepImplicit && !t.old {
			w.fail("levels", "the implied address is offered beside %s", a)
		}
	}
	w.seen["next "+string(ch.Next)]++
	return &begun{ch, a, session, purpose, p, w.clock.Now(), a.epoch}
}

// firstGrant is the grant of a challenge that asks for an enrolment.
func (b *begun) firstGrant(w *world) *grant {
	return &grant{Grant: b.Grant, of: b.of, session: b.session, origin: "first", earliest: b.at,
		latest: w.latest, life: challengeTTL, policy: b.policy, epoch: b.epoch}
}

// send has a code sent, and checks the limits.
func (w *world) send(b *begun, kind string) bool {
	a := b.of
	before := len(w.outbox)
	var err error
	least := w.clock.Now()
	t := w.do(func(m *mfa.Manager) {
		_, err = w.handle(m, a, b.session, b.purpose).Send(w.ctx(), b.Challenge, kind)
	})
	w.note("send by %s to %s: %v", kind, a.user.ID, err)
	w.countSend(a, err, t)
	if t.lost || t.any && err != nil {
		a.blur(kind)
	}
	m, ok := w.arrived(before)
	if !ok {
		if err == nil {
			w.fail("notices", "a send without an error sent nothing by %s", kind)
		}
		if w.sendersFail && errors.Is(err, mfa.ErrUnavailable) {
			a.blur(kind) // what was issued has taken the place of the code before
		}
		return false
	}
	if m.kind != kind || kind == "mail" && m.destination != a.address ||
		kind != "mail" && a.owner(kind, m.destination) == nil {
		w.fail("authority", "a code for %s went to %s", a, m.destination)
	}
	if old := a.sends[kind]; old != nil && !old.used && !t.lost {
		a.superseded[kind] = append(a.superseded[kind], old)
	}
	a.sends[kind] = &sentCode{code: m.code, to: b.Challenge, earliest: least, latest: w.latest,
		destination: m.destination}
	return err == nil
}

// blur says that a code may have been superseded.
func (a *account) blur(kind string) {
	if c := a.sends[kind]; c != nil {
		c.perhapsOld = true
	}
}

// owner is the factor of a kind with a word.
func (a *account) owner(kind, word string) *owned {
	for _, f := range a.own {
		if f.kind == kind && f.word == word {
			return f
		}
	}
	return nil
}

// countSend holds what was sent against the limit of the user: no more than it in an hour, and no
// refusal for what others did.
func (w *world) countSend(a *account, err error, t trouble) {
	now := w.clock.Now()
	since := func(list []time.Time, begin time.Time) (n int) {
		for _, at := range list {
			if at.After(begin) {
				n++
			}
		}
		return n
	}
	var limited *mfa.RateLimitError
	switch {
	case errors.As(err, &limited):
		w.seen["rate limit"]++
		all := since(a.sentPerhaps, now.Add(-62*time.Minute)) + w.depth
		if all < perUser { // an operation that is interrupted may have been charged
			w.fail("allowances", "%s is refused after %d sends of %d", a.user.ID, all, perUser)
		}
	case err == nil:
		if sure := since(a.sentAt, w.latest.Add(-59*time.Minute)); sure >= perUser && !t.old {
			w.fail("allowances", "%s was sent more than %d", a.user.ID, perUser)
		}
		a.sentAt = append(a.sentAt, now)
		a.sentPerhaps = append(a.sentPerhaps, w.latest)
	case errors.Is(err, mfa.ErrUnavailable) || t.any:
		a.sentPerhaps = append(a.sentPerhaps, w.latest)
	}
}

func (a *account) endDevice() {
	if a.device != nil {
		a.device.endsSurely = true
	}
}

// verify gives a response to a challenge and compares what becomes of it with the ledger. It
// returns the grant of a success.
func (w *world) verify(b *begun, session, kind, response string) (g *grant, err error) {
	a := b.of
	var v *mfa.Verification
	t := w.do(func(m *mfa.Manager) {
		s := w.handle(m, a, session, b.purpose)
		if w.policy.Remember > 0 && b.purpose == "sign-in" && !contains(recoveries, kind) {
			s = s.RememberDevice("laptop")
		}
		v, err = s.Verify(w.ctx(), b.Challenge, kind, secret.New(response))
	})
	w.settleLocks(a)
	c := w.claim(b, kind, response)
	w.note("%s responds to %s with %s %q: %v", session, a.user.ID, kind, response, err)
	w.outcome(err, v != nil)
	w.told(a, b, kind, c, err, t)
	if err == nil && session != b.session {
		w.fail("authority", "a challenge was accepted in another session")
	}
	var required *mfa.EnrollmentRequiredError
	if err != nil && !errors.As(err, &required) {
		return nil, err
	}
	if b.epoch != a.epoch {
		w.fail("single use", "a challenge from before a reset was accepted")
	}
	if c.origin == "own" && required == nil && !b.policy.Allows(kind) && !a.allowed(b.policy) {
		w.fail("never none", "the policy bans the %s of %s, which signed in", kind, a)
	}
	if a.spent[b.Challenge] {
		w.fail("single use", "a challenge gave two successes")
	}
	a.spent[b.Challenge] = true
	g = &grant{of: a, session: session, origin: c.origin, level: c.level, earliest: w.clock.Now(),
		latest: w.latest, life: grantTTL, policy: b.policy, epoch: a.epoch}
	if required != nil {
		g.Grant = required.Grant
		return g, err
	}
	g.Grant = v.Grant
	if !v.Device.IsZero() {
		a.device = &device{}
		w.tokens(a, session, v.Device)
	}
	return g, nil
}

var recoveries = []string{"recovery", "access"}

// told compares what the caller was told with the claim.
func (w *world) told(a *account, b *begun, kind string, c claim, err error, t trouble) {
	var attempt *mfa.AttemptError
	var locked *mfa.LockedError
	var disabled *mfa.DisabledError
	var required *mfa.EnrollmentRequiredError
	switch {
	case err == nil, errors.As(err, &required):
		if !c.may {
			w.fail("single use", "an incorrect or used response was accepted for %s of %s", kind, a)
		}
		if a.count(kind).disabledSurely {
			w.fail("limits exact", "the disabled %s of %s was accepted", kind, a.user.ID)
		}
		c.use()
		w.succeeded(a, kind)
	case errors.As(err, &attempt):
		w.failed(a, kind, attempt)
		if a.count(kind).disabledSurely && a.count(kind).streakLow > disableAfter {
			w.fail("limits exact", "the disabled %s of %s was verified", kind, a.user.ID)
		}
		if c.sure && !t.any && !errors.Is(err, mfa.ErrUnavailable) {
			w.fail("no dead end", "a correct response of %s was refused: %v", a, err)
		}
		if c.late && !t.old {
			w.fail("limits exact", "a code that was sent to %s was counted", a.user.ID)
		}
	case errors.As(err, &locked):
		if !t.old {
			w.refusedLocked(a, locked)
		}
	case errors.As(err, &disabled):
		if !a.count(kind).disabledPerhaps && !t.old {
			w.fail("limits exact", "%s of %s is disabled without a reason", kind, a.user.ID)
		}
	case errors.Is(err, mfa.ErrUnavailable):
		leased := w.clock.Now().Before(a.leased) || w.depth > 0
		if kind == "pin" && !leased {
			a.leased = w.latest.Add(leaseLength)
		}
		if !t.any && !w.pushDown && kind != "key" && !leased {
			w.fail("no dead end", "%s is not available: %v", kind, err)
		}
		w.perhapsFailed(a, kind, c.may)
		if c.may {
			w.perhapsUsed(a, b, kind)
		}
	}
}

// perhapsUsed is for a correct response whose reply was lost.
func (w *world) perhapsUsed(a *account, b *begun, kind string) {
	if code := a.sends[kind]; code != nil {
		code.perhapsOld = true
	}
	for _, code := range a.codes {
		code.perhaps = code.perhaps || kind == "recovery"
	}
	for _, f := range a.own {
		if f.kind == kind {
			f.lastPerhaps = max(f.lastPerhaps, stepAt(w.latest)+1)
		}
	}
}

// outcome counts the rows of the table of outcomes (mfa/internal/decide/outcome.go), by what the
// caller gets.
func (w *world) outcome(err error, done bool) {
	w.seen["outcome "+outcomeOf(err, done)]++
}

func outcomeOf(err error, done bool) string {
	var attempt *mfa.AttemptError
	var locked *mfa.LockedError
	var disabled *mfa.DisabledError
	var required *mfa.EnrollmentRequiredError
	switch {
	case done:
		return "Verified"
	case errors.As(err, &required):
		return "EnrollmentRequired"
	case errors.As(err, &locked):
		return "Locked"
	case errors.As(err, &disabled):
		return "Disabled"
	case errors.As(err, &attempt) && errors.Is(err, factor.ErrReplayed):
		return "Replayed"
	case errors.As(err, &attempt) && errors.Is(err, mfa.ErrUnavailable):
		return "Failed"
	case errors.As(err, &attempt):
		return "Incorrect"
	case errors.Is(err, factor.ErrExpired):
		return "Expired"
	case errors.Is(err, factor.ErrPending):
		return "Pending"
	case errors.Is(err, errPushService):
		return "Uncounted"
	}
	return "Refused"
}
