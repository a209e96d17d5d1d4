package ui

import (
	"html/template"
	"slices"
	"time"
)

// Frame is what every page has.
type Frame struct {
	// Lang is a tag that [Renderer.Locale] returned. Others show English.
	Lang string
	// Base is where the Handler is mounted, with a slash at both ends. Paths in the comments
	// below are under it. Forms post only there.
	Base    string
	Product string
	// Logo is the path of an image in place of the shield, or "".
	Logo string
	// Colours is the path of the stylesheet of the accent colours, or "": see [Renderer.Colours].
	Colours string
	// SignedIn makes pages wide, shows Account in the header, and offers to sign out.
	SignedIn bool
	// SigningIn is true for a user who has passed the first factor alone. The page then offers to
	// sign in with another account.
	SigningIn bool
	// Account is the name of the user's account, or "".
	Account     string
	Home, Login string // URLs of the application
	Now         time.Time
	Notice      *Notice // nil: nothing to say
	// Nav is the application's navigation, on the pages of a signed-in user.
	Nav template.HTML
	// SessionEnds is how many seconds later the application's session ends; 0: it does not say.
	// ExtendReturn is the URL of the page if the session can have more time, or "". Form: POST
	// extend {return}.
	SessionEnds  int
	ExtendReturn string
	// Keep is the value of the input "keep" of the page's form, or "". A form that has the input
	// shows again what was typed when the session has ended meanwhile.
	Keep string
}

func (f Frame) frame() Frame { return f }

// Notice is the result of the request before. Code is an error code of the API or, after a
// success, "sent", "request_sent", "added", "removed", "renamed" or "recovered". It is "" if there
// is nothing to say, and only Entered. Codes without a text say that something went wrong. An
// error that belongs to a field is shown there.
type Notice struct {
	Code      string
	Reason    string // of "malformed": a factor.Problem's
	Kind      string
	Remaining int               // attempts or recovery codes remaining; -1: does not apply
	Field     string            // of "malformed": what the Kind's own form found
	Until     time.Time         // end of a lock, or when to send again
	Entered   map[string]string // what was typed before, to be typed no second time
	Data      string            // JSON for passkey.js: the passkey that was removed
}

// Option is one way to respond.
type Option struct {
	Kind, FactorID, Name, MaskedDestination string
	Sends                                   bool // a code must be sent first
	Recovery                                bool
	Disabled                                bool
	// Provable is true if correct responses in a row enable the kind again.
	Provable  bool
	Questions []string // a field for each
}

// Verify asks for a response: the choice of a method and the field for it, or the message that
// the user is locked or the kind is disabled. Forms: POST verify {kind, code, purpose, return},
// POST send {kind, factor, purpose, return}, POST unlock {kind, code, purpose, return}, POST
// sign-out. Links: GET verify?kind&purpose&return, GET lost.
type Verify struct {
	Frame
	Purpose          string // "" for a sign-in
	Return           string
	Option           Option   // the one chosen
	Others           []Option // all but that
	Sent             bool     // a code was sent and is still valid
	Waits            bool     // what was sent is approved elsewhere, and nothing is typed
	SentTo           string   // masked
	Data             string   // JSON of what was sent, for the kind's own part of the page
	Locked           bool
	Until            time.Time // of the lock
	SecondsRemaining int       // of the lock, or of the code
	Remember         int       // days for which the device may be remembered, 0: not
	// SendNow is true if the form for a code is posted by itself; it then has the input "unasked".
	SendNow bool
	Lost    bool // there is a page with help
	// Ends are the seconds until the page can no longer be submitted, 0 if that is not known. A
	// link with more=1 begins again, in the last two minutes.
	Ends int
}

func (Verify) name() string { return "verify" }

// Usable reports whether there is another way that is not disabled.
func (v Verify) Usable() bool {
	return slices.ContainsFunc(v.Others, func(o Option) bool { return !o.Disabled })
}

// Choose lists what may be enrolled. Links: GET enroll/{kind}?return, GET recovery-codes; for
// Direct kinds the form POST enroll/{kind} {return}. With Later the form POST later {return}.
type Choose struct {
	Frame
	Kinds    []Choice
	Recovery bool // recovery codes can be made
	// Questions is true if security questions can be set up.
	Questions bool
	Forced    bool // by a sign-in
	Replacing bool // by a recovery, which has something to replace
	Return    string
	Later     *Later // the user may sign in without; nil: not
}

