package mfa

import (
	"slices"
	"strings"
)

// Profile names a standard that a configuration is held to. New refuses a configuration that
// breaks a row of Config.Profile, SetPolicy such a policy, and an operation under one that an
// application's own PolicySource returns fails with ErrUnavailable. What a profile cannot see
// (the first factor, the sessions, how the application answers a lost device) it does not
// vouch for; docs/standards.md has every row, and who meets it.
type Profile string

const (
	// DefaultProfile refuses nothing that New does not refuse anyway; its findings are advice.
	// The empty Profile is this one.
	DefaultProfile Profile = "default"
	// NISTAAL2 is authenticator assurance level 2 of NIST SP 800-63B-4. Besides sound
	// settings it wants a phishing-resistant kind on offer, and no e-mail, PIN, security
	// question or remembered device.
	NISTAAL2 Profile = "nist-aal2"
	// ASVSL2 is level 2 of OWASP ASVS 5.0: no e-mail, PIN or security question, and
	// authenticator codes of the present time step only.
	ASVSL2 Profile = "asvs-l2"
	// ASVSL3 is level 3 of OWASP ASVS 5.0: phishing-resistant kinds only. Whether a key is in
	// hardware, as level 3 has it, is for that factor's own configuration.
	ASVSL3 Profile = "asvs-l3"
)

func (p Profile) known() (Profile, error) {
	if p == "" {
		p = DefaultProfile
	}
	all := []Profile{DefaultProfile, NISTAAL2, ASVSL2, ASVSL3}
	if !slices.Contains(all, p) {
		return p, configError("profile %q is none of %q", p, all)
	}
	return p, nil
}

// Finding is one row of a profile that a configuration breaks, or one piece of advice. Its
// texts are English, for developers and administrators, and hold nothing secret.
type Finding struct {
	// Row is the requirement, such as "N-19", as in docs/standards.md.
	Row string `json:"row"`
	// Where is what it is about: a field of Config, a kind, or a policy.
	Where string `json:"where"`
	// Problem says what is wrong, Remedy what to do.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
	// Advice is true for what the standard recommends rather than requires, and for all that
	// DefaultProfile finds. It is refused nowhere.
	Advice bool `json:"advice,omitempty"`
}

// broken is the error for what is not advice, naming all rows, or nil.
func broken(p Profile, list []Finding) error {
	var rows, texts []string
	for _, f := range list {
		if f.Advice {
			continue
		}
		if !slices.Contains(rows, f.Row) {
			rows = append(rows, f.Row)
		}
		texts = append(texts, f.Row+", "+f.Where+": "+f.Problem+"; "+f.Remedy)
	}
	if rows == nil {
		return nil
	}
	return configError("profile %s is broken in %s: %s", p, strings.Join(rows, ", "), strings.Join(texts, ". "))
}
