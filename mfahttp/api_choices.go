package mfahttp

import (
	"net/http"
	"slices"

	"github.com/secondgate/secondgate/mfa"
)

// This file has what a client needs for the forms of an enrolment: the kinds to choose from, the
// countries of phone numbers, and suggestions for security questions.

// choice is a kind that the user may enrol, as the API returns it.
type choice struct {
	Kind string `json:"kind"`
	// Enrolled is true if the user has one of the kind already.
	Enrolled bool `json:"enrolled"`
	// Password is true if the enrolment requires the current password.
	Password bool `json:"password"`
	// Recovery is true if the kind is for a user who has lost a factor.
	Recovery bool `json:"recovery"`
	// MinLength, MaxLength and Digits say what the user can choose, such as a PIN.
	MinLength int  `json:"min_length,omitempty"`
	MaxLength int  `json:"max_length,omitempty"`
	Digits    bool `json:"digits,omitempty"`
}

// offersRecovery reports whether the user may create recovery codes or set up security questions
// now. A session that was proven by a recovery may not.
func (v *visit) offersRecovery(kind string) bool {
	return v.signedIn && !v.limited() && slices.Contains(v.h.cfg.Manager.Kinds(), kind)
}

func apiChoices(v *visit) error {
	if !v.signedIn {
		if _, err := v.grant(); err != nil {
			return err
		}
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"choices": v.choices(o),
		"replacing": v.replacing})
	return nil
}

func (v *visit) choices(o *mfa.Overview) []choice {
	list := []choice{}
	add := func(kind string, recovery bool) {
		s := v.h.cfg.Manager.Traits(kind).Settings
		list = append(list, choice{Kind: kind, Enrolled: hasKind(o, kind),
			Password: v.asksPassword(kind, o), Recovery: recovery,
			MinLength: s.MinLength, MaxLength: s.MaxLength, Digits: s.Digits})
	}
	for _, kind := range v.kinds(o.Kinds) {
		add(kind, false)
	}
	for _, kind := range []string{kindRecovery, kindQuestions} {
		if v.offersRecovery(kind) {
			add(kind, true)
		}
	}
	return list
}

// locale returns the language for a list: of the query parameter, or else that of the pages.
func (v *visit) locale() (string, error) {
	asked := v.r.URL.Query().Get("locale")
	if len(asked) > maxID {
		return "", malformed("locale is too long")
	}
	return v.h.pages.Locale(v.r.Header.Get("Accept-Language"), first(asked,
		v.id.User.Locale)), nil
}

func apiCountries(v *visit) error {
	locale, err := v.locale()
	if err != nil {
		return err
	}
	list := []map[string]any{}
	if v.h.cfg.Countries != nil {
		for _, c := range v.h.cfg.Countries(locale) {
			list = append(list, map[string]any{"region": c.Region, "name": c.Name,
				"calling_code": c.CallingCode})
		}
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"locale": locale, "countries": list})
	return nil
}

func apiQuestions(v *visit) error {
	locale, err := v.locale()
	if err != nil {
		return err
	}
	list := []string{}
	if v.h.cfg.Questions != nil {
		list = append(list, v.h.cfg.Questions(locale)...)
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"locale": locale, "questions": list})
	return nil
}
