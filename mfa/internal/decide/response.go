package decide

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// This file decides whether a response is verified, and against what.

// Task is what a response is given for.
type Task uint8

const (
	// Verify responds to a challenge.
	Verify Task = iota + 1
	// Confirm confirms an enrolment, which also enables a disabled kind again.
	Confirm
	// Unlock enables a disabled kind by correct responses in a row.
	Unlock
	// Passwordless takes the place of the first factor too. No user has passed one, so an
	// incorrect response is not counted, and a correct one must verify the user by itself.
	Passwordless
)

// Response is one response as far as decisions look at it; its text is for the factor.
type Response struct {
	Task Task
	Kind string
	// Named are, for Passwordless, the IDs of the instances that the response names.
	Named []string
	// Remember is set if the device is to be remembered.
	Remember *NewDevice
}

// NewDevice is a device to remember, with what was drawn at random for it.
type NewDevice struct {
	Name   string
	ID     [8]byte
	Secret [16]byte
}

// Target is an instance that a response is verified against, and what was issued for it.
type Target struct {
	*record.Instance
	Code *record.Code
	// Others are codes that were sent to the user and are for no target.
	Others []record.Code
}

// Said is what the factor says of a response: the target that accepts it, or a refusal. Beside a
// refusal Target is one of those that were asked.
type Said struct {
	Target  Target
	Verdict *factor.Verdict
	Refusal error
	// Remaining, Ends and Key are what the factor says of the instance afterwards.
	Remaining int
	Ends      time.Time
	Key       record.Key
	// NotStored is why the application does not store the address that the response verifies, such
	// as that another account has it.
	NotStored error
}

// Admit refuses what must not be verified: a locked user's response, one to a disabled kind, and
// one to what has ended. Otherwise the outcome is zero, and Admit returns what the response is to
// be verified against.
func (v View) Admit(r *Response) ([]Target, Outcome) {
	st := v.status(r.Kind)
	if !st.LockedUntil.IsZero() {
		return nil, Outcome{Result: Locked, At: v.Now, LockedUntil: st.LockedUntil}
	}
	if r.Task == Unlock {
		if o := v.admitUnlock(r.Kind); o.Result != 0 {
			return nil, o
		}
	}
	targets, err := v.targets(r)
	switch {
	case err != nil:
		return nil, v.refused(err)
	case r.Task == Unlock && !st.Disabled:
		return nil, v.refused(fmt.Errorf("%w: the kind is not disabled", ErrNotAvailable))
	case st.Disabled && r.Task != Confirm && r.Task != Unlock:
		return nil, Outcome{Result: Disabled, At: v.Now}
	}
	if v.Kinds[r.Kind].recognised() {
		others := v.Record.OtherCodes(r.Kind, codesOf(targets), v.Now)
		for i := range targets {
			targets[i].Others = others
		}
	}
	return targets, Outcome{}
}

// refused is the outcome of a response that is not verified.
func (v View) refused(err error) Outcome {
	return Outcome{Result: Refused, At: v.Now, Err: err}
}

func codesOf(targets []Target) (codes []record.Code) {
	for _, t := range targets {
		if t.Code != nil {
			codes = append(codes, *t.Code)
		}
	}
	return codes
}

// targets returns what a response is verified against, for its task.
func (v View) targets(r *Response) ([]Target, error) {
	if r.Task == Confirm {
		p, err := v.Pending()
		if err != nil {
			return nil, err
		}
		if v.Kinds[r.Kind].Polled && p.Code == nil {
			return nil, errNothingIssued
		}
		return []Target{{Instance: &p.Instance, Code: p.Code}}, nil
	}
	if err := v.Answerable(); err != nil {
		return nil, err
	}
	if r.Task == Passwordless {
		return v.passwordlessTargets(r)
	}
	return v.challengeTargets(r.Kind)
}

// errNothingIssued refuses a response to a challenge that nothing is issued to any more.
var errNothingIssued = fmt.Errorf("%w: nothing that was issued to this challenge remains",
	factor.ErrExpired)

