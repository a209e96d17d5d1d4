package mfa_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// proceed is Begin for one of the actors, with what follows, as far as they can.
func (w *world) proceed(a *actorModel) {
	w.clock.Advance(time.Millisecond) // of many challenges of one moment not all are remembered
	m, ctx, binding := pick(w.Rand, w.managers), w.t.Context(), a.name+pick(w.Rand, bindings)
	purpose := pick(w.Rand, []string{"sign-in", "sign-in", "manage", "step-up", "replace"})
	age := pick(w.Rand, []time.Duration{0, time.Minute, 5 * time.Hour})
	since := w.clock.Now().Add(-age)
	p, own := *w.policy.Load(), w.own()
	ch, err := withPurpose(m.Session(w.user, binding), purpose).FirstFactorAt(since).Begin(ctx)
	w.note("%s begins %s (%s old): %v", a.name, purpose, age, err)
	if err != nil {
		return
	}
	unknown := slices.ContainsFunc(own, func(f ownModel) bool {
		return !slices.Contains(w.kinds[m], f.kind)
	})
	// No policy and no configuration turns a user's own factors into none.
	switch ch.Next {
	case mfa.NextEnroll:
		if len(own) > 0 || age >= 15*time.Minute {
			w.fail("enrol with %v, %s after the first factor", own, age)
		}
	case mfa.NextDone:
		grace := w.clock.Now().Before(p.EnrollBy)
		if p.Mode != policy.ModeOff && len(own) > 0 || p.Mode == policy.ModeRequired && !grace {
			w.fail("done with %v under %+v", own, p)
		}
		return
	}
	g := grantModel{binding: binding, kinds: p.Kinds, proven: w.clock.Now(), life: 5 * time.Minute,
		implied: slices.Contains(p.Implicit, "mail") && modelAllows(p.Kinds, "mail")}
	if ch.Next == mfa.NextEnroll {
		g.grant, g.origin, g.proven, g.life = ch.Grant, "first", since, 15*time.Minute
		a.grants = append(a.grants, g)
		return
	}
	if len(ch.Options) == 0 {
		return
	}
	o := pick(w.Rand, ch.Options)
	if o.Kind == "mail" && purpose == "manage" && len(own) > 0 {
		w.fail("an address offered for managing %v", own)
	}
	response, proven, ok := w.respond(m, a, ch, o, binding, purpose, own)
	if !ok {
		return
	}
	v, err := withPurpose(m.Session(w.user, binding), purpose).Verify(ctx, ch, o.Kind,
		secret.New(response))
	w.note("%s responds with %s: %v", a.name, o.Kind, err)
	var required *mfa.EnrollmentRequiredError
	settled := slices.ContainsFunc(own, func(f ownModel) bool {
		return !f.held && modelAllows(p.Kinds, f.kind)
	})
	banned := levelOf[o.Kind] > 0 && !modelAllows(p.Kinds, o.Kind) && !settled &&
		!w.clock.Now().Before(p.EnrollBy)
	switch {
	case errors.As(err, &required):
		if !banned {
			w.fail("%s has to enrol though the policy allows what was proven", a.name)
		}
		g.grant = required.Grant
	case err != nil:
		w.fail("a correct response by %s is refused: %v", o.Kind, err)
	case banned:
		w.fail("signed in by %s, which %+v bans, with %v", o.Kind, p, own)
	default:
		g.grant = v.Grant
	}
	if unknown && purpose == "manage" {
		w.fail("managed with a kind that is not known")
	}
	g.origin, g.level = proven.origin, proven.level
	a.grants = append(a.grants, g)
}

type provenModel struct {
	origin string
	level  factor.Level
}

// respond finds a correct response that an actor knows for an option.
func (w *world) respond(m *mfa.Manager, a *actorModel, ch *mfa.Challenge, o mfa.Option,
	binding string, p string, own []ownModel) (string, provenModel, bool) {
	switch o.Kind {
	case "mail":
		if !a.mailbox {
			return "", provenModel{}, false
		}
		_, err := withPurpose(m.Session(w.user, binding), p).Send(w.t.Context(), ch, "mail")
		require.NoError(w.t, err)
		return w.mail.code(w.user.Email).Reveal(), provenModel{"implied", factor.LevelWeak}, true
	case "recovery":
		for _, c := range a.codes {
			if !w.released[c] {
				w.released[c] = true
				return c, provenModel{"recovery", levelRecovery}, true
			}
		}
		return "", provenModel{}, false
	}
	for _, f := range own {
		if s, knows := a.secrets[f.id]; knows && f.kind == o.Kind {
			if f.held {
				return s, provenModel{"recovery", levelRecovery}, true
			}
			return s, provenModel{"own", f.level}, true
		}
	}
	return "", provenModel{}, false
}

