package email_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

const (
	wholeLink     = "https://acme.example/c?token=x"
	passwordKnown = "If this was not you, someone may know your password: change it, and do not "
	notAsked      = "If you did not ask for this, you can ignore this mail."
	notYou        = "If this was not you, change your password, check your security settings, " +
		"and contact the support of Acme."
	never = "Acme never asks for this code by phone or mail."
)

// Each kind of mail, whole: the text line by line, and what a reader of the HTML sees, of which the
// first two are the title and what a list of mails shows.
func TestCompose_WritesTheWholeMail(t *testing.T) {
	code, link := secret.New("012345"), secret.New(wholeLink)
	for name, tc := range map[string]struct {
		content    email.Content
		text, html []string
	}{
		"a code": {email.Content{Purpose: "sign-in", Code: code},
			[]string{"012345 is your code for Acme.", "",
				"Use this code to finish signing in to Acme.",
				"It is valid for 90 seconds, and works once.", "",
				passwordKnown + "give this code to anyone.", never},
			[]string{"012345 is your code for Acme. It is valid for 90 seconds, and works once.",
				"Acme", "012345", "Use this code to finish signing in to Acme.",
				"It is valid for 90 seconds, and works once.",
				passwordKnown + "give this code to anyone. " + never}},
		"a link": {email.Content{Purpose: "confirm", Link: link},
			[]string{"Verify that this is your e-mail address for Acme.", "", wholeLink, "",
				notAsked},
			[]string{"Verify that this is your e-mail address for Acme.", "Acme",
				"Verify that this is your e-mail address for Acme.", "Verify this address",
				notAsked}},
		"a code and a link": {email.Content{Purpose: "confirm", Code: code, Link: link},
			[]string{"012345 is your code for Acme.", "",
				"Use this code to verify your e-mail address for Acme.",
				"It is valid for 90 seconds, and works once.", "", "Or open this link:", wholeLink,
				"", notAsked, never},
			[]string{"012345 is your code for Acme. It is valid for 90 seconds, and works once.",
				"Acme", "012345", "Use this code to verify your e-mail address for Acme.",
				"It is valid for 90 seconds, and works once.", "Or confirm it here:",
				"Verify this address", notAsked + " " + never}},
		"a notice": {email.Content{Notice: "factor.added", Factor: "totp", Name: "Phone",
			Time:    time.Date(2026, 1, 5, 23, 30, 0, 0, time.UTC),
			Browser: "Firefox, Windows", Place: "Utrecht", SettingsURL: wholeLink},
			[]string{"“Phone” (authenticator app) was added to the ways you can confirm a sign-in " +
				"to Acme.", "", "This happened on 5\u00a0January 2026, 23:30\u00a0UTC.",
				"Browser: Firefox, Windows", "Approximate place: Utrecht", "",
				"Check your security settings:", wholeLink, "", notYou},
			[]string{"“Phone” (authenticator app) was added to the ways you can confirm a sign-in " +
				"to Acme.", "Acme", "“Phone” (authenticator app) was added to the ways you can " +
				"confirm a sign-in to Acme.", "This happened on 5\u00a0January 2026, 23:30\u00a0UTC.",
				"Browser: Firefox, Windows", "Approximate place: Utrecht",
				"Check your security settings", notYou}},
		"a notice that knows nothing more": {email.Content{Notice: "implied.off"},
			[]string{"The e-mail address of your account at Acme receives no codes any more " +
				"while you have a stronger sign-in method.", "", notYou},
			[]string{"The e-mail address of your account at Acme receives no codes any more " +
				"while you have a stronger sign-in method.", "Acme", "The e-mail address of your " +
				"account at Acme receives no codes any more while you have a stronger sign-in " +
				"method.", notYou}},
		"a link to a set-up": {email.Content{Notice: "setup.link", Link: link,
			Time: time.Unix(1, 0), SettingsURL: "https://acme.example/settings"},
			[]string{"Set up a new way to confirm your sign-in to Acme.", "",
				"The link is valid for an hour, and works once.", "", "Open this link:", wholeLink,
				"", "If you did not ask for this, someone may know your password: change it, and " +
					"do not open the link."},
			[]string{"Set up a new way to confirm your sign-in to Acme.", "Acme",
				"Set up a new way to confirm your sign-in to Acme.",
				"The link is valid for an hour, and works once.", "Set up a new device",
				"If you did not ask for this, someone may know your password: change it, and " +
					"do not open the link."}},
	} {
		t.Run(name, func(t *testing.T) {
			c := tc.content
			c.ServiceName, c.TTL = "Acme", 90*time.Second
			m, err := email.Compose(c)
			require.NoError(t, err)
			require.Equal(t, strings.Join(tc.text, "\n")+"\n", m.Text.Reveal())
			require.Equal(t, strings.Join(append([]string{"Acme"}, tc.html...), "\n")+"\n",
				visible(m.HTML.Reveal()))
		})
	}
}