// challengeTargets returns what a response of a kind to a challenge is verified against.
func (v View) challengeTargets(kind string) (list []Target, err error) {
	k := v.Kinds[kind]
	candidates, err := v.Candidates()
	if err != nil {
		return nil, err
	}
	issued, asked := v.Record.Codes[kind]
	asked = asked && k.Sends && issued.Challenge == v.Claims.ID
	list = make([]Target, 0, len(candidates))
	available := false
	for _, c := range candidates {
		if c.Kind != kind {
			continue
		}
		available = true
		t := Target{Instance: c.Instance}
		// A code is valid for the challenge that asked for it and the instance it went to, if
		// it went to one. One that went to the user's address before the application changed it is
		// not.
		if asked && (issued.SentTo(c.Instance) || k.SharedChallenge) {
			code := issued
			t.Code = &code
		}
		if t.Code == nil && k.Polled {
			continue // a poll is about what was issued, and not about the user's other devices
		}
		list = append(list, t)
	}
	switch {
	case !available:
		return nil, ErrNotAvailable
	case len(list) == 0, k.Sends && k.SharedChallenge && list[0].Code == nil:
		// Another challenge has asked since, or none has. The response may be correct for what
		// was asked before, and is no guess: it is not counted.
		return nil, errNothingIssued
	}
	return list, nil
}

// passwordlessTargets returns the instance that a response names.
func (v View) passwordlessTargets(r *Response) ([]Target, error) {
	list, err := v.Candidates()
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		if k.Kind == r.Kind && k.Own && slices.Contains(r.Named, k.ID) {
			if !v.allowed(k.Instance) {
				return nil, errKeyNeedsPassword
			}
			return []Target{{Instance: k.Instance, Code: v.Claims.Code}}, nil
		}
	}
	return nil, ErrUnknownFactor // removed a moment ago
}

// errKeyNeedsPassword refuses a factor that the policy does not allow and that has no password
// beside it: it is a proof for enrolling another, and not a sign-in.
var errKeyNeedsPassword = fmt.Errorf("%w: the policy does not allow this key", ErrNotAvailable)

// Responders returns the instances of a kind that may respond to the view's challenge.
func (v View) Responders(kind string) (list []*record.Instance, err error) {
	candidates, err := v.Candidates()
	for _, k := range candidates {
		if k.Kind == kind {
			list = append(list, k.Instance)
		}
	}
	return list, err
}

// ToSend returns the instance to send to for a challenge: the one with the ID given, or, for an
// empty ID, the latest used.
func (v View) ToSend(kind, id string) (*record.Instance, Outcome) {
	if err := v.Answerable(); err != nil {
		return nil, v.refused(err)
	}
	if v.status(kind).Disabled {
		return nil, Outcome{Result: Disabled, At: v.Now}
	}
	list, err := v.Candidates()
	if err != nil {
		return nil, v.refused(err)
	}
	var chosen *record.Instance
	for _, k := range list {
		if k.Kind == kind && (id == "" || id == k.ID) && (chosen == nil || k.Used > chosen.Used) {
			chosen = k.Instance
		}
	}
	if chosen == nil {
		return nil, v.refused(ErrNotAvailable)
	}
	return chosen, Outcome{}
}

// Locked returns the outcome of what is refused while a kind is locked, or a zero one.
func (v View) Locked(kind string) Outcome {
	if until := v.status(kind).LockedUntil; !until.IsZero() {
		return Outcome{Result: Locked, At: v.Now, LockedUntil: until}
	}
	return Outcome{}
}

// KeepCode keeps what was issued for a challenge, in place of what was issued for the kind
// before, which it supersedes.
func (v View) KeepCode(in *record.Instance, code record.Code) {
	code.Challenge = v.Claims.ID
	code.SendTo(in)
	if old, ok := v.Record.Codes[in.Kind]; ok && v.Kinds[in.Kind].recognised() {
		v.Record.Supersede(in.Kind, old)
	}
	if v.Record.Codes == nil {
		v.Record.Codes = make(map[string]record.Code)
	}
	v.Record.Codes[in.Kind] = code
}

// Weight orders refusals: of several, the heaviest is returned. What one instance leaves
// undecided, another may have denied, so that WeightPending is the lightest.
type Weight uint8

// The weights, the lightest first.
const (
	WeightPending Weight = iota
	WeightIncorrect
	WeightExpired
	WeightReplayed
	WeightFailed
)

// WeightOf returns the weight of what a factor says of a response that it refuses.
func WeightOf(err error) Weight {
	switch {
	case errors.Is(err, factor.ErrIncorrect):
		return WeightIncorrect
	case errors.Is(err, factor.ErrExpired):
		return WeightExpired
	case errors.Is(err, factor.ErrReplayed):
		return WeightReplayed
	case errors.Is(err, factor.ErrPending):
		return WeightPending
	default:
		return WeightFailed
	}
}

// IssuedUnder completes the claims of a challenge that was made before the user was known.
func IssuedUnder(c token.Claims, r *record.Record) *token.Claims {
	c.Epoch = r.Epoch[:]
	return &c
}
