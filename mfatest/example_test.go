package mfatest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfatest"
)

// What docs/testing.md shows, on an application whose mails are kept.
func TestDocuments_ShowTestsThatPass(t *testing.T) {
	newApp := func(mails *mfatest.Outbox[email.Message]) http.Handler { return newApp(t, mails) }
	var mails mfatest.Outbox[email.Message] // the application's Config.Mail is &mails
	client := mfatest.NewClient(t, newApp(&mails))
	client.Post(t, "/login", url.Values{"password": {"secret"}})
	client.PassSecondFactor(t, &mails)

	client = mfatest.NewClient(t, newApp(&mails))
	client.Post(t, "/login", url.Values{"password": {"secret"}})
	client.Post(t, "/mfa/send", url.Values{"kind": {"email"}})
	mail, _ := mails.Last()
	page := client.Post(t, "/mfa/verify", url.Values{"kind": {"email"},
		"code": {mfatest.Code(t, mail.Text)}})
	require.Equal(t, "/", page.Path)

	code := mfatest.AppCode(t, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	require.Len(t, code, 6)
}
