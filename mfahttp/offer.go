package mfahttp

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// This file offers a passkey to a user who has just signed in without one, or with one that is on
// another device.

// The offers of a passkey.
const (
	offerFirst = "first" // the user has none
	offerHere  = "here"  // the user signed in by a passkey on a phone
)

// passkeyOffer returns which passkey to offer after a sign-in, or "". None is offered under a
// policy that may refuse one on the user's device. code is the response that
// signed in. Where a passkey was used is not signed, so it decides about the offer and nothing
// else.
func (v *visit) passkeyOffer(ver *mfa.Verification, code string) string {
	if v.h.cfg.OfferPasskeys <= 0 || ver.Purpose != purposeSignIn || ver.RecoveryCodesDue ||
		v.limited() {
		return ""
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil { // the user is signed in, and the next sign-in offers it
		v.h.log(v.r, problemOf(err), err)
		return ""
	}
	if !o.Policy.AllowsKey(factor.Description{}) ||
		!slices.Contains(v.kinds(o.Kinds), kindPasskey) ||
		v.now.Before(o.Declined[kindPasskey].Add(v.h.cfg.OfferPasskeys)) {
		return ""
	}
	switch {
	case !hasKind(o, kindPasskey):
		return offerFirst
	case ver.Kind == kindPasskey && onPhone(o, ver.FactorID, code):
		return offerHere
	}
	return ""
}

// onPhone reports whether a browser used a passkey that is on a phone nearby: over the hybrid
// transport, and not in this device.
func onPhone(o *mfa.Overview, id, code string) bool {
	var response struct {
		Attachment string `json:"authenticatorAttachment"`
	}
	if json.Unmarshal([]byte(code), &response) != nil || response.Attachment != "cross-platform" {
		return false
	}
	return slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		p, ok := passkeyOf(f)
		return ok && f.ID == id && slices.Contains(p.Transports, "hybrid")
	})
}

// decline records that the user wants no passkey now.
func (v *visit) decline(kind string) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	if len(kind) > maxKind {
		return malformed("kind is too long")
	}
	return v.handle(purposeManage).Decline(v.r.Context(), kind)
}

func pageOffer(v *visit) error {
	if !v.signedIn { // the page has the user's passkeys
		return v.redirect(v.at(""))
	}
	back := returnTo(v.r.URL.Query())
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	p := ui.Offer{Frame: v.frame(nil), Return: back, To: first(back, v.h.cfg.HomeURL),
		Here:   v.r.URL.Query().Get("passkey") == offerHere,
		Direct: !v.asksPassword(kindPasskey, o)}
	if !p.Here && hasKind(o, kindPasskey) { // another tab has made one
		return v.back(back)
	}
	if p.Here {
		p.Passkeys = v.passkeySetOf(o).text()
	}
	return v.page(http.StatusOK, p)
}

func postOffer(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	if err := v.decline(kindPasskey); err != nil {
		return err
	}
	return v.back(returnTo(f))
}

func apiDecline(v *visit) error {
	var kind string
	if _, err := v.read(map[string]*string{"kind": &kind}); err != nil {
		return err
	}
	if err := v.decline(kind); err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"kind": kind})
	return nil
}
