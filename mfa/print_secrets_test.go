package mfa_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/stretchr/testify/require"
)

// No secret of a flow is in an error, an event, a log, the store, or the text or JSON
// form of anything exported. A token is in the JSON form of what is made to be stored, and
// nowhere else.
func TestManager_PrintsNoSecret(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(c *mfa.Config) {
		c.Events = mfa.SlogEvents(slog.New(slog.NewTextHandler(&log, nil)))
	})
	var printed strings.Builder
	var encoded bytes.Buffer
	show := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(&printed, "%v %+v %#v %s %q %x %d\n", v, v, v, v, v, v, v)
			if e, ok := v.(error); ok {
				fmt.Fprintln(&printed, e.Error())
			}
			logEverywhere(&printed, v)
			j, _ := json.Marshal(v)
			encoded.Write(j)
		}
	}
	ch := r.begin(ann)
	d := r.send(ch)
	code := r.mail.code(ann.Email)
	_, wrong := r.verify(ch, "mail", secret.New("918273"))
	v, err := r.verify(ch, "mail", code)
	require.NoError(t, err)
	show(ch, v)
	grant, challenge := textOf(t, v.Grant), textOf(t, ch)
	v.Grant, ch = grantOf(grant), challengeOf(challenge) // in the form that was stored
	require.NoError(t, r.Session(ann, binding).RestoreChallenge(ch))
	e, err := r.begun(v.Grant, "app", "tulip-secret")
	require.NoError(t, err)
	show(e)
	enrollment := textOf(t, e)
	e = enrollmentOf(enrollment)
	require.NoError(t, r.Session(ann, binding).RestoreEnrollment(e))
	c, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip-secret"))
	require.NoError(t, err)
	codes, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), c.Grant)
	require.NoError(t, err)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	s := r.Session(mfa.User{ID: ann.ID}, binding).OnDevice(code) // a User prints what is in it
	show(ch, d, wrong, v, e, c, codes, o, r.Keys(), s, s.Actor(v.Grant),
		r.Admin(s.Actor(v.Grant), ""),
		r.Passwordless(binding),
		mfa.EnrollRequest{Params: map[string]secret.Text{
			"word": secret.New("tulip-secret")}})
	printed.WriteString(log.String())
	for _, s := range dump(t, r.store) {
		printed.WriteString(s)
	}
	secrets := map[string]string{"code": code.Reveal(), "guess": "918273",
		"secret": "tulip-secret", "address": ann.Email, "session": binding}
	tokens := map[string]string{"grant": grant.Reveal()[:24],
		"challenge": challenge.Reveal()[:24], "enrolment": enrollment.Reveal()[:24]}
	for name, token := range tokens {
		require.Contains(t, encoded.String(), token, "%s, to be stored", name)
		require.False(t, strings.Contains(printed.String(), token), name)
		require.False(t, strings.Contains(printed.String(), fmt.Sprintf("%x", token)), name)
	}
	printed.Write(encoded.Bytes())
	for name, secret := range secrets {
		require.False(t, strings.Contains(printed.String(), secret), name)
		require.False(t, strings.Contains(printed.String(), fmt.Sprintf("%x", secret)), name)
	}
}

func (r *rig) Keys() *seal.Keyring { return r.cfg.Keys }
