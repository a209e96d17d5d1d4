package texts

import (
	"strconv"
	"strings"
)

// defaults are the names that factors give to instances which the user did not name. Records keep
// them, so that they are English for every user.
var defaults = map[string]string{"totp": "Authenticator app", "email": "E-mail",
	"sms": "Text message", "pin": "PIN", "questions": "Security questions",
	"recovery": "Recovery codes", "access": "Temporary access code", "passkey": "Passkey"}

// Named returns the name of an instance of a factor. In place of a name that the user did not
// choose it is the name of the kind in the language, with the number if there is one.
func (l *Language) Named(kind, name string) string {
	own, ok := l.Lookup("kind." + kind)
	if !ok {
		own = kind
	}
	if name == "" {
		return own
	}
	if number, ok := unnamed(kind, name); ok {
		return own + number
	}
	return name
}

// Chosen reports whether a name is one that the user chose.
func Chosen(kind, name string) bool {
	_, ok := unnamed(kind, name)
	return name != "" && !ok
}

// unnamed returns what follows the default name of a kind: nothing, or a space and a number.
func unnamed(kind, name string) (number string, ok bool) {
	if defaults[kind] == "" {
		return "", false
	}
	rest, ok := strings.CutPrefix(name, defaults[kind])
	if !ok || rest == "" {
		return "", ok
	}
	digits, ok := strings.CutPrefix(rest, " ")
	_, err := strconv.Atoi(digits)
	return rest, ok && err == nil
}
