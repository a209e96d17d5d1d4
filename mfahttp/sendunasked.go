package mfahttp

import "github.com/secondgate/secondgate/mfa"

// This file decides when a code is sent without the user asking for it. A page sends nothing
// when it is fetched: it has a form that its script posts as the user sees it, and that the user
// posts where there are no scripts. The Manager sends one code for a challenge, whatever is posted
// twice.

// sendsUnasked reports whether the page for a response posts its form for a code by itself: at a
// sign-in, for the kind that is offered first, if it sends to a destination and nothing was sent
// or tried. A page that the user opened for a kind, or that shows a notice, leaves it to the
// user. A request that the user approves on another device is never made unasked, because an
// attacker who knows the password would make it too.
func (v *visit) sendsUnasked(
	c *pending, o option, seen *mfa.Overview, n *notice, asked string,
) bool {
	if n != nil || asked != "" {
		return false
	}
	if c.Purpose != purposeSignIn || seen.Policy.AskBeforeSending || c.Unasked || len(c.Sent) > 0 {
		return false
	}
	return o.Default && o.Sends && !o.Polled && !o.Recovery && !o.Disabled &&
		o.MaskedDestination != "" && !v.now.Before(seen.LockedUntil)
}
