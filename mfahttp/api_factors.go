package mfahttp

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/internal/qr"
	"github.com/secondgate/secondgate/mfa"
)

// maxParams bounds how many parameters an enrolment may have; the body's size bounds them
// together.
const maxParams = 16

// notParams are the members of an enrolment that are not the factor's.
var notParams = map[string]bool{"kind": true, "name": true, "password": true}

func apiEnroll(v *visit) error {
	var kind, name, password string
	f, err := v.read(map[string]*string{"kind": &kind, "name": &name, "password": &password})
	if err != nil {
		return err
	}
	if kind == "" {
		return malformed("kind is missing")
	}
	params := map[string]string{}
	for key, raw := range f {
		var s string
		if notParams[key] || json.Unmarshal(raw, &s) != nil || s == "" {
			continue // not text, so no parameter of any factor
		}
		if params[key] = s; len(params) > maxParams {
			return malformed("too many members")
		}
	}
	id, e, err := v.enroll(kind, name, password, params)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, v.enrolled(id, e))
	return nil
}

// drawnSVG returns the QR code of text, or "" for text that none can hold.
func drawnSVG(text string) string {
	code, err := qr.New(text)
	if err != nil {
		return ""
	}
	return code.SVG()
}

// enrolled is the one place where secrets of a new factor are shown to a program.
func (v *visit) enrolled(id string, e *mfa.Enrollment) map[string]any {
	body := map[string]any{"kind": e.Kind}
	for name, s := range map[string]string{
		"enrollment": id, "hint": e.Prompt.MaskedDestination,
		"secret": e.Prompt.Secret.Reveal(), "uri": e.Prompt.URI.Reveal(),
		"qr_svg": drawnSVG(e.Prompt.URI.Reveal()),
	} {
		if s != "" {
			body[name] = s
		}
	}
	if len(e.Prompt.Codes) > 0 {
		body["codes"] = reveal(e.Prompt.Codes)
	}
	if len(e.Prompt.Data) > 0 {
		body["data"] = json.RawMessage(e.Prompt.Data)
	}
	if e.Polled {
		body["polled"] = true
	}
	if e.Confirmed != nil {
		body["factor"] = factorJSON(e.Confirmed.Factor)
		return body
	}
	expires := e.Expires
	if !e.CodeExpires.IsZero() {
		expires = e.CodeExpires
	}
	v.expiry(body, expires)
	return body
}

// readEnrollment reads a body that names an enrolment.
func (v *visit) readEnrollment() (id string, err error) {
	if _, err := v.read(map[string]*string{"enrollment": &id}); err != nil {
		return "", err
	}
	if id == "" {
		return "", malformed("enrollment is missing")
	}
	return id, nil
}

func apiResend(v *visit) error {
	id, err := v.readEnrollment()
	if err != nil {
		return err
	}
	_, d, err := v.resend(id)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, v.delivered(d))
	return nil
}

func apiElsewhere(v *visit) error {
	id, err := v.readEnrollment()
	if err != nil {
		return err
	}
	e, ok := v.enrollment(id)
	if !ok {
		return v.absent(mfa.ErrTokenExpired)
	}
	d, err := v.handle(purposeManage).SendElsewhere(v.r.Context(), e.Token)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, v.delivered(d))
	return nil
}

func apiConfirm(v *visit) error {
	var id, code, name string
	if _, err := v.read(map[string]*string{"enrollment": &id, "code": &code,
		"name": &name}); err != nil {
		return err
	}
	if id == "" {
		return malformed("enrollment is missing")
	}
	conf, err := v.confirm(id, code)
	if err != nil {
		return err
	}
	// The factor has taken effect, so a name that cannot be kept is no error: the response has the
	// one that it has.
	if err := v.nameConfirmed(conf, name); err != nil {
		v.h.log(v.r, problemOf(err), err)
	}
	if v.replacing {
		v.replaced()
	}
	writeJSON(v.w, http.StatusOK, map[string]any{
		"factor":    factorJSON(conf.Factor),
		"signed_in": v.signedIn || conf.Verification != nil, "recovery_due": conf.RecoveryCodesDue,
		"waits": conf.Waits,
	})
	return nil
}

