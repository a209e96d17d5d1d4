package mfahttp

import "net/http"

// This file has what a user prefers among their factors, for the pages and the API.

// prefer sets the kind that the user is asked for first.
func (v *visit) prefer(kind string) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	if len(kind) > maxKind {
		return malformed("kind is too long")
	}
	g, err := v.grant()
	if err != nil {
		return err
	}
	return v.refused(v.handle(purposeManage).Prefer(v.r.Context(), g, kind))
}

// useImplied turns the address of the user's account on or off.
func (v *visit) useImplied(use bool) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	g, err := v.grant()
	if err != nil {
		return err
	}
	return v.refused(v.handle(purposeManage).UseImplied(v.r.Context(), g, use))
}

func postPrefer(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	kind := f.Get("kind")
	if kind == "" {
		return malformed("no kind")
	}
	return v.changed(kind, v.prefer(kind), v.at("factors"), notePreferred)
}

func postImplied(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	use, known := map[string]bool{"yes": true, "no": false}[f.Get("use")]
	if !known {
		return malformed("use is neither yes nor no")
	}
	note := noteImpliedOff
	if use {
		note = noteImpliedOn
	}
	return v.changed("", v.useImplied(use), v.at("factors"), note)
}

func apiPrefer(v *visit) error {
	var kind string
	if _, err := v.read(map[string]*string{"kind": &kind}); err != nil {
		return err
	}
	if err := v.prefer(kind); err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"kind": kind})
	return nil
}

func apiImplied(v *visit) error {
	f, err := v.body()
	if err != nil {
		return err
	}
	use, known := map[string]bool{"true": true, "false": false}[string(f["use"])]
	if !known {
		return malformed("use is neither true nor false")
	}
	if err := v.useImplied(use); err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"use": use})
	return nil
}
