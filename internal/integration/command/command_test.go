package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

const users = `id,otp,codes
ann,` + key + `,"abcd-1234-efgh-5678,ijkl-1234-mnop-5678"
bob,JBSWY3DPEHPK3PXP,
carl,no secret,
`

// An operator moves users in, looks at them, helps them, and rotates the key; the application sees
// each of these at once.
func TestCommand_OperatesAnInstallation(t *testing.T) {
	engines(t, operates)
	clusters(t, operates)
	standIns(t, operates)
}

func operates(t *testing.T, o *operator) {
	file := filepath.Join(t.TempDir(), "users.csv")
	require.NoError(t, os.WriteFile(file, []byte(users), 0o600))
	moving := act("import", "-format", "csv", "-columns", "id=id,secret=otp,codes=codes", file)

	dry := o.run(append([]string{moving[0], "-dry-run"}, moving[1:]...)...)
	require.Equal(t, 3, dry.code, dry.messages)
	require.Contains(t, dry.messages, "2 can be imported, 1 of them to be renewed; 0 skipped, "+
		"1 failed")
	require.Equal(t, 1, o.run("status", "ann").code, "a dry run changes nothing")

	moved := o.run(moving...)
	require.Equal(t, 3, moved.code)
	require.Contains(t, moved.out, "ann\timported totp, recovery\n")
	require.Contains(t, moved.out, "bob\timported totp; to be renewed: totp\n")
	require.Contains(t, moved.out, "carl\tfailed: secret_form")
	require.NotContains(t, moved.out+moved.messages, key)
	require.Contains(t, moved.messages, `"msg":"admin.import"`)
	require.Contains(t, o.run(moving...).out, "ann\tskipped: imported\n")

	code, err := oldtotp.GenerateCode(key, time.Now())
	require.NoError(t, err)
	require.NoError(t, o.verify("ann", "totp", code))
	require.NoError(t, o.verify("ann", "recovery", "abcd1234efgh5678"))

	ann := o.json("status", "-json", "ann")
	require.Len(t, ann["factors"], 2)
	o.loadTested()
	require.EqualValues(t, 1, ann["factors"].([]any)[1].(map[string]any)["codes_left"])
	require.Contains(t, o.does("status", "bob").out, "to be renewed")
	require.Contains(t, o.does("report").out, "recovery 1, totp 2")
	group := o.json("report", "-json")["groups"].([]any)[0].(map[string]any)
	require.EqualValues(t, 1, group["to_renew"])

	for range 5 {
		require.Error(t, o.verify("bob", "totp", "000000"))
	}
	require.Contains(t, o.does("status", "bob").out, "Locked until")
	unlocked := o.does(act("unlock", "bob")...)
	require.Contains(t, unlocked.messages, `"actor":"carol"`)
	require.Contains(t, unlocked.messages, "ticket 4711")
	require.NotContains(t, o.does("status", "bob").out, "Locked")

	temporary := o.json(act("access-code", "-json", "-valid", "2h", "bob")...)
	require.NoError(t, o.verify("bob", "access", temporary["code"].(string)))

	o.does(act("reset", "bob")...)
	require.Empty(t, o.json("status", "-json", "bob")["factors"])
	o.does(act("delete", "bob")...)
	require.Contains(t, o.run("status", "bob").messages, "no record")
	o.rotates(t)
	o.letsAnnLeave(t)
}

// letsAnnLeave mails ann a recovery link, moves her to another installation, and erases her from
// the audit trail.
func (o *operator) letsAnnLeave(t *testing.T) {
	t.Helper()
	where := filepath.Join(t.TempDir(), "trail.jsonl")
	for _, scheme := range []string{"postgres:", "mysql:"} {
		if strings.HasPrefix(o.store, scheme) {
			where = o.store // which keeps a trail too
		}
	}
	audited := o.auditedBy(t, where)
	server := newMailServer(t)
	o.mailsBy(server)
	o.does(act("recovery-link", "-email", "ann@work.example", "ann")...)
	mails := server.received()
	require.Len(t, mails, 1)
	found := linkInMail.FindStringSubmatch(mails[0].text)
	require.NotNil(t, found, mails[0].text)
	o.opensLink(found[1])

	file := filepath.Join(t.TempDir(), "users.jsonl")
	o.does(act("move-out", "-plain", file)...)
	to := onSQLite(t)
	to.does(act("import", file)...)
	code, err := oldtotp.GenerateCode(key, time.Now())
	require.NoError(t, err)
	require.NoError(t, to.verify("ann", "totp", code))
	require.NoError(t, to.verify("ann", "recovery", "ijkl-1234-mnop-5678"))
	require.Error(t, to.verify("ann", "recovery", "abcd-1234-efgh-5678"), "used before the move")

	o.does(act("delete", "ann")...)
	require.Regexp(t, `command\.recovery-link +ann +carol`, o.does("trail", "show").out)
	require.Positive(t, o.json(act("trail erase", "-json", "ann")...)["entries"])
	require.NotRegexp(t, `\bann\b`, o.does("trail", "show").out)
	require.Contains(t, o.does("trail", "show", "-user", "ann").out, "no entries about the user")
	require.Zero(t, audited.verify().code)
}

// rotates adds a key, re-encrypts, and retires the old one, which is refused before.
func (o *operator) rotates(t *testing.T) {
	t.Helper()
	old, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	other := &operator{t: t, store: "sqlite:" + filepath.Join(t.TempDir(), "other.db"),
		keys: filepath.Join(t.TempDir(), "keys")}
	other.does("init")
	added, err := os.ReadFile(other.keys)
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(o.keys, added, 0o600))
	lost := o.run(act("rotate")...)
	require.Equal(t, 1, lost.code, "nothing was done")
	require.Contains(t, lost.messages, "need a key that is not here")
	missing := o.run("keys", "list")
	require.Equal(t, 4, missing.code, missing.messages)
	require.Regexp(t, `missing +[0-9a-f]{16} +[1-9]`, missing.out)
	require.NoError(t, os.WriteFile(o.keys, old, 0o600))
	first := o.json(act("keys add", "-json")...)["id"].(string)
	require.Equal(t, []bool{false, true}, o.keysInUse(), "the new key has sealed nothing")
	older := o.keyIDs()[1]
	require.Equal(t, []string{first, older}, o.keyIDs())
	refused := o.run(act("keys retire", older)...)
	require.Equal(t, 1, refused.code)
	require.Regexp(t, "key "+older+` is in use: [1-9]\d* records .* secondgate rotate`,
		refused.messages)
	rotated := o.does(act("rotate")...)
	require.Contains(t, rotated.out, "re-encrypted")
	require.Regexp(t, `"msg":"command.rotate","actor":"carol","note":"ticket 4711"`,
		rotated.messages)
	require.Equal(t, []bool{true, false}, o.keysInUse())
	require.Contains(t, o.run(act("keys retire", first)...).messages, "is in use")
	o.does(act("keys retire", older)...)
	require.Equal(t, []string{first}, o.keyIDs())
	o.does("status", "ann")
}

// keyIDs returns the IDs of the keys in their order.
func (o *operator) keyIDs() (ids []string) {
	o.t.Helper()
	for _, k := range o.json("keys", "list", "-json")["keys"].([]any) {
		ids = append(ids, k.(map[string]any)["id"].(string))
	}
	return ids
}

// keysInUse says of each key whether it sealed a record.
func (o *operator) keysInUse() (used []bool) {
	o.t.Helper()
	for _, k := range o.json("keys", "list", "-json")["keys"].([]any) {
		used = append(used, k.(map[string]any)["records"].(float64) > 0)
	}
	return used
}
