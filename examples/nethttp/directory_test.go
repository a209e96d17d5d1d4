package main

import (
	"net/url"
	"strings"
	"testing"
)

// The owner uses the administration of package mfahttp/admin: its pages and its API.
func TestLibrary_AdministersTheAccounts(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	ines := s.client(t)
	ines.signIn("ines")
	ines.enrollTOTP()
	owner := s.client(t)
	owner.signIn("olivia")
	owner.has(owner.get(200, "/"), `href="/admin/mfa/"`)
	owner.has(owner.get(200, "/admin/mfa/"), "Anna de Vries", "Olivia Berg")
	owner.has(owner.get(200, "/admin/mfa/?text=INES%40acme&type=employee"), "Inês Costa")
	owner.has(owner.get(200, "/admin/mfa/user?id=acct-ines"), "Authenticator app", "Sessions")
	owner.has(owner.get(200, "/admin/mfa/report"), "employee")
	owner.has(owner.get(200, "/admin/mfa/audit"), "secondgate")
	owner.has(owner.get(200, "/admin/mfa/policies"), "Required from every user")

	seen := map[string]bool{}
	for next := ""; ; {
		a := owner.get(200, "/admin/mfa/api/users?limit=4&cursor="+url.QueryEscape(next))
		for _, u := range a.body["users"].([]any) {
			seen[u.(obj)["id"].(string)] = true
		}
		cursor, more := a.body["next"].(string)
		if !more {
			break
		}
		next = cursor
	}
	owner.has(owner.get(200, "/admin/mfa/?status=unverified"), "Lena Fischer", "Milan Novák",
		"Not verified")
	// Each allowed kind is an entry of the drop-down, also the PIN.
	owner.has(owner.get(200, "/admin/mfa/policies/edit?type=employee"), "Required: PIN alone")
	if len(seen) != 18 {
		t.Errorf("%d accounts: %v", len(seen), seen)
	}

	owner.field(owner.post(200, "/admin/mfa/api/user/reset", obj{"id": "acct-ines",
		"reason": "asked in person"}), "id", "acct-ines")
	ines.get(401, "/api/me") // signed out
	if !strings.Contains(s.log.String(), "asked in person") {
		t.Error("the log has no reason")
	}
	ines.signIn("ines")
	if kinds := ines.kinds(); len(kinds) != 0 {
		t.Errorf("after a reset: %v", kinds)
	}
	for path, status := range map[string]int{"/admin/mfa/": 403, "/admin/mfa/api/users": 403} {
		ines.get(status, path)
	}
	s.client(t).get(303, "/admin/mfa/")
}
