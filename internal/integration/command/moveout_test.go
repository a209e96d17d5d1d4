package command_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

// Two pairs of age-keygen.
const (
	moverIdentity = "AGE-SECRET-KEY-1ZXPWRQDWSHLUG6FW7A7HYUAEDWZNATK5G55XGPM8J9WFXFG9AZ6QAJ4XM8"
	mover         = "age1rhr4y9ahcmznql5vg2em0zm0nw7ayf3qklv72zrfdgju6rdayf8sst4ckq"
	otherIdentity = "AGE-SECRET-KEY-12E9RKSE36L8H5F753KV5UPUZWM9FL44GD2XYJ6CREV725HUTHRLQVL67JH"
)

// write makes a file of a test.
func (o *operator) write(name, text string) (path string) {
	o.t.Helper()
	path = filepath.Join(o.t.TempDir(), name)
	require.NoError(o.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (o *operator) read(path string) string {
	o.t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(o.t, err)
	return string(text)
}

// populated is an installation in which ann signs in by an app and recovery codes.
func populated(t *testing.T) *operator {
	t.Helper()
	o := onSQLite(t)
	o.moveIn("id,otp,codes", `ann,`+key+`,"abcd-1234-efgh-5678,ijkl-1234-mnop-5678"`)
	return o
}

// movedIn checks that ann signs in by the app and a code that she had.
func (o *operator) movedIn() {
	o.t.Helper()
	code, err := oldtotp.GenerateCode(key, time.Now())
	require.NoError(o.t, err)
	require.NoError(o.t, o.verify("ann", "totp", code))
	require.NoError(o.t, o.verify("ann", "recovery", "abcd-1234-efgh-5678"))
}

// Users move into another store with another key, in an encrypted file that tells nothing. Nothing
// of a file that is encrypted for another, altered or cut off passes for the whole.
func TestMoveOut_MovesUsersEncrypted(t *testing.T) {
	from, to := populated(t), onSQLite(t)
	file := filepath.Join(t.TempDir(), "users.age")
	require.Equal(t, 2, from.run(act("move-out", file)...).code, "it has to be told how")
	require.Equal(t, 2, from.run(act("move-out", "-plain", "-recipient", mover, file)...).code)
	require.Equal(t, 2, from.run("move-out", "-recipient", mover, file).code, "nobody acts")
	require.NoFileExists(t, file)

	out := from.does(act("move-out", "-recipient", mover, file)...)
	require.Equal(t, "1 users with 2 factors are in "+file+".\n", out.out)
	require.Contains(t, out.messages, `"msg":"command.move-out"`)
	require.Contains(t, out.messages, `"msg":"admin.export"`)
	sealed := from.read(file)
	require.NotContains(t, sealed, `"ann"`)
	require.NotContains(t, sealed, key)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.Equal(t, 1, from.run(act("move-out", "-plain", file)...).code, "no file is overwritten")

	identity := to.write("key.txt", "# a comment\n"+moverIdentity+"\n")
	require.Equal(t, 2, to.run(act("import", file)...).code)
	other := to.run(act("import", "-identity", to.write("other.txt", otherIdentity), file)...)
	require.Equal(t, 1, other.code)
	require.Contains(t, other.messages, "nothing was imported: the file is encrypted for another")
	cut := to.run(act("import", "-identity", identity, to.write("cut", sealed[:len(sealed)-1]))...)
	require.Equal(t, 1, cut.code, "nothing was done")
	require.Contains(t, cut.out, "(the file)\tfailed: ")
	require.NotContains(t, cut.out, "ann\t", "a chunk that cannot be authenticated says nothing")

	require.Contains(t, to.does(act("import", "-identity", identity, file)...).out,
		"ann\timported totp, recovery")
	to.movedIn()
}

// A plain file is one that the command warns of, and that says so if it was cut off.
func TestMoveOut_WritesAPlainFileLoudly(t *testing.T) {
	from, to := populated(t), onSQLite(t)
	file := filepath.Join(t.TempDir(), "users.jsonl")
	out := from.does(act("move-out", "-plain", file)...)
	require.Contains(t, out.messages, "SECRETS, NOT ENCRYPTED")
	plain := from.read(file)
	require.Contains(t, plain, `"secret":"`+key+`"`)
	cut := to.run(act("import", "-dry-run", to.write("cut", plain[:len(plain)/2]))...)
	require.Equal(t, 1, cut.code, "nothing was done")
	require.Contains(t, cut.out, "it is cut off")
	to.does(act("import", file)...)
	to.movedIn()
}

// A passphrase protects a file as an identity does. Each use of one costs a second of hashing.
func TestMoveOut_EncryptsWithAPassphrase(t *testing.T) {
	from := populated(t)
	file := filepath.Join(t.TempDir(), "users.age")
	short := from.run(act("move-out", "-passphrase", from.write("short", "hunter2"), file)...)
	require.Equal(t, 2, short.code)
	require.Contains(t, short.messages, "less than 16 characters")
	if os.Getenv("SECONDGATE_LONG") == "" {
		return
	}
	words := from.write("words", "correct horse battery staple\n")
	from.does(act("move-out", "-passphrase", words, file)...)
	to := onSQLite(t)
	wrong := to.run(act("import", "-passphrase", to.write("wrong", "incorrect horse battery\n"),
		file)...)
	require.Equal(t, 1, wrong.code)
	require.Contains(t, wrong.messages, "nothing was imported")
	to.does(act("import", "-passphrase", words, file)...)
	to.movedIn()
}
