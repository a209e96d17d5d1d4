package mfahttp

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// This file has the steps that the pages and the API share. The two differ in how they report
// them.

var (
	errUnauthorized = errors.New("mfahttp: no first factor")
	errStepUp       = errors.New("mfahttp: a fresh verification is needed")
	errNoFactor     = errors.New("mfahttp: no such factor")
	// errOnHold is an errStepUp that no step-up helps: a recovery has to wait.
	errOnHold = fmt.Errorf("%w: the replacement is on hold", errStepUp)
)

// begin begins a challenge for the user of the visit and keeps it in the session.
func (v *visit) begin(p string, s mfa.User) (*mfa.Challenge, error) {
	ch, err := v.ask(p, s)
	if err != nil {
		return nil, err
	}
	if ch.Next == mfa.NextDone {
		if p == purposeSignIn && !v.signedIn {
			v.prove(proof{}, "", false)
		}
		return ch, nil
	}
	c := &pending{
		Who: v.who(), User: [2]string{s.Tenant, s.ID}, SessionID: v.sessionID(),
		Purpose: p, Next: ch.Next, Challenge: ch,
		Kinds: ch.Kinds, Expires: ch.Expires,
	}
	v.keep(c)
	if ch.Next == mfa.NextEnroll {
		v.keepGrant(granted{Grant: ch.Grant, Expires: ch.Expires, Kinds: ch.Kinds})
	}
	return ch, nil
}

func optionsOf(list []mfa.Option) (options []option) {
	for _, o := range list {
		options = append(options, option{
			Kind: o.Kind, FactorID: o.FactorID, Name: o.Name,
			MaskedDestination: o.MaskedDestination,
			Default:           o.Default,
			Sends:             o.Sends, Polled: o.Polled,
			Recovery: o.Recovery, Disabled: o.Disabled,
			Asks:     o.Questions,
			Provable: o.Disabled && !o.Sends && !o.Recovery && !o.Knowledge,
		})
	}
	return options
}

// underWay returns the challenge of a purpose. A sign-in that has not begun is begun.
func (v *visit) underWay(p string) (c *pending, ok bool, err error) {
	if c, ok = v.pending(p); ok || p != purposeSignIn || v.signedIn {
		return c, ok, nil
	}
	c, err = v.signIn()
	return c, c != nil, err
}

// signIn returns the challenge of the sign-in under way, and begins one if there is none. It
// returns nil if nothing is asked; then the sign-in is complete.
func (v *visit) signIn() (*pending, error) {
	if c, ok := v.pending(purposeSignIn); ok {
		return v.refresh(c)
	}
	if _, err := v.begin(purposeSignIn, v.id.User); err != nil || v.signedIn {
		return nil, err
	}
	c, ok := v.pending(purposeSignIn)
	if !ok {
		return nil, mfa.ErrTokenExpired
	}
	return c, nil
}

// stepUp begins a challenge for a signed-in user. A user who has no factor to verify receives a
// grant to enrol one instead.
func (v *visit) stepUp(p string) (*pending, error) {
	if err := v.mustBeSignedIn(); err != nil {
		return nil, err
	}
	ch, err := v.begin(p, v.id.User)
	if p != purposeManage && errors.Is(err, mfa.ErrNotAvailable) {
		p = purposeManage
		ch, err = v.begin(p, v.id.User)
	}
	if err != nil {
		return nil, err
	}
	if c, ok := v.pending(p); ok && ch.Next != mfa.NextDone {
		return c, nil
	}
	return &pending{Purpose: p, Next: ch.Next, Expires: ch.Expires}, nil
}

// refresh restarts a sign-in that waited for an enrolment, if a link opened on another device has
// confirmed it. It only ever asks for more: a user who still has no factor keeps the present
// grant, so that a visit to the page does not prolong it.
func (v *visit) refresh(c *pending) (*pending, error) {
	if c.Next != mfa.NextEnroll {
		return c, nil
	}
	if c.Banned {
		if ok, err := v.hasAllowed(); !ok || err != nil {
			return c, err
		}
	}
	ch, err := v.ask(c.Purpose, v.id.User)
	switch {
	case errors.Is(err, mfa.ErrFirstFactorRequired): // there is still nothing
		return c, nil
	case err != nil || ch.Next != mfa.NextVerify:
		return c, err
	}
	v.drop(keyGrant)
	v.drop(keyEnrollments)
	if _, err := v.begin(c.Purpose, v.id.User); err != nil {
		return c, err
	}
	if fresh, ok := v.pending(c.Purpose); ok {
		return fresh, nil
	}
	return c, nil
}

