package decide

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// This file decides when an enrolment may begin, and what confirming it changes.

// maxName is how many bytes the name of an instance has at most.
const maxName = 64

// ErrChanged says that the factor was shown other instances than the user has by now.
var ErrChanged = errors.New("mfa: the user's factors changed meanwhile")

// Enrolling is an enrolment that is about to begin.
type Enrolling struct {
	Pending record.Pending
	// Shown are the IDs of the instances that the factor was shown.
	Shown []string
	// ShowsCodes says that the factor has made recovery codes, which the user is shown now.
	ShowsCodes bool
}

// AdmitEnrollment refuses an enrolment, or returns it with its times set.
func (v View) AdmitEnrollment(e Enrolling) (record.Pending, authority.Permission, error) {
	p := e.Pending
	allowed, err := v.Permits(v.toBegin(&p))
	if err != nil {
		return p, allowed, err
	}
	p.Instance.Created, p.Expires = v.Now.UnixMilli(), v.Now.Add(v.EnrollmentTTL).UnixMilli()
	if p.Moves {
		return p, allowed, nil
	}
	if !slices.Equal(e.Shown, v.Record.InstanceIDs(p.Instance.Kind)) {
		return p, allowed, ErrChanged
	}
	if v.full(p) && !allowed.Hold { // a recovery adds one of a kind at most, until its hold ends
		return p, allowed, errFull
	}
	return p, allowed, nil
}

var errFull = fmt.Errorf("%w: there are as many as there may be", ErrNotAvailable)

// full reports whether there are as many factors as there may be, so that none can be added. Those
// that the new one replaces do not count.
func (v View) full(p record.Pending) bool {
	all, same := 0, 0
	for i := range v.Record.Factors {
		in := &v.Record.Factors[i]
		if p.Instance.Implicit || !v.replaces(p, *in) {
			all++
		}
		if in.Kind == p.Instance.Kind && !in.Implicit && !v.replaces(p, *in) {
			same++
		}
	}
	return same >= record.MaxInstances || all >= record.MaxFactors
}

// replaces reports whether a factor ends when the user confirms an enrolment: one of the same kind,
// where a user has one of it, where it has changed since it was enrolled, or where it is to be
// renewed.
func (v View) replaces(p record.Pending, old record.Instance) bool {
	in := p.Instance
	return old.Kind == in.Kind && old.Implicit == in.Implicit &&
		(p.Replace || in.Implicit || v.Record.IsOutdated(old.ID) || v.Record.IsToRenew(old.ID))
}

// AddPending puts a pending enrolment into the record, in place of another of its kind, whose
// code is then superseded, and returns its instance.
func (v View) AddPending(p record.Pending) *record.Instance {
	for _, old := range v.Record.AddPending(p) {
		if old.Code != nil && v.Kinds[old.Instance.Kind].recognised() {
			v.Record.Supersede(old.Instance.Kind, *old.Code)
		}
	}
	return &v.Record.PendingByID(p.Instance.ID).Instance
}

// KeepPendingCode keeps what was issued to confirm a pending enrolment, in place of what was
// issued before.
func (v View) KeepPendingCode(id string, code record.Code) {
	p := v.Record.PendingByID(id)
	if p == nil {
		return
	}
	if p.Code != nil && v.Kinds[p.Instance.Kind].recognised() {
		v.Record.Supersede(p.Instance.Kind, *p.Code)
	}
	p.Code = &code
}

// ConfirmUnasked makes an enrolment take effect at once, for a kind that needs no confirmation.
// shown says that it has made recovery codes, which the user sees now.
func (v View) ConfirmUnasked(
	p record.Pending, allowed authority.Permission, shown bool,
) Outcome {
	o := v.confirm(p, allowed)
	v.noteCodes(&p.Instance, allowed.Hold, shown)
	return o
}

// ConfirmByLink makes the pending enrolment that the view's claims are for take effect. A user
// who has the link has received the message, and the link cannot be guessed, so nothing is
// counted and a lock does not matter.
func (v View) ConfirmByLink() Outcome {
	if v.Record.Fresh {
		return v.refused(token.ErrExpired)
	}
	p, allowed, err := v.pending()
	if err != nil {
		return v.refused(err)
	}
	if _, known := v.Kinds[p.Instance.Kind]; !known {
		return v.refused(authority.ErrKindNotConfigured)
	}
	if p.Moves { // a stranger with the mailbox of a mistyped address could have such a link
		return v.refused(token.ErrExpired)
	}
	o := v.confirm(*p, allowed)
	o.Verification, o.Confirmation.Grant = nil, nil // it may be opened elsewhere
	o.Confirmation.CodesDue = false
	return o
}

