package main

import (
	"context"
	"errors"
	"io"
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

// An operator who interrupts a command reads that it was interrupted, and nothing of a context. A
// command that had not begun leaves nothing.
func TestCommand_SaysThatItWasInterrupted(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	before, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range commands() {
		args := strings.Fields(c.name)
		if c.acts {
			args = append(args, "-by", "carol", "-reason", "ticket")
		}
		switch {
		case c.name == "trail restored":
			args = append(args, "-backup", "2026-11-28T03:00:00Z")
		case c.name == "completion" || c.name == "recovery-link" || c.name == "trail verify":
			continue
		case c.name == importName:
			args = append(args, d.at("in.jsonl"))
		case c.name == moveOutName:
			args = append(args, "-plain", d.at("out.jsonl"))
		case c.arguments != "":
			args = append(args, "ann")
		}
		var out, messages strings.Builder
		code := run(ctx, args, &out, &messages)
		if code == exitDone { // what reads a file alone ends by itself
			require.False(t, c.acts, c.name)
			continue
		}
		require.Contains(t, []int{exitFailed, exitPartly}, code, "%q: %s", args, messages.String())
		require.Contains(t, messages.String(), "interrupted", c.name)
		require.NotContains(t, messages.String(), "context canceled", c.name)
	}
	after, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	require.Equal(t, names(before), names(after))
	require.Equal(t, "interrupted: the store is down",
		problem(ctx, errors.New("the store is down")))
}

// A rotation that did a part before an error exits with 3, and one that did nothing with 1.
func TestRotate_SaysWhetherAPartWasDone(t *testing.T) {
	require.ErrorIs(t, cutOff(200, 1, io.ErrUnexpectedEOF), errPartly)
	require.ErrorContains(t, cutOff(200, 1, io.ErrUnexpectedEOF), "run it again")
	require.NotErrorIs(t, cutOff(200, 0, io.ErrUnexpectedEOF), errPartly)
}

// Many workers who meet the same problem report it once.
func TestLoadTest_ReportsAProblemOfAllWorkersOnce(t *testing.T) {
	problem := errors.New("the disk is full")
	require.Equal(t, problem, firstOf([]error{nil, problem, errors.New("the disk is full")}))
	require.NoError(t, firstOf(make([]error, 2)))
}

// What was made before a disk was full or a directory could not be written is named, and so is the
// way on.
func TestInit_SaysHowToGoOn(t *testing.T) {
	d := newDesk(t)
	for args, says := range map[string]string{
		"init -keys " + d.at("k") + " -store sqlite:" + d.at("none/a.db"):  "run init again",
		"trail init -trail-key " + d.at("t") + " -trail " + d.at("none/t"): "run trail init again",
	} {
		_, messages, code := d.run(strings.Fields(args)...)
		require.Equal(t, exitFailed, code)
		require.Contains(t, messages, says)
	}
}

// A file of keys that cannot be written stays as it is, and the operator reads that.
func TestWriteBeside_SaysThatNothingWasWritten(t *testing.T) {
	d := newDesk(t)
	err := writeBeside(d.at("none/keys"), "x", os.Rename)
	require.ErrorContains(t, err, "nothing was written to "+d.at("none/keys"))
}
