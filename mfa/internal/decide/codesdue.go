package decide

import (
	"fmt"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides when recovery codes are part of the set-up. A user who enrols something that
// can be lost is to make them and to say that they are saved. What is due is a reminder: it
// changes nothing of how the user signs in, and codes that were shown are valid at once.

// RecoveryCodes reports whether a kind is recovery codes: made in a set, shown once, used up.
func (k Kind) RecoveryCodes() bool {
	return k.Recovery && k.Limited && k.NoConfirmation && !k.AdminOnly
}

// makesCodes reports whether users can make recovery codes.
func (r *Rules) makesCodes() bool {
	for _, k := range r.Kinds {
		if k.RecoveryCodes() {
			return true
		}
	}
	return false
}

// losable reports whether an instance is something that the user has and can lose. What the user
// knows, such as a PIN, is not, and neither is an address that the application vouches for.
func (v View) losable(in *record.Instance) bool {
	k, known := v.Kinds[in.Kind]
	return known && !in.Implicit && !k.Recovery && !k.Knowledge
}

// hasCodes reports whether the user has recovery codes that remain.
func (v View) hasCodes() bool {
	for i := range v.Record.Factors {
		if in := &v.Record.Factors[i]; v.Kinds[in.Kind].RecoveryCodes() && in.Remaining > 0 {
			return true
		}
	}
	return false
}

// noteCodes records what an enrolment that took effect makes due. shown says that it has made
// recovery codes, which the user sees now.
func (v View) noteCodes(in *record.Instance, held, shown bool) {
	switch {
	case v.Kinds[in.Kind].RecoveryCodes() && shown:
		v.Record.CodesDue = record.CodesToSave
	case v.Kinds[in.Kind].RecoveryCodes():
		v.Record.CodesDue = 0 // imported: nothing was shown
	case v.losable(in) && !held && v.makesCodes() && !v.hasCodes():
		v.Record.CodesDue = record.CodesToMake
	}
}

// CodesDue returns what is left to do of setting up recovery codes.
func (v View) CodesDue() record.CodesDue {
	switch due := v.Record.CodesDue; {
	case due == record.CodesToSave && v.hasCodes():
		return due
	case due == record.CodesToMake && !v.hasCodes() && v.makesCodes():
		for i := range v.Record.Factors {
			if v.losable(&v.Record.Factors[i]) {
				return due
			}
		}
	}
	return 0
}

// asksForCodes reports whether the user is asked now to make or save recovery codes: some are due,
// and the proof permits to make them.
func (v View) asksForCodes(p authority.Proof) bool {
	if v.Record.CodesDue == 0 || v.CodesDue() == 0 {
		return false
	}
	_, err := v.Holding().Permit(p, authority.Request{Act: authority.ActEnrollRecovery})
	return err == nil
}

// CodesSaved records that the user has saved the recovery codes of an instance. write is false if
// that was known.
func (v View) CodesSaved(id string) (in *record.Instance, write bool, err error) {
	in = v.Record.Factor(id)
	if in == nil || in.Implicit || !v.Kinds[in.Kind].RecoveryCodes() {
		return nil, false, fmt.Errorf("%w: no such recovery codes", ErrNotAvailable)
	}
	write = v.Record.CodesDue == record.CodesToSave
	v.Record.CodesDue = 0
	return in, write, nil
}
