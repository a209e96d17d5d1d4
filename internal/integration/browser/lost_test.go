package browser_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var setupLink = regexp.MustCompile(`http://\S+/mfa/setup\?token=\S+`)

// lostLink goes from the question for a code to the mail with the link, and returns the link.
func (b *tab) lostLink(username string) string {
	b.t.Helper()
	b.firstFactor(username)
	b.press(`a[href^="/mfa/lost"]`)
	require.LessOrEqual(b.t, b.narrow(), 320)
	b.press(`form[action="/mfa/lost/link"] button`)
	require.True(b.t, b.has(says), "a link is on its way")
	m := b.last(username + "@acme.example")
	require.Contains(b.t, m.Text, "If you did not ask for this")
	return strings.TrimPrefix(setupLink.FindString(m.Text), b.base)
}

// replaceApp enrols a new app with the grant of a recovery, and returns its key.
func (b *tab) replaceApp() (secret string) {
	b.t.Helper()
	require.Equal(b.t, "/mfa/enroll", b.path())
	b.press(`form[action="/mfa/enroll/totp"] button`)
	b.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
	b.fill("code", b.shown(secret))
	b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
	require.Equal(b.t, "/mfa/setup/done", b.path())
	require.LessOrEqual(b.t, b.narrow(), 320)
	b.advance(30 * time.Second)
	return secret
}

// appCode signs in with a code of the app.
func (b *tab) appCode(username, secret string) {
	b.t.Helper()
	b.firstFactor(username)
	b.visit("/mfa/verify?kind=totp")
	b.answer(b.shown(secret))
}

// The link of the mail is opened in another browser; a recovery code replaces the lost app.
func TestRecovery_ReplacesALostApp(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		phone := s.open(in.script)
		phone.signIn("ben")
		old := phone.hasApp()
		phone.visit("/mfa/recovery-codes")
		phone.press(`form[action="/mfa/recovery-codes"] button`)
		var codes []string
		phone.eval(
			`[...document.querySelector("main").innerText.matchAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b/g)].map(m => m[0])`, &codes)
		require.Len(t, codes, 10)

		link := s.open(in.script).lostLink("ben")
		other := s.open(in.script)
		for range 2 { // looking at it uses nothing up
			other.visit(link)
			require.LessOrEqual(t, other.narrow(), 320)
		}
		other.press(`form[action="/mfa/setup"] button`)
		require.Equal(t, "/mfa/verify", other.path())
		other.answer("0000-0000-0000-0000")
		require.True(t, other.has("[role=alert]"))
		other.answer(codes[0])
		phone.signOut()
		phone.appCode("ben", old)
		phone.saveCodes()
		phone.visit("/")
		require.Equal(t, "/", phone.path(), "the old app is good until the new one is confirmed")
		secret := other.replaceApp()
		s.advance(30 * time.Second)
		other.appCode("ben", secret)
		other.saveCodes()
		other.visit("/")
		require.Equal(t, "/", other.path(), "the new one signs in at once")
		other.visit("/mfa/factors")
		require.Contains(t, other.text("main"), "On hold until")
		require.LessOrEqual(t, other.narrow(), 320)
		phone.appCode("ben", old)
		phone.saveCodes()
		phone.visit("/")
		require.Equal(t, "/", phone.path(), "the old app stays until the hold ends")
		third := s.open(in.script)
		third.visit(link)
		third.press(`form[action="/mfa/setup"] button`)
		require.Contains(t, third.text("h1"), "Start again")
		s.advance(24 * time.Hour)
		third.appCode("ben", old)
		require.True(t, third.has("[role=alert]"), "and then it stops")
		third.appCode("ben", secret)
		require.Equal(t, "/", third.path())
	})
}

