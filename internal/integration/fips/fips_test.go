// Package fips_test runs the library in the FIPS 140-3 modes of Go, as docs/operating.md says.
package fips_test

import (
	"context"
	"crypto/ed25519"
	"crypto/fips140"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
	"github.com/secondgate/secondgate/trail"
)

// approved are the packages whose whole suites pass while nothing but approved functions work.
var approved = []string{"seal", "seal/envelope", "trail", "lockout", "recovery", "secret", "pin",
	"storage", "storage/memory", "mfa/internal/decide", "mfa/internal/record",
	"mfa/internal/token"}

// others pass with the module on: their tests use SHA1 codes or argon2id, as users do.
var others = []string{"access", "mfa/policy", "totp"}

func suites(t *testing.T, mode, module string, packages []string) {
	args := []string{"test", "-count=1"}
	for _, p := range packages {
		args = append(args, "github.com/secondgate/secondgate/"+p)
	}
	c := exec.Command("go", args...)
	c.Env = append(os.Environ(), "GODEBUG=fips140="+mode, "GOFIPS140="+module)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// What passes with approved functions only, passes with the module on.
func TestSuites_PassWithTheModuleOn(t *testing.T) { suites(t, "on", "off", others) }

func TestSuites_PassWithApprovedFunctionsOnly(t *testing.T) {
	suites(t, "only", "off", approved)
}

// The frozen module, which is the one that a laboratory has validated. The standard library is
// compiled anew for it.
func TestSeal_PassesWithTheFrozenModule(t *testing.T) {
	if os.Getenv("SECONDGATE_LONG") == "" {
		t.Skip("part of make test-long")
	}
	suites(t, "only", "v1.0.0", []string{"seal"})
}

// TestSignIn_WithApprovedFunctionsOnly runs itself again in that mode.
func TestSignIn_WithApprovedFunctionsOnly(t *testing.T) {
	if !fips140.Enforced() {
		c := exec.Command(os.Args[0], "-test.run=^TestSignIn_WithApprovedFunctionsOnly$",
			"-test.v")
		c.Env = append(os.Environ(), "GODEBUG=fips140=only")
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "PASS: TestSignIn_WithApprovedFunctionsOnly")
		return
	}
	_, err := totp.New(totp.Config{Issuer: "Acme"})
	require.ErrorContains(t, err, "FIPS 140-3 is enforced", "SHA1 is refused at the start")
	_, err = password.NewHasher(password.HasherConfig{})
	require.ErrorContains(t, err, "FIPS 140-3 is enforced", "argon2id is refused at the start")
	_, err = password.NewHasher(password.HasherConfig{PBKDF2: true})
	require.NoError(t, err)

	app, err := totp.New(totp.Config{Issuer: "Acme", Algorithm: totp.SHA256})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	ring, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	file, err := trail.OpenFile(filepath.Join(t.TempDir(), "trail.jsonl"))
	require.NoError(t, err)
	audit, err := trail.New(trail.Config{Log: file, Key: secret.Bytes(key), Origin: "acme"})
	require.NoError(t, err)
	now := time.Now()
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: ring, Events: audit.Events(nil),
		Factors: []factor.Factor{app, codes}, Clock: mfatest.NewClock(now)})
	require.NoError(t, err)
	signIn(t, m, now)

	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, audit.Run(ctx))
	result, err := trail.Verify(file.Read(t.Context(), 1), trail.Verification{
		Key: key.Public().(ed25519.PublicKey), Origin: "acme"})
	require.NoError(t, err)
	require.Greater(t, result.Entries, int64(3))
}

// signIn enrols an authenticator app and signs in with it.
func signIn(t *testing.T, m *mfa.Manager, now time.Time) {
	s := m.Session(mfa.User{ID: "ann"}, "session")
	begun, err := s.Begin(t.Context())
	require.NoError(t, err)
	e, err := s.Enroll(t.Context(), begun.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	// A code of the step before is correct, and leaves the present one for the sign-in.
	_, err = s.Confirm(t.Context(), e,
		secret.New(mfatest.AppCode(t, e.Prompt.URI, now.Add(-30*time.Second))))
	require.NoError(t, err)
	begun, err = s.Begin(t.Context())
	require.NoError(t, err)
	_, err = s.Verify(t.Context(), begun, "totp",
		secret.New(mfatest.AppCode(t, e.Prompt.URI, now)))
	require.NoError(t, err)
}
