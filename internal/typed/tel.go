package typed

import (
	"net/url"
	"strings"
)

// Tel returns the number of a tel: URI (RFC 3966), which a user copies from a link on a page. A
// global phone-context goes before a local number; other parameters stay behind the number. Tel
// returns everything else as it is.
func Tel(s string) string {
	const scheme = "tel:"
	trimmed := strings.TrimSpace(s)
	if len(s) > maxInput || len(trimmed) < len(scheme) ||
		!strings.EqualFold(trimmed[:len(scheme)], scheme) {
		return s
	}
	number, err := url.PathUnescape(trimmed[len(scheme):])
	if err != nil {
		return s
	}
	number = strings.TrimPrefix(number, "//") // as some pages write it
	number, parameters, found := strings.Cut(number, ";")
	if !found {
		return number
	}
	name, context, _ := strings.Cut(parameters, "=")
	if strings.EqualFold(name, "phone-context") && strings.HasPrefix(context, "+") &&
		!strings.HasPrefix(number, "+") {
		return context + number
	}
	return number + ";" + parameters
}
