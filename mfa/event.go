package mfa

import "time"

// Event is something that happened to a person's second factor. It holds no secret, code,
// token or full destination. Name is one of the table in the documentation of
// [SlogEvents]; names are stable.
type Event struct {
	Name                        string
	Time                        time.Time
	SubjectID, Tenant, UserType string
	Kind, FactorID              string
	Purpose                     Purpose
	// Reason tells refused answers apart: "incorrect", "expired", "replayed", "failed".
	Reason string
	// Left is attempts or recovery codes left, by the event; -1 where neither is meant.
	Left        int
	LockedUntil time.Time
	// Actor and Note are of an administrator's act.
	Actor, Note string
	// Err is set when a delivery failed.
	Err error
}
