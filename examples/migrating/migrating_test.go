package migrating_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
	"github.com/volatiletech/authboss/v3"
	"github.com/volatiletech/authboss/v3/mocks"
	"github.com/volatiletech/authboss/v3/otp/twofactor"
	"github.com/volatiletech/authboss/v3/otp/twofactor/totp2fa"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/examples/migrating"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// application is one that has moved. Its policy is that of the front door: a verified address is a
// factor for users who have no other.
type application struct {
	*mfa.Manager
	clock *mfatest.Clock
}

func newApplication(t *testing.T) *application {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{},
		ServiceName: "Acme"})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{Imported: true})
	require.NoError(t, err)
	clock := mfatest.NewClock(time.Now())
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: clock,
		Factors:   []factor.Factor{app, mail, codes},
		Policies:  policy.Static(policy.Policy{Implicit: []string{"email"}}),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	return &application{m, clock}
}

// verify signs a user in whose password was correct.
func (a *application) verify(t *testing.T, id, kind, response string) error {
	t.Helper()
	s := a.Session(mfa.User{ID: id, Email: id, EmailVerified: true}, "a session")
	ch, err := s.Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, mfa.NextVerify, ch.Next)
	_, err = s.Verify(t.Context(), ch, kind, secret.New(response))
	return err
}

// enrolled returns a user of authboss with an app and the recovery codes that the user was shown.
// The handler of authboss writes the user.
func enrolled(t *testing.T) (user *mocks.User, codes []string) {
	t.Helper()
	session, body, page := mocks.NewClientRW(), &mocks.BodyReader{}, &mocks.Responder{}
	store := mocks.NewServerStorer()
	ab := authboss.New()
	ab.Config.Core.BodyReader, ab.Config.Core.Responder = body, page
	ab.Config.Core.Logger = mocks.Logger{}
	ab.Config.Storage.SessionState, ab.Config.Storage.Server = session, store
	ab.Config.Modules.TOTP2FAIssuer = "Acme"
	user = &mocks.User{Email: "ann@example.com"}
	store.Users[user.Email] = user
	key, err := oldtotp.Generate(oldtotp.GenerateOpts{Issuer: "Acme", AccountName: user.Email})
	require.NoError(t, err)
	session.ClientValues[totp2fa.SessionTOTPSecret] = key.Secret()
	session.ClientValues[authboss.SessionKey] = user.Email
	code, err := oldtotp.GenerateCode(key.Secret(), time.Now())
	require.NoError(t, err)
	body.Return = &mocks.Values{Code: code}

	w := ab.NewResponse(httptest.NewRecorder())
	r, err := ab.LoadClientState(w, mocks.Request("POST"))
	require.NoError(t, err)
	require.NoError(t, (&totp2fa.TOTP{Authboss: ab}).PostConfirm(w, r))
	w.WriteHeader(http.StatusOK)
	codes, _ = page.Data[twofactor.DataRecoveryCodes].([]string)
	require.Len(t, codes, 10)
	require.NotEmpty(t, user.TOTPSecretKey)
	return user, codes
}

// A user of authboss signs in with the same app, and with the same recovery codes.
func TestImport_OfAuthbossKeepsAppAndRecoveryCodes(t *testing.T) {
	user, codes := enrolled(t)
	a := newApplication(t)
	old, ok := migrating.FromAuthboss(user)
	require.True(t, ok)
	done, err := migrating.Import(t.Context(), a.Manager, old)
	require.NoError(t, err)
	require.Equal(t, []string{"totp", "recovery"}, done.Kinds)

	code := func() string {
		code, err := oldtotp.GenerateCode(user.TOTPSecretKey, a.clock.Now())
		require.NoError(t, err)
		return code
	}
	require.NoError(t, a.verify(t, old.ID, "totp", code()))
	require.ErrorIs(t, a.verify(t, old.ID, "totp", code()), factor.ErrReplayed)

	o, err := a.Overview(t.Context(), mfa.User{ID: old.ID})
	require.NoError(t, err)
	require.Equal(t, 10, o.RecoveryCodesRemaining)
	require.NoError(t, a.verify(t, old.ID, "recovery", " "+strings.ToUpper(codes[3])))
	require.ErrorIs(t, a.verify(t, old.ID, "recovery", codes[3]), factor.ErrIncorrect, "once")
	require.NoError(t, a.verify(t, old.ID, "recovery", codes[9]))
	// A repeated import revives no code.
	done, err = migrating.Import(t.Context(), a.Manager, old)
	require.NoError(t, err)
	require.Equal(t, "imported", done.Skipped)
	require.ErrorIs(t, a.verify(t, old.ID, "recovery", codes[3]), factor.ErrIncorrect)
}

