package mfahttp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
	"github.com/secondgate/secondgate/secret"
)

// kindAccess is the kind of the access code that an administrator creates for a user.
const kindAccess = "access"

// keySetup holds the user for whom a recovery link was opened in this session.
const keySetup = "secondgate.setup"

// replacing is a user who opened a recovery link and has passed no first factor in this session.
// The user may only prove a recovery and enrol a replacement.
type replacing struct {
	ID, Tenant, UserType string
	Expires              time.Time
	// Browser is a digest of the value of recoveryCookie.
	Browser []byte
}

// recoveryCookie ties a recovery to the browser that opened its link. An attacker who planted the
// session ID in that browser knows the session ID and not this cookie.
const recoveryCookie browserCookie = "recovery"

// recoveryBy is the identity of a user who recovers, in the browser that opened the link. The
// browser takes the place of a session of the application.
func (v *visit) recoveryBy(user mfa.User, browser string) Identity {
	return Identity{User: user, SessionID: "recovery " + browser, SignedInAt: v.id.SignedInAt}
}

// recover makes the visit one of a recovery.
func (v *visit) recover(id Identity) {
	v.become(id)
	v.replacing = true
}

// recoveryBrowser returns the value of recoveryCookie, or "".
func (v *visit) recoveryBrowser() string {
	if value := recoveryCookie.of(v); len(value) == browserLen {
		return value
	}
	return ""
}

// inItsBrowser reports whether the request comes from the browser that opened the link.
func (v *visit) inItsBrowser(s replacing) bool {
	sum := sha256.Sum256([]byte(v.recoveryBrowser()))
	return subtle.ConstantTimeCompare(sum[:], s.Browser) == 1
}

// renew asks the application to give the session a new ID, and restores the values that a newly
// created session has lost.
func (v *visit) renew() error {
	if v.h.cfg.Renew == nil {
		return nil
	}
	for _, key := range []string{keySession, keySetup, keyChallenge + purposeRecover, keyCurrent} {
		if value := v.raw(key); len(value) > 0 {
			v.change(key, value) // what is changed is written after Renew
		}
	}
	if err := v.h.cfg.Renew(v.w, v.r); err != nil {
		return hookError("Renew", mfa.ErrUnavailable, err)
	}
	return nil
}

// recovery returns the recovery that was begun in this session. The brand of the pages for a
// visitor stays that of the user whom the link was sent to.
func (v *visit) recovery() (s replacing, ok bool) {
	ok = v.get(keySetup, &s)
	if ok && v.visitor == (policy.Scope{}) {
		v.visitor = policy.Scope{Tenant: s.Tenant, UserType: s.UserType}
	}
	return s, ok
}

// adopt sets the visit's user to the one who replaces a lost factor, if the session has opened a
// recovery link and no other user is signed in with it.
func (v *visit) adopt() {
	s, ok := v.recovery()
	if !ok || v.signedIn || s.ID == "" || !v.now.Before(s.Expires) || !v.inItsBrowser(s) {
		return
	}
	user := mfa.User{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType}
	if v.id.User.ID != "" {
		if subjectKey(v.id.User) != subjectKey(user) {
			return
		}
		user = v.id.User
	}
	v.recover(v.recoveryBy(user, v.recoveryBrowser()))
}

// either registers a route for pages that also serve a user who replaces a lost factor.
func (h *Handler) either(method, path string, do action) { h.serve(method, path, true, do) }

func pageLost(v *visit) error {
	if v.id.User.ID == "" {
		return v.redirect(v.h.cfg.LoginURL)
	}
	c, ok, err := v.underWay(v.current())
	switch {
	case err != nil:
		return err
	case v.signedIn:
		return v.redirect(v.at("factors"))
	case !ok:
		return mfa.ErrTokenExpired
	case c.Next != mfa.NextVerify:
		return v.redirect(v.at(""))
	}
	n, e := v.takeNotice(), v.takeEnded(v.lostForm())
	if n == nil && e.Values != nil {
		n = &notice{Remaining: -1, Entered: entered(e.Values, []string{"message"}, maxEnded)}
	}
	return v.showLost(http.StatusOK, c, n)
}

