package token

import (
	"time"

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
}

// ClaimsOf are the claims of a token for a user under a policy.
func ClaimsOf(s Subject, p policy.Policy, to Purpose, now time.Time) Claims {
	return Claims{ID: record.Random16(), Issued: now.UnixMilli(), Subject: s, Purpose: to,
		Kinds: p.Kinds, Implicit: p.Implicit, Keep: p.KeepImplicit,
		Hold: p.RecoveryHold.Milliseconds(), Grace: now.Before(p.EnrollBy),
		SkipCodes: p.SkipRecoveryCodes, NoDowngrade: p.NoDowngrade}
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
