//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A command does not wait for a writer that never comes, and says what is wrong with a path.
func TestSecrets_AreNeitherDirectoriesNorNamedPipes(t *testing.T) {
	d := newDesk(t)
	fifo, dir := d.at("fifo"), d.at("dir")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Symlink(fifo, d.at("link")))
	sealed := d.file("users.age", "age-encryption.org/v1\n", 0o600)
	plain := d.file("users.jsonl", "{}\n", 0o600)
	for path, problem := range map[string]string{fifo: "is a named pipe or a socket and no file",
		d.at("link"): "is a named pipe or a socket and no file", dir: "is a directory and no file",
		d.at("none"): "no such file"} {
		for name, args := range map[string][]string{
			"identity":   {"import", "-identity", path, sealed},
			"passphrase": {"import", "-passphrase", path, sealed},
			"old keys":   {"import", "-format", "fortify", "-old-keys", path, plain},
			"recipient":  {"move-out", "-passphrase", path, d.at("out.age")},
			"PIN": {"rotate", "-vault", "pkcs11:token=a;object=b?module-path=/none" +
				"&pin-source=file:" + path},
			"keys":      {"unlock", "-keys", path, "ann"},
			"trail key": {"unlock", "-trail-key", path, "ann"},
		} {
			_, messages, code := d.act(args...)
			require.Equal(t, 1, code, name)
			if path == d.at("none") && name == "keys" {
				require.Contains(t, messages, "there is no key file", name)
				continue
			}
			require.Contains(t, messages, path, name)
			require.Contains(t, messages, problem, name)
		}
	}
}

// A pipe of the shell, such as <(pass show acme), is read.
func TestSecrets_MayComeFromAPipeOfTheShell(t *testing.T) {
	if _, err := os.Stat("/dev/fd"); err != nil {
		return // this system has files in its place
	}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	_, err = w.WriteString("four words and a number 7\n")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	text, err := readPassphrase(fmt.Sprintf("/dev/fd/%d", r.Fd()))
	require.NoError(t, err)
	require.Equal(t, "four words and a number 7", text)
}
