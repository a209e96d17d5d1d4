package password_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

func hasher(t testing.TB, cfg password.HasherConfig) *password.Hasher {
	t.Helper()
	h, err := password.NewHasher(cfg)
	require.NoError(t, err)
	return h
}

// shared hashes cheaply, for the tests that are not about the cost of hashing.
var shared = sync.OnceValues(func() (*password.Hasher, error) {
	defer kdftest.Cheap()()
	return password.NewHasher(password.HasherConfig{})
})

func cheap(t testing.TB) *password.Hasher {
	t.Helper()
	h, err := shared()
	require.NoError(t, err)
	return h
}

func TestHasher_VerifiesWhatItHashed(t *testing.T) {
	brief.SkipOneGoroutine(t)
	for name, c := range map[string]struct {
		cfg    password.HasherConfig
		prefix string
	}{
		"argon2id": {password.HasherConfig{}, "$argon2id$v=19$m=19456,t=2,p=1$"},
		"pbkdf2":   {password.HasherConfig{PBKDF2: true}, "$pbkdf2-sha256$i=600000$"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hasher(t, c.cfg)
			a, err := h.Hash(t.Context(), secret.New("correct horse"))
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(a, c.prefix), a)
			require.LessOrEqual(t, len(a), 256)
			b, err := h.Hash(t.Context(), secret.New("correct horse"))
			require.NoError(t, err)
			require.NotEqual(t, a, b, "salted")
			require.NoError(t, h.Verify(t.Context(), a, secret.New("correct horse")))
			incorrect := []secret.Text{secret.New("correct hors"), secret.New("correct horse\x00"),
				secret.New(strings.Repeat("x", 1<<20)), secret.Text{},
				secret.New("correct horse\xff"), secret.New("correct horse "),
				secret.New("Correct horse")}
			if c.cfg.PBKDF2 {
				incorrect = incorrect[:5] // those that differ by a character are much alike
			}
			for _, wrong := range incorrect {
				require.ErrorIs(t, h.Verify(t.Context(), a, wrong), password.ErrIncorrect)
			}
			require.False(t, h.NeedsRehash(a))
		})
	}
}

// The key of PBKDF2 is the standard's, computed elsewhere: Python's hashlib.pbkdf2_hmac.
func TestHasher_PBKDF2Vector(t *testing.T) {
	brief.SkipOneGoroutine(t)
	enc := base64.RawStdEncoding.EncodeToString
	hash := "$pbkdf2-sha256$i=600000$" + enc([]byte("saltsaltsaltsalt")) +
		"$TVPXRe49nNQGbk8yq+1ITnl+WlbIHQsXPDWWCq/Be9A"
	require.NoError(t, cheap(t).Verify(t.Context(), hash, secret.New("passwordPASSWORDpassword")))
}

func TestHasher_VerifiesAndReplacesBothSchemes(t *testing.T) {
	brief.SkipOneGoroutine(t)
	argon, fips := hasher(t, password.HasherConfig{}),
		hasher(t, password.HasherConfig{PBKDF2: true})
	more := hasher(t, password.HasherConfig{Memory: 19 * 1024, Passes: 3, Threads: 1})
	a, err := argon.Hash(t.Context(), secret.New("correct horse"))
	require.NoError(t, err)
	p, err := fips.Hash(t.Context(), secret.New("correct horse"))
	require.NoError(t, err)
	for _, c := range []struct {
		h    *password.Hasher
		hash string
	}{{argon, a}, {argon, p}, {fips, a}, {fips, p}, {more, a}} {
		require.NoError(t, c.h.Verify(t.Context(), c.hash, secret.New("correct horse")))
		require.ErrorIs(t, c.h.Verify(t.Context(), c.hash, secret.New("incorrect horse")),
			password.ErrIncorrect)
	}
	for _, c := range []struct {
		h    *password.Hasher
		hash string
		want bool
	}{{argon, a, false}, {argon, p, true}, {fips, p, false}, {fips, a, true}, {more, a, true},
		{argon, "", true}, {fips, "", true},
		{fips, strings.Replace(p, "600000", "500000", 1), true}} {
		require.Equal(t, c.want, c.h.NeedsRehash(c.hash), c.hash)
	}
}

// é as one code point or as two is the same password; nothing else is made equal.
func TestHasher_TreatsUnicodeFormsAsEqual(t *testing.T) {
	h := cheap(t)
	hash, err := h.Hash(t.Context(), secret.New("caf\u00e9 au lait"))
	require.NoError(t, err)
	require.NoError(t, h.Verify(t.Context(), hash, secret.New("cafe\u0301 au lait")))
	require.ErrorIs(t, h.Verify(t.Context(), hash, secret.New("cafe au lait")),
		password.ErrIncorrect)
	hash, err = h.Hash(t.Context(), secret.New("x² is a square"))
	require.NoError(t, err)
	require.ErrorIs(t, h.Verify(t.Context(), hash, secret.New("x2 is a square")),
		password.ErrIncorrect, "NFC, not NFKC")
}

