package mfahttp

import (
	"errors"
	"net/url"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// notice is the message that the next page shows about the last post. Pages respond to a post
// with a redirect, so that a reload repeats nothing. It is shown once.
type notice struct {
	Code      string            // an error code of the API, or of a success
	Reason    string            `json:",omitempty"` // of a malformed input
	Kind      string            `json:",omitempty"`
	Field     string            `json:",omitempty"` // that a form itself did not take
	Remaining int               // attempts or recovery codes remaining; -1: does not apply
	Until     time.Time         `json:",omitzero"`  // end of a lock, or when to send again
	Entered   map[string]string `json:",omitempty"` // fields that were typed and are no secret
	// JSON for the browser, of a passkey that was removed
	Data string `json:",omitempty"`
}

// Codes of a notice about a success.
const (
	noteSent      = "sent"         // another code; the page itself reports the first
	noteRequest   = "request_sent" // the same of a kind whose requests are approved elsewhere
	noteAdded     = "added"
	noteElsewhere = "elsewhere"
	noteRemoved   = "removed"
	noteCancelled = "cancelled" // a recovery, by removing its replacement
	noteRenamed   = "renamed"
	notePreferred = "preferred" // the kind that is asked for first
	// noteImpliedOff and noteImpliedOn are about the address of the account.
	noteImpliedOff = "implied_off"
	noteImpliedOn  = "implied_on"
	noteRecovered  = "recovered" // signed in with a recovery code
	noteForgotten  = "forgotten" // a device
	noteLinkSent   = "link_sent"
	noteSupport    = "support_asked"
	noteProof      = "proof" // one correct response to a disabled kind
	noteUnlocked   = "unlocked"
	noteUnsaved    = "codes_unsaved" // the box for saved codes was not ticked
	noteRenewal    = "renewal_due"   // signed in with an imported factor
	noteBanned     = "kind_banned"   // proven, and the policy no longer allows it
)

func (v *visit) note(n notice) { v.put(keyNotice, n) }

// noteError remembers an error for the next page, and the fields that were typed.
func (v *visit) noteError(kind string, err error, typed url.Values) {
	v.note(v.noticeOf(kind, err, typed))
}

func (v *visit) noticeOf(kind string, err error, typed url.Values) notice {
	p := problemOf(err)
	v.h.log(v.r, p, err)
	n := notice{Code: p.Code, Reason: p.Reason, Kind: kind, Remaining: p.Remaining}
	if p.RetryAfter > 0 {
		n.Until = v.now.Add(time.Duration(p.RetryAfter) * time.Second)
	}
	var attempt *mfa.AttemptError
	if errors.As(err, &attempt) && !attempt.LockedUntil.IsZero() {
		n.Until = attempt.LockedUntil
	}
	var invalid *fieldProblem
	if errors.As(err, &invalid) {
		n.Field = invalid.field
	}
	n.Entered = entered(typed, v.h.pages.Form(kind).Kept, maxEntered)
	return n
}

// sentAgain reports that a code followed another, or for a kind that is polled a request. The page
// keeps what was typed, except the code.
func (v *visit) sentAgain(kind string, polled bool, typed url.Values) notice {
	code := noteSent
	if polled {
		code = noteRequest
	}
	return notice{Code: code, Kind: kind, Remaining: -1,
		Entered: entered(typed, v.h.pages.Form(kind).Kept, maxEntered)}
}

// maxEntered bounds what is kept of a field until the next page.
const maxEntered = 256

// entered returns what was typed into fields, each of at most most bytes.
func entered(typed url.Values, fields []string, most int) (list map[string]string) {
	for _, name := range fields {
		if s := typed.Get(name); s != "" && len(s) <= most {
			if list == nil {
				list = map[string]string{}
			}
			list[name] = s
		}
	}
	return list
}

// typedBefore is what the user typed into the form of a kind before they had to verify again.
type typedBefore struct {
	Who, Kind string
	Entered   map[string]string
}

// keepTyped keeps what was typed until the form is shown again. It has no secrets.
func (v *visit) keepTyped(kind string, list map[string]string) {
	if len(list) > 0 {
		v.put(keyTyped, typedBefore{v.who(), kind, list})
	}
}

func (v *visit) typed() (t typedBefore, ok bool) {
	if !v.get(keyTyped, &t) || t.Who != v.who() {
		return typedBefore{}, false
	}
	return t, true
}

// takeTyped returns what was typed into the form of a kind, and forgets it.
func (v *visit) takeTyped(kind string) map[string]string {
	t, ok := v.typed()
	if !ok {
		return nil
	}
	v.drop(keyTyped)
	if t.Kind != kind {
		return nil
	}
	return t.Entered
}

// hasNotice reports whether a notice waits for the next page.
func (v *visit) hasNotice() bool {
	var n notice
	return v.get(keyNotice, &n)
}

// takeNotice returns the notice and forgets it.
func (v *visit) takeNotice() *notice {
	var n notice
	if !v.get(keyNotice, &n) {
		return nil
	}
	// HEAD shows nothing, and so uses nothing up.
	if v.r.Method != "HEAD" {
		v.drop(keyNotice)
	}
	return &n
}