// confirm turns a pending enrolment into a factor.
func (v View) confirm(p record.Pending, allowed authority.Permission) Outcome {
	r, in := v.Record, p.Instance
	recovery := v.recovery(&in)
	ordinary := !in.Implicit && !recovery
	done := &Confirmation{Change: changeOf(in, recovery, allowed)}
	r.RemovePending(in.ID)
	in.Created = v.Now.UnixMilli()
	if allowed.Hold {
		until := v.Now.UnixMilli() + v.Claims.Hold
		r.PutOnHold(in, until)
		done.HeldUntil = record.Instant(until)
	} else {
		if ordinary && !v.HasOwn(r) {
			v.endRecovery(r) // codes of factors that ended long ago
		}
		ended := r.RemoveFactors(func(old record.Instance) bool { return v.replaces(p, old) })
		if ordinary && len(ended) > 0 {
			done.Change = Replaced
		}
	}
	r.Factors = append(r.Factors, in)
	if ordinary {
		r.Exception = nil
	}
	done.Waits = allowed.Hold && v.resists()
	if p.Moves {
		done.Change = AddressMoved
		v.moveAddress(&p)
	}
	r.Devices = nil
	r.Lockout = v.Lockout.Succeed(r.Lockout, in.Kind, v.Now)
	done.Instance = in
	v.noteCodes(&in, allowed.Hold, false)
	return v.confirmed(done, p)
}

// nameUnnamed gives an instance that the user did not name the factor's name for it, with a number
// if another instance of the kind has that name. A name that no user could give is left out.
func (v View) nameUnnamed(p *record.Pending, name string) {
	if !p.Unnamed || name == "" || plainname.Problem(name) != "" {
		return
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(v.Record.Factors, func(in record.Instance) bool {
			return in.Kind == p.Instance.Kind && in.Name == name && !v.replaces(*p, in)
		})
	}
	p.Instance.Name = plainname.Cut(name, maxName)
	for i := 2; taken(p.Instance.Name); i++ {
		number := fmt.Sprintf(" %d", i)
		p.Instance.Name = plainname.Cut(name, maxName-len(number)) + number
	}
}

// moveAddress lets the factors follow that the user enrolled with the address of record before.
// What was sent there is void: an attacker may have that mailbox.
func (v View) moveAddress(p *record.Pending) {
	r, to := v.Record, &p.Instance
	at := func(in *record.Instance, state []byte) bool {
		return !in.Implicit && in.Kind == to.Kind && bytes.EqualFold(in.State, state)
	}
	twice := slices.ContainsFunc(r.Factors, func(in record.Instance) bool {
		return at(&in, to.State)
	})
	for i := range r.Factors {
		if in := &r.Factors[i]; !twice && len(p.From) > 0 && at(in, p.From) {
			in.State, in.MaskedDestination = bytes.Clone(to.State), to.MaskedDestination
			twice = true
		}
	}
	r.RemoveFactors(func(in record.Instance) bool { return len(p.From) > 0 && at(&in, p.From) })
	if code, ok := r.Codes[to.Kind]; ok {
		delete(r.Codes, to.Kind)
		if v.Kinds[to.Kind].recognised() {
			r.Supersede(to.Kind, code)
		}
	}
	r.Pending = slices.DeleteFunc(r.Pending, func(q record.Pending) bool {
		return q.Instance.Kind == to.Kind
	})
	r.RecoveryLink, r.Recovery = nil, nil
}

// changeOf returns what an enrolment that takes effect does, if it replaces nothing.
func changeOf(in record.Instance, recovery bool, allowed authority.Permission) Change {
	switch {
	case in.Implicit:
		return AddressVerified
	case recovery:
		return Regenerated
	case allowed.Hold:
		return OnHold
	default:
		return Added
	}
}

// confirmed returns what the user may do after a confirmation.
func (v View) confirmed(done *Confirmation, p record.Pending) Outcome {
	g, in := *v.Claims, &done.Instance
	recovery := v.recovery(in)
	if !in.Implicit && !recovery {
		g.Proof.Added = append(slices.Clone(g.Proof.Added), in.ID)
	}
	g.Forced = false // the sign-in is complete, and what the grant enrols next is no other one
	v.Claims = &g
	verified := v.verified(in)
	o := Outcome{Result: Confirmed, At: v.Now, FactorID: in.ID, Confirmation: done}
	if !recovery {
		done.Grant = &verified.Grant
		done.CodesDue = v.losable(in) && v.asksForCodes(g.Proof)
	}
	if p.SignIn {
		verified.Purpose = token.PurposeSignIn
		o.Verification = verified
	}
	return o
}
