package kdf_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/kdf"
)

// The hashes were made by Python's hashlib, by crypt(3), and, for argon2, by the program that its
// README shows.
func TestVerifyForeign_AcceptsHashesOfOthers(t *testing.T) {
	h, err := kdf.New(kdf.Params{}, 1)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		hash, secret string
		slow         bool
	}{
		"bcrypt of PHP": {"$2y$04$abcdefghijklmnopqrstuu.O2cX48sCyHpcpMdF.Zh9eItK8drSY.",
			"abcd-1234", true},
		"bcrypt": {"$2b$04$abcdefghijklmnopqrstuu.O2cX48sCyHpcpMdF.Zh9eItK8drSY.",
			"abcd-1234", true},
		"argon2i": {"$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
			"password", true},
		"argon2 of Django": {"argon2$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$" +
			"RdescudvJCsgt3ub+b+dWRWJTmaaJObG", "password", true},
		"PBKDF2 of Django": {"pbkdf2_sha256$1000$NaCl$9jh9wm7Y3k0Yxg3yY7TZg4iyQ+dyl5auJkTe8QXYCEI=",
			"abcd-1234", true},
		"PBKDF2 of passlib": {"$pbkdf2-sha256$1000$....IHNhbHQxNmJ5dGVzLi4$" +
			"8XqqjgpYGGQSc9BId241MmYND61TaSxrDu9hNvfTlus", "abcd-1234", true},
		"PBKDF2 with SHA-512": {"$pbkdf2-sha512$1000$c2FsdDE2Ynl0ZXMuLi4uLg$Ev5Nsr2eABXWqbWingCV" +
			"djG0ExNkVHe.E.McGcnjN1Kllh.bEl4sb2VY15RubfvkI26hOr7yHaFZ0YE2GLSMKA", "abcd-1234", true},
		"SHA-256": {"56f763b09645e6a984d3d6aad4be8b9cac55c0f491bf99b025932669e9eb25d6",
			"abcd-1234", false},
		"SHA-512": {"d45e6e00391fdb4f042f38cfbe306210766678b1655cd6f1b78a994f467fec550e948aafdc76d" +
			"1470ad85bbc8738cb020da4a1701c0ce10ba6d969320bdbbda6", "abcd-1234", false},
		"SHA-512 in base64": {"1F5uADkf208ELzjPvjBiEHZmeLFlXNbxt4qZT0Z/7FUOlIqv3HbRRwrYW7yHOMsC" +
			"DaShcBwM4Qum2WkyC9u9pg==", "abcd-1234", false},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := kdf.ParseForeign(c.hash)
			require.NoError(t, err)
			require.Equal(t, c.slow, f.Slow())
			require.Positive(t, f.Cost())
			require.NoError(t, h.VerifyForeign(t.Context(), c.secret, f))
			others := []string{"abcd-1235", "", strings.Repeat("a", 100), strings.Repeat("a", 5000)}
			if strings.Contains(c.hash, "argon2") {
				others = others[:1] // 64 MB each, and no rule about the length
			}
			for _, other := range others {
				require.ErrorIs(t, h.VerifyForeign(t.Context(), other, f), kdf.ErrMismatch)
			}
		})
	}
}

func TestVerifyForeign_VerifiesWhatSaltedMade(t *testing.T) {
	h, err := kdf.New(kdf.Params{}, 1)
	require.NoError(t, err)
	hash, err := kdf.Salted("abcd-1234", []byte("a salt of sixteen"))
	require.NoError(t, err)
	f, err := kdf.ParseForeign(hash)
	require.NoError(t, err)
	require.False(t, f.Slow())
	require.NoError(t, h.VerifyForeign(t.Context(), "abcd-1234", f))
	require.ErrorIs(t, h.VerifyForeign(t.Context(), "abcd-1235", f), kdf.ErrMismatch)
}

// A hash that asks for all memory or for minutes must not reach the derivation.
func TestParseForeign_RefusesWhatCostsTooMuch(t *testing.T) {
	const tag = "RdescudvJCsgt3ub+b+dWRWJTmaaJObG"
	for _, hash := range []string{
		"", "abc", "$2y$04$short", strings.Repeat("a", 1000),
		"$2b$15$abcdefghijklmnopqrstuu.O2cX48sCyHpcpMdF.Zh9eItK8drSY.",
		"$argon2id$v=19$m=1048576,t=2,p=4$c29tZXNhbHQ$" + tag,
		"$argon2id$v=19$m=65536,t=99,p=4$c29tZXNhbHQ$" + tag,
		"$argon2d$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$" + tag,
		"$argon2id$v=16$m=65536,t=2,p=4$c29tZXNhbHQ$" + tag,
		"$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$AAAA",
		"pbkdf2_sha256$3000000$NaCl$9jh9wm7Y3k0Yxg3yY7TZg4iyQ+dyl5auJkTe8QXYCEI=",
		"pbkdf2_sha256$0$NaCl$9jh9wm7Y3k0Yxg3yY7TZg4iyQ+dyl5auJkTe8QXYCEI=",
		"pbkdf2_sha256$1000$NaCl$AAAA",
		"$pbkdf2-sha1$1000$NaCl$9jh9wm7Y3k0Yxg3yY7TZg4iyQ+dyl5auJkTe8QXYCEI",
		strings.Repeat("ab", 20), // SHA-1
	} {
		_, err := kdf.ParseForeign(hash)
		require.ErrorIs(t, err, kdf.ErrForeign, hash)
	}
	dear, err := kdf.ParseForeign("$2b$12$abcdefghijklmnopqrstuu.O2cX48sCyHpcpMdF.Zh9eItK8drSY.")
	require.NoError(t, err)
	require.InDelta(t, 0.25, dear.Cost().Seconds(), 0.1)
	require.Less(t, dear.Cost(), time.Second)
}
