package mfahttp

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// publicPaths are the paths that Require serves to visitors.
type publicPaths struct {
	exact map[string]bool
	below []string // end with a slash
	login string
	base  string
}

// newPublicPaths returns the paths of a configuration. A sign-in page that is also the home page
// is not public: only visitors see it, whom Require would redirect to it.
func newPublicPaths(cfg *Config) publicPaths {
	p := publicPaths{exact: map[string]bool{}, base: cfg.BasePath, login: pathOf(cfg.LoginURL)}
	list := cfg.Public
	if p.login != pathOf(cfg.HomeURL) {
		list = append(list[:len(list):len(list)], p.login)
	}
	for _, s := range list {
		if strings.HasSuffix(s, "/") {
			p.below = append(p.below, s)
		} else {
			p.exact[s] = true
		}
	}
	return p
}

// serves reports whether the path of a request is public.
func (p publicPaths) serves(r *http.Request) bool {
	requested, ok := requestedPath(r)
	if !ok {
		return false
	}
	if p.exact[requested] {
		return true
	}
	for _, prefix := range p.below {
		if strings.HasPrefix(requested, prefix) {
			return true
		}
	}
	return false
}

// pages reports whether a request is for the Handler's own pages.
func (p publicPaths) pages(r *http.Request) bool {
	requested, ok := requestedPath(r)
	return ok && strings.HasPrefix(requested, p.base)
}

// signIn reports whether a request is for the sign-in page.
func (p publicPaths) signIn(r *http.Request) bool {
	requested, ok := requestedPath(r)
	return ok && requested == p.login
}

// requestedPath returns the path of a request as the client has sent it. It is not ok if some
// router may read it as another one: with "..", with empty parts, or where a middleware has
// rewritten it.
func requestedPath(r *http.Request) (requested string, ok bool) {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || u.Opaque != "" || !strings.HasSuffix(u.Path, r.URL.Path) || !clean(u.Path) {
		return "", false
	}
	return u.Path, true
}

// clean reports whether every router reads a path in the same way.
func clean(s string) bool {
	if strings.ContainsAny(s, "\\;%") {
		return false
	}
	return s == path.Clean(s) || s == path.Clean(s)+"/" && s != "//"
}

func pathOf(localURL string) string {
	u, err := url.Parse(localURL)
	if err != nil {
		return localURL
	}
	return u.Path
}