// change tries a random change with a random grant, and compares with the table.
func (w *world) change(a *actorModel) {
	if len(a.grants) == 0 {
		return
	}
	g, m := pick(w.Rand, a.grants), pick(w.Rand, w.managers)
	own, before, knew := w.own(), w.state(), a.knowsSomething()
	act := pick(w.Rand, []string{"enroll", "enroll", "remove", "rename", "codes", "check"})
	kind, target := pick(w.Rand, w.kinds[m]), ""
	if len(own) > 0 {
		target = pick(w.Rand, own).id
	}
	if (act == "remove" || act == "rename") && target == "" || act == "enroll" &&
		!modelAllows(g.kinds, kind) {
		return
	}
	want := w.table(m, g, act, kind, target)
	err := w.try(m, a, g, act, kind, target)
	w.note("%s tries to %s %s%s by %s %d: %v", a.name, act, kind, target, g.origin, g.level, err)
	last := errors.Is(err, mfa.ErrLastFactor) && w.policy.Load().Mode == policy.ModeRequired
	switch {
	case want == nil && err != nil && !last && !errors.Is(err, errModelFull):
		w.fail("refused, where the table permits %s by %+v with %v: %v", act, g, own, err)
	case want != nil && err == nil:
		w.fail("permitted, where the table refuses %s by %+v with %v: %v", act, g, own, want)
	case want != nil && !errors.Is(err, want):
		w.fail("%s: %v, want %v", act, err, want)
	case err != nil && w.state() != before:
		w.fail("refused, and changed all the same")
	}
	if a.name == "attacker" && !knew && len(own) > 0 && w.state() != before {
		w.fail("an attacker with the password alone changed %v", own)
	}
}

var errModelFull = errors.New("the model has enough factors")

func (w *world) try(m *mfa.Manager, a *actorModel, g grantModel, act, kind, target string) error {
	ctx := w.t.Context()
	switch act {
	case "remove":
		return m.Session(w.user, g.binding).Remove(ctx, g.grant, target)
	case "rename":
		w.words++
		return m.Session(w.user, g.binding).Rename(ctx, g.grant, mfa.FactorInfo{ID: target,
			Name: fmt.Sprint("name ", w.words)})
	case "check":
		return m.Session(w.user, g.binding).Check(ctx, g.grant)
	case "codes":
		e, err := m.Session(w.user, g.binding).NewRecoveryCodes(ctx, g.grant)
		if err == nil {
			a.codes = nil
			clear(w.released)
			for _, c := range e.Prompt.Codes {
				a.codes = append(a.codes, c.Reveal())
			}
		}
		return err
	}
	if len(w.own()) >= 5 {
		if err := w.table(m, g, act, kind, target); err != nil {
			return err
		}
		return errModelFull
	}
	w.words++
	word := fmt.Sprintf("word %d", w.words)
	e, err := m.Session(w.user, g.binding).Enroll(ctx, g.grant, mfa.EnrollRequest{Kind: kind,
		Params: map[string]secret.Text{"word": secret.New(word)}})
	if err != nil {
		return err
	}
	p := pendingModel{e, g, kind, word}
	if w.IntN(3) == 0 { // for later
		a.pending = append(a.pending, p)
		return nil
	}
	return w.confirm(m, a, p)
}

func (w *world) confirm(m *mfa.Manager, a *actorModel, p pendingModel) error {
	c, err := m.Session(w.user, p.by.binding).Confirm(w.t.Context(), p.enrollment,
		secret.New(p.secret))
	if err != nil {
		return err
	}
	a.secrets[c.Factor.ID] = p.secret
	g := p.by
	g.grant, g.added = c.Grant, append(slices.Clone(g.added), c.Factor.ID)
	a.grants = append(a.grants, g)
	return nil
}

