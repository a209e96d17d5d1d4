package mfahttp

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
