package mfahttp

import (
	"slices"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// This file has the page for a user who cannot get a code, or has lost a factor.

func (v *visit) showLost(status int, c *pending, n *notice) error {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	p := ui.Lost{Frame: v.frame(n), Link: v.h.cfg.SetupLinks && !v.replacing,
		Support: v.h.cfg.Support}
	p.Keep = v.keepForm(v.lostForm())
	p.AsksQuestions = p.Link && hasKind(o, kindQuestions) && o.RecoveryCodesRemaining <= 0
	kind := v.r.URL.Query().Get("kind")
	for _, o := range c.Options {
		switch {
		case o.Disabled, o.Kind == kindAccess:
		case o.Recovery:
			p.Recovery = append(p.Recovery, o.shown())
		default:
			p.Others = append(p.Others, o.shown())
		}
	}
	p.Kind, p.Others = helpWith(kind, c, p.Others)
	if p.Support && slices.Contains(v.h.cfg.Manager.Kinds(), kindAccess) {
		// support may have made one by now
		p.Recovery = append(p.Recovery, ui.Option{Kind: kindAccess, Recovery: true})
	}
	return v.page(status, p)
}

// lostForm is what is kept of the message to support when the session ends.
func (v *visit) lostForm() Form { return Form{Page: v.at("lost"), Fields: []string{"message"}} }

// helpWith returns the kind that the page helps with, and the other ways. A response is verified
// against all factors of a kind, so a second factor of the kind is another way only if the code
// goes to another destination.
func helpWith(kind string, c *pending, ways []ui.Option) (string, []ui.Option) {
	if !slices.ContainsFunc(c.Options, func(o option) bool { return o.Kind == kind }) {
		kind = ""
	}
	seen := map[string]bool{}
	var others []ui.Option
	for _, o := range ways {
		first := !seen[o.Kind]
		seen[o.Kind] = true
		last, sent := c.Sent[kind]
		switch {
		case o.Kind != kind && (first || o.Sends),
			o.Kind == kind && o.Sends && sent && o.MaskedDestination != last.MaskedDestination,
			o.Kind == kind && o.Sends && !sent && !first:
			others = append(others, o)
		}
	}
	return kind, others
}
