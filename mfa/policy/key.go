package policy

import (
	"slices"

	"github.com/secondgate/secondgate/mfa/factor"
)

// This file has what a policy asks of the keys that phishing-resistant factors have.

// certifications are the levels of FIDO's authenticator certification, the lowest first.
var certifications = [...]string{"", "L1", "L1+", "L2", "L2+", "L3", "L3+"}

// conveyances are the values of WebAuthn's AttestationConveyancePreference.
var conveyances = [...]string{"", "none", "indirect", "direct", "enterprise"}

// AllowsKey reports whether the policy's DeviceBound, Hardware and Certified allow the key of a
// phishing-resistant factor, by what its factor says about it.
func (p Policy) AllowsKey(d factor.Description) bool {
	if !p.DeviceBound && !p.Hardware && p.Certified == "" {
		return true
	}
	need := slices.Index(certifications[:], p.Certified)
	return !d.Compromised && need >= 0 && (!p.DeviceBound || d.DeviceBound) &&
		(!p.Hardware || d.Hardware) && slices.Index(certifications[:], d.Certified) >= need
}

// Conveyance returns how much a new factor is asked to prove: Attestation, or its default, also in
// place of a word that browsers do not know.
func (p Policy) Conveyance() string {
	switch {
	case p.Attestation != "" && slices.Contains(conveyances[:], p.Attestation):
		return p.Attestation
	case p.Hardware || p.Certified != "":
		return "direct"
	default:
		return "none"
	}
}

// checkKeys finds requirements for keys that no factor can satisfy.
func (s Setup) checkKeys(p Policy) *invalidError {
	attests := p.Hardware || p.Certified != ""
	able := func(f factor.Factor) bool {
		t := f.Traits()
		return p.Allows(f.Kind()) && !t.Recovery && t.Level == factor.LevelPhishingResistant &&
			(!attests || t.Settings.Attests || t.Settings.Hardware && p.Certified == "")
	}
	switch {
	case !slices.Contains(certifications[:], p.Certified):
		return invalidf("certified level %q is none of L1, L1+, L2, L2+, L3 and L3+", p.Certified)
	case !slices.Contains(conveyances[:], p.Attestation):
		return invalidf("attestation %q is not none, indirect, direct or enterprise",
			p.Attestation)
	case attests && p.Attestation == "none":
		return invalidf("Hardware and Certified need an Attestation other than none")
	case (attests || p.DeviceBound) && !slices.ContainsFunc(s.Factors, able):
		return invalidf("DeviceBound, Hardware and Certified need a phishing-resistant kind that " +
			"can satisfy them among the kinds allowed, such as passkey with passkey.Config.Metadata")
	}
	return nil
}
