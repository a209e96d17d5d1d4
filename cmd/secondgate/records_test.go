package main

import (
	"encoding/json"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/report"
)

// A program reads each count of a report that an application reads.
func TestReport_WritesEachCount(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	out, messages, code := d.run("report", "-json")
	require.Zero(t, code, messages)
	var read struct{ Groups []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &read))
	capital := regexp.MustCompile(`([a-z])([A-Z])`)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[report.Group]()) {
		name := strings.ToLower(capital.ReplaceAllString(field.Name, "${1}_$2"))
		require.Contains(t, read.Groups[0], name)
	}
}

// A full disk is said once, and is no reason to go on at a cursor.
func TestMoveOut_SaysOnceThatTheDiskIsFull(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	c := &call{store: os.Getenv("SECONDGATE_STORE"), keyFile: os.Getenv("SECONDGATE_KEY_FILE"),
		by: "carol", reason: "ticket", out: io.Discard, messages: io.Discard}
	closeAll, err := c.open(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, closeAll()) }()
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	for _, to := range [][]age.Recipient{nil, {identity.Recipient()}} {
		// The second takes the header of the encrypted file.
		_, walk, err := c.writeUsers(t.Context(), &broken{takes: 2 * len(to)}, to)
		require.NoError(t, walk)
		require.ErrorIs(t, err, errBroken)
		require.Equal(t, 1, strings.Count(err.Error(), errBroken.Error()), err)
	}
}

// A rotation that cannot read some records says what it did with the others.
func TestRotate_SaysWhatItDidBesideUnreadableRecords(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	lost, err := os.ReadFile(d.at("acme.keys"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(d.at("acme.keys")))
	_, _, code := d.run("init")
	require.Zero(t, code)
	d.imports("bob")
	_, messages, code := d.run("report")
	require.Equal(t, exitFound, code)
	require.Contains(t, messages, "1 records cannot be read; secondgate keys list says")
	_, messages, code = d.act("unlock", "ann")
	require.Equal(t, exitFailed, code)
	require.Contains(t, messages, "The key that sealed it is not here; secondgate keys list has")
	out, _, code := d.act("rotate", "-json")
	require.Equal(t, exitPartly, code)
	require.JSONEq(t, `{"records":2,"reencrypted":0,"unreadable":1}`, out)
	out, messages, code = d.act("rotate")
	require.Equal(t, exitPartly, code)
	require.Contains(t, out, "2 records, 0 of them re-encrypted. Take no key away")
	require.Contains(t, messages, "1 records cannot be read")

	made, err := os.ReadFile(d.at("acme.keys"))
	require.NoError(t, err)
	d.file("acme.keys", string(made)+string(lost), 0o600)
	out, messages, code = d.act("rotate", "-json")
	require.Zero(t, code, messages)
	require.JSONEq(t, `{"records":2,"reencrypted":1,"unreadable":0}`, out)
}

// Users of two tenants have one ID, and an auditor sees whom an entry is about.
func TestTrailShow_HasTheTenant(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	_, messages, code := d.act("import", "-tenant", "acme", d.at("in.jsonl"))
	require.Zero(t, code, messages)
	out, _, code := d.run("trail", "show")
	require.Zero(t, code)
	require.Regexp(t, `admin\.import +ann +carol`, out)
	require.Regexp(t, `admin\.import +ann +acme +carol`, out)
}

// Each act is in the log of events, also one on the audit trail alone.
func TestCommand_LogsEveryAct(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	t.Setenv("SECONDGATE_LOG", d.at("log"))
	more := map[string][]string{"access-code": {"ann"}, "delete": {"ann"}, "export": {"ann"},
		"import": {d.at("in.jsonl")}, "move-out": {"-plain", d.at("out.jsonl")},
		"recovery-link": {"-smtp", "smtp://127.0.0.1:1?from=a@acme.example", "-setup-url",
			"https://acme.example", "-service", "Acme", "ann"},
		"keys promote": {"0000000000000000"}, "keys retire": {"0000000000000000"},
		"reset": {"ann"}, "trail erase": {"ann"},
		"trail restored": {"-backup", "2026-01-02T03:04:05Z"}, "unlock": {"ann"}}
	acts := 0
	for _, c := range commands() {
		if !c.acts {
			continue
		}
		acts++
		_, messages, code := d.act(append([]string{c.name}, more[c.name]...)...)
		require.NotEqual(t, exitUsage, code, "%s: %s", c.name, messages)
		kept, err := os.ReadFile(d.at("log"))
		require.NoError(t, err)
		require.Contains(t, string(kept), `"msg":"command.`+strings.ReplaceAll(c.name, " ", "-")+
			`"`)
	}
	require.Greater(t, acts, 12)
}

// Without an address that is known, nothing can be mailed, and the operator reads what names one.
func TestRecoveryLink_SaysWhatNamesAnAddress(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	_, messages, code := d.act("recovery-link", "-smtp", "smtp://127.0.0.1:1?from=a@acme.example",
		"-setup-url", "https://acme.example", "-service", "Acme", "ann")
	require.Equal(t, 1, code)
	require.Contains(t, messages, "-email names one")
}

// A trail without an entry has no checkpoint to keep and no time, and the operator who has one
// elsewhere reads what that means.
func TestTrailVerify_SaysThatThereIsNoEntry(t *testing.T) {
	d := newDesk(t)
	public, _, code := d.run("trail", "init")
	require.Zero(t, code)
	verify := []string{"trail", "verify", "-public", strings.TrimSpace(public)}
	out, _, code := d.run(verify...)
	require.Zero(t, code)
	require.Equal(t, "The audit trail has no entry. If it had any, all were removed.\n", out)
	out, messages, code := d.act("trail restored", "-backup", "2026-01-02T03:04:05+01:00")
	require.Zero(t, code, messages)
	require.Equal(t, "The audit trail says that the backup of 2026-01-02T02:04:05Z was "+
		"restored.\n", out)
	out, _, code = d.run(verify...)
	require.Zero(t, code)
	require.Contains(t, out, "1 entries verify")
}
