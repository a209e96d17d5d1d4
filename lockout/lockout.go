// Package lockout decides how many wrong answers are too many.
package lockout

// Config placeholder.
type Config struct{}
