package main

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"
)

// place is a place of the application in its navigation.
type place struct {
	Name, To string
	// Current is the value of aria-current: "page" if the user is there, "true" on a page below
	// it, and else "".
	Current string
	below   []string // paths, with all that begins with those that end with a slash
}

// places returns the places that a user can go to.
func (a *app) places(user *account) []place {
	list := []place{{Name: "Home", To: "/"},
		{Name: "Security", To: a.gate.URL() + "factors", below: []string{a.gate.URL(), "/sessions",
			"/password", addressPath, reauthenticatePath}}}
	if user.Type == ownerType {
		list = append(list, place{Name: "Administration", To: libraryPath,
			below: []string{"/admin/"}})
	}
	if a.cfg.demo {
		list = append(list, place{Name: "Outbox", To: "/outbox"})
	}
	return list
}

// nav implements mfahttp.Config.Nav: the navigation of every page, also of the Handler's.
func (a *app) nav(r *http.Request, language string) (template.HTML, error) {
	v, err := a.visitor(r)
	if err != nil || v.account == nil {
		return "", err
	}
	list := a.places(v.account)
	for i := range list {
		list[i].Current = list[i].current(r.URL.Path)
	}
	var b bytes.Buffer
	err = a.pages.in(language).ExecuteTemplate(&b, "nav.html", list)
	return template.HTML(b.String()), err //nolint:gosec // escaped by the template
}

func (p place) current(path string) string {
	if path == p.To {
		return "page"
	}
	for _, b := range p.below {
		if path == b || strings.HasSuffix(b, "/") && strings.HasPrefix(path, b) {
			return "true"
		}
	}
	return ""
}
