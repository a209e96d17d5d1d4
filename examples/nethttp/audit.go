package main

import (
	"net/http"

	"github.com/secondgate/secondgate/mfa/policy"
)

// profiles lists the profiles in the order of the page.
var profiles = [...]struct {
	ID   policy.Profile
	Name string
}{
	{policy.ProfileDefault, "Advice"},
	{policy.ProfileNISTAAL2, "NIST SP 800-63B-4, level 2"},
	{policy.ProfileASVSL2, "OWASP ASVS 5.0, level 2"},
	{policy.ProfileASVSL3, "OWASP ASVS 5.0, level 3"},
}

type auditView struct {
	Profiles any
	Profile  policy.Profile
	Findings []policy.Finding
}

// pageAudit compares the application's configuration with a standard, and lists the findings.
func (a *app) pageAudit(w http.ResponseWriter, r *http.Request, user *account) {
	data := auditView{Profiles: profiles, Profile: policy.ProfileDefault}
	for _, p := range profiles {
		if r.URL.Query().Get("profile") == string(p.ID) {
			data.Profile = p.ID
		}
	}
	var err error
	if data.Findings, err = a.manager.Audit(r.Context(), data.Profile); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, 0, "Standards", view{Page: "audit", User: user, Data: data})
}