// send sends a code. first says that it is sent once for the challenge.
func (v *visit) send(p string, kind, factorID string, first bool) (*mfa.Delivery, error) {
	c, ok := v.pending(p)
	if !ok || c.Next != mfa.NextVerify {
		return nil, v.absent(mfa.ErrTokenExpired)
	}
	send := v.handle(p).SendTo
	if first {
		send, c.Unasked = v.handle(p).SendFirst, true
		v.keep(c) // whatever comes of it, the page does not post by itself again
	}
	d, err := send(v.r.Context(), c.Challenge, mfa.Option{Kind: kind, FactorID: factorID})
	if err != nil {
		return nil, v.ended(c, err)
	}
	if c.Sent == nil {
		c.Sent = map[string]sent{}
	}
	data, err := v.shownData(kind, d)
	if err != nil {
		return nil, err
	}
	c.Sent[kind] = sent{MaskedDestination: d.MaskedDestination, FactorID: factorID,
		Expires: d.Expires, Data: data}
	v.keep(c)
	return d, nil
}

// maxShownData bounds what a page shows of a prompt: it lies in a cookie until then.
const maxShownData = 1024

// shownData returns the data of what was sent that the page of a described kind shows, or nil.
func (v *visit) shownData(kind string, d *mfa.Delivery) (json.RawMessage, error) {
	data := d.Prompt.Data
	switch {
	case !v.h.pages.Form(kind).Shows() || len(data) == 0:
		return nil, nil
	case len(data) > maxShownData || !json.Valid(data):
		return nil, fmt.Errorf("mfahttp: the Prompt.Data of the kind %s has %d bytes: "+
			"a page shows JSON of at most %d", kind, len(data), maxShownData)
	}
	return data, nil
}

// verify verifies a response. remember is a name for the device if the user asked to remember it.
func (v *visit) verify(p string, kind, code, remember string) (*mfa.Verification, error) {
	c, ok := v.pending(p)
	if !ok || c.Next != mfa.NextVerify {
		return nil, v.absent(mfa.ErrTokenExpired)
	}
	ver, err := v.handle(p).RememberDevice(remember).Verify(v.r.Context(), c.Challenge, kind,
		secret.New(code))
	var required *mfa.EnrollmentRequiredError
	switch {
	case errors.As(err, &required):
		v.mustEnroll(c, required)
		return nil, err
	case err != nil:
		v.unsend(c, kind, err)
		return nil, v.ended(c, err)
	}
	v.setDevice(v.id.User, ver.Device, ver.DeviceExpires)
	return ver, v.complete(ver, ver.Grant, v.recovers(ver))
}

// absent returns the error for a session that does not have the challenge or enrolment that the
// request names.
func (v *visit) absent(err error) error {
	if v.id.User.ID == "" {
		return errUnauthorized
	}
	return err
}

// ended drops a challenge that is over.
func (v *visit) ended(c *pending, err error) error {
	if errors.Is(err, mfa.ErrToken) || errors.Is(err, mfa.ErrTokenExpired) {
		v.drop(keyChallenge + string(c.Purpose))
	}
	return err
}

// complete reports a verification to the application, once, and keeps the grant and what was
// proven, for the session that goes on.
func (v *visit) complete(ver *mfa.Verification, g mfa.Grant, recovery bool) error {
	sessionID := v.sessionID()
	before := v.proof()
	grant := granted{Grant: g, Expires: ver.GrantExpires, Kinds: ver.EnrollKinds,
		Recovery: recovery || len(ver.EnrollKinds) > 0}
	v.drop(keyChallenge + string(ver.Purpose))
	v.drop(keyCurrent)
	if ver.Purpose == purposeRecover {
		// A recovery permits the enrolment of a replacement. It is no sign-in, and Verified is
		// not called for it.
		if err := v.renew(); err != nil {
			return err
		}
		v.keepGrant(grant)
		return nil
	}
	typed, _ := v.typed()
	if verified := v.h.cfg.Verified; verified != nil {
		renewed, err := verified(v.w, v.r, ver)
		if err != nil {
			return hookError("Verified", mfa.ErrUnavailable, err)
		}
		v.become(Identity{User: v.id.User, SessionID: cmp.Or(renewed, v.id.SessionID),
			SignedInAt: v.id.SignedInAt})
	}
	if v.id.SessionID == "" {
		return errNoSessionID
	}
	v.keepSessionID(sessionID)
	v.keepGrant(grant)
	v.keepTyped(typed.Kind, typed.Entered)
	v.prove(proof{At: ver.Time, By: ver.Kind, Level: ver.AssuranceLevel, ACR: ver.ACR,
		CodesDue: before != nil && before.CodesDue}, ver.Kind, recovery)
	return nil
}