// A notice of what users do in a session names no cause, and one without a name has a text that
// needs none.
func TestNotices_SayNoMoreThanIsKnown(t *testing.T) {
	compose := func(c email.Content) email.Message {
		c.ServiceName = "Acme"
		m, err := email.Compose(c)
		require.NoError(t, err)
		return m
	}
	m := compose(email.Content{Notice: "factor.added", Factor: "totp", Cause: "first-factor"})
	require.NotContains(t, m.Text.Reveal(), "The first step of the sign-in")
	for _, cause := range []string{"", "unknown"} {
		m = compose(email.Content{Notice: "verify.failure", Factor: "totp", Cause: cause})
		require.True(t, strings.HasPrefix(m.Text.Reveal(), "Someone entered wrong codes "+
			"(authenticator app) for your account at Acme. They did not get in.\n"))
	}
	m = compose(email.Content{Notice: "factor.renamed", Factor: "totp"})
	require.Equal(t, "A sign-in method was renamed at Acme", m.Subject)
	require.Contains(t, m.Text.Reveal(), "Something changed in how you sign in to Acme.")
	m = compose(email.Content{Notice: "lockout.locked", Factor: "totp"})
	require.NotContains(t, m.Text.Reveal(), "January", "the time of nothing")
	// A name that the factor gave itself is no name that the user chose.
	m = compose(email.Content{Notice: "factor.added", Factor: "totp",
		Name: "Authenticator app 2"})
	require.True(t, strings.HasPrefix(m.Text.Reveal(), "Authenticator app was added"))
}

// A Compose has to make only what is sent: the link of a confirmation, if links have a page.
func TestNew_TriesNoMailThatIsNotSent(t *testing.T) {
	without := func(c email.Content) (email.Message, error) {
		c.Link = secret.Text{}
		return email.Compose(c)
	}
	cfg := email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme",
		Compose: without}
	_, err := email.New(cfg)
	require.NoError(t, err, "links have no page")
	cfg.ConfirmURL = func(token string) string { return wholeLink + token }
	_, err = email.New(cfg)
	require.ErrorContains(t, err, "without the link")
	cfg.Compose = func(c email.Content) (email.Message, error) {
		if c.Purpose == "confirm" {
			return email.Compose(c)
		}
		return without(c)
	}
	_, err = email.New(cfg)
	require.NoError(t, err, "a code to sign in with comes without a link")
}

// A user without an address of record has no implied factor, and no error.
func TestImplied_IsNothingWithoutAnAddress(t *testing.T) {
	state, masked, err := newFactor(t).Implied(factor.User{ID: "ann"})
	require.NoError(t, err)
	require.Nil(t, state)
	require.Empty(t, masked)
}

// A mail that breaks the rules later is not sent, and the error quotes nothing of it.
func TestDeliver_SendsNoMailThatBreaksTheRules(t *testing.T) {
	box, subject := &mfatest.Outbox[email.Message]{}, "Your code"
	f, err := email.New(email.Config{Sender: box, ServiceName: "Acme",
		Compose: func(c email.Content) (email.Message, error) {
			m, err := email.Compose(c)
			m.Subject = subject
			return m, err
		}})
	require.NoError(t, err)
	subject = "Your code\r\nBcc: eve@example.com"
	err = f.Deliver(t.Context(), factor.Message{State: []byte("ann@example.com"),
		Payload: secret.New("012345")})
	require.ErrorContains(t, err, "not one line")
	require.NotContains(t, err.Error(), "eve@")
	require.Empty(t, box.All())
}

// The time zone of the server is not the user's, whatever a user's is called.
func TestNotices_KnowNoTimeZoneOfTheServer(t *testing.T) {
	before := time.Local
	t.Cleanup(func() { time.Local = before })
	time.Local = time.FixedZone("SERVER", 3600)
	m, err := email.Compose(email.Content{ServiceName: "Acme", Notice: "factor.added",
		Factor: "totp", TimeZone: "Local", Time: time.Date(2026, 1, 5, 23, 30, 0, 0, time.UTC)})
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "23:30\u00a0UTC")
}

func TestMask_ShowsADigitLikeALetter(t *testing.T) {
	require.Equal(t, "1•••@example.com", email.Mask("1ann@example.com"))
}
