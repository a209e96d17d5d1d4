package main

import (
	"fmt"
	"testing"
)

func TestPolicy_OnlyTheOwnerReplacesIt(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	owner, manager, employee, nobody := s.client(t), s.client(t), s.client(t), s.client(t)
	owner.signIn("olivia")
	manager.signIn("mei")
	employee.signIn("hugo")
	want := map[*client]int{nobody: 401, manager: 403, employee: 403}
	for c, status := range want {
		c.get(status, "/api/admin/policy")
		c.do(status, "PUT", "/api/admin/policy", obj{"type": "employee",
			"policy": obj{"mode": "off"}})
		c.post(status, "/api/admin/reset", obj{"username": "anna"})
		c.post(status, "/api/admin/unlock", obj{"username": "anna"})
	}
	half := s.client(t) // the password alone
	half.password("olivia")
	half.get(401, "/api/admin/policy")

	before := owner.get(200, "/api/admin/policy")
	for _, typ := range []string{"owner", "manager", "employee"} {
		p := before.body["policies"].(map[string]any)[typ].(map[string]any)
		if p["mode"] != "required" || fmt.Sprint(p["implicit"]) != "[email]" ||
			fmt.Sprint(p["kinds"]) != "[totp email sms pin recovery]" {
			t.Fatalf("%s: %v", typ, p)
		}
	}
	for _, bad := range []any{
		obj{"type": "employee", "policy": obj{"mode": "sometimes"}},
		obj{"type": "employee", "policy": obj{"mode": "required",
			"kinds": []string{"carrier-pigeon"}}},
		obj{"type": "employee", "policy": obj{"mode": "required", "kinds": []string{"recovery"}}},
		obj{"type": "employee", "policy": obj{"mode": "required", "kind": []string{"totp"}}},
		obj{"type": "employee", "policy": obj{}},
		obj{"type": "intern", "policy": obj{"mode": "off"}},
		obj{"type": "employee"},
		obj{},
		`[]`, `null`, ``, `{"type":"employee","policy":null}`,
	} {
		owner.do(400, "PUT", "/api/admin/policy", bad)
	}
	if got := owner.get(200, "/api/admin/policy"); got.text != before.text {
		t.Fatalf("a refused policy changed something: %s", got.text)
	}

	owner.do(200, "PUT", "/api/admin/policy", obj{"type": "employee",
		"policy": obj{"mode": "required", "kinds": []string{"totp"}}})
	employee.get(200, "/api/me") // the policy applies at the next sign-in
	d := s.client(t)
	a := d.password("hugo")
	d.field(a, "next", "enroll")
	d.field(a, "options", []any{obj{"kind": "totp", "hint": "", "default": true}})
	d.get(401, "/api/me")
	d.post(409, "/mfa/api/enroll", obj{"kind": "pin", "pin": "274918"})
	d.enrollTOTP()
	d.field(d.get(200, "/api/me"), "username", "hugo")
	s.client(t).signIn("mei") // the policy does not apply to managers

	owner.do(200, "PUT", "/api/admin/policy", obj{"type": "manager", "policy": obj{"mode": "off"}})
	m := s.client(t)
	m.field(m.password("mei"), "next", "done")
	m.get(200, "/api/me")
	// PUT accepts the body that GET returns.
	owner.do(200, "PUT", "/api/admin/policy", before.text)
	if got := owner.get(200, "/api/admin/policy"); got.text != before.text {
		t.Fatalf("policies: %s", got.text)
	}
}

func TestAPI_ResetsAndUnlocks(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	owner, c := s.client(t), s.client(t)
	owner.signIn("olivia")
	c.signIn("ines")
	c.enrollTOTP()
	d := s.client(t)
	d.password("ines")
	for range 5 {
		d.verify(401, "totp", "000000")
	}
	d.verify(429, "totp", "000000")
	owner.post(404, "/api/admin/unlock", obj{"username": "nobody"})
	owner.post(400, "/api/admin/unlock", obj{})
	owner.post(200, "/api/admin/unlock", obj{"username": "ines"})
	d.field(d.verify(401, "totp", "000000"), "attempts_left", 4)
	owner.post(200, "/api/admin/reset", obj{"username": "ines"})
	e := s.client(t)
	e.signIn("ines")
	if got := e.kinds(); len(got) != 0 {
		t.Fatalf("after a reset: %v", got)
	}
}
