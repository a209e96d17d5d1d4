package mfahttp

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// In this file the Handler distinguishes the paths that it sees from those that browsers see,
// which a proxy may have made longer, and logs what does not fit together.

// base is BasePath as browsers see it. The Handler itself matches requests with Config.BasePath.
func (h *Handler) base() string { return h.cfg.ProxyPrefix + h.cfg.BasePath }

// checkPrefix decides whether ProxyPrefix is a path without a slash at its end.
func (cfg *Config) checkPrefix() error {
	if p := cfg.ProxyPrefix; p != "" && !validBase(p+"/") {
		return fmt.Errorf("mfahttp: Config.ProxyPrefix %q must be a plain path that begins with "+
			"a slash and does not end with one, like /app", p)
	}
	return nil
}

// outside turns the paths that lead out of the Handler into those that browsers see.
func (cfg *Config) outside() {
	for _, p := range []*string{&cfg.LoginURL, &cfg.HomeURL, &cfg.Reauthenticate} {
		if *p != "" {
			*p = cfg.ProxyPrefix + *p
		}
	}
}

// mountWarnings are logged once each: what a request shows stays true for all others.
type mountWarnings struct{ cut, prefix, whole sync.Once }

// checkMount logs it if the path of a request is not the one that the Handler's links need.
func (h *Handler) checkMount(r *http.Request) {
	if h.cfg.Logger == nil {
		return
	}
	warn := func(once *sync.Once, text string, args ...any) {
		once.Do(func() { h.cfg.Logger.WarnContext(r.Context(), text, args...) })
	}
	own := h.cfg.ProxyPrefix
	told := strings.TrimRight(r.Header.Get("X-Forwarded-Prefix"), "/")
	if told != "" && told != own {
		warn(&h.mount.prefix, "a proxy says that it has removed another prefix than "+
			"Config.ProxyPrefix: if it has, set ProxyPrefix to it, or the links of the pages "+
			"lead nowhere", "x_forwarded_prefix", told[:min(len(told), maxLogged)],
			"proxy_prefix", own)
	}
	if own != "" && strings.HasPrefix(r.URL.Path, own+"/") {
		warn(&h.mount.whole, "a request has Config.ProxyPrefix in its path: the proxy does not "+
			"remove it; leave ProxyPrefix empty, and begin BasePath, LoginURL, HomeURL and Public "+
			"with it", "proxy_prefix", own)
	}
	if sent := r.RequestURI; strings.HasPrefix(sent, "/") &&
		!strings.HasPrefix(sent, r.URL.EscapedPath()) {
		warn(&h.mount.cut, "the path of a request was changed in front of the second factor, as "+
			"by http.StripPrefix: put Require around what changes it, and begin BasePath, "+
			"LoginURL, HomeURL and Public with what is removed")
	}
}