// recovers reports whether the user verified a recovery kind.
func (v *visit) recovers(ver *mfa.Verification) bool {
	return v.h.cfg.Manager.Traits(ver.Kind).Recovery
}

// secrets keeps the text that a user typed from being printed on its way.
func secrets(params map[string]string) map[string]secret.Text {
	out := make(map[string]secret.Text, len(params))
	for name, text := range params {
		out[name] = secret.New(text)
	}
	return out
}

// enroll starts an enrolment. The id is "" if it is complete already.
func (v *visit) enroll(
	kind, name, password string, params map[string]string,
) (string, *mfa.Enrollment, error) {
	g, err := v.grant()
	if err != nil {
		return "", nil, err
	}
	if err := v.password(kind, password); err != nil {
		return "", nil, err
	}
	e, err := v.handle(purposeManage).Enroll(v.r.Context(), g,
		mfa.EnrollRequest{Kind: kind, Name: name, Params: secrets(params)})
	if err != nil {
		return "", nil, v.refused(err)
	}
	if e.Confirmed != nil {
		return "", e, v.confirmed(e.Confirmed)
	}
	return v.keepBegun(e, enrollment{Name: name}), e, nil
}

// keepBegun keeps what has begun with e, and returns its new ID.
func (v *visit) keepBegun(e *mfa.Enrollment, kept enrollment) string {
	kept.ID, kept.Who, kept.Token, kept.Kind = rand.Text(), v.who(), e, e.Kind
	kept.MaskedDestination = e.Prompt.MaskedDestination
	kept.Expires, kept.CodeExpires = e.Expires, e.CodeExpires
	kept.Forced, kept.Polled = !v.signedIn, e.Polled
	v.keepEnrollment(kept)
	return kept.ID
}

func (v *visit) resend(id string) (enrollment, *mfa.Delivery, error) {
	e, ok := v.enrollment(id)
	if !ok {
		return e, nil, v.absent(mfa.ErrTokenExpired)
	}
	d, err := v.handle(purposeManage).Resend(v.r.Context(), e.Token)
	if err != nil {
		return e, nil, err
	}
	e.CodeExpires = d.Expires
	if d.MaskedDestination != "" {
		e.MaskedDestination = d.MaskedDestination
	}
	if e.Data, err = v.shownData(e.Kind, d); err != nil {
		return e, nil, err
	}
	v.keepEnrollment(e)
	return e, d, nil
}

func (v *visit) confirm(id, code string) (*mfa.Confirmation, error) {
	e, ok := v.enrollment(id)
	if !ok || e.Address != "" {
		return nil, v.absent(mfa.ErrTokenExpired)
	}
	conf, err := v.handle(purposeManage).Confirm(v.r.Context(), e.Token, secret.New(code))
	if err != nil {
		v.unsendEnrollment(e, err)
		if errors.Is(err, mfa.ErrToken) || errors.Is(err, mfa.ErrTokenExpired) {
			v.dropEnrollment(id)
		}
		return nil, err
	}
	v.dropEnrollment(id)
	return conf, v.confirmed(conf)
}

func (v *visit) confirmed(c *mfa.Confirmation) error {
	if c.Verification != nil {
		g := c.Grant
		if g.IsZero() {
			g = c.Verification.Grant
		}
		return v.complete(c.Verification, g, v.recovers(c.Verification))
	}
	v.replaceGrant(c.Grant, c.GrantExpires)
	if p := v.proof(); p != nil && !c.Factor.Recovery {
		v.prove(*p, c.Factor.Kind, false)
	}
	return nil
}

// mustBeSignedIn returns an error unless the user is signed in, which seeing and changing factors
// requires.
func (v *visit) mustBeSignedIn() error {
	switch {
	case v.id.User.ID == "":
		return errUnauthorized
	case !v.signedIn:
		return mfa.ErrForbidden
	}
	return nil
}
