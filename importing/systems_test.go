package importing_test

import (
	"encoding/base32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pquerna/otp"
	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// The keys of the samples.
const (
	laravelKey   = "base64:YIyJSH/tEkyCffp6xqK+a29B8rXLda29h0JCO+z9d9o="
	betterKey    = "a secret of better-auth that a test may know"
	nextcloudKey = "an instance secret that a test may know"
	supabaseKey  = "YSBrZXkgb2YgMzIgYnl0ZXMsIGtub3duIHRvIGFsbC4"
)

// system is an export of a system, and a user in it.
type system struct {
	read    func(t *testing.T, keys ...secret.Text) importing.Users
	keys    []secret.Text
	id, key string
	options oldtotp.ValidateOpts
	codes   []string
	// outcomes are those of the other users.
	outcomes map[string]string
}

func systems() map[string]system {
	const failed = "failed: importing: the export cannot be read: "
	keys := func(list ...string) (keys []secret.Text) {
		for _, k := range list {
			keys = append(keys, secret.New(k))
		}
		return keys
	}
	return map[string]system{
		"Auth0": {id: "auth0|5f7c8ec7c33c6c004bbafe82", key: rfcKey,
			read: func(t *testing.T, _ ...secret.Text) importing.Users {
				return importing.Auth0(file(t, "auth0.json"))
			},
			outcomes: map[string]string{
				"auth0|5f7c8ec7c33c6c004bbafe83": failed + "it says that the user has a second " +
					"factor, without its secret",
				"auth0|5f7c8ec7c33c6c004bbafe84": "",
				"auth0|5f7c8ec7c33c6c004bbafe85": "imported totp; not moved: a factor of a kind " +
					"that Auth0 does not document"}},
		"authboss": {id: "ann@example.com", key: "K3JOQPNIJ6CPY3Y2IYMBU74PMLGFXMB4",
			codes: []string{"hqpkf-2926c", "936PV I0P0Q"},
			read: func(t *testing.T, _ ...secret.Text) importing.Users {
				return importing.CSV(file(t, "authboss.csv"), importing.Authboss())
			}},
		"better-auth": {id: "y3P8GhtKdvG5qca4LIfqzdOoibs3N5xr", keys: keys("new", betterKey),
			key:   "JFGGWN2LLFQTMNCNIZUUG3ZQMRBEESJXHB4GIZSMLEZV653HONVA",
			codes: []string{"Gy3bO-J3uQk", "osOvp6ptTv"},
			read: func(t *testing.T, keys ...secret.Text) importing.Users {
				return importing.BetterAuth(file(t, "better-auth.jsonl"), keys...)
			},
			outcomes: map[string]string{"qhxZYgjSIddFNAfk0KSgqfXIgKYRZuRN": "failed: nothing of " +
				"the user can be moved; not moved: an app that the user has not verified"}},
		"Fortify": {id: "1", key: rfcKey, keys: keys("base64:AAAA", laravelKey),
			codes: []string{"AbCdEfGhIj-KlMnOpQrSt", "0123456789 abcdefghij"},
			read: func(t *testing.T, keys ...secret.Text) importing.Users {
				return importing.Fortify(file(t, "fortify.json"), keys...)
			},
			outcomes: map[string]string{"2": "imported totp, recovery",
				"3": "failed: nothing of the user can be moved; not moved: an app that the user " +
					"has not confirmed",
				"4": failed + "none of the keys decrypts what it has of the user", "5": ""}},
		"Kratos": {id: "9d0b6a7e-51f5-4d3e-8e5a-0a5f5d4b3c11", key: rfcKey,
			codes: []string{"a1b2c3d4", "K9M2-X7W3"},
			read: func(t *testing.T, _ ...secret.Text) importing.Users {
				return importing.Kratos(file(t, "kratos.json"))
			},
			outcomes: map[string]string{
				"9d0b6a7e-51f5-4d3e-8e5a-0a5f5d4b3c12": failed +
					"it was made without include_credential=totp",
				"9d0b6a7e-51f5-4d3e-8e5a-0a5f5d4b3c13": ""}},
		"Nextcloud": {id: "ann", key: rfcKey, keys: keys(nextcloudKey),
			codes: []string{"aB3dEfGhJkMnPqRs", "wXyZ 2345 6789 abcd"},
			read: func(t *testing.T, keys ...secret.Text) importing.Users {
				return importing.Nextcloud(file(t, "nextcloud.jsonl"), keys...)
			},
			outcomes: map[string]string{"bob": "imported totp; not moved: a backup code that " +
				"an old version has hashed", "carl": "failed: nothing of the " +
				"user can be moved; not moved: an app that the user has not enabled"}},
		"Nextcloud, version 2": {id: "bob", key: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
			keys:    keys(nextcloudKey),
			options: oldtotp.ValidateOpts{Period: 30, Digits: 6, Algorithm: otp.AlgorithmSHA256},
			read: func(t *testing.T, keys ...secret.Text) importing.Users {
				return importing.Nextcloud(file(t, "nextcloud.jsonl"), keys...)
			}},
		"Supabase": {id: "0b7e7c3e-5f4e-4c3b-9d2a-1f6f1c0a9b11", key: rfcKey,
			keys: keys(supabaseKey),
			read: func(t *testing.T, keys ...secret.Text) importing.Users {
				return importing.Supabase(file(t, "supabase.jsonl"), keys...)
			},
			outcomes: map[string]string{
				"5f0d3b52-0f83-4b44-9a64-5d7a4c2f7a22": "imported totp, sms"}},
	}
}

// withoutPasskeys is what an application does that has no passkeys. Package passkey has the tests
// with them.
func withoutPasskeys(users importing.Users) importing.Users {
	return func(yield func(importing.User, error) bool) {
		for u, err := range users {
			u.Factors = slices.DeleteFunc(u.Factors, func(f mfa.EnrollRequest) bool {
				return f.Kind == "passkey"
			})
			if !yield(u, err) {
				return
			}
		}
	}
}

// Users of each system sign in with the app that they have, and with each old recovery code once.
func TestSystems_UsersSignInAsBefore(t *testing.T) {
	for name, s := range systems() {
		t.Run(name, func(t *testing.T) {
			in := install(t)
			users := withoutPasskeys(s.read(t, s.keys...))
			outcomes := in.run(t, users, importing.Options{})
			require.Contains(t, outcomes[s.id], "imported totp")
			for id, want := range s.outcomes {
				require.Equal(t, want, outcomes[id])
			}
			if s.options.Digits == 0 {
				s.options = usual
			}
			shown := code(t, s.key, in.clock.Now(), s.options)
			require.NoError(t, in.verify(t, s.id, "totp", shown))
			for _, code := range s.codes {
				require.NoError(t, in.verify(t, s.id, "recovery", code))
				require.ErrorIs(t, in.verify(t, s.id, "recovery", code), factor.ErrIncorrect)
			}
			_, sent := in.mail.Last()
			require.False(t, sent)
		})
	}
}

// What no key decrypts is said of each user, and nothing of such a user is imported.
func TestSystems_WrongKeyFailsEachUser(t *testing.T) {
	for name, s := range systems() {
		if len(s.keys) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			outcomes := install(t).run(t, s.read(t, secret.New("another key")),
				importing.Options{})
			require.Contains(t, outcomes[s.id], "none of the keys decrypts")
		})
	}
}

