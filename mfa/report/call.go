package report

// Call is one call of a factor by the Manager.
type Call struct {
	// Kind is the factor's, such as "totp".
	Kind string
	// Operation is "enroll", "issue", "deliver", "notify" or "verify", for the method of the
	// factor.
	Operation string
}
