package record

// Postponed says how an enrolment that a policy requires was put off. No reset clears it: a user
// whose factors end has had the time that the policy gives.
type Postponed struct {
	// Asked is when a sign-in first asked for the enrolment.
	Asked int64 `cbor:"0,keyasint,omitempty"`
	// Times is how often the user has postponed it.
	Times int `cbor:"1,keyasint,omitempty"`
}

// Postponement returns what is counted, which is nothing for a record without.
func (r *Record) Postponement() Postponed {
	if r.Postponed == nil {
		return Postponed{}
	}
	return *r.Postponed
}
