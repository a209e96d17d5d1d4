package token

// Shown is what a stored challenge or enrolment shows again. A challenge is shown with Next; an
// enrolment without.
type Shown struct {
	Next        string        `cbor:"0,keyasint,omitempty"`
	Options     []ShownOption `cbor:"1,keyasint,omitempty"`
	Kinds       []string      `cbor:"2,keyasint,omitempty"`
	Grant       string        `cbor:"3,keyasint,omitempty"`
	Expires     int64         `cbor:"4,keyasint,omitempty"`
	LockedUntil int64         `cbor:"5,keyasint,omitempty"`
	Kind        string        `cbor:"6,keyasint,omitempty"`
	CodeExpires int64         `cbor:"7,keyasint,omitempty"`
	Secret      string        `cbor:"8,keyasint,omitempty"`
	URI         string        `cbor:"9,keyasint,omitempty"`
	Destination string        `cbor:"10,keyasint,omitempty"`
	Data        []byte        `cbor:"11,keyasint,omitempty"`
	Polled      bool          `cbor:"12,keyasint,omitempty"`
	// Due and Postpone are when an enrolment is due, and how often it may be put off.
	Due      int64 `cbor:"13,keyasint,omitempty"`
	Postpone int   `cbor:"14,keyasint,omitempty"`
	// Address is the new one of a change of the user's address.
	Address string `cbor:"15,keyasint,omitempty"`
}

// ShownOption is one way to respond, in a stored challenge.
type ShownOption struct {
	Kind        string   `cbor:"0,keyasint"`
	FactorID    string   `cbor:"1,keyasint,omitempty"`
	Name        string   `cbor:"2,keyasint,omitempty"`
	Destination string   `cbor:"3,keyasint,omitempty"`
	Default     bool     `cbor:"4,keyasint,omitempty"`
	Sends       bool     `cbor:"5,keyasint,omitempty"`
	Class       Class    `cbor:"6,keyasint,omitempty"`
	Disabled    bool     `cbor:"7,keyasint,omitempty"`
	Questions   []string `cbor:"8,keyasint,omitempty"`
	Polled      bool     `cbor:"9,keyasint,omitempty"`
	Assurance   int      `cbor:"10,keyasint,omitempty"`
	ACR         string   `cbor:"11,keyasint,omitempty"`
}

// Class is the stored form of what distinguishes kinds: possession, knowledge, recovery. No
// number may change.
type Class uint8

// The classes.
const (
	ClassPossession Class = iota + 1
	ClassKnowledge
	ClassRecovery
)

// ClassOf returns the class of a kind. A recovery kind is never knowledge.
func ClassOf(recovery, knowledge bool) Class {
	switch {
	case recovery:
		return ClassRecovery
	case knowledge:
		return ClassKnowledge
	}
	return ClassPossession
}
