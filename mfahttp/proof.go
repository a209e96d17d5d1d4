package mfahttp

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// proof says that a sign-in is complete, and by what and when the user last verified in the
// session. It ends with the session ID that the application gives in Identity.
type proof struct {
	Who string
	// At is zero if nothing was verified: no second factor was required, or the device is
	// remembered.
	At time.Time `json:",omitzero"`
	// By, Level and ACR are the kind, the AssuranceLevel and the ACR of the verification at At.
	By    string `json:",omitempty"`
	Level int    `json:",omitempty"`
	ACR   string `json:",omitempty"`
	// Kind is "" after a recovery, which every policy allows.
	Kind string `json:",omitempty"`
	// Checked is when the proof was last compared with the policy, and CheckedFor which policy
	// that was: an application may change the user's type in a session.
	Checked    time.Time `json:",omitzero"`
	CheckedFor string    `json:",omitempty"`
	// Postponed says that the user has put off an enrolment, and Due when that time ends; zero if
	// the policy counts how often.
	Postponed bool      `json:",omitempty"`
	Due       time.Time `json:",omitzero"`
	// CodesDue is true if the user has to make or save recovery codes before going on.
	CodesDue bool `json:",omitempty"`
	// Offers is true in a set-up that has yet to offer security questions.
	Offers bool `json:",omitempty"`
}

// proof returns the proof of this user in this session, or nil if the sign-in is not complete.
func (v *visit) proof() *proof {
	var p proof
	if !v.get(keyProof, &p) || p.Who != v.who() {
		return nil
	}
	return &p
}

// prove keeps what the session was proven by. The user is then signed in.
func (v *visit) prove(p proof, kind string, recovery bool) {
	p.Who, p.Kind, p.Checked = v.who(), kind, time.Time{}
	if recovery {
		p.Kind = ""
	}
	v.put(keyProof, p)
	v.signedIn = true
}

// CompleteSignIn signs in a user whose second factor another system has verified, such as the
// provider of a single sign-on, at a time. Identity names the session that the application has
// made for the sign-in. A zero time means that the system does not say when, which is never
// recent: RequireRecent and changes of factors then require a factor of the user's own. A user whom
// Policy.NoDowngrade asks for a factor of their own is not signed in by this, and Require asks them
// as after a password. It sets cookies: call it before you write to w. After an error the user is
// not signed in.
func (h *Handler) CompleteSignIn(
	w http.ResponseWriter, r *http.Request, id Identity, verifiedAt time.Time,
) error {
	if err := id.check(); err != nil {
		return err
	}
	if verifiedAt.IsZero() {
		verifiedAt = time.Unix(0, 0)
	}
	v := h.visit(w, r, nil)
	v.become(id)
	v.forget()
	p, err := v.h.cfg.Manager.Policy(r.Context(), v.scope())
	if err != nil {
		return err
	}
	switch err := v.downgraded(&proof{}, p); {
	case err == nil:
		v.prove(proof{At: verifiedAt}, "", false)
	case !errors.Is(err, errStepUp):
		return err
	}
	return v.flush()
}

// check refuses an identity that names no user or no session.
func (id Identity) check() error {
	if id.User.ID == "" || id.SessionID == "" {
		return fmt.Errorf("mfahttp: a sign-in needs a user and a session ID: %w",
			factor.ErrMalformed)
	}
	return nil
}

// SignedIn reports whether the user who makes the request has completed the sign-in. It is for
// pages that visitors see too; protect all others with Require, which also applies a policy that
// has become stricter.
func (h *Handler) SignedIn(r *http.Request) (bool, error) {
	v := h.visit(nil, r, nil)
	if err := v.identify(); err != nil {
		return false, unavailable(err)
	}
	return v.signedIn, nil
}
