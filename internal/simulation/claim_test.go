package simulation

import (
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// claim is what the ledger knows of a response: whether it may be correct, whether it surely is,
// and what its acceptance uses up.
type claim struct {
	may, sure bool
	// late says that it is a code that was sent to the user, and that came too late.
	late   bool
	origin string
	level  factor.Level
	use    func()
}

// claim looks a response up.
func (w *world) claim(b *begun, kind, response string) (c claim) {
	a, now := b.of, w.clock.Now()
	c.use = func() {}
	switch kind {
	case "recovery":
		if code := a.codes[response]; code != nil {
			return claim{may: !code.used, sure: !code.used && !code.perhaps, origin: "recovery",
				use: func() { code.used = true; a.endDevice() }}
		}
		return c
	case "access":
		if code := a.access[response]; code != nil && !code.used {
			return claim{may: now.Before(code.expires), sure: w.latest.Before(code.expires),
				origin: "recovery", use: func() { code.used = true; a.endDevice() }}
		}
		return c
	case "mail", "sms", "push":
		return w.claimSent(b, kind, response)
	}
	word, step := split(response)
	if f := a.owner(kind, word); f != nil {
		c.origin, c.level = "own", levels[kind]
		if !f.held.IsZero() && w.clock.Now().Before(f.held) {
			c.origin, c.level = "recovery", 0
		}
		c.may, c.sure = true, true
		if kind == "app" {
			low, high := stepAt(now), stepAt(w.latest)
			c.may = step > f.last && step >= low-1 && step <= high+1
			c.sure = step > f.lastPerhaps && step >= high-1 && step <= low+1
			c.use = func() { f.last, f.lastPerhaps = step, max(step, f.lastPerhaps) }
		}
	}
	return c
}

func (w *world) claimSent(b *begun, kind, response string) (c claim) {
	a, now := b.of, w.clock.Now()
	code := a.sends[kind]
	c.use = func() {}
	if code == nil || kind != "push" && code.code != response {
		c.late = w.superseded(a, kind, response)
		return c
	}
	held := false
	c.origin, c.level = "implied", levels["mail"]
	if kind != "mail" {
		f := a.owner(kind, code.destination)
		if f == nil {
			return c
		}
		held = !f.held.IsZero() && now.Before(f.held)
		c.origin, c.level = "own", levels[kind]
	}
	if held {
		c.origin, c.level = "recovery", 0
	}
	mine := code.to == b.Challenge
	c.may = mine && !code.used && now.Before(code.latest.Add(codeLife))
	c.sure = c.may && !code.perhapsOld && w.latest.Before(code.earliest.Add(codeLife))
	c.late = !code.used && !code.perhapsOld && kind != "push" &&
		w.latest.Before(code.earliest.Add(codeLife+time.Hour))
	c.use = func() { code.used = true }
	if kind == "push" {
		approved, decided := w.decided[code.code]
		c.may, c.sure = c.may && decided && approved, c.sure && decided && approved
	}
	return c
}

// superseded reports whether a response is one of the last codes that another one replaced, which
// are recognised until an hour after they expired.
func (w *world) superseded(a *account, kind, response string) bool {
	list := a.superseded[kind]
	for _, old := range list[max(0, len(list)-2):] {
		if old.code == response && !old.perhapsOld && kind != "push" && !a.blurred &&
			w.latest.Before(old.earliest.Add(codeLife+time.Hour)) {
			return true
		}
	}
	return false
}
