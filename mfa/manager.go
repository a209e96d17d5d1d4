package mfa

import (
	"context"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// Config configures a Manager.
type Config struct {
	// Store keeps the records. Required.
	Store storage.Store
	// Keys seal records and tokens. Required. See seal.NewKeyring.
	Keys *seal.Keyring
	// Factors are the kinds on offer, in order of preference. At least one that is not a
	// recovery kind is required.
	Factors []Factor
	// Policies defaults to StaticPolicy(Policy{}): required of everybody.
	Policies PolicySource
	// Lockout defaults to five tries, ten over all kinds, three minutes, stop at 100.
	Lockout lockout.Config
	// Sends defaults to 30 codes an hour for a person; see SendBudget.
	Sends SendBudget
	// Authorize is asked before everything an administrator does: Reset, Unlock, SetPolicy,
	// SendConfirmation. Nil refuses them all with ErrForbidden.
	Authorize func(ctx context.Context, a AdminAction) error
	// Events is told everything that happens, after it was recorded, in the caller's
	// goroutine. Nil means nobody. See SlogEvents.
	Events func(ctx context.Context, e Event)
	// Clock defaults to the system's.
	Clock Clock
	// ChallengeTTL is how long a challenge may be answered; default 15 minutes, 1 minute
	// to 1 hour.
	ChallengeTTL time.Duration
	// GrantTTL is how long a grant opens what it opens; default 5 minutes, 1 minute to 1
	// hour.
	GrantTTL time.Duration
	// EnrollmentTTL is how long an enrolment may stay unconfirmed; default 15 minutes, 1
	// minute to 1 hour.
	EnrollmentTTL time.Duration
	// LinkTTL is how long a confirmation link is good; default 24 hours, 10 minutes to 7
	// days (NIST SP 800-63B-4 section 4.2.1.2 allows 24 hours for e-mail).
	LinkTTL time.Duration
}

// SendBudget bounds how many codes are sent in any hour. Zero fields mean the default,
// negative ones no limit.
type SendBudget struct {
	// PerPerson defaults to 30 for each person.
	PerPerson int
	// PerDestination counts what goes to one address or number over all people. By
	// default 20, and only while the destination is not confirmed (a confirmed one is
	// covered by PerPerson, and a sign-in then costs no second write); set, it counts all.
	PerDestination int
	// PerSender counts what goes out by one kind in all, for one tenant. Default: no limit.
	PerSender int
}

// AdminAction is what an administrator wants to do.
type AdminAction struct {
	// Name is "reset", "unlock", "set-policy", "send-confirmation" or "forget".
	Name string
	// Actor is who asks, as the application names them; Reason goes into the event.
	Actor, Reason string
	// SubjectID is whom it is about, "" for a policy.
	SubjectID        string
	Tenant, UserType string
}

// AdminRequest is an act of an administrator on one person.
type AdminRequest struct {
	Subject Subject
	// Actor is required. Reason is recorded in the event.
	Actor, Reason string
}

// Manager composes factors, policy and lockout over a store. It is safe for concurrent
// use, holds no goroutine and nothing that must be closed.
type Manager struct{}
