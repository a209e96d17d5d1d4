package main

import (
	"github.com/secondgate/secondgate/internal/integration/clients/testdata/goclient/admin"
	"github.com/secondgate/secondgate/internal/integration/clients/testdata/goclient/api"
)

// administer has the owner help a user, with the client that is generated from the document for
// administrators.
func administer(base, username string) {
	c := newClient(base, "olivia", "olivia-demo-password", "olivia@acme.example")
	c.signInByMail()
	key, _ := c.enrollApp("Phone")
	a, err := admin.NewClientWithResponses(base+"/admin/mfa", admin.WithHTTPClient(c.http))
	must(err)
	list, err := a.ListUsersWithResponse(c.ctx, &admin.ListUsersParams{Text: &username})
	must(err)
	users := ok(list.JSON200, list.Body).Users
	equal(len(users), 1)
	user := users[0]
	equal(user.Self, false)
	one, err := a.GetUserWithResponse(c.ctx, &admin.GetUserParams{Id: user.Id})
	must(err)
	equal(len(ok(one.JSON200, one.Body).Factors) > 0, true)

	c.advance("1h")
	order := admin.CodeOrder{Id: user.Id, Reason: "lost the phone", ValidSeconds: new(8 * 3600)}
	refused, err := a.MakeAccessCodeWithResponse(c.ctx, nil, order)
	must(err)
	if refused.JSON403 == nil || refused.JSON403.Error != "step_up" {
		panic(string(refused.Body))
	}
	c.stepUp(key)
	made, err := a.MakeAccessCodeWithResponse(c.ctx, nil, order)
	must(err)
	codes := ok(made.JSON200, made.Body).Codes
	equal(len(codes), 1)
	report, err := a.GetReportWithResponse(c.ctx, nil)
	must(err)
	equal(len(ok(report.JSON200, report.Body).Groups) > 0, true)
	c.signOut()

	u := newClient(base, username, username+"-demo-password", username+"@acme.example")
	u.login()
	r, err := u.VerifyWithResponse(u.ctx, api.VerifyRequest{Kind: "access", Code: codes[0]})
	must(err)
	equal(ok(r.JSON200, r.Body).Next, api.VerificationNextDone)
}
