package mfa

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// What is no guess is not counted. A response that was correct and came too late, or that
// belongs to a code which another one took the place of, shows that the user has the code.
// It gives no entry and clears nothing; it only is not counted as a failed attempt. An
// attacker gains nothing by it: to learn it, the response has to be a code that was sent to
// the user, and each response that is not is counted as ever.

const (
	// maxSuperseded bounds Record.Superseded.
	maxSuperseded = 3
	// maxSupersededKeep is the most that is kept for one of them. A sent code keeps 48 bytes.
	maxSupersededKeep = 128
)

// superseded is a sent code that another code took the place of, before it was used.
type superseded struct {
	Kind    string `cbor:"0,keyasint"`
	Keep    []byte `cbor:"1,keyasint"`
	Issued  int64  `cbor:"2,keyasint"`
	Expires int64  `cbor:"3,keyasint"`
}

// supersede remembers a code that is about to be replaced. The oldest goes when there are
// too many, or when it has been over for an hour.
func (r *record) supersede(kind string, l live) {
	if len(l.Keep) == 0 || len(l.Keep) > maxSupersededKeep {
		return
	}
	r.Superseded = append(r.Superseded, superseded{kind, l.Keep, l.Issued, l.Expires})
	if n := len(r.Superseded) - maxSuperseded; n > 0 {
		r.Superseded = slices.Delete(r.Superseded, 0, n)
	}
}

// addPending puts a pending enrolment into the record, in place of another of its kind, whose
// code is then superseded.
func (m *Manager) addPending(r *record, p pending) {
	for _, old := range r.addPending(p) {
		if old.Live != nil && !m.factors[old.In.Kind].Traits().SharedChallenge {
			r.supersede(old.In.Kind, *old.Live)
		}
	}
}

// others are the user's codes of a kind that targets do not have: those that were superseded,
// the one that another challenge asked for, and those of other pending enrolments.
func (r *record) others(f factor.Challenger, targets []target, now time.Time) (list []live) {
	add := func(l live) {
		has := func(t target) bool { return t.live != nil && string(t.live.Keep) == string(l.Keep) }
		known := now.UnixMilli() < l.Expires+codeMemory.Milliseconds()
		if known && len(l.Keep) > 0 && !slices.ContainsFunc(targets, has) {
			list = append(list, l)
		}
	}
	if l, ok := r.Live[f.Kind()]; ok {
		add(l)
	}
	for _, p := range r.Pending {
		if p.In.Kind == f.Kind() && p.Live != nil {
			add(*p.Live)
		}
	}
	for _, s := range r.Superseded {
		if s.Kind == f.Kind() {
			add(live{Keep: s.Keep, Issued: s.Issued, Expires: s.Expires})
		}
	}
	return list
}

// recogniseCode says whether a response that no target accepts is one of the user's other codes.
func (m *Manager) recogniseCode(
	ctx context.Context, a *attempt, targets []target, refusal error,
) error {
	for _, t := range targets {
		for i := range t.others {
			_, err := callVerify(ctx, a.factor, a.input(target{instance: t.instance, live: &t.others[i]}))
			if err == nil || weight(err) == weightExpired {
				return fmt.Errorf("%w: another code has taken its place", factor.ErrExpired)
			}
		}
	}
	return refusal
}
