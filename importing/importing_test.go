package importing_test

import (
	"context"
	"encoding/base32"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// installation is what users are imported into.
type installation struct {
	*mfa.Manager
	clock *mfatest.Clock
	mail  mfatest.Outbox[email.Message]
	texts mfatest.Outbox[sms.Message]
}

func install(t *testing.T) *installation {
	t.Helper()
	in := &installation{clock: mfatest.NewClock(time.Unix(1_800_000_000, 0))}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{Imported: true})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: &in.mail, ServiceName: "Acme"})
	require.NoError(t, err)
	phone, err := sms.New(sms.Config{Sender: &in.texts, ServiceName: "Acme", Origin: sms.NoOrigin,
		Allow: []string{sms.AnyCountry}})
	require.NoError(t, err)
	in.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: in.clock,
		Factors:   []factor.Factor{app, mail, phone, codes},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	return in
}

func (in *installation) admin() mfa.Admin { return in.Admin(mfa.System("import"), "moved") }

// run imports an export, and returns what happened to each user.
func (in *installation) run(
	t *testing.T, users importing.Users, o importing.Options,
) map[string]string {
	t.Helper()
	outcomes := make(map[string]string)
	for r := range importing.Run(t.Context(), in.admin(), users, o) {
		outcomes[r.User.ID] = r.Outcome()
	}
	return outcomes
}

// verify signs a user in whose password was correct.
func (in *installation) verify(t *testing.T, id, kind, response string) error {
	t.Helper()
	s := in.Session(mfa.User{ID: id, Enrolled: true}, "a session")
	ch, err := s.Begin(t.Context())
	require.NoError(t, err)
	_, err = s.Verify(t.Context(), ch, kind, secret.New(response))
	return err
}

func code(t *testing.T, key string, at time.Time, o oldtotp.ValidateOpts) string {
	t.Helper()
	c, err := oldtotp.GenerateCodeCustom(key, at, o)
	require.NoError(t, err)
	return c
}

func file(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

const rfcKey = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

var usual = oldtotp.ValidateOpts{Period: 30, Digits: 6}

// Users of each system sign in with a code of the same app, and with a recovery code that the old
// system has shown, once.
func TestReaders_UsersSignInAsBefore(t *testing.T) {
	google, err := io.ReadAll(file(t, "google.txt"))
	require.NoError(t, err)
	raw := base32.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		users     importing.Users
		id, key   string
		options   oldtotp.ValidateOpts
		codes     []string
		wantOther map[string]string
	}{
		"Keycloak": {importing.Keycloak(file(t, "keycloak.json")),
			"6f0e2f3c-0f64-4b1a-9f0e-6d9a2a1b7c11", raw([]byte("DJmQfC73VGFhw7D4QJ8A")), usual,
			[]string{"ABCDEFGHJK00", "abcd efgh jk11"}, map[string]string{
				"8b": "imported totp",
				"9c": "failed: importing: the export cannot be read: an app counts codes " +
					"(\"hotp\"), and only time-based ones go on"}},
		"Keycloak, base32": {importing.Keycloak(file(t, "keycloak.json")), "8b", rfcKey,
			oldtotp.ValidateOpts{Period: 60, Digits: 8, Algorithm: otp.AlgorithmSHA256}, nil, nil},
		"django-otp": {importing.Django(file(t, "django-otp.json")), "12", rfcKey, usual,
			[]string{"gqh3zlmb", "XKAE-PX5T"}, nil},
		"django-allauth": {importing.Django(file(t, "allauth.json")), "7",
			"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", usual, []string{"63991594", "7205 7383"}, nil},
		"Authelia": {importing.CSV(file(t, "authelia.csv"), importing.Authelia()), "ann", rfcKey,
			usual, nil, nil},
		"Google Authenticator": {importing.GoogleAuthenticator(string(google)), "ann", rfcKey,
			usual, nil, map[string]string{"bob": "imported totp",
				"counter": "failed: importing: the export cannot be read: the account " +
					"\"counter\" has no time-based codes, or unknown ones"}},
		"JSON lines": {importing.JSONLines(strings.NewReader(`{"id": "ann", "factors": [
			{"kind": "totp", "params": {"secret": "` + rfcKey + `"}},
			{"kind": "recovery", "params": {"codes": "abcd-1234\nefgh-5678"}}]}`)), "ann", rfcKey,
			usual, []string{"abcd1234", "EFGH 5678"}, nil},
		"CSV": {importing.CSV(strings.NewReader("user,otp,codes\n"+
			"ann,otpauth://totp/Acme:ann?secret="+rfcKey+",\"abcd-1234, efgh-5678\"\n"),
			importing.Columns{ID: "user", Secret: "otp", Codes: "codes"}), "ann", rfcKey, usual,
			[]string{"abcd1234", "EFGH 5678"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := install(t)
			outcomes := in.run(t, c.users, importing.Options{})
			require.Contains(t, outcomes[c.id], "imported totp")
			for id, want := range c.wantOther {
				require.Equal(t, want, outcomes[id])
			}
			shown := code(t, c.key, in.clock.Now(), c.options)
			require.NoError(t, in.verify(t, c.id, "totp", shown))
			for _, code := range c.codes {
				require.NoError(t, in.verify(t, c.id, "recovery", code))
				require.ErrorIs(t, in.verify(t, c.id, "recovery", code), factor.ErrIncorrect)
			}
			_, sent := in.mail.Last()
			require.False(t, sent)
		})
	}
}

