package password

import "strings"

// CommonLines are the embedded common passwords.
func CommonLines() []string { return strings.Fields(commonText) }

// Occupy takes a place among those that hash until it is released.
func (h *Hasher) Occupy() (release func()) {
	h.slots <- struct{}{}
	return func() { <-h.slots }
}

// Compose makes a mail.
var Compose = compose
