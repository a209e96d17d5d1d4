package totp_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

func TestNew_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []struct {
		text   string
		change func(*totp.Config)
	}{
		{"Issuer must be", func(c *totp.Config) { c.Issuer = "" }},
		{"Issuer must be", func(c *totp.Config) { c.Issuer = " " }},
		{"Issuer must be", func(c *totp.Config) { c.Issuer = " Acme" }},
		{"Issuer must be", func(c *totp.Config) { c.Issuer = "A\n" }},
		{"Issuer must be", func(c *totp.Config) { c.Issuer = "A\u202eB" }},
		{"Issuer must be", func(c *totp.Config) { c.Issuer = "A\xff" }},
		{"Issuer must be", func(c *totp.Config) { c.Issuer = strings.Repeat("x", 65) }},
		{"without a colon", func(c *totp.Config) { c.Issuer = "Acme: Prod" }},
		{"Digits is 5", func(c *totp.Config) { c.Digits = 5 }},
		{"Digits is 9", func(c *totp.Config) { c.Digits = 9 }},
		{"Digits is -6", func(c *totp.Config) { c.Digits = -6 }},
		{"Period is 2m1s", func(c *totp.Config) { c.Period = 121 * time.Second }},
		{"Period is 14s", func(c *totp.Config) { c.Period = 14 * time.Second }},
		{"Period is -30s", func(c *totp.Config) { c.Period = -30 * time.Second }},
		{"Period is 30.5s", func(c *totp.Config) { c.Period = 30500 * time.Millisecond }},
		{"Algorithm must be", func(c *totp.Config) { c.Algorithm = 3 }},
		{"EntryGrace is 5m0.000000001s", func(c *totp.Config) { c.EntryGrace = 5*time.Minute + 1 }},
		{"EntryGrace is -1ns", func(c *totp.Config) { c.EntryGrace = -1 }},
	} {
		cfg := totp.Config{Issuer: "Acme"}
		c.change(&cfg)
		f, err := totp.New(cfg)
		require.ErrorContains(t, err, c.text)
		require.Nil(t, f)
	}
	for _, change := range []func(*totp.Config){
		func(c *totp.Config) {
			c.Digits, c.Period, c.EntryGrace = 8, 15*time.Second, 5*time.Minute
		},
		func(c *totp.Config) { c.Algorithm, c.Period = totp.SHA512, 120*time.Second },
		func(c *totp.Config) { c.Issuer = strings.Repeat("x", 64) },
		func(c *totp.Config) { c.Issuer = "Müller & Söhne (Test)" },
	} {
		newFactor(t, change)
	}
}

func TestFactor_StatesItsTraits(t *testing.T) {
	f := newFactor(t)
	require.Equal(t, "totp", f.Kind())
	tr := f.Traits()
	tr.Settings = factor.Settings{} // see TestSettings_StateTheLongestLifetime
	require.Equal(t, factor.Traits{AMR: "otp", Level: factor.LevelStrong,
		Importable: true}, tr)
}

// Under enforced FIPS 140-3, HMAC-SHA1 panics in the standard library: for a new Factor and for
// an instance that was enrolled before enforcement was switched on. GODEBUG is read when a
// process starts, so the test runs itself again.
func TestFactor_UnderEnforcedFIPS(t *testing.T) {
	if os.Getenv("TOTP_FIPS") == "1" {
		_, err := totp.New(totp.Config{Issuer: "Acme"})
		fmt.Println("new SHA1:", err)
		f, err := totp.New(totp.Config{Issuer: "Acme", Algorithm: totp.SHA256})
		if err != nil {
			t.Fatal(err)
		}
		_, err = at(f, totp.State(seeds[totp.SHA256], totp.SHA256, 8, 30*time.Second, -1), 59,
			"46119246")
		fmt.Println("SHA256:", err)
		_, err = at(f, fresh(), 59, "287082")
		fmt.Println("stored SHA1:", err)
		_, err = f.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"secret": secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
				"algorithm": secret.New("SHA1")}})
		fmt.Println("imported SHA1:", reason(err))
		out, err := f.Enroll(t.Context(), factor.EnrollInput{User: factor.User{ID: "42"}})
		fmt.Println("enrolled:", err, len(out.State))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFactor_UnderEnforcedFIPS$")
	cmd.Env = append(os.Environ(), "TOTP_FIPS=1", "GODEBUG=fips140=only")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	for _, line := range []string{"new SHA1: totp: FIPS 140-3 is enforced", "SHA256: <nil>\n",
		"stored SHA1: totp: FIPS 140-3 is enforced",
		"imported SHA1: secret_form", "enrolled: <nil> 51"} {
		require.Contains(t, string(output), line)
	}
}