// A dry run changes nothing, and an import that was cut off goes on when it is run again.
func TestRun_GoesOnAfterItWasCutOff(t *testing.T) {
	in := install(t)
	lines := func() importing.Users {
		var b strings.Builder
		for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
			b.WriteString(`{"id": "` + id + `", "factors": [{"kind": "totp", "params": ` +
				`{"secret": "` + rfcKey + `"}}]}` + "\n")
		}
		return importing.JSONLines(strings.NewReader(b.String()))
	}
	require.Len(t, in.run(t, lines(), importing.Options{DryRun: true}), 6)
	for range importing.Run(t.Context(), in.admin(), lines(), importing.Options{}) {
		break
	}
	outcomes := in.run(t, lines(), importing.Options{})
	require.Equal(t, "skipped: imported", outcomes["a"])
	require.Equal(t, "imported totp", outcomes["b"])
	for id, outcome := range in.run(t, lines(), importing.Options{}) {
		require.Equal(t, "skipped: imported", outcome, id)
	}
}

// One user's error keeps no other user out, and quotes no secret.
func TestRun_GoesOnAfterAnError(t *testing.T) {
	in := install(t)
	outcomes := in.run(t, importing.CSV(strings.NewReader("id,key,mail\nann,0189SECRET,\nbob,"+
		rfcKey+",\ncarl,JBSWY3DPEHPK3PXP,carl@example.com\n"),
		importing.Columns{ID: "id", Secret: "key", Address: "mail"}), importing.Options{})
	require.Equal(t, "imported totp", outcomes["bob"])
	require.Equal(t, "imported totp, email; to be renewed: totp", outcomes["carl"])
	require.Contains(t, outcomes["ann"], "failed: secret_form")
	require.NotContains(t, outcomes["ann"], "0189")
}

// A phone number that another system has verified takes codes, and the import sends none.
func TestRun_ImportsVerifiedNumbers(t *testing.T) {
	in := install(t)
	outcomes := in.run(t, importing.CSV(strings.NewReader("id,phone\nann,+31 6 12345678\nbob,12\n"),
		importing.Columns{ID: "id", Number: "phone"}), importing.Options{})
	require.Equal(t, "imported sms", outcomes["ann"])
	require.Contains(t, outcomes["bob"], "failed: number_")
	require.Empty(t, in.texts.All())
	s := in.Session(mfa.User{ID: "ann", Enrolled: true}, "a session")
	ch, err := s.Begin(t.Context())
	require.NoError(t, err)
	_, err = s.Send(t.Context(), ch, "sms")
	require.NoError(t, err)
	text, _ := in.texts.Last()
	require.Equal(t, "+31612345678", text.To)
	_, err = s.Verify(t.Context(), ch, "sms", secret.New(regexp.MustCompile(`\d{6}`).FindString(
		text.Text)))
	require.NoError(t, err)
}

func TestReaders_RefuseOtherFiles(t *testing.T) {
	text := strings.NewReader
	id := importing.Columns{ID: "id"}
	google := importing.GoogleAuthenticator
	for name, users := range map[string]importing.Users{
		"no JSON":                 importing.JSONLines(text("SECRET")),
		"a misspelt field":        importing.JSONLines(text(`{"id": "ann", "factor": "SECRET"}`)),
		"no realm":                importing.Keycloak(text(`["SECRET"]`)),
		"a realm without users":   importing.Keycloak(text(`{"realm": "SECRET"}`)),
		"a realm that is cut off": importing.Keycloak(text(`{"users": [{"id": "SECRET`)),
		"no fixture":              importing.Django(text(`{"SECRET": 1}`)),
		"a key that is no number": importing.Django(text(
			`[{"model": "otp_totp.totpdevice", "fields": {"key": "SECRET"}}]`)),
		"a table without a column": importing.CSV(text("name,SECRET\n"), id),
		"an empty table":           importing.CSV(text(""), id),
		"a long row":               importing.CSV(text("id\na,SECRET\n"), id),
		"a link":                   google("https://example.com/SECRET"),
		"no base64":                google("otpauth-migration://offline?data=SECRET!"),
		"no message":               google("otpauth-migration://offline?data=//////8="),
	} {
		t.Run(name, func(t *testing.T) {
			var last error
			for u, err := range users {
				require.Empty(t, u.ID)
				last = errors.Join(last, err)
			}
			require.Error(t, last)
			require.NotContains(t, last.Error(), "SECRET")
		})
	}
}

func FuzzGoogleAuthenticator(f *testing.F) {
	f.Add("otpauth-migration://offline?data=CiUKFDEyMzQ1Njc4OTAxMjM0NTY3ODkwEgNhbm4")
	f.Fuzz(func(_ *testing.T, uri string) {
		for range importing.GoogleAuthenticator(uri) {
		}
	})
}
