// Command goclient is a client of the API with the code that oapi-codegen generates: it signs a
// user in, enrols an authenticator app, steps up, recovers, changes factors and administers. The
// test that builds it lays the generated packages over the directories api and admin.
package main

import (
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/secondgate/secondgate/internal/integration/clients/testdata/goclient/api"
)

func main() {
	log.SetFlags(log.Lshortfile)
	c := newClient(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	c.signInByMail()
	secret, id := c.enrollApp("Phone")
	r, err := c.RecoveryCodesWithResponse(c.ctx, api.CodesRequest{})
	must(err)
	set := ok(r.JSON200, r.Body)
	codes := set.Codes
	saved, err := c.RecoveryCodesSavedWithResponse(c.ctx, api.SavedRequest{Factor: set.Factor})
	must(err)
	ok(saved.JSON200, saved.Body)
	c.signOut()

	c.signInByApp(secret)
	c.lists()
	c.advance("1h")
	rename := api.RenameRequest{Name: "Old phone"}
	refused, err := c.RenameFactorWithResponse(c.ctx, id, rename)
	must(err)
	isError(refused.JSON403, refused.Body, api.ErrorErrorStepUp)
	c.stepUp(secret)
	renamed, err := c.RenameFactorWithResponse(c.ctx, id, rename)
	must(err)
	equal(ok(renamed.JSON200, renamed.Body).Name, "Old phone")

	replacement, held := c.recover(codes[0])
	c.signInByApp(replacement)
	removed, err := c.RemoveFactorWithResponse(c.ctx, id, api.RemoveRequest{})
	must(err)
	isError(removed.JSON403, removed.Body, api.ErrorErrorOnHold)
	c.signOut()
	c.signInByApp(secret) // the old app cancels the recovery
	removed, err = c.RemoveFactorWithResponse(c.ctx, held, api.RemoveRequest{})
	must(err)
	equal(ok(removed.JSON200, removed.Body).Id, held)
	f, err := c.FactorsWithResponse(c.ctx)
	must(err)
	equal(ok(f.JSON200, f.Body).RecoveryLeft, len(codes)-1)
	administer(c.base, c.username)
	fmt.Println("signed in, enrolled, stepped up, recovered, administered")
}

func (c *client) signInByMail() {
	c.login()
	r, err := c.StateWithResponse(c.ctx, nil)
	must(err)
	state := ok(r.JSON200, r.Body)
	equal(state.Next, api.StateNextVerify)
	i := slices.IndexFunc(state.Options, func(o api.Option) bool { return o.Default })
	kind := state.Options[i].Kind
	equal(state.Options[i].Sends, true)
	sent, err := c.SendWithResponse(c.ctx, api.SendRequest{Kind: kind})
	must(err)
	equal(ok(sent.JSON200, sent.Body).Kind, kind)
	v, err := c.VerifyWithResponse(c.ctx, api.VerifyRequest{Kind: kind, Code: "000000"})
	must(err)
	equal(*isError(v.JSON401, v.Body, api.ErrorErrorIncorrect).AttemptsLeft, 4)
	// A reason is no enumeration: a third-party factor has its own.
	v, err = c.VerifyWithResponse(c.ctx, api.VerifyRequest{Kind: kind, Code: "x"})
	must(err)
	equal(*isError(v.JSON400, v.Body, api.ErrorErrorMalformed).Reason, "code_form")
	v, err = c.VerifyWithResponse(c.ctx, api.VerifyRequest{Kind: kind, Code: c.mailedCode()})
	must(err)
	equal(ok(v.JSON200, v.Body).Next, api.VerificationNextDone)
}

// enrollApp enrols an authenticator app, and returns its key and its ID.
func (c *client) enrollApp(name string) (secret, id string) {
	choices, err := c.EnrollChoicesWithResponse(c.ctx)
	must(err)
	equal(slices.ContainsFunc(ok(choices.JSON200, choices.Body).Choices,
		func(o api.Choice) bool { return o.Kind == "totp" }), true)
	e, err := c.EnrollWithResponse(c.ctx, api.EnrollRequest{Kind: "totp"})
	must(err)
	begun := ok(e.JSON200, e.Body)
	r, err := c.ConfirmWithResponse(c.ctx, api.ConfirmRequest{Enrollment: *begun.Enrollment,
		Code: c.appCode(*begun.Secret), Name: &name})
	must(err)
	factor := ok(r.JSON200, r.Body).Factor
	equal(factor.Name, name)
	return *begun.Secret, factor.Id
}

func (c *client) signInByApp(secret string) {
	c.advance("31s") // a code is accepted once
	c.login()
	r, err := c.VerifyWithResponse(c.ctx, api.VerifyRequest{Kind: "totp",
		Code: c.appCode(secret)})
	must(err)
	equal(ok(r.JSON200, r.Body).Next, api.VerificationNextDone)
}

func (c *client) stepUp(secret string) {
	c.advance("31s")
	manage := api.StepUpRequestPurposeManage
	begun, err := c.StepUpWithResponse(c.ctx, api.StepUpRequest{Purpose: &manage})
	must(err)
	equal(ok(begun.JSON200, begun.Body).Next, api.ChallengeNextVerify)
	r, err := c.VerifyWithResponse(c.ctx, api.VerifyRequest{Kind: "totp",
		Code: c.appCode(secret)})
	must(err)
	equal(ok(r.JSON200, r.Body).Purpose, api.PurposeManage)
}

// recover opens a mailed link, responds with a recovery code and enrols a replacement.
func (c *client) recover(code string) (secret, id string) {
	c.login()
	r, err := c.StateWithResponse(c.ctx, nil)
	must(err)
	equal(*ok(r.JSON200, r.Body).LostLink, true)
	link, err := c.LostLinkWithResponse(c.ctx)
	must(err)
	ok(link.JSON200, link.Body)
	c.signOut()
	begun, err := c.SetupWithResponse(c.ctx, api.SetupRequest{Token: c.mailedToken()})
	must(err)
	equal(*ok(begun.JSON200, begun.Body).Purpose, api.PurposeReplace)
	v, err := c.VerifyWithResponse(c.ctx, api.VerifyRequest{Kind: "recovery", Code: code})
	must(err)
	equal(ok(v.JSON200, v.Body).Next, api.VerificationNextEnroll)
	return c.enrollApp("New phone")
}

func (c *client) lists() {
	nl := "nl"
	r, err := c.CountriesWithResponse(c.ctx, &api.CountriesParams{Locale: &nl})
	must(err)
	equal(slices.ContainsFunc(ok(r.JSON200, r.Body).Countries,
		func(o api.Country) bool { return o.Region == "NL" && o.Name == "Nederland" }), true)
	d, err := c.DevicesWithResponse(c.ctx)
	must(err)
	equal(len(ok(d.JSON200, d.Body).Devices), 0)
}

func (c *client) signOut() {
	r, err := c.SignOutWithResponse(c.ctx)
	must(err)
	ok(r.JSON200, r.Body)
}
