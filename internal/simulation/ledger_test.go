package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// account is what the ledger knows of a user's account.
type account struct {
	user    mfa.User
	address string
	own     map[string]*owned // by ID of the factor
	counts  map[string]*count
	// lockedSurely and lockedPerhaps are until when the user is locked.
	lockedSurely, lockedPerhaps time.Time
	// overtaken means that the user was locked inside the present operation, after its first write.
	overtaken bool
	// failedSince and clearedSince are how many failed attempts were counted and cleared inside the
	// present operation, after its first write.
	failedSince, clearedSince int
	// lastLock is when the last lock that has ended did.
	lastLock            time.Time
	codes               map[string]*recoveryCode
	access              map[string]*accessCode
	sends               map[string]*sentCode // by kind: the latest
	sentAt, sentPerhaps []time.Time
	// unsaid is when changes were made whose reply was lost, so that no notice went out.
	unsaid     []time.Time
	superseded map[string][]*sentCode
	spent      map[*mfa.Challenge]bool
	// blurred means that a write may or may not have been made, so that the ledger does not know
	// everything. It is exact again after a reset.
	blurred bool
	device  *device
	// leased is until when a verification that did not end keeps the next PIN waiting.
	leased time.Time
	// lastHold is when the last hold that has ended did.
	lastHold time.Time
	// epoch counts the resets: what was issued before one is void.
	epoch int
	// key is where the record is, and synced the revision that was last compared.
	key    string
	synced storage.Revision

	person *person
}

// owned is a factor that was enrolled.
type owned struct {
	id, kind, word string
	held           time.Time // the end of the hold, or zero
	last           int64     // the last time step that was accepted
	lastPerhaps    int64
	serial         int
}

// count has the failed attempts of a kind, at least and at most.
type count struct {
	triesLow, triesHigh, streakLow, streakHigh int
	disabledSurely, disabledPerhaps            bool
	proofs                                     int // correct responses of a disabled kind
}

type recoveryCode struct{ used, perhaps bool }

type accessCode struct {
	expires time.Time
	used    bool
}

// sentCode is a code, or a request, that was sent.
type sentCode struct {
	code        string
	to          *mfa.Challenge
	earliest    time.Time // when it was issued, by the least and by the latest time
	latest      time.Time
	destination string
	used        bool
	perhapsOld  bool
}

// device is one that is remembered. endsSurely means that no token for it is valid any more.
type device struct{ endsSurely bool }

// person is the honest user: what they have in their hands.
type person struct {
	words  map[string]string // by ID of the factor
	codes  []string
	grants []*grant
	device secret.Text
}

func newAccount(id string) *account {
	a := &account{user: mfa.User{ID: id, UserType: "employee", Email: id + "@example.com",
		EmailVerified: true}, key: "p/0//" + id, address: id + "@example.com",
		person: &person{words: map[string]string{}}}
	a.clear()
	return a
}

// clear is what a reset leaves.
func (a *account) clear() {
	a.own, a.counts = map[string]*owned{}, map[string]*count{}
	a.codes, a.access = map[string]*recoveryCode{}, map[string]*accessCode{}
	a.sends, a.superseded = map[string]*sentCode{}, map[string][]*sentCode{}
	a.spent = map[*mfa.Challenge]bool{}
	a.lockedSurely, a.lockedPerhaps = time.Time{}, time.Time{}
	a.device, a.blurred = nil, false
	a.epoch++
}

// perhapsReset is for an administrator's act of which nobody knows whether it was done.
func (a *account) perhapsReset() {
	a.blurred, a.lockedSurely = true, time.Time{}
	for _, c := range a.counts {
		c.triesLow, c.streakLow, c.disabledSurely = 0, 0, false
	}
	for _, c := range a.codes {
		c.perhaps = true
	}
}

func (a *account) count(kind string) *count {
	c := a.counts[kind]
	if c == nil {
		c = &count{}
		a.counts[kind] = c
	}
	return c
}

// settleLocks ends the locks that the clock has passed: then all tries start again from zero.
func (w *world) settleLocks(a *account) {
	now := w.clock.Now()
	if !a.lockedSurely.IsZero() && !now.Before(a.lockedSurely) {
		a.endLock()
	}
	if !now.Before(a.lockedPerhaps) {
		a.endPerhaps()
	}
}

// endPerhaps is for a lock that there may have been, and that there is not any more.
func (a *account) endPerhaps() {
	if a.lockedPerhaps.IsZero() {
		return
	}
	a.lastLock, a.lockedPerhaps = a.lockedPerhaps, time.Time{}
	for _, c := range a.counts {
		c.triesLow, c.triesHigh = 0, min(c.triesHigh, tries-1)
	}
}

// endLock is for a lock that has surely ended.
func (a *account) endLock() {
	a.lastLock = a.lockedPerhaps
	a.lockedSurely, a.lockedPerhaps = time.Time{}, time.Time{}
	for _, c := range a.counts {
		c.triesLow, c.triesHigh = 0, 0
	}
}

// unlocked is for a response that was verified: by the record's time every lock has ended.
func (w *world) unlocked(a *account) {
	if !a.lockedSurely.IsZero() {
		a.endLock()
	}
	a.endPerhaps()
}

