package admin

import (
	"context"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// kindAccess is the kind of the codes that administrators make.
const kindAccess = "access"

// maxValid bounds in seconds how long a code is asked for, so that a time.Duration holds it. The
// factor has a bound of its own.
const maxValid = math.MaxInt32

// order is what an administrator sends to act on one user.
type order struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	// Factor is for remove-factor, Session for end-sessions, Valid and Uses for access-code, and
	// Approver and Ends for exception.
	Factor   string    `json:"factor"`
	Session  string    `json:"session"`
	Valid    int       `json:"valid_seconds"`
	Uses     string    `json:"uses"`
	Approver string    `json:"approver"`
	Ends     time.Time `json:"ends"`
}

// check refuses what is too long before it is looked up.
func (o order) check() error {
	for _, f := range []struct {
		value string
		most  int
	}{{o.ID, 128}, {o.Factor, 64}, {o.Session, 128}, {o.Uses, 16},
		{o.Approver, maxApprover}} {
		if len(f.value) > f.most || !utf8.ValidString(f.value) {
			return malformed("a member is too long")
		}
	}
	if o.Valid < 0 || o.Valid > maxValid {
		return malformed("valid_seconds is out of range")
	}
	return nil
}

// deed is one act on one user. It returns what the response says beside the user's ID.
type deed struct {
	// name is that of mfa.AdminAction.
	name string
	// prepare refuses an order that cannot be carried out, before anything is done; nil if there
	// is nothing to refuse.
	prepare func(v *visit, u mfa.User, o order) error
	do      func(ctx context.Context, v *visit, by mfa.Admin, u mfa.User, o order) (any, error)
	// ends says that the sessions of the user end with it: a lost device, or an attacker, may be
	// signed in.
	ends bool
	// allowed asks the application, where the name of the act is not enough; nil if it is.
	allowed func(ctx context.Context, by mfa.Admin, u mfa.User, o order) error
}

// onUser registers an act on one user.
func (h *Handler) onUser(path string, d deed) {
	h.act("POST", "user/"+path, (*visit).mayList, func(v *visit) error {
		var o order
		if err := v.read(&o); err != nil {
			return err
		}
		out, err := v.perform(d, o)
		if err != nil {
			return err
		}
		return v.ok(out)
	})
}

// perform does what an order says, within what the application does around it.
func (v *visit) perform(d deed, o order) (out any, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	by, err := v.acting(o.Reason)
	if err != nil {
		return nil, err
	}
	e, err := v.find(o.ID)
	if err != nil {
		return nil, err
	}
	// The act does this too; here it is before what the application does around it.
	if err := by.Check(v.ctx, e.User); err != nil {
		return nil, err
	}
	if d.allowed == nil {
		err = by.Allowed(v.ctx, d.name, e.User)
	} else {
		err = d.allowed(v.ctx, by, e.User, o)
	}
	if err != nil {
		return nil, err
	}
	if d.prepare != nil {
		if err := d.prepare(v, e.User, o); err != nil {
			return nil, err
		}
	}
	err = v.around(d, by, e.User, func(ctx context.Context) (err error) {
		if out, err = d.do(ctx, v, by, e.User, o); err == nil && d.ends {
			err = v.endAll(ctx, by, e.User)
		}
		return err
	})
	return out, err
}

// around calls an act within what the application does around it. An application that returns
// without an error and has not called the act has refused it.
func (v *visit) around(
	d deed, by mfa.Admin, u mfa.User, act func(ctx context.Context) error,
) error {
	if v.h.cfg.Around == nil {
		return act(v.ctx)
	}
	called := false
	var failure error
	err := v.h.cfg.Around(v.ctx, by, d.name, u, func(ctx context.Context) error {
		called = true
		failure = act(ctx)
		return failure
	})
	switch {
	case failure != nil:
		return failure
	case err != nil: // without its text, as for every function of the application
		return quiet.New("admin: Config.Around failed"+quiet.Text(err), err)
	case !called:
		return mfa.ErrForbidden
	}
	return nil
}

// endAll ends the sessions of a user, where the application says which there are.
func (v *visit) endAll(ctx context.Context, by mfa.Admin, u mfa.User) error {
	s, ok := v.h.cfg.Users.(Sessions)
	if !ok {
		return nil
	}
	if err := s.EndSessions(ctx, by, u, ""); err != nil {
		return failed("Directory.EndSessions", err)
	}
	return nil
}

// doneJSON is the response to an act.
type doneJSON struct {
	ID string `json:"id"`
}

// sentJSON is the response to an act that sends a message.
type sentJSON struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Hint    string    `json:"hint"`
	Expires time.Time `json:"expires,omitzero"`
}