// Later says how long a user may still sign in without a method.
type Later struct {
	Until time.Time // zero: no day ends it
	Times int       // how many more times; 0: as often as they want
}

func (Choose) name() string { return "choose" }

// Choice is a kind that may be enrolled.
type Choice struct {
	Kind   string
	Have   bool // the user has one already
	Direct bool // nothing is asked before the enrolment begins
}

// Enroll asks for what an enrolment needs. Form: POST enroll/{kind} {name, address | number,
// region | pin, pin2 | question1, answer1, …, password, return}.
type Enroll struct {
	Frame
	Kind      string
	Change    bool // it takes the place of the one that the user has
	Password  bool // the current password is asked
	Countries []Country
	Questions []string // suggested
	SetUp     bool     // it is a part of the set-up, which the user may skip
	Return    string
}

func (Enroll) name() string { return "enroll" }

// Country is a choice beside the field for a phone number.
type Country struct {
	Region, Name string
	CallingCode  string // without a plus sign
}

// Enrollment shows a pending enrolment. Forms: POST enrollments/{ID} {code, name, return},
// POST enrollments/{ID}/resend {return}, POST enrollments/{ID}/elsewhere {return}.
type Enrollment struct {
	Frame
	ID, Kind, Name, MaskedDestination string
	// Secret is the key of an authenticator app, URI its otpauth URI and QR that as an
	// element of HTML, which is put into the page as it is. All empty: they can be shown no more.
	Secret, URI string
	QR          template.HTML
	// Data is JSON for passkey.js, the options to create a passkey with, or for the kind's own
	// part of the page.
	Data             string
	Sent             bool
	Waits            bool // what was sent is approved elsewhere, and nothing is typed
	Elsewhere        bool // a link for another device can be mailed
	SecondsRemaining int  // of the code that was sent; 0: it is over
	Ends             int  // seconds until the enrolment expires; 0: not known
	Return           string
}

func (Enrollment) name() string { return "enrollment" }

// Factors is the security settings. Forms: POST factors/{id}/rename {name}. Links: GET
// factors/{id}/remove, GET enroll, GET recovery-codes.
type Factors struct {
	Frame
	Factors                []Factor
	RecoveryCodesRemaining int
	// RecoveryAdvice is "none", "few" or "unsaved" if the user should see to recovery codes.
	RecoveryAdvice string
	HasRecovery    bool // there are recovery codes in this application
	CanEnroll      bool
	// a factor is required from then on, and there is none; or zero
	EnrollBy         time.Time
	Locked           bool
	Until            time.Time
	SecondsRemaining int // of the lock
	Devices          []Device
	HasQuestions     bool // there are security questions in this application
	// Passkeys is JSON about the user's passkeys, for the browser, or empty.
	Passkeys string
	// Above and Below are parts of the application's own.
	Above, Below template.HTML
	// History is what happened to the account, the latest first; none if the application keeps no
	// history. MoreHistory is true if there is more, at factors?history=all. HistoryFailed is true
	// if it could not be read.
	History       []Event
	MoreHistory   bool
	HistoryFailed bool
}

func (Factors) name() string { return "factors" }

// Device is a remembered device. Form: POST devices/{ID}/forget, with "all" for all of them.
type Device struct {
	ID, Name                   string
	Created, LastUsed, Expires time.Time // LastUsed zero: never
}

// Lost helps a user who cannot get a code, or has lost their device: first what to try with the
// kind that they had in front of them, then their other ways, then a recovery. Forms: POST
// lost/link, POST lost/support {message}, POST send {kind, factor}. Links: GET verify?kind.
type Lost struct {
	Frame
	Kind          string
	Others        []Option // ways of the user that are not disabled
	Recovery      []Option
	Link, Support bool
	// AsksQuestions is true if the user responds to security questions after the link.
	AsksQuestions bool
}

// Recovers reports whether the page offers a recovery.
func (l Lost) Recovers() bool { return len(l.Recovery) > 0 || l.Link || l.Support }

func (Lost) name() string { return "lost" }

// Setup asks to begin setting up a new device, or says that it is set up. Form: POST setup
// {token}.
type Setup struct {
	Frame
	Token string // empty: it is done
	// Until is when the replacement that was set up begins to sign in, or zero: it does already.
	Until time.Time
}