// factorJSON is a factor as programs see it.
func factorJSON(f mfa.FactorInfo) map[string]any {
	body := map[string]any{
		"id": f.ID, "kind": f.Kind, "name": f.Name, "hint": f.MaskedDestination,
		"implicit": f.Implicit, "stopped": f.Disabled,
	}
	for name, t := range map[string]time.Time{"created": f.Created, "last_used": f.LastUsed,
		"held_until": f.HeldUntil} {
		if !t.IsZero() {
			body[name] = t.UTC().Format(time.RFC3339)
		}
	}
	if f.Remaining >= 0 {
		body["codes_left"], body["codes_saved"] = f.Remaining, !f.Unsaved
	}
	if f.Outdated {
		body["outdated"] = true
	}
	if f.Renew {
		body["renew"] = true
	}
	if f.Data != nil {
		body["data"] = json.RawMessage(f.Data)
	}
	return body
}

func apiFactors(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	factors := []map[string]any{}
	for _, f := range o.Factors {
		if f.TurnedOff {
			continue // implied_off says so
		}
		factors = append(factors, factorJSON(f))
	}
	body := map[string]any{
		"factors": factors, "kinds": append([]string{}, o.Kinds...),
		"recovery_left": max(0, o.RecoveryCodesRemaining), "locked": false,
		"recovery_due": o.RecoveryCodesDue, "recovery_skip": o.Policy.SkipRecoveryCodes,
		"password_for": append([]string{}, v.h.cfg.PasswordFor...),
	}
	describePasskeys(body, v.passkeySetOf(o))
	if o.Preferred != "" {
		body["preferred"] = o.Preferred
	}
	if o.ImpliedOff {
		body["implied_off"] = true
	}
	if v.h.cfg.StoreAddress != nil {
		body["can_change_address"] = true
	}
	if o.CanTurnOffImplied {
		body["can_turn_off_implied"] = true
	}
	if by := enrollBy(o, v.now); !by.IsZero() {
		body["enroll_by"] = by.UTC().Format(time.RFC3339)
	}
	if v.now.Before(o.LockedUntil) {
		body["locked"], body["retry_after"] = true, seconds(o.LockedUntil.Sub(v.now))
	}
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

func apiRename(v *visit) error {
	var name string
	if _, err := v.read(map[string]*string{"name": &name}); err != nil {
		return err
	}
	id := v.r.PathValue("id")
	if err := v.rename(id, name); err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"id": id, "name": name})
	return nil
}

func apiRemove(v *visit) error {
	var password string
	if _, err := v.read(map[string]*string{"password": &password}); err != nil {
		return err
	}
	id := v.r.PathValue("id")
	gone, err := v.remove(id, password)
	if err != nil {
		return err
	}
	body := map[string]any{"id": id}
	if gone.Data != nil {
		body["data"] = json.RawMessage(gone.Data)
	}
	if gone.Kind == kindPasskey {
		describePasskeys(body, v.passkeySet(gone))
	}
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

func apiRecoveryCodes(v *visit) error {
	var password string
	if _, err := v.read(map[string]*string{"password": &password}); err != nil {
		return err
	}
	made, err := v.makeCodes(password)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"codes": made.Codes, "factor": made.Set})
	return nil
}

func apiRecoverySaved(v *visit) error {
	var id string
	if _, err := v.read(map[string]*string{"factor": &id}); err != nil {
		return err
	}
	if id == "" {
		return malformed("factor is missing")
	}
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	if _, err := v.factor(id); err != nil {
		return err
	}
	if err := v.handle(purposeManage).RecoveryCodesSaved(v.r.Context(), id); err != nil {
		return err
	}
	v.hide()
	v.owe(false)
	writeJSON(v.w, http.StatusOK, map[string]any{})
	return nil
}