// failed counts a failed attempt, and checks what the caller was told of it.
func (w *world) failed(a *account, kind string, told *mfa.AttemptError) {
	c := a.count(kind)
	before := kind == "pin" && a.overtaken // a PIN is counted before it is verified
	if w.latest.Before(a.lockedSurely) && !before {
		w.fail("limits exact", "%s: a response was verified during a lock", a.user.ID)
	}
	if !before {
		w.unlocked(a)
	}
	c.triesLow, c.triesHigh = c.triesLow+1, c.triesHigh+1
	c.streakLow, c.streakHigh = c.streakLow+1, c.streakHigh+1
	c.proofs = 0
	if before {
		a.disable(c)
		return
	}
	low, high := 0, 0
	for _, k := range a.counts {
		low, high = low+k.triesLow, high+k.triesHigh
	}
	switch {
	case w.depth > 0 && w.second: // a PIN that is being verified is counted already
		a.failedSince++
		high++
	case w.depth == 0 && kind == "pin": // what remains is that of its first write
		low, high = low-a.failedSince, high+a.clearedSince
	}
	least := max(0, min(tries-c.triesHigh, total-high))
	most := max(0, min(tries-c.triesLow, total-low))
	if told.Remaining < least || told.Remaining > most {
		w.fail("limits exact", "%s %s: %d attempts remain, want %d to %d", a.user.ID, kind,
			told.Remaining, least, most)
	}
	if (told.Remaining == 0) != !told.LockedUntil.IsZero() {
		w.fail("limits exact", "%s: %d attempts remain, locked until %s", a.user.ID,
			told.Remaining, told.LockedUntil)
	}
	if told.Remaining == 0 {
		if until := told.LockedUntil; until.Before(w.clock.Now().Add(lockLength)) ||
			until.After(w.latest.Add(lockLength)) {
			w.fail("limits exact", "a lock until %s, now %s", until, w.clock.Now())
		}
		a.lockedSurely, a.lockedPerhaps = told.LockedUntil, told.LockedUntil
		a.overtaken = w.depth > 0 && w.second
	}
	a.disable(c)
}

// disable is what a streak leads to.
func (a *account) disable(c *count) {
	c.disabledSurely = c.disabledSurely || c.streakLow >= disableAfter
	c.disabledPerhaps = c.disabledPerhaps || c.streakHigh >= disableAfter
}

// perhapsFailed is for a response of which nobody knows whether it was counted.
func (w *world) perhapsFailed(a *account, kind string, correct bool) {
	c := a.count(kind)
	a.blurred = true
	c.triesHigh, c.streakHigh = c.triesHigh+1, c.streakHigh+1
	if correct {
		c.triesLow, c.streakLow, c.disabledSurely = 0, 0, false
	}
	high := 0
	for _, k := range a.counts {
		high += k.triesHigh
	}
	if c.triesHigh >= tries || high >= total {
		a.lockedPerhaps = w.latest.Add(lockLength)
	}
	a.disable(c)
}

// succeeded clears the counts of the kind that was used, and no others.
func (w *world) succeeded(a *account, kind string) {
	if w.latest.Before(a.lockedSurely) {
		w.fail("limits exact", "%s: a response was accepted during a lock", a.user.ID)
	}
	w.unlocked(a)
	if w.depth > 0 && w.second {
		a.clearedSince += a.count(kind).triesHigh
	}
	*a.count(kind) = count{}
}

// renewed is for recovery codes that took the place of earlier ones: what was counted against those
// ends with them. A lock that there is stays.
func (a *account) renewed(surely bool) {
	c := a.count("recovery")
	if surely {
		*c = count{}
		return
	}
	c.triesLow, c.streakLow, c.disabledSurely = 0, 0, false
}

// refusedLocked checks that there is a reason for a lock.
func (w *world) refusedLocked(a *account, told *mfa.LockedError) {
	charged := w.depth > 0 // a PIN that is being verified is counted already
	if !w.clock.Now().Before(a.lockedPerhaps) && !charged {
		w.fail("limits exact", "%s is locked until %s without a reason", a.user.ID, told.Until)
	}
	if told.RetryAfter > lockLength || told.RetryAfter <= 0 {
		w.fail("limits exact", "a lock for another %s", told.RetryAfter)
	}
}

// strongest is the highest level of the factors that are not on hold, without those given.
func (a *account) strongest(without []string) (level factor.Level, any bool) {
	for _, f := range a.own {
		if f.held.IsZero() && !contains(without, f.id) {
			level, any = max(level, levels[f.kind]), true
		}
	}
	return level, any
}

// copy is the ledger of an account at this moment.
func (a *account) copy() *account {
	c := *a
	c.own, c.counts = deep(a.own), deep(a.counts)
	c.codes, c.access, c.sends = deep(a.codes), deep(a.access), deep(a.sends)
	c.spent, c.sentAt = maps.Clone(a.spent), slices.Clone(a.sentAt)
	if a.device != nil {
		d := *a.device
		c.device = &d
	}
	return &c
}

// become makes the ledger what it was, but for what lies outside the record.
func (a *account) become(was *account) {
	sent := a.sentPerhaps
	*a = *was.copy()
	a.superseded = map[string][]*sentCode{}
	a.sentPerhaps, a.synced = sent, ""
}

func deep[K comparable, V any](m map[K]*V) map[K]*V {
	out := make(map[K]*V, len(m))
	for k, v := range m {
		copied := *v
		out[k] = &copied
	}
	return out
}

func (a *account) String() string {
	s := a.user.ID + ":"
	for _, f := range a.own {
		s += fmt.Sprintf(" %s %s", f.kind, f.id)
	}
	return s
}
