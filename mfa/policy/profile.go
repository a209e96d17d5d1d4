package policy

// Profile names a standard that a configuration is held to. With mfa.Config.Profile, mfa.New
// refuses a configuration that breaks a row of it, and SetPolicy refuses such a policy. An
// operation under such a policy of an application's own [Source] fails with
// mfa.ErrUnavailable. A profile does not vouch for what it cannot see: the first factor, the
// sessions, how the application helps a user who lost a device. docs/standards.md lists every
// row, and which part meets it.
type Profile string

const (
	// ProfileNISTAAL2 is authenticator assurance level 2 of NIST SP 800-63B-4. Besides sound
	// settings it demands a phishing-resistant kind on offer, and no e-mail, PIN, security
	// question or remembered device.
	ProfileNISTAAL2 Profile = "nist-aal2"
	// ProfileNISTAAL3 is authenticator assurance level 3 of NIST SP 800-63B-4. It demands what
	// level 2 does, phishing-resistant kinds only, and keys in hardware that cannot be copied.
	ProfileNISTAAL3 Profile = "nist-aal3"
	// ProfileASVSL2 is level 2 of OWASP ASVS 5.0. It demands authenticator codes of the
	// present time step only, and no e-mail, PIN or security question.
	ProfileASVSL2 Profile = "asvs-l2"
	// ProfileASVSL3 is level 3 of OWASP ASVS 5.0. It demands phishing-resistant kinds only, and
	// Policy.Hardware unless the factor states that all its keys are in hardware.
	ProfileASVSL3 Profile = "asvs-l3"
	// ProfilePCIDSS4 is requirements 8.4 and 8.5 of PCI DSS 4.0.1. It demands two factors of
	// different types from every user at every sign-in.
	ProfilePCIDSS4 Profile = "pci-dss-4"

	// profileNone refuses nothing that mfa.New does not refuse anyway, and its findings are advice.
	profileNone Profile = "default"
)

// Strict reports whether p refuses what breaks a standard. The empty Profile, and "default", find
// advice only.
func (p Profile) Strict() bool { return p != "" && p != profileNone }

// check returns the profile, profileNone in place of the empty one.
func (p Profile) check() (Profile, error) {
	switch p {
	case "", profileNone:
		return profileNone, nil
	case ProfileNISTAAL2, ProfileNISTAAL3, ProfileASVSL2, ProfileASVSL3, ProfilePCIDSS4:
		return p, nil
	default:
		return p, invalidf("profile %q is none of %q, %q, %q, %q, %q and %q", p, profileNone,
			ProfileNISTAAL2, ProfileNISTAAL3, ProfileASVSL2, ProfileASVSL3, ProfilePCIDSS4)
	}
}

// Finding is one row of a profile that a configuration breaks, or one piece of advice. Its
// texts are English, for developers and administrators, and hold nothing secret.
type Finding struct {
	// Row is the requirement, such as "N-19", as in docs/standards.md.
	Row string `json:"row"`
	// Where names a field of mfa.Config, a kind, or a policy.
	Where string `json:"where"`
	// Problem says what breaks the row, and Remedy what to do about it.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
	// Advice is true for what the standard recommends and does not require, and for everything
	// that is found without a strict profile. It is refused nowhere.
	Advice bool `json:"advice,omitempty"`
}
