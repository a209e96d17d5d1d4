package linearizability_test

import "slices"

// do is what becomes of the user by a deed, and what must be said of it. given is what was
// said, of which it uses what the Manager chose at random. legal says whether what was said
// could be said.
func (p user) do(d deed, given outcome) (next user, legal bool) {
	next, want := p.act(d, given)
	if given.Said == unknown {
		return next, true
	}
	for _, w := range want {
		if given.same(w) {
			return next, true
		}
	}
	return p, false
}

// act returns what may be said; of more than one, all are refusals that differ only in which
// of several reasons they name. What no user received, because nothing was said, is not kept.
func (p user) act(d deed, given outcome) (user, []outcome) {
	now := max(d.At, p.seen)
	switch d.Do {
	case "begin":
		return p.begin(d, now, given.Said != unknown)
	case "send":
		return p.send(d, now, given)
	case "verify":
		return p.verify(d, now, given.Said != unknown)
	case "enroll":
		return p.enroll(d, now, given.Code)
	case "confirm":
		return p.confirm(d, now, given.Said != unknown)
	case "codes":
		if given.Said == unknown {
			given.Codes = make([]string, codesInSet) // which no user received
		}
		return p.newCodes(d, now, given.Codes)
	case "unlock":
		return p.unlock(d), say(outcome{Said: okay})
	case "reset":
		return p.reset(d), say(outcome{Said: okay})
	case "overview":
		return p, say(outcome{Said: okay, Sight: p.overview(now)})
	}
	return p, nil
}

func say(o outcome) []outcome { return []outcome{o} }

// begin reads, and gives out a challenge.
func (p user) begin(d deed, now int64, given bool) (user, []outcome) {
	if given {
		p.challenges = with(p.challenges, issued{d.N, now}, func(c issued) int { return c.n })
	}
	s := sight(p.appNames(), p.codes.n != 0, -1, p.lockEnd(now), p.disabledKinds())
	return p, say(outcome{Said: okay, Expires: now + challengeTTL.Milliseconds(), Sight: s})
}

// open says whether a challenge can be used.
func (p user) open(n int, now int64) bool {
	i := slices.IndexFunc(p.challenges, func(c issued) bool { return c.n == n })
	return i >= 0 && now < p.challenges[i].at+challengeTTL.Milliseconds() &&
		p.challenges[i].at > p.void
}

// send replaces the code sent before. The code is valid from when it was made, which may have
// been somewhat before it was written down, in the same call. If an administrator unlocks the user
// between the two, the record's clock goes back, and the code was made by a clock that is ahead,
// by no more than clocks differ.
func (p user) send(d deed, now int64, given outcome) (user, []outcome) {
	ttl := codeTTL.Milliseconds()
	minute := now / 60_000
	switch recent := p.sentSince(minute); {
	case p.isLocked(now):
		return p, p.locked(now)
	case !p.open(d.Of, now):
		return p, say(outcome{Said: over})
	case p.isDisabled("email"):
		return p, say(outcome{Said: disabled})
	case len(recent) >= perHour:
		return p, say(outcome{Said: limited})
	default:
		if n := len(recent); n > 0 {
			minute = max(minute, recent[n-1])
		}
		p.sends = append(slices.Clip(recent), minute)
	}
	ends := given.Expires
	if given.Said == unknown {
		ends = d.At + ttl // no user knows the code
	}
	if ends < d.At+ttl || ends > max(now, d.At+skew)+ttl {
		return p, nil
	}
	if p.mail.challenge != 0 {
		p.old = append(slices.Clip(p.old), p.mail)
		p.old = p.old[max(0, len(p.old)-maxSuperseded):]
	}
	p.mail = mail{d.Of, given.Code, ends}
	return p.written(now), say(outcome{Said: okay, Expires: ends})
}