// Three questions, each with its field, replace a lost app.
func TestRecovery_BySecurityQuestions(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("emma")
		b.hasApp()
		b.visit("/mfa/enroll/questions")
		require.LessOrEqual(t, b.narrow(), 320)
		for i, answer := range []string{"Ms. Miller", "x", "Momo"} {
			n := string(rune('1' + i))
			require.False(t, b.visible("#own"+n), "none is written until the user says so")
			b.fill("question"+n, "own")
			require.True(t, b.visible("#own"+n))
			b.fill("own"+n, "Question number "+n+" of mine?")
			b.fill("answer"+n, answer)
		}
		b.fill("question3", "Which book did you read more often than any other?")
		b.press(`form[action="/mfa/enroll/questions"] button`)
		require.True(t, b.has("#answer2[aria-invalid=true]"), "too short, and the field says so")
		var typed []string
		b.eval(`[...document.querySelectorAll("main select, main input[type=text]")].
			filter(e => e.checkVisibility()).map(e => e.value)`, &typed)
		require.Equal(t, []string{"own", "Question number 1 of mine?", "Ms. Miller", "own",
			"Question number 2 of mine?", "x", "Which book did you read more often than any other?",
			"Momo"}, typed, "nothing is lost")
		b.fill("answer2", "Lange Straße")
		b.press(`form[action="/mfa/enroll/questions"] button`)
		require.Equal(t, "/mfa/factors", b.path())
		// The questions are for users without recovery codes.
		b.press(`section[aria-labelledby=codes] a[href$="/remove"]`)
		b.press(`form[action$="/remove"] button`)

		other := s.open(in.script)
		other.visit(s.open(in.script).lostLink("emma"))
		other.press(`form[action="/mfa/setup"] button`)
		answers := func(list ...string) {
			for i, answer := range list {
				other.set("#code-"+string(rune('0'+i)), answer)
			}
			other.press(verifyForm)
		}
		require.Contains(t, other.text("main"), "Question number 2 of mine?")
		answers("ms miller", "lange strasse", "Jim Knopf")
		require.True(t, other.has("[role=alert]"))
		require.False(t, other.has("[aria-invalid=true]"), "which one was wrong is not told")
		answers("ms miller", "LANGE STRASSE", "momo")
		other.replaceApp()
	})
}

// Without codes, support makes sure who it is, and makes a temporary code.
func TestRecovery_BySupport(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		phone := s.open(in.script)
		phone.signIn("anna")
		phone.hasApp()
		anna := s.open(in.script)
		anna.firstFactor("anna")
		anna.press(`a[href^="/mfa/lost"]`)
		anna.set("#message", "It fell into the sea")
		anna.press(`form[action="/mfa/lost/support"] button`)
		require.True(t, anna.has(says))

		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.visit("/admin/mfa/")
		owner.press(`.sg-tabs a[href$="cases"]`)
		require.Contains(t, owner.text("main"), "It fell into the sea")
		require.LessOrEqual(t, owner.narrow(), 320)
		owner.press(`a.sg-card[href*="acct-anna"]`)
		require.LessOrEqual(t, owner.narrow(), 320)
		owner.press(`a[href*="user/access-code"]`)
		owner.fill("reason", "called back, knows her badge number")
		require.LessOrEqual(t, owner.narrow(), 320)
		owner.press(`form[action$="user/access-code"] button`)
		code := owner.text("#access-code")
		require.LessOrEqual(t, owner.narrow(), 320)
		require.Regexp(t, `^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$`, code)
		require.Contains(t, s.last("anna@acme.example").Text, "If this was not you")

		anna.visit("/mfa/lost")
		anna.press(`a[href="/mfa/verify?kind=access"]`)
		anna.answer(strings.ToLower(code))
		require.Equal(t, "/", anna.path())
		anna.visit("/mfa/enroll/totp")
		anna.press(`form[action="/mfa/enroll/totp"] button`)
		var secret string
		anna.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
		anna.fill("code", anna.shown(secret))
		anna.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
		anna.saveCodes()
		require.Equal(t, "/mfa/factors", anna.path())
		var apps int
		anna.eval(`document.querySelectorAll('.sg-rename').length`, &apps)
		require.Equal(t, 2, apps, "it takes the old one's place when its hold ends")
		require.Contains(t, anna.text("main"), "Cancel recovery")
		owner.visit("/admin/mfa/cases")
		require.Contains(t, owner.text("main"), "No user is waiting")
		owner.helps("anna", "reset")
		require.Contains(t, s.last("anna@acme.example").Text,
			"An administrator removed all the ways")
	})
}

// A device that is remembered is asked for nothing, until it is forgotten.
func TestRememberedDevice_SkipsTheSecondFactor(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.setsPolicy("employee", "email", func() { owner.set("#remember", "14") })

		b := s.open(in.script)
		b.firstFactor("carla")
		b.press(sendForm)
		require.LessOrEqual(t, b.narrow(), 320)
		b.click("#remember")
		b.answer(b.code("carla@acme.example"))
		require.Equal(t, "/", b.path())
		require.Contains(t, s.last("carla@acme.example").Text,
			"signs in to your account at Acme without a code")
		b.signOut()
		b.login("carla")
		require.Equal(t, "/", b.path(), "nothing is asked")
		b.signOut()
		b.firstFactor("david")
		require.Equal(t, "/mfa/verify", b.path(), "of another person it is")
		b.firstFactor("carla")
		b.visit("/mfa/factors")
		require.Contains(t, b.text("main"), "Remembered devices")
		b.press(`form[action^="/mfa/devices/"][action$="/forget"]:not([action*="/all/"]) button`)
		// a remembered device proves nothing by itself
		if strings.HasPrefix(b.path(), "/mfa/verify") {
			b.press(sendForm)
			b.answer(b.code("carla@acme.example"))
			b.press(
				`form[action^="/mfa/devices/"][action$="/forget"]:not([action*="/all/"]) button`)
		}
		require.NotContains(t, b.text("main"), "Remembered devices")
		b.signOut()
		b.firstFactor("carla")
		require.Equal(t, "/mfa/verify", b.path())
	})
}

