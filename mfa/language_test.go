package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/client"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// A code or a link that a user waits for is in the language of their request, unless the
// application knows the user's own. An administrator's request does not choose the language of
// another user, and an attacker's does not choose that of a notice.
func TestSend_IsInTheLanguageOfTheRequest(t *testing.T) {
	r := telling(t)
	ctx := client.Client{Language: "nl"}.Context(t.Context())
	danish := ann
	danish.Locale = "da"
	for user, want := range map[*mfa.User]string{&ann: "nl", &danish: "da"} {
		s, ch := r.Session(*user, binding), r.begin(*user)
		_, err := s.Send(ctx, ch, "mail")
		require.NoError(t, err)
		require.Equal(t, want, r.mail.locale)
		_, err = s.SendRecoveryLink(ctx, ch)
		require.NoError(t, err)
		require.Equal(t, want, r.mail.locale)
	}
	grant := r.signIn(ann).Grant
	s := r.Session(ann, binding)
	e, err := s.Enroll(ctx, grant, mfa.EnrollRequest{Kind: "app",
		Params: map[string]secret.Text{"word": secret.New("word")}})
	require.NoError(t, err)
	_, err = s.SendElsewhere(ctx, e)
	require.NoError(t, err)
	require.Equal(t, "nl", r.mail.locale)

	_, err = r.Session(danish, binding).Confirm(t.Context(), e, secret.New("word"))
	require.NoError(t, err)
	require.Equal(t, "da", r.mail.locale, "known since the grant was issued")

	_, err = r.Admin(boss, "").SendVerificationLink(ctx, ann)
	require.NoError(t, err)
	require.Empty(t, r.mail.locale, "the administrator's language")
	_, err = r.Admin(boss, "").SendRecoveryLink(ctx, ann)
	require.NoError(t, err)
	require.Empty(t, r.mail.locale, "the administrator's language")
	require.NoError(t, r.Session(ann, binding).Cancel(ctx, r.begin(ann)))
	require.Empty(t, r.mail.notice(t, "challenge.abandoned").User.Locale, "perhaps an attacker's")
}