// verify verifies a response to a challenge.
func (p user) verify(d deed, now int64, given bool) (user, []outcome) {
	switch {
	case p.isLocked(now):
		return p, p.locked(now)
	case !p.open(d.Of, now):
		return p, say(outcome{Said: over})
	case d.Kind == "totp" && len(p.apps) == 0, d.Kind == "recovery" && p.codes.n == 0:
		return p, say(outcome{Said: none})
	case p.isDisabled(d.Kind):
		return p, say(outcome{Said: disabled})
	}
	verdict, level, left, recovery := incorrect, 1, -1, d.Kind == "recovery"
	switch d.Kind {
	case "totp":
		var by app
		verdict, by = p.verifyApps(d, &p.apps)
		level, recovery = 2, by.held
	case "email":
		switch {
		case d.Response == "":
		case p.mail.challenge == d.Of && p.mail.code == d.Response && now < p.mail.ends:
			verdict = okay
		case p.wasSent(d.Response, now):
			return p, say(outcome{Said: expired}) // no guess, and not counted
		}
	case "recovery":
		level = 0
		if i := slices.Index(p.codes.list, d.Response); i >= 0 {
			verdict = okay
			if p.codes.used&(1<<i) != 0 {
				verdict = replayed
			} else {
				p.codes.used |= 1 << i
			}
		}
		left = p.codes.left()
	}
	if verdict != okay {
		return p.fail(d.Kind, verdict, now)
	}
	p = p.succeed(d.Kind, now)
	if d.Kind == "email" {
		p.mail = mail{}
	}
	i := slices.IndexFunc(p.challenges, func(c issued) bool { return c.n == d.Of })
	p = p.spend(p.challenges[i])
	if given {
		p.grants = with(p.grants, grant{n: d.N, at: now, level: level, recovery: recovery},
			grantNumber)
	}
	return p.written(now), say(outcome{Said: okay, Left: left, Expires: now +
		grantTTL.Milliseconds()})
}

// wasSent says whether a code was sent to the user and is known, though it is over or is for
// another challenge, or another one has taken its place.
func (p user) wasSent(code string, now int64) bool {
	known := func(m mail) bool { return m.code == code && now < m.ends+codeMemory.Milliseconds() }
	return known(p.mail) || slices.ContainsFunc(p.old, known)
}

// verifyApps accepts a code of the step before, of the present one or the one after, by the clock
// of the process, if it is later than the last one accepted, and remembers it in the app.
func (p user) verifyApps(d deed, apps *[]app) (string, app) {
	verdict := incorrect
	for i, a := range *apps {
		matched := int64(-1)
		for step := d.At/1000/period - 1; step <= d.At/1000/period+1; step++ {
			switch {
			case appCode(a.secret, step) != d.Response:
			case step > a.last:
				matched = step
			default:
				verdict = replayed
			}
		}
		if matched >= 0 {
			*apps = slices.Clone(*apps)
			(*apps)[i].last = matched
			return okay, (*apps)[i]
		}
	}
	return verdict, app{}
}

// spend marks a challenge as used. Of more than 16 the earliest is forgotten, and all that
// were begun until then count as used.
func (p user) spend(c issued) user {
	p.challenges = slices.DeleteFunc(slices.Clone(p.challenges), func(d issued) bool {
		return d.n == c.n
	})
	p.spent = append(slices.Clone(p.spent), c.at)
	if slices.Sort(p.spent); len(p.spent) > maxSpent {
		p.void = max(p.void, p.spent[0])
		p.spent = p.spent[1:]
	}
	return p
}

// succeed ends what was counted against a kind.
func (p user) succeed(kind string, now int64) user {
	p = p.settled(now)
	p.tally[slices.Index(kinds, kind)] = tally{}
	return p
}

// fail counts a failed attempt: the fifth of a kind and the tenth of all lock.
func (p user) fail(kind, verdict string, now int64) (user, []outcome) {
	p = p.settled(now)
	t := &p.tally[slices.Index(kinds, kind)]
	t.tries++
	t.streak++
	out := outcome{Said: verdict, Left: min(tries-t.tries, total-p.allTries())}
	if out.Left <= 0 {
		p.lockedUntil = now + wait.Milliseconds()
		out.Left, out.Until = 0, p.lockedUntil
	}
	return p.written(now), say(out)
}

// refusal says why a grant does not permit an enrolment, or new recovery codes, now, or "".
func (p user) refusal(g grant, enrolls bool, now int64) string {
	permitted, _ := p.permits(g, enrolls)
	switch {
	case g.n == 0 || now >= g.at+grantTTL.Milliseconds():
		return over
	case !permitted:
		return forbidden
	}
	return ""
}

