// Package report has what operators and administrators read about all users: a summary of the
// factors that users have enrolled, the cases that wait for support, and the progress of a
// re-encryption. A mfa.Manager returns these values; most applications only show them.
package report

import "time"

// Summary counts the users that the store holds a record of.
type Summary struct {
	// Groups are one for each tenant and user type, in that order.
	Groups []Group
	// Unreadable is how many records none of the keys opens. A re-encryption names them.
	Unreadable int
}

// Group counts the users of one user type of one tenant.
type Group struct {
	// UserType is the one that the user had when their record was last written.
	Tenant, UserType string
	// Users is how many have a record. A user who never did anything has none.
	Users int
	// Enrolled is how many have a factor that the policy lets them sign in with, other than a
	// recovery kind. An implied address counts if a link verified it; an address for which the
	// application alone vouches is not in the store.
	Enrolled int
	// NotEnrolled is how many are not among them while the policy requires a factor.
	NotEnrolled int
	// Locked is how many are locked now, altogether or in all that they have. Disabled is how
	// many have a kind that was disabled after too many failed attempts.
	Locked, Disabled int
	// Undeliverable is how many have no factor but an address that no message could be sent to
	// when they last signed in. Unknown is how many can respond with nothing but a kind that is
	// not configured.
	Undeliverable, Unknown int
	// Excepted is how many have an exception from the second factor in force, and ExceptedSoon how
	// many of them have one that ends within 14 days.
	Excepted, ExceptedSoon int
	// ToRenew is how many have a factor that was imported and is weaker than what users enrol.
	ToRenew int
	// Kinds is how many users have each kind, implied addresses included.
	Kinds map[string]int
}

// Case is a user's request for help.
type Case struct {
	UserID, Tenant, UserType string
	// Account is the user's name in an authenticator app.
	Account string
	Time    time.Time
	// From is where the request came from, such as the client's address, and Message is what
	// the user wrote: at most 64 and 500 bytes.
	From, Message string
}

// Exception is an exception from the second factor for one user.
type Exception struct {
	UserID   string `json:"user_id"`
	Tenant   string `json:"tenant,omitempty"`
	UserType string `json:"user_type,omitempty"`
	// Reason, Actor and Approver say why it was granted, by whom, and who approved it.
	Reason   string    `json:"reason"`
	Actor    string    `json:"actor"`
	Approver string    `json:"approver"`
	Granted  time.Time `json:"granted"`
	Ends     time.Time `json:"ends"`
}

// Progress is how far a re-encryption has come since it was called.
type Progress struct {
	// Cursor takes the walk up again, in any process. It is opaque, may hold any bytes, and is
	// "" at the end.
	Cursor string
	// Records is how many were read, Reencrypted how many of them were sealed with the primary
	// key, and Removed how many had outlived their use: hourly rate limits, identities claimed by
	// enrolments that were cut off, what is left of deleted users.
	Records, Reencrypted, Removed int
	// Unreadable are the records of the last page that none of the keys opens, or that were
	// altered. Each error names the record's key and wraps the reason, such as
	// seal.ErrUnknownKey. The records stay as they are.
	Unreadable []error
}

// Import is what an import did for one user, or would do.
type Import struct {
	// Skipped says why nothing was imported, and is empty if everything was. It is "imported" for
	// a user whose factors were imported before, whether or not they still have them. It is
	// "enrolled" for a user who has factors of their own, and "deleted" for one who was deleted
	// here.
	Skipped string
	// Imported is when the factors of a user were imported who was imported before, or zero.
	Imported time.Time
	// Kinds are the kinds of the factors, and Renew those of the factors that are weaker than what
	// users enrol, in the order of the request.
	Kinds, Renew []string
}
