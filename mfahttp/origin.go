package mfahttp

import (
	"fmt"
	"net/http"
)

// newCrossOrigin returns the protection against requests from other origins than these.
func newCrossOrigin(allowed []string) (*http.CrossOriginProtection, error) {
	cross := http.NewCrossOriginProtection()
	for _, o := range allowed {
		if err := cross.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("mfahttp: Config.AllowedOrigins: %q must be like "+
				"https://app.example.com: %w", o, err)
		}
	}
	return cross, nil
}

// maxLogged limits what a log says of a header of a request.
const maxLogged = 256

// logCrossOrigin says why a request was refused, and what to configure if it should not have
// been. It does not log the URL, which may be a confirmation link.
func (h *Handler) logCrossOrigin(r *http.Request) {
	if h.cfg.Logger == nil {
		return
	}
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	hint := "if the origin is this application's own, a proxy has changed Host: let it pass on " +
		"Host or Sec-Fetch-Site, or add the origin to Config.AllowedOrigins"
	switch {
	case origin == "null":
		hint = "the browser hides the origin: the form is in a sandboxed frame, or on a page " +
			"with Referrer-Policy no-referrer"
	case site != "":
		hint = "the browser says that another site made the request: if that site is yours, " +
			"add its origin to Config.AllowedOrigins"
	}
	short := func(s string) string { return s[:min(len(s), maxLogged)] }
	h.cfg.Logger.WarnContext(r.Context(), "request from another origin refused",
		"origin", short(origin), "host", short(r.Host), "sec_fetch_site", short(site),
		"hint", hint)
}
