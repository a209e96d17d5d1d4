package main

import (
	"bytes"
	"html/template"
	"net/http"
)

// place is one of the three applications, as pages list them.
type place struct {
	Name, URL, About string
	Here             bool
}

// addresses are those of the three applications.
type addresses struct{ portal, mail, files string }

// places returns the applications, for a page of the named one.
func (a addresses) places(here string) []place {
	list := []place{
		{Name: "Portal", URL: a.portal, About: "Users sign in here, with a second step."},
		{Name: "Mail", URL: a.mail,
			About: "Trusts the portal, and asks for no password and no code of its own."},
		{Name: "Files", URL: a.files,
			About: "Does not trust the portal, and asks for a password and a code of its own."},
	}
	for i := range list {
		list[i].Here = list[i].Name == here
	}
	return list
}

// parts are templates that pages share.
const parts = `{{define "nav"}}<nav aria-label="{{t "Applications"}}"><ul>
{{range .}}<li><a href="{{.URL}}"{{if .Here}} aria-current="true"{{end}}>{{.Name}}</a></li>
{{end}}</ul></nav>{{end}}
{{define "places"}}<section class="sg-section" aria-labelledby="applications"><h2 id="applications">{{t "Applications"}}</h2>
<ul class="sg-cards">{{range .}}{{if not .Here}}
<li><a class="sg-card" href="{{.URL}}"><span class="sg-grow"><span class="sg-name">{{.Name}}</span><span class="sg-sub">{{t .About}}</span></span></a></li>{{end}}{{end}}
</ul></section>{{end}}`

var navOnly = page(`{{template "nav" .}}`)

// nav implements mfahttp.Config.Nav.
func (s *site) nav(_ *http.Request, language string) (template.HTML, error) {
	var b bytes.Buffer
	err := navOnly[own(language)].Execute(&b, s.apps)
	return template.HTML(b.String()), err //nolint:gosec // escaped by the template
}