func (s Setup) name() string {
	if s.Token == "" {
		return "setupdone"
	}
	return "setup"
}

// Factor is one of the user's factors. One without an ID cannot be changed, because the
// application vouches for it.
type Factor struct {
	ID, Kind, Name, MaskedDestination string
	Created, LastUsed                 time.Time // zero: unknown, never
	Recovery, Disabled                bool
	// Outdated is true for one that has changed since the user added it, and cannot sign in.
	Outdated bool
	// Renew is true for one that was imported and is weaker than a new one, which takes its place.
	Renew bool
	// Implied is true for the address of the account, which nobody enrolled. Off says that it is
	// turned off, and CanTurnOff that it can be.
	Implied, Off, CanTurnOff bool
	// Preferred is true for the kind that the user is asked for first, and CanPrefer if the user
	// can choose that.
	Preferred, CanPrefer bool
	// Change is true if a new one takes the place of this one, such as another PIN.
	Change bool
	// HeldUntil is the end of the hold of a replacement that a recovery enrolled; or zero.
	HeldUntil time.Time
	// Kept is where a passkey is: "synced" between devices, or in one "device". Empty: no passkey.
	Kept string
	// Provider is what keeps a passkey, such as a password manager, or empty if it is not known.
	// The icons are for light and dark backgrounds, and either may be empty.
	Provider            string
	IconLight, IconDark template.URL
}

// Held says whether the factor is on hold.
func (f Factor) Held(now time.Time) bool { return now.Before(f.HeldUntil) }

// Remove asks whether a factor shall be removed. Form: POST factors/{id}/remove {password}.
type Remove struct {
	Frame
	Factor   Factor
	Password bool // the current password is asked
}

func (Remove) name() string { return "remove" }

// Recovery shows new codes once, or offers to make them. Forms: POST recovery-codes {password,
// return}, POST recovery-codes/saved {set, saved, return}, with the button {skip} where Skip is
// true.
type Recovery struct {
	Frame
	Remaining int
	Codes     []string
	Set       string // the ID of the codes that remain
	Unsaved   bool   // they were shown, and the user has not said that they are saved
	Skip      bool   // the user may go on without
	Password  bool   // the current password is asked
	Return    string
}

func (Recovery) name() string { return "recovery" }

// Link asks to confirm an address, or says that it is confirmed. Form: POST confirm {token}.
type Link struct {
	Frame
	Token string // empty: it is confirmed
}

func (l Link) name() string {
	if l.Token == "" {
		return "confirmed"
	}
	return "link"
}

// Continue goes on to To by itself. With Passkeys, which is JSON about the user's passkeys, its
// script hands them to the browser before.
type Continue struct {
	Frame
	To       string // a URL of this site
	Passkeys string
}

func (Continue) name() string { return "continue" }

// Error says that something did not work. Code is a code of the API.
type Error struct {
	Frame
	Code       string
	RetryAfter int // seconds; 0: waiting does not help
}

func (Error) name() string { return "error" }

// Passwordless is no page but a part of one: the button to sign in by passkey.
type Passwordless struct {
	Frame
	Return string // where to go then
}

func (Passwordless) name() string { return "passwordless" }

// Offer offers a passkey after a sign-in: the first one, or one on this device. Its script goes on
// where the browser has no passkeys. Forms: POST enroll/passkey {return, attachment}, POST offer
// {return}.
type Offer struct {
	Frame
	Here   bool   // the user has a passkey on a phone, and none on this device
	Direct bool   // one click begins; else a page asks for the password before
	To     string // where to go then, also without a script
	Return string
	// Passkeys is JSON about the user's passkeys, for the browser, or empty.
	Passkeys string
}

func (Offer) name() string { return "offer" }

// PasskeySignals is no page but a part of one: what hands the browser the user's passkeys.
type PasskeySignals struct {
	Frame
	Passkeys string // JSON
}

func (PasskeySignals) name() string { return "passkeysignals" }

// Own is a page of the application's own in the frame of the others.
type Own struct {
	Frame
	Title string
	Body  template.HTML
}

func (Own) name() string { return "page" }

// QuestionsSet is true if the user has security questions.
func (f Factors) QuestionsSet() bool {
	for _, g := range f.Factors {
		if g.Kind == "questions" {
			return true
		}
	}
	return false
}
