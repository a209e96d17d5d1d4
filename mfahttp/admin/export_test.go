package admin

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

// PolicyJSON is the policy that the API sends and reads.
type PolicyJSON = policyJSON
