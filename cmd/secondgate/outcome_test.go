package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
)

// A script learns from the exit code whether anything of a file was imported: 1 says that nothing
// was, in every format, and 3 that a part was.
func TestImport_ExitsWithOneWhenNothingWasImported(t *testing.T) {
	d := newDesk(t)
	garbage := d.file("garbage", "\x00no export of any system\n\"\n", 0o600)
	for _, format := range importFormats {
		for _, args := range [][]string{nil, {"-dry-run"}} {
			args = append([]string{"import", "-format", format}, args...)
			if format == "csv" {
				args = append(args, "-columns", "id=id,secret=otp")
			}
			_, messages, code := d.act(append(args, garbage)...)
			require.Equal(t, exitFailed, code, "%q: %s", args, messages)
		}
	}
	good := d.users("ann")
	text, err := os.ReadFile(good)
	require.NoError(t, err)
	part := d.file("part", string(text)+`{"id":"bob","factors":[{"kind":"none"}]}`+"\n", 0o600)
	for range 2 { // ann is skipped the second time: she is in the store
		_, messages, code := d.act("import", part)
		require.Equal(t, exitPartly, code, messages)
	}
	_, messages, code := d.act("import", good)
	require.Equal(t, exitDone, code, messages)
}

// A command that can read no record does nothing, and says so by its exit code.
func TestCommand_ExitsWithOneWhenNoRecordCanBeRead(t *testing.T) {
	d := newDesk(t)
	d.imports("ann", "bob")
	_, messages, code := d.run("init", "-keys", d.at("other.keys"), "-store",
		"sqlite:"+d.at("other.db"))
	require.Zero(t, code, messages)
	t.Setenv("SECONDGATE_KEY_FILE", d.at("other.keys"))
	_, messages, code = d.act("rotate")
	require.Equal(t, exitFailed, code, messages)
	require.Contains(t, messages, "need a key that is not here")
	_, messages, code = d.act("move-out", "-plain", d.at("out.jsonl"))
	require.Equal(t, exitFailed, code, messages)
	require.NoFileExists(t, d.at("out.jsonl"))
}

// The head of a table that has no rows says nothing to an operator.
var headAlone = regexp.MustCompile(`^[A-Z ]+\n$`)

// A table without rows is a sentence, and JSON stays JSON.
func TestTable_SaysWhatNoRowsMean(t *testing.T) {
	d := newDesk(t)
	for _, says := range []struct{ command, text string }{
		{"report", "The store has no record of any user."},
		{"trail show", "The audit trail has no entries."},
		{"trail show -user ann", `no entries about the user "ann"`},
		{"check -clean", "There are no scratch records to delete."},
		{"loadtest -clean", "There are no scratch records to delete."},
	} {
		out, messages, code := d.run(strings.Fields(says.command)...)
		require.Zero(t, code, messages)
		require.Contains(t, out, says.text)
		require.NotRegexp(t, headAlone, out)
	}
	for _, command := range []string{"audit", "keys list"} {
		out, messages, _ := d.run(strings.Fields(command)...)
		require.NotRegexp(t, headAlone, out, messages)
	}
	d.imports("ann")
	_, messages, code := d.act("reset", "ann")
	require.Zero(t, code, messages)
	out, _, _ := d.run("status", "ann")
	require.Equal(t, "ann has no second factor. The policy requires one: the user enrols at the "+
		"next sign-in.\n", out)
	out, _, _ = d.run("status", "-json", "ann")
	require.Contains(t, out, `"factors":[]`)
}

// What a user without a factor is asked for depends on the policy and on an exception.
func TestStatus_SaysWhatThePolicyRequires(t *testing.T) {
	now := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)
	soon := now.Add(time.Hour)
	for says, o := range map[string]mfa.Overview{
		"asks no user":             {Policy: policy.Policy{Mode: policy.ModeOff}},
		"requires none":            {Policy: policy.Policy{Mode: policy.ModeOptional}},
		"at the next sign-in":      {},
		"2026-12-01T04:00:00Z":     {Policy: policy.Policy{EnrollBy: soon}},
		"An exception":             {Exception: &report.Exception{Ends: soon}},
		"lets the user have email": {Policy: policy.Policy{Implicit: []string{"email"}}},
		"postpone":                 {Policy: policy.Policy{EnrollSkips: 1}},
	} {
		require.Contains(t, asks(&o, now), says)
	}
	require.Contains(t, asks(&mfa.Overview{Exception: &report.Exception{Ends: now},
		Policy: policy.Policy{EnrollBy: now}}, now), "at the next sign-in", "both have ended")
}

// An error about a command line leads to the help of the same command.
func TestCommand_LeadsToItsOwnHelp(t *testing.T) {
	d := newDesk(t)
	for _, c := range commands() {
		for _, args := range [][]string{{"-none"}, {"two", "arguments"}} {
			_, messages, code := d.run(append(strings.Fields(c.name), args...)...)
			require.Equal(t, exitUsage, code, messages)
			require.Regexp(t, `see: secondgate help `+c.name+`\n$`, messages)
		}
	}
}
