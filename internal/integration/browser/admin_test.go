package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/require"
)

// says selects what a page says about what was done.
const says = ".sg-notice[role=status], .sg-notice [role=status]"

// setsPolicy chooses an entry of the drop-down for a user type, and what else change fills in.
func (b *tab) setsPolicy(userType, preset string, change ...func()) {
	b.t.Helper()
	b.visit("/admin/mfa/policies/edit?type=" + userType)
	b.set("#preset", preset)
	for _, do := range change {
		do()
	}
	require.LessOrEqual(b.t, b.narrow(), 320)
	b.press(`form[action$="policies/preview"] button`)
	b.fill("reason", "new rules")
	b.press(`form[action$="policies"] button`)
	require.Contains(b.t, b.text(says), "The policy is set.")
}

// helps finds a user by the search, and does an act on them.
func (b *tab) helps(username, act string) {
	b.t.Helper()
	b.visit("/admin/mfa/")
	b.fill("text", username)
	b.press(`form[role=search] button`)
	b.press(`table a[href*="acct-` + username + `"]`)
	require.LessOrEqual(b.t, b.narrow(), 320)
	b.press(`a[href*="user/` + act + `?"]`)
	b.fill("reason", "asked in person")
	require.LessOrEqual(b.t, b.narrow(), 320)
	b.press(`form[action$="user/` + act + `"] button`)
	require.True(b.t, b.has(`.sg-good[role=status]`), "it is done")
}

// The owner finds the users without a method, mails them a link, and is shown how far the mails
// are until the last one. Without JavaScript a button continues. The owner then lets employees use
// a PIN alone, after the page has said whom that concerns.
func TestAdministration_MailsAFilterAndChoosesThePIN(t *testing.T) {
	base := start(t, "-people", "45").base
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.at(t, base)
		b := s.open(in.script)
		b.signIn("olivia")
		b.visit("/admin/mfa/?status=none&text=crowd")
		require.Contains(t, b.text("main"), "crowd-000001")
		require.LessOrEqual(t, b.narrow(), 320)
		b.visit("/admin/mfa/mails?status=none&text=crowd&type=employee")
		b.set("#mail", "enrollment")
		b.press(`form[action$="mails/preview"] button`)
		require.Contains(t, b.text("main"), "The mail is for 45 users.")
		require.LessOrEqual(t, b.narrow(), 320)
		b.fill("reason", "they begin on Monday")
		b.press(`form[action$="mails"] button`)
		if !in.script {
			require.Contains(t, b.text("main"), "20 of 45")
			b.press(`form[action$="mails"] button`)
			b.press(`form[action$="mails"] button`)
		}
		b.waitFor("all mails", func() bool { return b.has(`.sg-good[role=status]`) })
		require.Contains(t, b.text("main"), "45 of 45")
		require.Contains(t, b.text("main"), "These were all users.")
		var rows int
		b.eval(`document.querySelectorAll("[data-rows] tr").length`, &rows)
		if in.script {
			require.Equal(t, 45, rows, "the results of all steps")
			require.Contains(t, b.text("[data-rows] tr"), "crowd-000001", "the order of the list")
		}
		require.LessOrEqual(t, b.narrow(), 320)

		b.shots("admin-mails")
		b.visit("/admin/mfa/?text=cr")
		b.shots("admin-users")
		b.visit("/admin/mfa/policies/edit?type=employee")
		b.shots("admin-policy")
		b.set("#preset", "only-pin")
		b.press(`form[action$="policies/preview"] button`)
		require.Contains(t, b.text("main"), "Required: PIN alone")
		require.Contains(t, b.text("main"), "have no method and must set one up")
		require.LessOrEqual(t, b.narrow(), 320)
		b.shots("admin-preview")
		b.fill("reason", "shared terminals")
		b.press(`form[action$="policies"] button`)
		require.Contains(t, b.text("main"), "Required: PIN alone")
	})
}

// Nothing that axe-core finds is wrong with a page of the administration, in light and dark, 320
// pixels wide.
func TestAdministration_HasNothingThatAxeFinds(t *testing.T) {
	s := start(t, "-addr", "localhost:0") // where policies have rules for passkeys
	script, seen := axe(t), known{}
	ines := s.open(true)
	ines.signIn("ines")
	ines.hasApp()
	b := s.open(true)
	b.signIn("olivia")
	defer b.run(emulation.SetEmulatedMedia().WithFeatures(nil))
	b.run(viewport(320, 800))
	for _, path := range []string{"mfa/", "mfa/?status=locked", "mfa/user?id=acct-ines",
		"mfa/user?id=acct-lena&done=unlock", "mfa/user?id=acct-olivia", "mfa/user?id=nobody",
		"mfa/user/reset?id=acct-ines", "mfa/user/access-code?id=acct-ines",
		"mfa/user/exception?id=acct-lena", "mfa/cases",
		"mfa/report", "mfa/audit?profile=asvs-l2", "mfa/policies", "mfa/policies/edit?type=manager",
		"mfa/mails", "mfa/mails?status=missing", "mfa/mails/resend?status=unverified", "sign-on",
		"account?id=acct-ines"} {
		b.visit("/admin/" + path)
		b.axeFindsNothing(script, path, seen)
	}
	b.fill("password", "short")
	b.fill("reason", "asked")
	b.press(`form[action="/admin/password"] button`)
	b.axeFindsNothing(script, "a refused password", seen)
	b.visit("/admin/mfa/policies/edit?type=manager")
	b.press(`form[action$="policies/preview"] button`)
	b.axeFindsNothing(script, "a preview", seen)
	b.visit("/admin/mfa/user/access-code?id=acct-ines")
	b.fill("reason", "asked")
	b.press(`form[action$="user/access-code"] button`)
	b.axeFindsNothing(script, "a code", seen)
	b.visit("/admin/mfa/mails/resend")
	b.fill("reason", "asked")
	b.press(`form[action$="/mails"] button`)
	b.axeFindsNothing(script, "mails", seen)
}