// confirmLater confirms an enrolment that was begun some time ago. What its proof permits is
// decided by what the user has by now; the proof itself was fresh then.
func (w *world) confirmLater(a *actorModel) {
	if len(a.pending) == 0 {
		return
	}
	i := w.IntN(len(a.pending))
	p := a.pending[i]
	a.pending = slices.Delete(a.pending, i, i+1)
	m, own, before := pick(w.Rand, w.managers), w.own(), w.state()
	if !slices.Contains(w.kinds[m], p.kind) {
		return
	}
	fresh, knew := p.by, a.knowsSomething()
	fresh.proven = w.clock.Now()
	want := w.table(m, fresh, "enroll", p.kind, "")
	err := w.confirm(m, a, p)
	w.note("%s confirms %s by %s %d: %v", a.name, p.kind, p.by.origin, p.by.level, err)
	ended := errors.Is(err, mfa.ErrTokenExpired) // another one took its place, or it is too old
	switch {
	case want != nil && err == nil:
		w.fail("confirmed, where the table refuses %+v with %v: %v", p.by, own, want)
	case want != nil && !errors.Is(err, want) && !ended:
		w.fail("confirmed: %v, want %v", err, want)
	case want == nil && err != nil && !ended:
		w.fail("refused to confirm, where the table permits %+v with %v: %v", p.by, own, err)
	case err != nil && w.state() != before:
		w.fail("refused, and changed all the same")
	}
	if a.name == "attacker" && !knew && len(own) > 0 && w.state() != before {
		w.fail("an attacker with the password alone changed %v", own)
	}
}

// knowsSomething says whether the actor has anything of a user's, beside the password.
func (a *actorModel) knowsSomething() bool {
	return len(a.secrets) > 0 || a.mailbox || len(a.codes) > 0
}

// surroundings change the policy, the time, and what administrators do.
func (w *world) surroundings() {
	switch w.IntN(6) {
	case 0, 1:
		p := policy.Policy{Mode: pick(w.Rand, []policy.Mode{policy.ModeRequired,
			policy.ModeRequired, policy.ModeOptional, policy.ModeOff})}
		for _, k := range append(slices.Clone(modelKinds), "mail") {
			if w.IntN(2) == 0 {
				p.Kinds = append(p.Kinds, k)
			}
		}
		if w.IntN(2) == 0 {
			p.Implicit, p.KeepImplicit = []string{"mail"}, w.IntN(2) == 0
		}
		if w.IntN(5) == 0 {
			p.EnrollBy = w.clock.Now().Add(time.Hour)
		}
		w.policy.Store(&p)
		w.note("policy %+v", p)
	case 2:
		w.clock.Advance(pick(w.Rand, []time.Duration{time.Second, time.Minute, 6 * time.Minute,
			25 * time.Hour}))
		w.note("now %s", w.clock.Now())
	}
}

// getsIn shows that there is no dead end: the user, with what is theirs and a fresh password,
// gets in where every kind is configured.
func (w *world) getsIn(a *actorModel) {
	w.clock.Advance(time.Millisecond)
	ctx, own := w.t.Context(), w.own()
	theirs := func(f ownModel) bool { return a.secrets[f.id] == "" && !f.held }
	mine := func(f ownModel) bool { return a.secrets[f.id] != "" && !f.held }
	if slices.ContainsFunc(own, theirs) || len(own) > 0 && !slices.ContainsFunc(own, mine) {
		return // an attacker was first, or knew a factor: an administrator resets
	}
	ch, err := w.full.Session(w.user, "way in").FirstFactorAt(w.clock.Now()).Begin(ctx)
	require.NoError(w.t, err)
	g := ch.Grant
	if ch.Next == mfa.NextVerify {
		var err error
		responded := false
		for _, o := range ch.Options {
			if response, _, ok := w.respond(w.full, a, ch, o, "way in", "sign-in", own); ok {
				_, err = w.full.Session(w.user, "way in").Verify(ctx, ch, o.Kind,
					secret.New(response))
				responded = true
				break
			}
		}
		var required *mfa.EnrollmentRequiredError
		switch {
		case !responded:
			w.fail("a dead end: %v has nothing of %+v", own, ch.Options)
		case errors.As(err, &required):
			g = required.Grant
		case err != nil:
			w.fail("a dead end: %v", err)
		default:
			return
		}
		ch.Kinds = required.Kinds
	}
	if ch.Next == mfa.NextDone {
		return
	}
	kinds := slices.DeleteFunc(slices.Clone(ch.Kinds), func(k string) bool { return k == "mail" })
	if len(kinds) == 0 {
		return // the address, which this model does not enrol
	}
	w.words++
	word := secret.New(fmt.Sprintf("word %d", w.words))
	e, err := w.full.Session(w.user, "way in").Enroll(ctx, g, mfa.EnrollRequest{Kind: kinds[0],
		Params: map[string]secret.Text{"word": secret.New(word.Reveal())}})
	if errors.Is(err, mfa.ErrNotAvailable) {
		return // five of a kind
	}
	require.NoError(w.t, err)
	c, err := w.full.Session(w.user, "way in").Confirm(ctx, e, word)
	if err != nil || c.Verification == nil {
		w.fail("a dead end after enrolling: %v", err)
	}
}
