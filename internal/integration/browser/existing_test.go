package browser_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

// The application of examples/existing has a second factor by the lines that it added: a user
// signs in, sets up an authenticator app, and is asked for it the next time.
func TestExisting_SignsInWithASecondFactor(t *testing.T) {
	path := buildExample(t, "existing/after")
	bothAtLength(t, func(t *testing.T, script bool) {
		s := startExample(t, path)
		b := s.open(script)
		password := func() {
			b.run(navigate(s.base + "/"))
			require.Equal(t, "/login", b.path())
			b.run(chromedp.SetValue(`[name=email]`, "ann@example.com", chromedp.ByQuery),
				chromedp.SetValue(`[name=password]`, "correct horse battery", chromedp.ByQuery))
			require.NoError(t, b.follow(chromedp.Click("button", chromedp.ByQuery)))
		}
		password()
		require.Equal(t, "/mfa/enroll", b.path())
		b.press(`form[action="/mfa/enroll/totp"] button`)
		var page string
		b.eval("document.documentElement.outerHTML", &page)
		key := regexp.MustCompile(`secret=([A-Z2-7]+)`).FindStringSubmatch(page)
		require.NotNil(t, key, page)
		code := func(later time.Duration) string {
			c, err := totp.GenerateCode(key[1], time.Now().Add(later))
			require.NoError(t, err)
			return c
		}
		b.fill("code", code(0))
		require.NoError(t, b.follow(chromedp.Click(`main form button[type=submit]`,
			chromedp.ByQuery)))
		require.Equal(t, "/mfa/recovery-codes", b.path())
		b.run(chromedp.Click("#saved", chromedp.ByQuery))
		require.NoError(t, b.follow(chromedp.Click(
			`form[action="/mfa/recovery-codes/saved"] button`, chromedp.ByQuery)))
		require.Equal(t, "/", b.path())
		require.Contains(t, b.text("h1"), "Welcome, ann@example.com")
		require.NoError(t, b.follow(chromedp.Click(`form[action="/logout"] button`,
			chromedp.ByQuery)))

		password()
		require.Equal(t, "/mfa/verify", b.path())
		b.fill("code", code(30*time.Second)) // the next one: each is accepted once
		require.NoError(t, b.follow(chromedp.Click(`form[action="/mfa/verify"] button`,
			chromedp.ByQuery)))
		require.Contains(t, b.text("h1"), "Welcome, ann@example.com")
	})
}
