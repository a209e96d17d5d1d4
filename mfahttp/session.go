package mfahttp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// The keys under which the application's session keeps the Handler's values. No token, grant or
// session ID is ever in a page or a response: a page shows texts for the user, and the session
// holds the rest.
const (
	keySession     = "secondgate.session"
	keyChallenge   = "secondgate.challenge." // + purpose
	keyCurrent     = "secondgate.current"    // purpose begun last
	keyGrant       = "secondgate.grant"
	keyEnrollments = "secondgate.enrollments"
	keyNotice      = "secondgate.notice"
	keyShown       = "secondgate.shown"
	keyProof       = "secondgate.proof"
	keyTyped       = "secondgate.typed"
	keyPassword    = "secondgate.password" // when it was given
)

// stateKeys are all of them.
var stateKeys = []string{keySession, keyCurrent, keyGrant, keyEnrollments, keyNotice, keyShown,
	keyProof, keyTyped, keyPassword, keySetup, keyChallenge + purposeSignIn,
	keyChallenge + purposeStepUp, keyChallenge + purposeManage, keyChallenge + purposeRecover}

// The purposes of challenges. A session may have one challenge for each, so that two tabs with
// different purposes do not disturb each other.
const (
	purposeSignIn  = "sign-in"
	purposeStepUp  = "step-up"
	purposeManage  = "manage"
	purposeRecover = "replace"
)

// handle is the Manager's handle for the user and the session of the visit, for a purpose.
func (v *visit) handle(purpose string) mfa.Session { return v.handleFor(v.id.User, purpose) }

// handleFor returns a handle for a user. Messages to a user who has signed in completely, and whose
// language the application does not know, are in the language of the pages. An attacker who knows
// the password alone does not choose the language of the notices that warn of them.
func (v *visit) handleFor(user mfa.User, purpose string) mfa.Session {
	if user.Locale == "" && v.signedIn {
		user.Locale = v.lang()
	}
	s := v.h.cfg.Manager.Session(user, v.sessionID())
	switch purpose {
	case purposeStepUp:
		return s.StepUp()
	case purposeManage:
		return s.ManageFactors()
	case purposeRecover:
		return s.Recovery()
	}
	return s
}

// maxEnrollments limits how many enrolments of one session may wait to be confirmed. A new one
// replaces the oldest.
const maxEnrollments = 4

// pending is a challenge that has been begun.
type pending struct {
	Who string
	// User is the tenant and the ID, and SessionID that of the challenge, for Ended.
	User      [2]string
	SessionID string
	Purpose   string
	Next      mfa.Next
	// Challenge is nil for a user who must enrol after a correct response.
	Challenge *mfa.Challenge  `json:",omitempty"`
	Kinds     []string        `json:",omitempty"`
	Expires   time.Time       `json:",omitzero"`
	Sent      map[string]sent `json:",omitempty"` // by kind
	// Enabled are the kinds that the user has enabled again since the challenge was begun.
	Enabled []string `json:",omitempty"`
	// Banned is true if the user has proven a factor of a kind that the policy no longer allows.
	Banned bool `json:",omitempty"`
	// Unasked is true once a code was to be sent without the user asking for it.
	Unasked bool `json:",omitempty"`
	// Added are options that the user has received since the challenge was begun.
	Added []option `json:",omitempty"`
	// Options are those of the challenge, which says them itself, and those added.
	Options []option `json:"-"`
}

// option is a mfa.Option as the API returns it.
type option struct {
	Kind              string `json:"kind"`
	FactorID          string `json:"factor,omitempty"`
	Name              string `json:"name,omitempty"`
	MaskedDestination string `json:"hint,omitempty"`
	Default           bool   `json:"default"`
	Sends             bool   `json:"sends"`
	Polled            bool   `json:"polled,omitempty"`
	Recovery          bool   `json:"recovery"`
	Disabled          bool   `json:"stopped,omitempty"`
	// Provable is true if consecutive correct responses enable the disabled kind.
	Provable bool `json:"provable,omitempty"`
	// Asks are the questions to respond to, one on each line of the response.
	Asks []string `json:"asks,omitempty"`
}