// codeJSON is the only place where an access code is shown.
type codeJSON struct {
	ID      string    `json:"id"`
	Codes   []string  `json:"codes"`
	Expires time.Time `json:"expires,omitzero"`
}

// simple is an act that returns nothing.
func simple(
	name string, ends bool, do func(ctx context.Context, by mfa.Admin, u mfa.User) error,
) deed {
	return deed{name: name, ends: ends,
		do: func(ctx context.Context, _ *visit, by mfa.Admin, u mfa.User, _ order) (any, error) {
			return doneJSON{u.ID}, do(ctx, by, u)
		}}
}

// sends is an act that sends the user a message.
func sends(
	name string, do func(ctx context.Context, by mfa.Admin, u mfa.User) (*mfa.Delivery, error),
) deed {
	return deed{name: name,
		do: func(ctx context.Context, _ *visit, by mfa.Admin, u mfa.User, _ order) (any, error) {
			d, err := do(ctx, by, u)
			if err != nil {
				return nil, err
			}
			return sentJSON{u.ID, d.Kind, d.MaskedDestination, instant(d.Expires)}, nil
		}}
}

var (
	reset = simple("reset", true, func(ctx context.Context, by mfa.Admin, u mfa.User) error {
		return by.Reset(ctx, u)
	})
	unlock = simple("unlock", false, func(ctx context.Context, by mfa.Admin, u mfa.User) error {
		return by.Unlock(ctx, u)
	})
	closeCase = simple("close-support-case", false,
		func(ctx context.Context, by mfa.Admin, u mfa.User) error {
			return by.CloseSupportCase(ctx, u)
		})
	deleteRecord = simple("delete", true, func(ctx context.Context, by mfa.Admin,
		u mfa.User) error {
		return by.Delete(ctx, u)
	})
	recoveryLink = sends("send-recovery-link",
		func(ctx context.Context, by mfa.Admin, u mfa.User) (*mfa.Delivery, error) {
			return by.SendRecoveryLink(ctx, u)
		})
	verificationLink = sends("send-verification-link",
		func(ctx context.Context, by mfa.Admin, u mfa.User) (*mfa.Delivery, error) {
			return by.SendVerificationLink(ctx, u)
		})
	removeFactor = deed{name: "remove", ends: true, prepare: hasFactor,
		do: func(ctx context.Context, _ *visit, by mfa.Admin, u mfa.User, o order) (any, error) {
			return doneJSON{u.ID}, by.Remove(ctx, u, o.Factor)
		}}
	accessCode  = deed{name: "enroll", do: makeCode}
	endSessions = deed{name: "end-sessions", prepare: hasSessions, do: endSome}
)

// hasFactor refuses the ID of a factor that the user does not have.
func hasFactor(v *visit, u mfa.User, o order) error {
	overview, err := v.h.cfg.Manager.Overview(v.ctx, u)
	if err != nil {
		return err
	}
	if o.Factor == "" || !slices.ContainsFunc(overview.Factors, func(f mfa.FactorInfo) bool {
		return f.ID == o.Factor
	}) {
		return ErrNoUser
	}
	return nil
}

func makeCode(
	ctx context.Context, _ *visit, by mfa.Admin, u mfa.User, o order,
) (any, error) {
	params := map[string]secret.Text{}
	if o.Valid != 0 {
		params["valid"] = secret.New((time.Duration(o.Valid) * time.Second).String())
	}
	if o.Uses != "" {
		params["uses"] = secret.New(o.Uses)
	}
	e, err := by.Enroll(ctx, u, mfa.EnrollRequest{Kind: kindAccess, Params: params})
	if err != nil {
		return nil, err
	}
	out := codeJSON{ID: u.ID, Codes: []string{}, Expires: instant(e.Expires)}
	for _, c := range e.Prompt.Codes {
		out.Codes = append(out.Codes, c.Reveal())
	}
	return out, nil
}

// hasSessions refuses the act where the application has no sessions to show.
func hasSessions(v *visit, _ mfa.User, _ order) error {
	if _, ok := v.h.cfg.Users.(Sessions); !ok {
		return mfa.ErrNotAvailable
	}
	return nil
}

// endSome ends one session of a user, or all of them.
func endSome(
	ctx context.Context, v *visit, by mfa.Admin, u mfa.User, o order,
) (any, error) {
	s, _ := v.h.cfg.Users.(Sessions)
	if err := s.EndSessions(ctx, by, u, o.Session); err != nil {
		return nil, failed("Directory.EndSessions", err)
	}
	return doneJSON{u.ID}, nil
}