// Secrets in a column, alone or as the URL of the QR code.
func TestImport_OfSecretsKeepsApp(t *testing.T) {
	for name, options := range map[string]oldtotp.GenerateOpts{
		"default": {},
		"SHA256":  {Algorithm: otp.AlgorithmSHA256, Digits: otp.DigitsEight, Period: 60},
	} {
		options.Issuer, options.AccountName = "Acme", "ann@example.com"
		key, err := oldtotp.Generate(options)
		require.NoError(t, err)
		stored := map[string]string{name + ", URL": key.URL()}
		if name == "default" {
			stored[name] = key.Secret()
		}
		for name, value := range stored {
			t.Run(name, func(t *testing.T) {
				a := newApplication(t)
				_, err := migrating.Import(t.Context(), a.Manager,
					migrating.Old{ID: "ann", Secret: value})
				require.NoError(t, err)
				code, err := oldtotp.GenerateCodeCustom(key.Secret(), a.clock.Now(),
					oldtotp.ValidateOpts{Period: uint(key.Period()), Digits: key.Digits(),
						Algorithm: key.Algorithm()})
				require.NoError(t, err)
				require.NoError(t, a.verify(t, "ann", "totp", code))
			})
		}
	}
}

// The front door has a Manager, too. A browser then asks for a code of the old app.
func TestImport_ThroughTheFrontDoor(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys:   secondgate.KeyFile(t.TempDir() + "/key"),
		Mail:   &mfatest.Outbox[email.Message]{},
		Logger: slog.New(slog.DiscardHandler), ImportedRecoveryCodes: true,
		Authorize: func(_ context.Context, act mfa.AdminAction) error {
			if act.System && act.Name == "import" {
				return nil
			}
			return mfa.ErrForbidden
		},
		User: func(*http.Request) (secondgate.User, error) {
			return secondgate.User{ID: "ann", Email: "ann@example.com", EmailVerified: true,
				Enrolled: true, SessionID: "a session", SignedInAt: time.Now()}, nil
		}})
	require.NoError(t, err)
	c := mfatest.NewClient(t, gate.Require(http.NotFoundHandler()))
	require.Equal(t, http.StatusServiceUnavailable, c.Get(t, "/").Status, "not moved yet")
	app := &mfatest.App{Key: secret.New(key)}
	_, err = migrating.Import(t.Context(), gate.Manager,
		migrating.Old{ID: "ann", Account: "ann@example.com", Secret: key})
	require.NoError(t, err)
	require.Contains(t, c.Get(t, "/").Path, "/mfa/verify")
	c.PassSecondFactor(t, app)
	require.Equal(t, http.StatusNotFound, c.Get(t, "/").Status, "a page of the application")
}

// A user whose factors cannot be imported is reported, and has nothing; User.Enrolled keeps an
// attacker with the password from enrolling.
func TestImport_FailureLeavesNothing(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for name, old := range map[string]migrating.Old{
		"no base32":      {ID: "ann", Secret: "0189"},
		"72 bits":        {ID: "ann", Secret: "JBSWY3DPEHPK3P"},
		"no URL":         {ID: "ann", Secret: "otpauth://totp/%zz"},
		"no hashes":      {ID: "ann", Secret: key, RecoveryCodes: "abcde-fghij"},
		"a hash is lost": {ID: "ann", Secret: key, RecoveryCodes: ","},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApplication(t)
			_, err := migrating.Import(t.Context(), a.Manager, old)
			require.ErrorContains(t, err, "user ann")
			require.NotContains(t, err.Error(), old.Secret)
			o, err := a.Overview(t.Context(), mfa.User{ID: "ann"})
			require.NoError(t, err)
			require.Empty(t, o.Factors)
			_, err = a.Session(mfa.User{ID: "ann", Enrolled: true}, "s").Begin(t.Context())
			require.ErrorIs(t, err, mfa.ErrRecordMissing)
		})
	}
}
