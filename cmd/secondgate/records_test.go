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