// An app that was disabled after a hundred failed attempts works again after three correct ones.
func TestUnlock_ByThreeCorrectCodes(t *testing.T) {
	s := start(t)
	b := s.open(true)
	b.signIn("farid")
	secret := b.hasApp()
	b.signOut()
	for range 20 {
		c := b.client()
		c.login("farid")
		for range 5 {
			require.NotEqual(t, 200, c.verify("totp", "000000"))
		}
		s.advance(181 * time.Second)
	}
	b.firstFactor("farid")
	b.visit("/mfa/verify?kind=totp")
	require.Contains(t, b.text("h1"), "disabled")
	require.LessOrEqual(t, b.narrow(), 320)
	for want := 2; want >= 0; want-- {
		s.advance(31 * time.Second)
		b.fill("code", b.shown(secret))
		b.press(`form[action="/mfa/unlock"] button`)
		if want > 0 {
			require.True(t, b.has(says))
		}
	}
	s.advance(31 * time.Second)
	b.answer(b.shown(secret))
	require.Equal(t, "/", b.path())
	require.Contains(t, s.last("farid@acme.example").Text, "works again")
}

// "Resend all confirmations" is for the users of the list whose address is not verified, says how
// many they are, and sends once the owner has given a reason.
func TestAdministration_ResendsConfirmations(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("olivia")
		b.visit("/admin/mfa/")
		require.Contains(t, b.text("main"), "Not verified")
		require.LessOrEqual(t, b.narrow(), 320)
		b.press(`a[href*="mails/resend"]`)
		require.Contains(t, b.text("main"), "The mail is for 2 users.")
		require.LessOrEqual(t, b.narrow(), 320)
		b.fill("reason", "the first ones are lost")
		b.press(`form[action$="/mails"] button`)
		require.Contains(t, b.text("main"), "2 mails are sent.")
		require.Contains(t, b.text("[data-rows]"), "Lena Fischer")
		require.Contains(t, s.last("lena@acme.example").Text, "/mfa/confirm?token=")
	})
}

// The owner gives every user a week, and then tightens the policy: who is signed in is taken
// through enrolment, and who has not enrolled is listed and mailed.
func TestAdministration_TightensThePolicy(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		policy := func(preset, day string) {
			owner.setsPolicy("employee", preset, func() { owner.set("#enroll_by", day) })
		}
		policy("own", s.now().AddDate(0, 0, 7).Format(time.DateOnly))
		greta := s.open(in.script)
		greta.firstFactor("greta")
		require.Equal(t, "/", greta.path(), "let in for the time being")
		require.Contains(t, greta.text("main"), "Set one up before")

		policy("only-totp", "")
		s.advance(61 * time.Second)
		greta.visit("/")
		require.Equal(t, "/mfa/enroll", greta.path(), "the session that is open is asked for more")
		greta.press(`form[action="/mfa/enroll/totp"] button`)
		var secret string
		greta.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
		greta.fill("code", greta.shown(secret))
		greta.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
		greta.saveCodes()
		require.Equal(t, "/", greta.path(), "and goes on where it was")

		owner.visit("/admin/mfa/report")
		require.LessOrEqual(t, owner.narrow(), 320)
		require.Contains(t, owner.text("main"), "Authenticator app")
		owner.visit("/admin/mfa/?status=missing")
		require.Contains(t, owner.text("main"), "Hugo Martin")
		require.NotContains(t, owner.text("main"), "Greta Nilsen")
		owner.press(`a[href*="/mails?"]`)
		owner.press(`form[action$="mails/preview"] button`)
		owner.fill("reason", "the policy asks for it")
		owner.press(`form[action$="/mails"] button`)
		owner.waitFor("each user was tried", func() bool {
			return strings.Contains(owner.text("main"), "These were all users.")
		})
		require.Contains(t, owner.text("main"), "2 mails could not be sent",
			"their addresses are not verified")
		require.Contains(t, owner.text("[data-rows]"), "Address not verified")
		require.LessOrEqual(t, owner.narrow(), 320)
		hugo := s.open(in.script)
		hugo.visit(strings.TrimPrefix(setupLink.FindString(s.last("hugo@acme.example").Text),
			s.base))
		hugo.press(`form[action="/mfa/setup"] button`)
		hugo.replaceApp()

		owner.visit("/admin/mfa/audit?profile=asvs-l2")
		require.LessOrEqual(t, owner.narrow(), 320)
		require.Contains(t, owner.text("main"), "A-6")
	})
}
