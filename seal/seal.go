// Package seal keeps records and tokens secret.
package seal

// Keyring placeholder.
type Keyring struct{}