// A secret whose message authentication code is another one is not decrypted.
func TestSystems_ChangedCiphertextFails(t *testing.T) {
	all, err := io.ReadAll(file(t, "nextcloud.jsonl"))
	require.NoError(t, err)
	parts := strings.SplitN(string(all), "|", 4)
	parts[2] = strings.Repeat("0", len(parts[2]))
	outcomes := install(t).run(t, importing.Nextcloud(strings.NewReader(strings.Join(parts, "|")),
		secret.New(nextcloudKey)), importing.Options{})
	require.Contains(t, outcomes["ann"], "none of the keys decrypts")
	require.Contains(t, outcomes["bob"], "imported totp")
}

// Rows that are not as documented end the reader, with an error that quotes nothing.
func TestSystems_RefuseOtherRows(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         " \n",
		"no JSON":       "SECRET",
		"a list in it":  `["SECRET"]`,
		"cut off":       `[{"id": 1}`,
		"cut off, line": `{"id": 1, "email": "SECRET`,
	} {
		t.Run(name, func(t *testing.T) {
			var last error
			for u, err := range importing.Fortify(strings.NewReader(text)) {
				require.Empty(t, u.ID)
				last = err
			}
			require.Error(t, last)
			require.NotContains(t, last.Error(), "SECRET")
		})
	}
}

// Whatever a row has, a reader does not panic and yields no error with it.
func FuzzSystems(f *testing.F) {
	f.Add(`[{"id": 1, "two_factor_secret": "SECRET"}]`)
	f.Add(`{"uid": "a", "state": 2, "secret": "00|00|00|3"}`)
	f.Add(`{"id": "a", "twoFactor": {"secret": "$ba$1$00", "backupCodes": "[]"}}`)
	f.Add(`{"id": "a", "factors": [{"status": "verified", "factor_type": "totp", "secret": "{"}]}`)
	f.Fuzz(func(_ *testing.T, text string) {
		key := secret.New(base32.StdEncoding.EncodeToString(make([]byte, 20)))
		for _, users := range []importing.Users{importing.Auth0(strings.NewReader(text)),
			importing.BetterAuth(strings.NewReader(text), key),
			importing.Fortify(strings.NewReader(text), key),
			importing.Kratos(strings.NewReader(text)),
			importing.Nextcloud(strings.NewReader(text), key),
			importing.Supabase(strings.NewReader(text), key)} {
			for range users {
			}
		}
	})
}
