package mfahttp

import (
	"net/http"
	"net/url"
	"path"
	"slices"
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
	u, ok := requestedURL(r)
	if !ok {
		return false
	}
	if p.exact[u.Path] {
		return spelled(u, u.Path, false)
	}
	return slices.ContainsFunc(p.below, func(prefix string) bool {
		return strings.HasPrefix(u.Path, prefix) && spelled(u, prefix, true)
	})
}

// pages reports whether a request is for the Handler's own pages.
func (p publicPaths) pages(r *http.Request) bool {
	u, ok := requestedURL(r)
	return ok && strings.HasPrefix(u.Path, p.base)
}

// signIn reports whether a request is for the sign-in page.
func (p publicPaths) signIn(r *http.Request) bool {
	u, ok := requestedURL(r)
	return ok && u.Path == p.login && spelled(u, p.login, false)
}

// requestedURL returns the URL of a request as the client has sent it. It is not ok if some
// router may read its path as another one: with "..", with empty parts, or where a middleware has
// rewritten it.
func requestedURL(r *http.Request) (u *url.URL, ok bool) {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || u.Opaque != "" || !strings.HasSuffix(u.Path, r.URL.Path) || !clean(u.Path) {
		return nil, false
	}
	return u, true
}

// spelled reports whether the client has written a public path as it is, and not with other
// characters escaped. A router that takes a path apart before it decodes it reads
// "/static%2Fx/edit" as the page "edit" of "static/x".
func spelled(u *url.URL, public string, below bool) bool {
	sent := u.EscapedPath()
	for _, s := range []string{public, (&url.URL{Path: public}).EscapedPath()} {
		if sent == s || below && strings.HasPrefix(sent, s) {
			return true
		}
	}
	return false
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
