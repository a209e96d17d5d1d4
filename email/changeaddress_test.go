package email_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// The application stores the address that the code has proven, and not another spelling of it: in
// one of them a program may read another address, or none.
func TestChangeAddress_GivesTheAddressThatIsVerified(t *testing.T) {
	for _, typed := range []string{"ann@new.example", " Ann@NEW.example ", "mailto:ann@new.example",
		"ａｎｎ@ｎｅｗ．ｅｘａｍｐｌｅ", "\u202eann@new.example\u200b", `"ann"@new.example`, "ann@münchen.example"} {
		r := newRig(t)
		u := mfa.User{ID: "ann", Email: "ann@old.example", EmailVerified: true}
		s, ch := r.Session(u, "b"), r.begin(t, u)
		_, err := s.Send(t.Context(), ch, "email")
		require.NoError(t, err)
		v, err := s.Verify(t.Context(), ch, "email", r.code(t))
		require.NoError(t, err)
		e, err := s.ChangeAddress(t.Context(), v.Grant, secret.New(typed))
		require.NoError(t, err, "%q", typed)
		m, ok := r.box.Last()
		require.True(t, ok)
		require.Equal(t, m.To, e.Address.Reveal(), "%q", typed)

		kept, err := json.Marshal(e)
		require.NoError(t, err)
		var again mfa.Enrollment
		require.NoError(t, json.Unmarshal(kept, &again))
		require.NoError(t, s.RestoreEnrollment(&again))
		require.Equal(t, m.To, again.Address.Reveal())
		_, err = s.ConfirmAddress(t.Context(), &again, r.code(t), func(context.Context) error {
			return errors.New("it is enough that it is asked")
		})
		require.Error(t, err)
	}
}
