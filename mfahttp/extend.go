package mfahttp

import (
	"net/http"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// This file says on the pages when the application's session ends, and gives it more time when
// the user asks for it (WCAG 2.2, 2.2.1).

// ending adds to a frame when the session ends, if the application says so.
func (v *visit) ending(f *ui.Frame) {
	if v.id.User.ID == "" || v.id.SessionEnds.IsZero() {
		return
	}
	f.SessionEnds = v.secondsTo(v.id.SessionEnds)
	if v.h.cfg.ExtendSession != nil {
		f.ExtendReturn = v.here()
	}
}

// postExtend gives a session more time in its last minutes, and says to a script how much there is.
func postExtend(v *visit) error {
	f, err := v.form()
	switch {
	case err != nil:
		return err
	case v.h.cfg.ExtendSession == nil:
		return errNotFound
	case v.id.User.ID == "":
		return v.redirect(v.login(returnTo(f)))
	}
	ends := v.id.SessionEnds
	if ends.Sub(v.now) <= endsSoon {
		if ends, err = v.h.cfg.ExtendSession(v.w, v.r); err != nil {
			return hookError("ExtendSession", mfa.ErrUnavailable, err)
		}
	}
	if v.byScript() {
		writeJSON(v.w, http.StatusOK, map[string]any{"ends": v.secondsTo(ends)})
		return nil
	}
	return v.back(returnTo(f))
}
