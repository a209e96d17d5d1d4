package token

import (
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Claims is what every token says. Fields that a kind of token does not use are empty.
type Claims struct {
	ID      [16]byte `cbor:"0,keyasint"`
	Issued  int64    `cbor:"1,keyasint"`
	Subject Subject  `cbor:"2,keyasint"`
	Purpose Purpose  `cbor:"3,keyasint,omitempty"`
	Bind    []byte   `cbor:"4,keyasint,omitempty"`
	// the record's when issued; empty: there was none
	Epoch    []byte   `cbor:"5,keyasint,omitempty"`
	Kinds    []string `cbor:"6,keyasint,omitempty"` // allowed by the policy when issued
	Implicit []string `cbor:"7,keyasint,omitempty"`
	Keep     bool     `cbor:"8,keyasint,omitempty"` // Policy.KeepImplicit
	Pending  string   `cbor:"11,keyasint,omitempty"`
	// Remember is Policy.Remember in milliseconds.
	Remember int64 `cbor:"13,keyasint,omitempty"`
	// Code is, in a challenge for no user in particular, what the factor issued; Kinds has its
	// kind.
	Code *record.Code `cbor:"14,keyasint,omitempty"`
	// Proof is, in a grant and in what it opened, what was proven.
	Proof authority.Proof `cbor:"15,keyasint,omitzero"`
	// Hold is Policy.RecoveryHold in milliseconds.
	Hold int64 `cbor:"16,keyasint,omitempty"`
	// Linked says that a mailed recovery link began the challenge.
	Linked bool `cbor:"17,keyasint,omitempty"`
	// Forced says that confirming an enrolment by this grant completes the sign-in.
	Forced bool `cbor:"18,keyasint,omitempty"`
	// Grace says that the policy lets users in who have no allowed factor yet.
	Grace bool `cbor:"19,keyasint,omitempty"`
	// Shown is, in a stored challenge or enrolment, what it shows again.
	Shown *Shown `cbor:"20,keyasint,omitempty"`
	// SkipCodes is Policy.SkipRecoveryCodes.
	SkipCodes bool `cbor:"21,keyasint,omitempty"`
	// NoDowngrade is Policy.NoDowngrade.
	NoDowngrade bool `cbor:"22,keyasint,omitempty"`
	// DeviceBound, Hardware and Certified are what the policy asks of keys.
	DeviceBound bool   `cbor:"23,keyasint,omitempty"`
	Hardware    bool   `cbor:"24,keyasint,omitempty"`
	Certified   string `cbor:"25,keyasint,omitempty"`
	// Attestation is Policy.Conveyance, or empty for none.
	Attestation string `cbor:"26,keyasint,omitempty"`
	// Seen is, in a challenge, how the revision begins of the record that Begin read.
	Seen string `cbor:"27,keyasint,omitempty"`
}

// ClaimsOf are the claims of a token for a user under a policy.
func ClaimsOf(s Subject, p policy.Policy, to Purpose, now time.Time) Claims {
	c := Claims{ID: record.Random16(), Issued: now.UnixMilli(), Subject: s, Purpose: to,
		Grace: now.Before(p.EnrollBy)}
	c.SetPolicy(p)
	return c
}

// SetPolicy sets what the claims say of a policy, other than its grace and its Remember.
func (c *Claims) SetPolicy(p policy.Policy) {
	c.Kinds, c.Implicit, c.Keep = p.Kinds, p.Implicit, p.KeepImplicit
	c.Hold, c.SkipCodes = p.RecoveryHold.Milliseconds(), p.SkipRecoveryCodes
	c.NoDowngrade = p.NoDowngrade
	c.DeviceBound, c.Hardware, c.Certified = p.DeviceBound, p.Hardware, p.Certified
	if c.Attestation = p.Conveyance(); c.Attestation == "none" {
		c.Attestation = ""
	}
}

// AllowsKey reports whether the policy allows the key of a phishing-resistant factor.
func (c *Claims) AllowsKey(k record.Key) bool {
	p := policy.Policy{DeviceBound: c.DeviceBound, Hardware: c.Hardware, Certified: c.Certified}
	return p.AllowsKey(factor.Description{DeviceBound: k.DeviceBound, Hardware: k.Hardware,
		Certified: k.Certified, Compromised: k.Compromised})
}

// Expired says whether a token issued then is too old now.
func (c *Claims) Expired(now time.Time, ttl time.Duration) bool {
	return now.UnixMilli() >= c.Issued+ttl.Milliseconds()
}

// Purpose is what a challenge is for. What is issued for one is refused for another.
type Purpose string

const (
	PurposeSignIn Purpose = "sign-in"
	PurposeStepUp Purpose = "step-up"
	PurposeManage Purpose = "manage"
	// PurposeRecover permits the enrolment of a replacement after a loss, by recovery only.
	PurposeRecover Purpose = "replace"
)