// permits says whether a grant's proof permits an enrolment, or new recovery codes, and whether
// what is enrolled is on hold.
func (p user) permits(g grant, enrolls bool) (permitted, held bool) {
	before := slices.DeleteFunc(slices.Clone(p.apps), func(a app) bool {
		return slices.Contains(g.added, a.n)
	})
	isHeld := func(a app) bool { return a.held }
	isSettled := func(a app) bool { return !a.held }
	switch {
	case len(p.apps) == 0:
		return enrolls, false
	case len(before) == 0 && !slices.ContainsFunc(p.apps, isHeld):
		return true, false
	case g.recovery:
		return enrolls, enrolls
	case !slices.ContainsFunc(p.apps, isSettled):
		return enrolls && g.level == 2, false
	default:
		return g.level == 2 || !slices.ContainsFunc(before, isSettled), false
	}
}

func (p user) grant(n int) (g grant) {
	if i := slices.IndexFunc(p.grants, func(g grant) bool { return g.n == n }); i >= 0 {
		return p.grants[i]
	}
	return grant{}
}

// enroll starts the enrolment of an app, in place of one that was started before.
func (p user) enroll(d deed, now int64, secret string) (user, []outcome) {
	g := p.grant(d.Of)
	if why := p.refusal(g, true, now); why != "" {
		return p, say(outcome{Said: why})
	}
	if _, held := p.permits(g, true); !held && len(p.apps) >= maxApps {
		return p, say(outcome{Said: none})
	}
	p.pending, p.by, p.ends = app{n: d.N, secret: secret, last: -1}, g,
		now+enrollmentTTL.Milliseconds()
	return p.written(now), say(outcome{Said: okay, Expires: p.ends})
}

// confirm makes a pending app an app, by a code of it. It goes on while the kind is disabled, of
// which it is a way out.
func (p user) confirm(d deed, now int64, given bool) (user, []outcome) {
	var refusals []outcome
	switch {
	case p.pending.n != d.Of || now >= p.ends:
		refusals = say(outcome{Said: over})
	case !first(p.permits(p.by, true)):
		refusals = say(outcome{Said: forbidden})
	}
	if p.isLocked(now) {
		refusals = append(refusals, p.locked(now)...)
	}
	if refusals != nil {
		return p, refusals
	}
	candidate := []app{p.pending}
	if verdict, _ := p.verifyApps(d, &candidate); verdict != okay {
		return p.fail("totp", verdict, now)
	}
	_, held := p.permits(p.by, true)
	p = p.succeed("totp", now)
	if held { // in place of one that is on hold already
		candidate[0].held = true
		p.apps = slices.DeleteFunc(slices.Clone(p.apps), func(a app) bool { return a.held })
	}
	p.apps = append(slices.Clip(p.apps), candidate[0])
	g := p.by
	g.n, g.added = d.N, append(slices.Clone(g.added), candidate[0].n)
	p.pending, p.by, p.ends = app{}, grant{}, 0
	if given {
		p.grants = with(p.grants, g, grantNumber)
	}
	return p.written(now), say(outcome{Said: okay, Expires: g.at + grantTTL.Milliseconds()})
}

// newCodes makes recovery codes; the ones before end.
func (p user) newCodes(d deed, now int64, list []string) (user, []outcome) {
	if why := p.refusal(p.grant(d.Of), false, now); why != "" {
		return p, say(outcome{Said: why})
	}
	p = p.succeed("recovery", now)
	p.codes = codes{n: d.N, list: list}
	return p.written(now), say(outcome{Said: okay, Expires: now})
}

// unlock ends locks, counts and disabled kinds. The record's clock starts anew, as it may have been
// the clock that was ahead.
func (p user) unlock(d deed) user {
	p.lockedUntil, p.tally, p.seen = 0, [3]tally{}, 0
	return p.written(d.At)
}

// reset takes everything away, and voids everything that was given out.
func (p user) reset(d deed) user {
	q := user{void: p.void, sends: p.sends}
	return q.written(d.At)
}

func first[A, B any](a A, _ B) A { return a }
