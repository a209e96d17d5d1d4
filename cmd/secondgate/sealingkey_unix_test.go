//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// An operator rotates the key while an import runs, which seals with the key that it began with. No
// user whom it imports then is lost, though the key was retired when no record had it.
func TestImport_KeepsItsKeyThroughARotation(t *testing.T) {
	d := newDesk(t)
	d.imports("eve")
	ids := func() []string {
		out, messages, code := d.run("keys", "list")
		require.Zero(t, code, messages)
		var ids []string
		for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
			ids = append(ids, strings.Fields(line)[1])
		}
		return ids
	}
	old := ids()[0]
	pipe := d.at("pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	lines, out := io.Pipe()
	var messages strings.Builder
	var code int
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		code = run(t.Context(), []string{"import", "-by", "carol", "-reason", "ticket", pipe}, out,
			&messages)
		_ = out.Close()
	}()
	users, err := os.OpenFile(pipe, os.O_RDWR, 0) // which waits for no reader
	require.NoError(t, err)
	const line = `{"id":"ID","factors":[{"kind":"totp","params":` +
		`{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}` + "\n"
	add := func(id string) {
		_, err := io.WriteString(users, strings.Replace(line, "ID", id, 1))
		require.NoError(t, err)
	}
	add("ann")
	imported := bufio.NewReader(lines)
	first, err := imported.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ann\timported totp\n", first)
	for _, args := range [][]string{{"keys add"}, {"rotate"}, {"keys retire", old}} {
		_, messages, code := d.act(args...)
		require.Zero(t, code, messages)
	}
	require.NotContains(t, ids(), old)
	add("bob")
	require.NoError(t, users.Close())
	_, err = io.Copy(io.Discard, imported)
	require.NoError(t, err)
	<-ended
	require.Equal(t, exitPartly, code)
	require.Contains(t, messages.String(), "key "+old+" was retired while it sealed these users")
	require.Equal(t, old, ids()[1], "it opens, and does not seal")
	for _, args := range [][]string{{"rotate"}, {"keys retire", old}} {
		_, messages, code := d.run("status", "bob")
		require.Zero(t, code, messages)
		_, messages, code = d.act(args...)
		require.Zero(t, code, messages)
	}
}