// lostDone responds to a request on the page about lost factors.
func (v *visit) lostDone(err error, note string) error {
	switch {
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		return err
	case err != nil:
		v.noteError("", err, nil)
	default:
		v.note(notice{Code: note, Remaining: -1})
	}
	return v.redirect(v.at("lost"))
}

// lostChallenge returns the challenge of a user who has lost a factor, if the requested recovery
// is offered.
func (v *visit) lostChallenge(offered bool) (*pending, error) {
	if v.id.User.ID == "" {
		return nil, errUnauthorized
	}
	c, ok := v.pending(v.current())
	switch {
	case !ok, v.signedIn, c.Next != mfa.NextVerify:
		return nil, mfa.ErrTokenExpired
	case !offered:
		return nil, mfa.ErrNotAvailable
	}
	return c, nil
}

func (v *visit) sendSetupLink(c *pending) error {
	_, err := v.handle(c.Purpose).SendRecoveryLink(v.r.Context(), c.Challenge)
	return err
}

func (v *visit) requestSupport(c *pending, message string) error {
	from, _, err := net.SplitHostPort(v.r.RemoteAddr)
	if err != nil || len(from) > 64 {
		from = ""
	}
	return v.handle(c.Purpose).RequestSupport(v.r.Context(), c.Challenge,
		report.Case{From: from, Message: message})
}

func postLostLink(v *visit) error {
	if _, err := v.form(); err != nil {
		return err
	}
	c, err := v.lostChallenge(v.h.cfg.SetupLinks && !v.replacing)
	if err != nil {
		return err
	}
	return v.lostDone(v.sendSetupLink(c), noteLinkSent)
}

func postLostSupport(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	c, err := v.lostChallenge(v.h.cfg.Support)
	if err != nil {
		return err
	}
	err = v.requestSupport(c, f.Get("message"))
	if err == nil || errors.Is(err, mfa.ErrToken) || errors.Is(err, mfa.ErrTokenExpired) {
		return v.lostDone(err, noteSupport)
	}
	n := v.noticeOf("", err, nil) // the message is not lost
	n.Entered = entered(f, []string{"message"}, maxBody)
	return v.showLost(refusedStatus(err), c, &n)
}

// pageSetup shows a button. Mail programs and scanners open links before users do; they do not
// post.
func pageSetup(v *visit) error {
	token := v.r.URL.Query().Get("token")
	if token == "" || len(token) > maxURL*2 {
		return mfa.ErrToken
	}
	if err := v.readLinkLook(token); err != nil {
		return err
	}
	if _, err := v.h.cfg.Manager.RecoveryUser(secret.New(token)); err != nil {
		return err
	}
	return v.page(http.StatusOK, ui.Setup{Frame: v.frame(nil), Token: token})
}

func postSetup(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	if err := v.readLinkLook(f.Get("token")); err != nil {
		return err
	}
	c, err := v.openSetup(secret.New(f.Get("token")))
	switch {
	case errors.Is(err, errSignedIn):
		return v.redirect(v.at("factors"))
	case err != nil:
		return err
	case c.Next == mfa.NextEnroll:
		return v.redirect(v.at("enroll"))
	case len(c.Options) == 0:
		return v.redirect(v.at("lost"))
	}
	return v.redirect(v.at("verify", "purpose", purposeRecover))
}

// errSignedIn is returned for a signed-in user, who changes factors in the security settings. The
// link stays valid.
var errSignedIn = fmt.Errorf("mfahttp: signed in already: %w", mfa.ErrNotAvailable)

