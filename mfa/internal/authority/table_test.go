package authority

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
)

// TestAuthority_Table compares the table in testdata with what permit decides. It has a row for
// what users have in practice and a column for what they may have proven; read it, and change
// it by hand.
func TestAuthority_Table(t *testing.T) {
	own := func(id, kind string, level factor.Level, allowed bool) OwnFactor {
		return OwnFactor{ID: id, Kind: kind, Level: level, Known: true, Allowed: allowed}
	}
	app, sms := own("app", "app", factor.LevelStrong, true), own("sms", "sms", factor.LevelStrong,
		false)
	pin, key := own("pin", "pin", factor.LevelWeak, true), own("key", "key",
		factor.LevelPhishingResistant, true)
	changed := key
	changed.Outdated = true
	held := own("new", "app", factor.LevelStrong, true)
	held.Held = true
	strange := own("odd", "odd", 0, true)
	strange.Known = false
	has := []struct {
		name string
		Holding
	}{
		{"nothing", Holding{}},
		{"an implied address", Holding{Implied: ImpliedUsable}},
		{"an undeliverable address", Holding{Implied: ImpliedUndeliverable}},
		{"a PIN", Holding{Own: []OwnFactor{pin}}},
		{"an app", Holding{Own: []OwnFactor{app}}},
		{"an app and a PIN", Holding{Own: []OwnFactor{app, pin}}},
		{"an app and a passkey", Holding{Own: []OwnFactor{app, key}}},
		{"an outdated passkey", Holding{Own: []OwnFactor{changed}}},
		{"an app and an outdated passkey", Holding{Own: []OwnFactor{app, changed}}},
		{"a PIN and an outdated passkey", Holding{Own: []OwnFactor{pin, changed}}},
		{"SMS, banned", Holding{Own: []OwnFactor{sms}}},
		{"SMS, banned, and a PIN", Holding{Own: []OwnFactor{sms, pin}}},
		{"an app and its held replacement", Holding{Own: []OwnFactor{app, held}}},
		{"a passkey and a held app", Holding{Own: []OwnFactor{key, held}}},
		{"an app and an unknown kind", Holding{Own: []OwnFactor{app, strange}}},
	}
	proven := []struct {
		name string
		Proof
	}{
		{"first factor", Proof{Origin: OriginFirst}},
		{"first factor, which set up all", Proof{Origin: OriginFirst, Added: []string{"app", "pin",
			"key", "sms"}}},
		{"implied address", Proof{Origin: OriginImplied, Level: factor.LevelWeak}},
		{"own, weak", Proof{Origin: OriginOwn, Level: factor.LevelWeak}},
		{"own, strong", Proof{Origin: OriginOwn, Level: factor.LevelStrong}},
		{"own, phishing-resistant", Proof{Origin: OriginOwn, Level: factor.LevelPhishingResistant}},
		{"recovery", Proof{Origin: OriginRecovery}},
		{"recovery, which added the replacement", Proof{Origin: OriginRecovery,
			Added: []string{"new"}}},
	}
	var b strings.Builder
	for _, h := range has {
		fmt.Fprintf(&b, "%s\n", h.name)
		for _, p := range proven {
			fmt.Fprintf(&b, "  %-38s", p.name)
			asked := []Request{{Act: ActEnroll, Kind: "app"}, {Act: ActEnroll, Kind: "key"},
				{Act: ActEnrollRecovery},
				{Act: ActManage}, {Act: ActMoveAddress}, {Act: ActAdminister}}
			names := []string{"enrol-app", "enrol-passkey", "recovery-codes", "manage",
				"move-address", "administer"}
			for _, f := range h.Own {
				asked = append(asked, Request{Act: ActRemove, Target: f.ID})
				names = append(names, "remove-"+f.ID)
			}
			var may []string
			var refusal error
			for i, q := range asked {
				switch got, err := h.Permit(p.Proof, q); {
				case err != nil && !errors.Is(err, ErrProofRequired):
					refusal = err
				case err != nil:
				case got.Hold:
					may = append(may, names[i]+"(held)")
				default:
					may = append(may, names[i])
				}
			}
			switch {
			case len(may) == len(asked):
				may = []string{"everything"}
			case refusal != nil:
				may = append(may, "error: "+refusal.Error())
			case len(may) == 0:
				may = []string{"-"}
			}
			fmt.Fprintln(&b, strings.Join(may, " "))
		}
	}
	path := filepath.Join("testdata", "authority.txt")
	if os.Getenv("UPDATE_AUTHORITY") != "" {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}
