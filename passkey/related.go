package passkey

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// RelatedOrigins returns the handler of https://RPID/.well-known/webauthn, where browsers read
// which pages on other domains may use the passkeys of RPID (WebAuthn Level 3 section 5.11). It
// serves Config.RelatedOrigins to everyone, and 404 if there are none. Browsers fetch it without
// cookies and follow redirects to https only, so the path must be public.
func (f *Factor) RelatedOrigins() http.Handler {
	body, err := json.Marshal(map[string][]string{"origins": f.cfg.RelatedOrigins})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case err != nil || len(f.cfg.RelatedOrigins) == 0:
			http.NotFound(w, r)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed),
				http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(body)
	})
}

// checkRelated wants origins of other domains. Those of RPID are Config.Origins.
func checkRelated(list []string, rpID string) error {
	for i, origin := range list {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" {
			return fmt.Errorf("passkey: RelatedOrigins[%d]: it must be scheme and host, and "+
				"https, such as https://example.de", i)
		}
		host := u.Hostname()
		if err := checkOrigin(origin, host); err != nil {
			return fmt.Errorf("passkey: RelatedOrigins[%d]: %w", i, err)
		}
		if host == rpID || strings.HasSuffix(host, "."+rpID) {
			return fmt.Errorf("passkey: RelatedOrigins[%d]: a page on RPID or a subdomain of it "+
				"belongs into Origins", i)
		}
	}
	return nil
}

// admits reports whether a page of an origin may have asked.
func (f *Factor) admits(origin string) bool {
	return slices.Contains(f.cfg.Origins, origin) || slices.Contains(f.cfg.RelatedOrigins, origin)
}
