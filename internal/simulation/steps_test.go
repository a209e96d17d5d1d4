package simulation

import (
	"errors"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// step is one thing that happens in a world.
type step struct {
	name   string
	weight int
	run    func(*world)
}

// steps are everything that happens, with how often.
func steps() []step {
	return []step{
		{"visit", 24, (*world).visit},
		{"change", 14, (*world).change},
		{"attack", 12, (*world).attack},
		{"misuse", 8, (*world).misuse},
		{"steal", 4, (*world).steal},
		{"annoy", 3, (*world).annoy},
		{"guess", 1, (*world).guess},
		{"lose", 3, (*world).lose},
		{"support", 2, (*world).support},
		{"administer", 4, (*world).administer},
		{"wait", 10, (*world).wait},
		{"step back", 2, (*world).stepBack},
		{"set a policy", 3, (*world).setPolicy},
		{"restart", 2, (*world).restart},
		{"rotate keys", 1, (*world).rotate},
		{"senders", 3, (*world).senders},
		{"back up", 1, (*world).backUp},
		{"restore", 1, (*world).restore},
	}
}

// interrupt lets another process work between the read and the write of an operation.
func (w *world) interrupt() {
	w.depth++
	defer func() { w.depth-- }()
	switch w.IntN(4) {
	case 0:
		w.visit()
	case 1:
		w.change()
	case 2:
		w.attack()
	default:
		w.administer()
	}
}

// stepOf chooses a step by its weight.
func stepOf(w *world) step {
	all, list := 0, steps()
	for _, s := range list {
		all += s.weight
	}
	n := w.IntN(all)
	for _, s := range list {
		if n -= s.weight; n < 0 {
			return s
		}
	}
	return list[0]
}

func (w *world) wait() {
	w.advance([]time.Duration{time.Second, 31 * time.Second, 2 * time.Minute, 4 * time.Minute,
		16 * time.Minute, time.Hour, 25 * time.Hour}[w.IntN(7)])
	w.note("the clock is at %s", w.clock.Now().Format(time.DateTime))
}

// stepBack sets the clock back, by ten minutes at most, and as far as no hold ends a second time.
func (w *world) stepBack() {
	d := []time.Duration{time.Second, time.Minute, 10 * time.Minute}[w.IntN(3)]
	if w.latest.Sub(w.clock.Now())+d > 10*time.Minute {
		return
	}
	for _, a := range w.accounts {
		if a.lastHold.After(w.clock.Now().Add(-d)) {
			return
		}
	}
	w.advance(-d)
	for _, a := range w.accounts { // a lock that nothing was written after goes on
		if a.lastLock.After(w.clock.Now()) && a.lastLock.After(a.lockedPerhaps) {
			a.lockedPerhaps = a.lastLock
		}
	}
	w.note("the clock goes back by %s", d)
}

func (w *world) setPolicy() {
	w.policy = []policy.Policy{
		{Implicit: []string{"mail"}},
		{Implicit: []string{"mail"}, KeepImplicit: true},
		{},
		{Remember: 48 * time.Hour, Implicit: []string{"mail"}},
		{Kinds: []string{"key", "push"}},
		{Mode: policy.ModeOptional},
	}[w.IntN(6)]
	w.note("the policy is %+v", w.policy)
}

// restart replaces a process, as a deployment does.
func (w *world) restart() {
	w.processes[w.IntN(len(w.processes))] = w.newProcess()
	w.note("a process restarts")
}

// rotate puts another key before those there are.
func (w *world) rotate() {
	w.keys = append([][]byte{seal.GenerateKey()}, w.keys...)
	for i := range w.processes {
		w.processes[i] = w.newProcess()
	}
	w.witness = w.manager(w.inner, 0)
	w.note("the keys are rotated")
}

func (w *world) senders() {
	w.sendersFail, w.pushDown = w.chance(30), w.chance(20)
	w.note("senders fail: %v, push is down: %v", w.sendersFail, w.pushDown)
}

func (w *world) backUp() {
	a := pick(w, w.accounts)
	if r, err := w.inner.Get(w.ctx(), a.key); err == nil {
		w.backups = append(w.backups, backup{record: r, of: a, ledger: a.copy()})
		w.note("a backup of %s", a.user.ID)
	}
}

// restore puts an older record of a user back. What was used since is valid again, and a lock ends:
// the ledger becomes that of the backup. Everything else must hold.
func (w *world) restore() {
	if len(w.backups) == 0 {
		return
	}
	b := pick(w, w.backups)
	now, err := w.inner.Get(w.ctx(), b.of.key)
	must(err)
	next := storage.Record{Revision: storage.Revision(w.newCode()), Data: b.record.Data}
	must(w.inner.Swap(w.ctx(), b.of.key, now.Revision, next))
	b.of.become(b.ledger)
	w.note("a backup of %s is restored", b.of.user.ID)
	w.seen["restored"]++
}

// home shows that there is no dead end: the user gets in by a documented way.
func (w *world) home(a *account) {
	w.sendersFail, w.pushDown = false, false
	w.advance(w.latest.Sub(w.clock.Now()) + 26*time.Hour)
	w.policy = policy.Policy{Implicit: []string{"mail"}}
	w.processes[0], w.processes[1] = w.newProcess(), w.newProcess()
	w.calm = true
	w.sync(a)
	w.settleLocks(a)
	for _, way := range []string{"own", "recovery", "administrator"} {
		if way == "administrator" {
			must(w.witness.Admin(mfa.System("desk"), "identified").Reset(w.ctx(), a.user))
			a.clear()
		}
		if w.getIn(a, way == "recovery") {
			w.seen["home by "+way]++
			return
		}
	}
	w.fail("no dead end", "%s does not get in", a)
}

// getIn tries each option of a sign-in that the user can respond to.
func (w *world) getIn(a *account, recovery bool) bool {
	w.advance(time.Minute)
	b := w.begin(a, "home", "sign-in", secret.Text{})
	switch {
	case b.Next == mfa.NextDone:
		return true
	case b.Next == mfa.NextEnroll:
		return w.enroll(b.firstGrant(w), a, "home", "key", a.person.words) != nil
	}
	for _, o := range b.Options {
		if o.Recovery != recovery || o.Disabled && o.Kind != "app" {
			continue
		}
		if o.Disabled && !w.unlock(b) {
			continue
		}
		if o.Kind == "app" {
			w.advance(2 * stepLength)
		}
		response := w.responseOf(b, o.Kind)
		if response == "" {
			continue
		}
		if o.Kind == "push" {
			w.decided[response] = true
		}
		g, err := w.verify(b, "home", o.Kind, response)
		var required *mfa.EnrollmentRequiredError
		if err == nil || errors.As(err, &required) &&
			w.enroll(g, a, "home", required.Kinds[0], a.person.words) != nil {
			return true
		}
	}
	return false
}

var _ policy.Source = (*world)(nil)
