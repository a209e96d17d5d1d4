package mfahttp

import (
	"fmt"
	"net/http"
	"slices"
)

// KeepState keeps changed values of a session, and ReadState reads one.
func KeepState(
	h *Handler, w http.ResponseWriter, r *http.Request, id Identity, changed map[string][]byte,
) error {
	v := h.visit(w, r, nil)
	v.id = id
	for key, value := range changed {
		v.change(key, value)
	}
	return v.flush()
}

// ReadState reads a value that KeepState kept.
func ReadState(h *Handler, r *http.Request, id Identity, key string) []byte {
	v := h.visit(nil, r, nil)
	v.id = id
	return v.raw(key)
}

// Routes lists the routes of a Handler as "METHOD /path".
func Routes(h *Handler) []string {
	var list []string
	for path, methods := range h.methods {
		for _, m := range methods {
			list = append(list, m+" "+path)
		}
	}
	return list
}

// LocalURL is localURL, to be fuzzed.
var LocalURL = localURL

// CodeRow is a row of the table of error codes.
type CodeRow struct {
	Code          string
	Status        int
	Means, Client string
}

// CodeRows returns the table of error codes.
func CodeRows() (list []CodeRow) {
	for _, r := range codeRows {
		list = append(list, CodeRow{r.code, r.status, r.means, r.client})
	}
	return list
}

// MappedCodes lists what the table of problems maps errors to, as "409 not_available".
func MappedCodes() []string {
	list := []string{"503 unavailable"}
	for _, row := range problems {
		list = append(list, fmt.Sprintf("%d %s", row.status, row.code))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ReasonRow is a row of the table of reasons.
type ReasonRow struct {
	Reason, Kinds, Means string
	API, Pages, Numbered bool
}

// ReasonRows returns the table of reasons.
func ReasonRows() (list []ReasonRow) {
	for _, r := range reasonRows {
		list = append(list, ReasonRow{r.reason, r.kinds, r.means, r.where == inAPI,
			r.where != inAdmin, r.numbered})
	}
	return list
}

// Stored, Pack and Unpack are the forms of a cookie's value.
var Stored, Pack, Unpack = stored, pack, unpack