// sent describes a code that was sent, for the pages.
type sent struct {
	MaskedDestination string `json:",omitempty"`
	FactorID          string `json:",omitempty"`
	Expires           time.Time
	// Data is the prompt's, for a kind that shows it on the page for the response.
	Data json.RawMessage `json:",omitempty"`
}

// granted is the grant of the session.
type granted struct {
	Who     string
	Grant   mfa.Grant
	Expires time.Time
	// Kinds are the kinds that the grant lets the user enrol, if it is limited to some.
	Kinds []string `json:",omitempty"`
	// Recovery is true if a recovery was proven, and no factor of the user's own.
	Recovery bool `json:",omitempty"`
	// Setup is true if the grant belongs to the browser that opened a recovery link, and to no
	// other.
	Setup bool `json:",omitempty"`
}

// enrollment is an enrolment that waits to be confirmed. ID is random and stands for the
// token outside.
type enrollment struct {
	ID                string
	Who               string
	Token             *mfa.Enrollment
	Kind              string
	Name              string    `json:",omitempty"`
	MaskedDestination string    `json:",omitempty"`
	Expires           time.Time `json:",omitzero"`
	CodeExpires       time.Time `json:",omitzero"`
	Forced            bool      `json:",omitempty"` // by a sign-in
	Polled            bool      `json:",omitempty"` // approved on another device
	// Address is the new one of a change of the user's address of record.
	Address string `json:",omitempty"`
	// Data is that of the prompt of the last code, in place of the enrolment's own.
	Data json.RawMessage `json:",omitempty"`
}

// subjectKey distinguishes users. Values that a session keeps for one user are ignored for
// another, even if the application hands a session over without ending it.
func subjectKey(s mfa.User) string { return s.Tenant + "\x00" + s.ID }

// owner distinguishes users, and the sessions of a user.
func (id Identity) owner() string { return subjectKey(id.User) + "\x00" + id.SessionID }

