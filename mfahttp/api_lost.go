package mfahttp

import (
	"errors"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// This file has the routes for a user who lost a factor: a recovery link, support, the proof that
// enables a disabled kind, and remembered devices.

func apiLostLink(v *visit) error {
	if _, err := v.body(); err != nil {
		return err
	}
	c, err := v.lostChallenge(v.h.cfg.SetupLinks && !v.replacing)
	if err == nil {
		err = v.sendSetupLink(c)
	}
	return v.answerEmpty(err)
}

func apiLostSupport(v *visit) error {
	var message string
	if _, err := v.read(map[string]*string{"message": &message}); err != nil {
		return err
	}
	c, err := v.lostChallenge(v.h.cfg.Support)
	if err == nil {
		err = v.requestSupport(c, message)
	}
	return v.answerEmpty(err)
}

func (v *visit) answerEmpty(err error) error {
	if err == nil {
		writeJSON(v.w, http.StatusOK, struct{}{})
	}
	return err
}

// apiSetup opens a recovery link. It begins a challenge with purpose purposeRecover, like a
// sign-in, and ends with an enrolment and no sign-in.
func apiSetup(v *visit) error {
	var token string
	if _, err := v.read(map[string]*string{"token": &token}); err != nil {
		return err
	}
	if token == "" {
		return malformed("token is missing")
	}
	c, err := v.openSetup(secret.New(token))
	if err != nil {
		return err
	}
	return v.writeChallenge(c)
}

// mayReplace reports whether the user who opened a recovery link has proven a recovery.
func (v *visit) mayReplace() bool {
	_, ok := v.liveGrant()
	return ok
}

func apiUnlock(v *visit) error {
	var kind, code, purpose string
	if _, err := v.read(map[string]*string{"kind": &kind, "code": &code,
		"purpose": &purpose}); err != nil {
		return err
	}
	p, err := v.answering(purpose, kind)
	if err != nil {
		return err
	}
	c, ok := v.pending(p)
	if !ok || c.Next != mfa.NextVerify {
		return mfa.ErrTokenExpired
	}
	left, err := v.proveUnlock(c, kind, code)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"kind": kind, "unlocked": left == 0,
		"answers_left": left})
	return nil
}

func apiDevices(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	devices := []map[string]any{}
	for _, d := range o.Devices {
		body := map[string]any{"id": d.ID, "name": d.Name}
		for name, t := range map[string]time.Time{"created": d.Created, "last_used": d.LastUsed,
			"expires": d.Expires} {
			if !t.IsZero() {
				body[name] = t.UTC().Format(time.RFC3339)
			}
		}
		devices = append(devices, body)
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"devices": devices})
	return nil
}

// apiForget forgets one remembered device, or without an id all of them.
func apiForget(v *visit) error {
	if _, err := v.body(); err != nil {
		return err
	}
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	id := v.r.PathValue("id")
	err := v.forgetDevice(id)
	if id != "" && errors.Is(err, mfa.ErrNotAvailable) {
		err = errNoFactor
	}
	return v.answerEmpty(err)
}