// A sign-in of nobody is refused, in the time of a user's own.
func TestHasher_UnknownUsersTakeTheSameTime(t *testing.T) {
	h := hasher(t, password.HasherConfig{})
	hash, err := h.Hash(t.Context(), secret.New("correct horse"))
	require.NoError(t, err)
	took := func(hash string) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			require.ErrorIs(t, h.Verify(t.Context(), hash, secret.New("wrong")),
				password.ErrIncorrect)
			best = min(best, time.Since(start))
		}
		return best
	}
	somebody, nobody := took(hash), took("")
	require.Greater(t, nobody, somebody/10, // without a hash it would be a thousandth
		"somebody %s, nobody %s", somebody, nobody)
}

func TestHasher_RefusesWeakParameters(t *testing.T) {
	for _, cfg := range []password.HasherConfig{
		{Iterations: 599_999}, {Iterations: -1}, {Iterations: 20_000_000}, {MaxConcurrent: -1},
		{Memory: 19455, Passes: 2, Threads: 1}, {Passes: 1},
	} {
		_, err := password.NewHasher(cfg)
		require.Error(t, err, "%+v", cfg)
	}
}

func TestHasher_RefusesDamagedHashes(t *testing.T) {
	h := cheap(t)
	salt, key := strings.Repeat("A", 22), strings.Repeat("A", 43)
	for _, bad := range []string{"x", "$2a$10$abcdefghijklmnopqrstuu", "$pbkdf2-sha256$i=0$" +
		salt + "$" + key, "$pbkdf2-sha256$i=99999999999$" + salt + "$" + key,
		"$pbkdf2-sha256$i=+600000$" + salt + "$" + key, "$pbkdf2-sha256$i=600000$" + salt,
		"$pbkdf2-sha256$i=600000$AAAA$" + key,
		"$pbkdf2-sha256$i=600000$" + salt + "$", "$pbkdf2-sha256$i=600000$" + salt + "$" + key +
			"$", strings.Repeat("$", 1000),
		"$pbkdf2-sha256$i=600000$" + strings.Repeat("A", 400) + "$" + key,
		"$pbkdf2-sha256$i=600000$" + salt + "\n$" + key,
		"$pbkdf2-sha256$i=600000$" + salt + "$" + key[:9] + "\r\n" + key[9:]} {
		err := h.Verify(t.Context(), bad, secret.New("correct horse"))
		require.Error(t, err, bad)
		require.NotErrorIs(t, err, password.ErrIncorrect, bad)
	}
}

func TestHasher_RefusesWhatCannotBeTyped(t *testing.T) {
	h := cheap(t)
	for reason, s := range map[string]secret.Text{"password_too_short": secret.Text{},
		"password_too_long":    secret.New(strings.Repeat("x", password.MaxBytes+1)),
		"password_characters":  secret.New("abc\xff"),
		"password_characters ": secret.New("abc\x00")} {
		_, err := h.Hash(t.Context(), s)
		requireReason(t, err, strings.TrimSpace(reason))
	}
	_, err := h.Hash(t.Context(), secret.New(strings.Repeat("x", password.MaxBytes)))
	require.NoError(t, err)
	// U+1D160 grows to three times its bytes under NFC.
	_, err = h.Hash(t.Context(), secret.New(strings.Repeat("\U0001D160", password.MaxBytes/4)))
	require.NoError(t, err)
}

func TestHasher_HonoursTheContext(t *testing.T) {
	h := cheap(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Hash(ctx, secret.New("correct horse"))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, h.Verify(ctx, "", secret.New("correct horse")), context.Canceled)
}

// No more hashes than allowed are computed at once, of either scheme; who waits honours the
// context.
func TestHasher_LimitsHashesAtOnce(t *testing.T) {
	configs := []password.HasherConfig{{MaxConcurrent: 1}, {MaxConcurrent: 1, PBKDF2: true}}
	if brief.WithRace() {
		configs = configs[:1]
	}
	for _, cfg := range configs {
		synctest.Test(t, func(t *testing.T) {
			h := hasher(t, cfg)
			release := h.Occupy()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			_, err := h.Hash(ctx, secret.New("correct horse"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, h.Verify(ctx, "", secret.New("correct horse")),
				context.DeadlineExceeded)
			cancel()
			release()
			_, err = h.Hash(t.Context(), secret.New("correct horse"))
			require.NoError(t, err)
			_, err = h.Hash(t.Context(), secret.New("correct horse"))
			require.NoError(t, err, "the place was given back")
		})
	}
}

func requireReason(t *testing.T, err error, reason string) {
	t.Helper()
	var p *factor.Problem
	require.True(t, errors.As(err, &p), "%v", err)
	require.Equal(t, reason, p.Reason)
}

func FuzzVerify(f *testing.F) {
	h := cheap(f)
	f.Add("$pbkdf2-sha256$i=1$" + strings.Repeat("A", 22) + "$" + strings.Repeat("A", 43))
	f.Add(
		"$argon2id$v=19$m=7168,t=5,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0c29tZXM")
	f.Fuzz(func(t *testing.T, hash string) {
		var n int
		if _, err := fmt.Sscanf(hash, "$pbkdf2-sha256$i=%d$", &n); err == nil && n > 1000 ||
			strings.Contains(hash, "m=") {
			return // well-formed, and slow on purpose
		}
		if h.Verify(t.Context(), hash, secret.New("tulip")) == nil {
			t.Fatalf("%q matches", hash)
		}
	})
}