// sessionHash returns the session ID for the Manager's tokens. It is a hash, because an application
// may take the secret of its session for the ID.
func (id Identity) sessionHash() string {
	sum := sha256.Sum256([]byte("mfahttp session\x00" + id.owner()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// tokenSession is the session ID of tokens that were issued before the session had its present ID.
type tokenSession struct{ Who, ID string }

// visit is one request and the user who makes it.
type visit struct {
	h   *Handler
	w   http.ResponseWriter
	r   *http.Request
	id  Identity
	now time.Time
	// signedIn is true once the sign-in is complete, with both factors or with as many as the
	// policy requires.
	signedIn bool
	state    state
	cookies  map[string]string // of the request by name; nil: not read yet
	look     *look             // nil: not read yet
	// visitor is whose brand the pages have for a visitor.
	visitor policy.Scope
	// replacing is true if the user opened a recovery link in this browser.
	replacing bool
	// signals is true after a sign-in by passkey, whose next page hands the browser the user's
	// passkeys.
	signals bool
}

// who returns a short digest of the user and the session, for values to name whose they are.
func (v *visit) who() string {
	sum := sha256.Sum256([]byte(v.id.owner()))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// sessionID returns the session ID that ties the Manager's tokens to this user in this session.
func (v *visit) sessionID() string {
	var s tokenSession
	if v.get(keySession, &s) && s.Who == v.who() {
		return s.ID
	}
	return v.id.sessionHash()
}

// keepSessionID keeps the session ID that the tokens of the visit were issued for, if the visit
// now has another one.
func (v *visit) keepSessionID(id string) {
	if id == v.id.sessionHash() {
		v.drop(keySession)
		return
	}
	v.put(keySession, tokenSession{Who: v.who(), ID: id})
}

// forget drops every value of the Handler, so that a sign-in that begins keeps nothing of an
// earlier one.
func (v *visit) forget() {
	for _, key := range stateKeys {
		v.drop(key)
	}
}

// pending returns the live challenge of the purpose that belongs to this user.
func (v *visit) pending(p string) (*pending, bool) {
	var c pending
	if !v.get(keyChallenge+p, &c) || c.Who != v.who() || c.Purpose != p ||
		!v.now.Before(c.Expires) {
		return nil, false
	}
	if c.Challenge != nil {
		if v.handle(p).RestoreChallenge(c.Challenge) != nil {
			return nil, false
		}
		c.Options = append(optionsOf(c.Challenge.Options), c.Added...)
		for i, o := range c.Options {
			c.Options[i].Disabled = o.Disabled && !slices.Contains(c.Enabled, o.Kind)
		}
	}
	return &c, true
}

func (v *visit) keep(c *pending) {
	v.put(keyChallenge+c.Purpose, c)
	if c.Purpose == purposeSignIn { // which current knows by itself
		v.drop(keyCurrent)
		return
	}
	v.put(keyCurrent, c.Purpose)
}

// current returns the purpose for a response that names none.
func (v *visit) current() string {
	if v.replacing {
		return purposeRecover
	}
	if !v.signedIn {
		return purposeSignIn
	}
	var p string
	if v.get(keyCurrent, &p) && p != purposeSignIn {
		return p
	}
	return purposeManage
}

// keepGrant keeps a grant for the user and the browser of the visit.
func (v *visit) keepGrant(g granted) {
	if !g.Grant.IsZero() {
		g.Who, g.Setup = v.who(), v.replacing
		v.put(keyGrant, g)
	}
}

// replaceGrant keeps the grant that an enrolment returned in place of the one that opened it,
// and with the same limits: it is worth no more.
func (v *visit) replaceGrant(token mfa.Grant, expires time.Time) {
	g, _ := v.granted()
	g.Grant, g.Expires = token, expires
	v.keepGrant(g)
}

// granted returns the grant of the session, live or not.
func (v *visit) granted() (granted, bool) {
	var g granted
	if !v.get(keyGrant, &g) || g.Who != v.who() || g.Setup != v.replacing {
		return granted{}, false
	}
	return g, true
}

// limited reports whether the session was proven by a recovery, which cannot create recovery
// codes.
func (v *visit) limited() bool {
	g, _ := v.granted()
	return g.Recovery
}

// kinds returns those of list that the session's grant lets the user enrol.
func (v *visit) kinds(list []string) []string {
	g, _ := v.granted()
	if len(g.Kinds) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(k string) bool {
		return !slices.Contains(g.Kinds, k)
	})
}

func (v *visit) liveGrant() (mfa.Grant, bool) {
	g, ok := v.granted()
	if !ok || g.Grant.IsZero() || !v.now.Before(g.Expires) {
		return mfa.Grant{}, false
	}
	return g.Grant, true
}

func (v *visit) enrollments() []enrollment {
	var all []enrollment
	if !v.get(keyEnrollments, &all) {
		return nil
	}
	live := all[:0]
	for _, e := range all {
		if e.Who == v.who() && v.now.Before(e.Expires) {
			live = append(live, e)
		}
	}
	return live
}

func (v *visit) keepEnrollment(e enrollment) {
	live := v.enrollments()
	for i := range live {
		if live[i].ID == e.ID {
			live[i] = e
			v.put(keyEnrollments, live)
			return
		}
	}
	if len(live) >= maxEnrollments {
		live = live[len(live)-maxEnrollments+1:]
	}
	v.put(keyEnrollments, append(live, e))
}

func (v *visit) enrollment(id string) (enrollment, bool) {
	for _, e := range v.enrollments() {
		if e.ID == id {
			return e, true
		}
	}
	return enrollment{}, false
}

func (v *visit) dropEnrollment(id string) {
	var rest []enrollment
	for _, e := range v.enrollments() {
		if e.ID != id {
			rest = append(rest, e)
		}
	}
	if len(rest) == 0 {
		v.drop(keyEnrollments)
		return
	}
	v.put(keyEnrollments, rest)
}