// openSetup opens a set-up link in this session.
func (v *visit) openSetup(token secret.Text) (*pending, error) {
	user, err := v.h.cfg.Manager.RecoveryUser(token)
	if err != nil {
		return nil, err
	}
	switch {
	case v.id.User.ID != "" && subjectKey(v.id.User) != subjectKey(user):
		// Another user is signed in in this browser. The link stays valid.
		return nil, mfa.ErrForbidden
	case v.signedIn:
		return nil, errSignedIn
	}
	// An invalid or expired link changes nothing in this browser's session.
	browser := rand.Text()
	if v.id.User.ID != "" {
		user = v.id.User
	}
	recovery := v.recoveryBy(user, browser)
	ch, err := v.h.cfg.Manager.Session(user, recovery.sessionHash()).Recovery().OpenRecoveryLink(
		v.r.Context(), token)
	if err != nil {
		return nil, err
	}
	v.forget()
	until := ch.Expires
	if ch.Next == mfa.NextVerify {
		until = until.Add(30 * time.Minute) // the proof, and the enrolment after it
	}
	v.recover(recovery)
	sum := sha256.Sum256([]byte(browser))
	v.put(keySetup, replacing{ID: user.ID, Tenant: user.Tenant, UserType: user.UserType,
		Expires: until, Browser: sum[:]})
	if err := v.renew(); err != nil {
		return nil, err
	}
	recoveryCookie.set(v, browser, v.secondsTo(until))
	c := &pending{Who: v.who(), User: [2]string{user.Tenant, user.ID}, Purpose: purposeRecover,
		Next: ch.Next, Challenge: ch,
		Kinds: ch.Kinds, Expires: ch.Expires,
		Options: optionsOf(ch.Options)}
	v.keep(c)
	if ch.Next == mfa.NextEnroll {
		v.keepGrant(granted{Grant: ch.Grant, Expires: ch.Expires, Kinds: ch.Kinds})
	}
	return c, nil
}

// replaced ends the enrolment of a replacement: the user signs in with it. What remains names no
// user, and gives the pages that follow their brand.
func (v *visit) replaced() {
	v.put(keySetup, replacing{Tenant: v.id.User.Tenant, UserType: v.id.User.UserType})
	if v.scope() == (policy.Scope{}) {
		v.drop(keySetup)
	}
	v.drop(keyGrant)
	v.drop(keyChallenge + purposeRecover)
	recoveryCookie.set(v, "", -1)
}

// pageSetupDone says that a replacement is set up. The query has when it begins to sign in, since
// the session has forgotten its user.
func pageSetupDone(v *visit) error {
	until, err := time.Parse(time.RFC3339, v.r.URL.Query().Get("until"))
	if err != nil {
		until = time.Time{}
	}
	return v.page(http.StatusOK, ui.Setup{Frame: v.frame(nil), Until: until})
}

// postUnlock accepts one of the consecutive correct responses that enable a disabled kind.
func postUnlock(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	back, kind := returnTo(f), f.Get("kind")
	p := v.pagePurpose(f)
	c, ok := v.pending(p)
	switch {
	case v.id.User.ID == "":
		return v.redirect(v.h.cfg.LoginURL)
	case !ok || c.Next != mfa.NextVerify:
		return mfa.ErrTokenExpired
	case len(kind) > maxKind:
		return malformed("kind is too long")
	}
	left, err := v.proveUnlock(c, kind, f.Get("code"))
	switch {
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		return err
	case err != nil:
		v.noteError(kind, err, nil)
	case left > 0:
		v.note(notice{Code: noteProof, Kind: kind, Remaining: left})
	default:
		v.note(notice{Code: noteUnlocked, Kind: kind, Remaining: -1})
	}
	return v.redirect(v.verifyURL(f, kind, back))
}

// proveUnlock returns how many correct responses remain; at 0 the kind is enabled again.
func (v *visit) proveUnlock(c *pending, kind, code string) (left int, err error) {
	left, err = v.handle(c.Purpose).UnlockByProof(v.r.Context(), c.Challenge, kind,
		secret.New(code))
	if err != nil {
		return 0, v.ended(c, err)
	}
	if left == 0 {
		c.Enabled = append(c.Enabled, kind)
		v.keep(c)
	}
	return left, nil
}
