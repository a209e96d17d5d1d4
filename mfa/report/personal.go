package report

import (
	"encoding/json"
	"time"
)

// PersonalData is everything that the store has about one user but secrets. Its JSON form is what
// the application gives to a user who asks for their data. It is no backup, and nothing imports
// it.
type PersonalData struct {
	UserID string `json:"user_id"`
	Tenant string `json:"tenant,omitempty"`
	// UserType is the one that the user had when their record was last written.
	UserType string `json:"user_type,omitempty"`
	// Since is when the record was made, or zero if that is not known, as after a reset. Changed is
	// when it was last written.
	Since   time.Time `json:"since,omitzero"`
	Changed time.Time `json:"changed,omitzero"`
	// Imported is when factors of another system were imported.
	Imported time.Time        `json:"imported,omitzero"`
	Factors  []PersonalFactor `json:"factors"`
	Devices  []PersonalDevice `json:"devices"`
	// LockedUntil is when a lock of all kinds ends. FailedAttempts are those since the last
	// success, by kind.
	LockedUntil    time.Time      `json:"locked_until,omitzero"`
	FailedAttempts map[string]int `json:"failed_attempts,omitempty"`
	// Sent is how many codes were sent to the user in the last hour.
	Sent int `json:"codes_sent_in_last_hour,omitempty"`
	// Preferred is the kind that the user wants to be asked for first. Declined is when the user
	// declined the offer of a kind, by kind.
	Preferred string               `json:"preferred,omitempty"`
	Declined  map[string]time.Time `json:"declined,omitempty"`
	// Postponed is how often the user has postponed an enrolment, since FirstAsked.
	Postponed  int       `json:"postponed,omitempty"`
	FirstAsked time.Time `json:"first_asked_to_enrol,omitzero"`
	// Exception is the user's exception from the second factor.
	Exception *Exception `json:"exception,omitempty"`
	// Support is the user's request for help, which waits.
	Support *PersonalSupport `json:"support,omitempty"`
}

// PersonalFactor is one factor in a user's PersonalData.
type PersonalFactor struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	// Destination is the address or number in full.
	Destination string    `json:"destination,omitempty"`
	Created     time.Time `json:"created,omitzero"`
	LastUsed    time.Time `json:"last_used,omitzero"`
	// Questions are those that the user chose. Remaining is how many responses remain, such as
	// recovery codes, of a kind that runs out.
	Questions []string `json:"questions,omitempty"`
	Remaining *int     `json:"remaining,omitempty"`
	// Data is what the kind has for the user's own client, such as the ID of a passkey.
	Data json.RawMessage `json:"data,omitempty"`
	// Export is the factor as another library imports it, for a kind without secrets: a passkey
	// record.
	Export string `json:"export,omitempty"`
}

// PersonalDevice is one remembered device in a user's PersonalData.
type PersonalDevice struct {
	Name     string    `json:"name,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	LastUsed time.Time `json:"last_used,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
}

// PersonalSupport is a request for help in a user's PersonalData.
type PersonalSupport struct {
	Time    time.Time `json:"time"`
	Account string    `json:"account,omitempty"`
	From    string    `json:"from,omitempty"`
	Message string    `json:"message,omitempty"`
}
