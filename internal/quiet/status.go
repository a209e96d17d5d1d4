package quiet

import (
	"errors"
	"fmt"
)

// Text returns, with a colon before it, the text of the outermost error of this package that
// errors.As finds. Only this module can make one, in its own words. Otherwise it returns Status.
func Text(err error) string {
	var e *quietError
	if errors.As(err, &e) {
		return ": " + e.text
	}
	return Status(err)
}

// Status returns, with a space before it, what an error states about a failed send in a form
// that can quote nothing: a reply code of three digits, and whether to try again. It is empty
// for an error that has no method SendStatus.
func Status(err error) string {
	var s interface {
		SendStatus() (code int, temporary bool)
	}
	if !errors.As(err, &s) {
		return ""
	}
	code, temporary := s.SendStatus()
	kind := "permanent"
	if temporary {
		kind = "temporary"
	}
	if code < 100 || code > 599 {
		return " (" + kind + ")"
	}
	return fmt.Sprintf(" (status %d, %s)", code, kind)
}
